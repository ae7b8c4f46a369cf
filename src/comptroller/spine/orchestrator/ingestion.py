"""Use cases of cost files: take a bill in, set who owns what."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver import owners as owners_driver
from comptroller.domains.analytics.driver.deliveries import KnownDelivery, wholly_current
from comptroller.domains.audit.driver import write_entry
from comptroller.enums import Arrival, BillFormat
from comptroller.ingest.bill import Bill, open_bill
from comptroller.ingest.files import fingerprint
from comptroller.ingest.layouts import bill_files
from comptroller.ingest.owners import OwnerKind, OwnerRule, OwnerRules, read_owners
from comptroller.ingest.pricing import PriceList
from comptroller.spine.orchestrator.operation import Do, Steps, Work, operation, procedure, reading
from comptroller.spine.services.ingestion import Delivery, store_bill
from comptroller.spine.services.prices import known_prices, load_prices
from comptroller.types.caller import Caller
from comptroller.types.costs import DeliveryOutcome, DeliveryReport, IngestReport
from comptroller.types.price_row import PriceRow
from comptroller.words import member

Progress = Callable[[str, float], None]
_EXAMPLES: Final = 20
# Formats whose rows always state their cost.
_COSTED: Final = frozenset({BillFormat.FOCUS, BillFormat.AWS_CUR, BillFormat.AZURE, BillFormat.LONG_FORM})


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the database decides how files are read; ``prices`` is None where only the installed catalogue is."""

    prices: list[PriceRow] | None
    owners: OwnerRules


@reading
def _read_rules(session: Session, caller: Caller) -> Rules:
    prices = known_prices(session, caller.tenant)
    owned = owners_driver.owner_rules(session, caller.tenant)
    return Rules(prices, OwnerRules(tuple(OwnerRule(OwnerKind(f), v, team, owner) for f, v, team, owner in owned)))


@reading
def _find_known(session: Session, caller: Caller, content: str) -> list[KnownDelivery]:
    return wholly_current(session, caller.tenant, content)


@operation
def _store(session: Session, caller: Caller, delivery: Delivery) -> tuple[DeliveryReport, ...]:
    bill = delivery.bill
    if not _COSTED.issuperset(bill.formats):  # what prices rows is on record with them
        load_prices(session, caller.tenant, now=caller.now())
    reports = store_bill(session, caller.tenant, delivery, now=caller.now())
    detail = {"files": [str(file) for file in bill.files], "rows": sum(report.row_count for report in reports)}
    write_entry(
        session, caller, action="costs.delivered", object_type="source", object_id=bill.source, detail=detail,
        now=caller.now(),
    )  # fmt: skip
    return reports


@procedure
def ingest(
    caller: Caller,
    *paths: str | Path,
    source: str | None = None,
    format: str | None = None,  # noqa: A002 — the word that users know
    column_map: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    arrival: str = Arrival.COMPLETE,
    progress: Progress | None = None,
) -> Steps[IngestReport]:
    """Take cost files or folders in as one delivery; the same files twice change nothing.

    Args:
        caller: For whom.
        paths: Files, or folders in the layouts that AWS and Azure export.
        source: The name under which a later delivery replaces this one; the provider unless given.
        format: How to read the files where recognition fails: one of ``BillFormat``.
        column_map: Which column is what, for files of no known format: ``{"time": "Day", "cost": "Amount"}``.
        skip_bad: Keep the good rows of files that have bad ones.
        arrival: ``complete`` (refused if it lacks what the current delivery has), ``replace`` or ``append``.
        progress: Called with a step's name and the share of it that is done.

    Raises:
        BadFileError: If a file is no bill, or has bad rows; nothing is stored then.
        ConflictError: If the delivery lacks a (day, service) that the current one has.
    """
    wanted = None if format is None else member(BillFormat, "format", format)
    how = member(Arrival, "arrival", arrival)
    files = yield Work(bill_files, ([Path(path) for path in paths],))
    rules = yield Do(_read_rules)
    content = yield Work(_fingerprint, (files, rules, column_map or {}, source, skip_bad))
    known = yield Do(_find_known, (content,))
    if known:
        return _known_report(files, known)
    bill = yield Work(_open, (files, rules, caller.now().date(), source, wanted, column_map, skip_bad, progress))
    with bill:
        reports = yield Do(_store, (Delivery(bill, content, how),))
        return _report(bill, files, reports)


def _open(files: Sequence[Path], rules: Rules, today: date, *options: Any) -> Bill:
    source, wanted, column_map, skip_bad, progress = options
    return open_bill(
        files, source=source, format=wanted, column_map=column_map, owners=rules.owners, skip_bad=skip_bad, today=today,
        prices=None if rules.prices is None else PriceList(rules.prices), progress=progress,
    )  # fmt: skip


def _fingerprint(
    files: Sequence[Path],
    rules: Rules,
    column_map: Mapping[str, str],
    source: str | None,
    skip_bad: bool,  # noqa: FBT001
) -> str:
    """Return a SHA-256 over all that decides what is stored: contents, mapping, overrides, owners."""
    overrides = sorted(row.version for row in rules.prices or () if row.is_override)
    owned = [asdict(rule) for rule in rules.owners.rules]
    said = [fingerprint(files), dict(column_map), overrides, owned, source, skip_bad]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _report(bill: Bill, files: Sequence[Path], reports: tuple[DeliveryReport, ...]) -> IngestReport:
    examples = tuple(str(row) for row in bill.bad_rows[:_EXAMPLES])
    names = tuple(str(file) for file in files)
    return IngestReport(
        bill.source, bill.format.value, names, reports, bill.bad_count, examples, tuple(bill.left_out_tags)
    )


def _known_report(files: Sequence[Path], known: list[KnownDelivery]) -> IngestReport:
    outcome = DeliveryOutcome.UNCHANGED
    deliveries = tuple(
        DeliveryReport(one.billing_account, one.period_start, one.period_end, outcome, one.row_count, {})
        for one in known
    )
    names = tuple(str(file) for file in files)
    return IngestReport(known[0].source, known[0].format, names, deliveries, known[0].bad_count, (), ())


@reading
def list_owners(session: Session, caller: Caller) -> list[OwnerRule]:
    """Return who owns what, in the order in which the rules apply."""
    rules = owners_driver.owner_rules(session, caller.tenant)
    return [OwnerRule(OwnerKind(field), value, team, owner) for field, value, team, owner in rules]


@operation
def _set_owners(session: Session, caller: Caller, rules: OwnerRules) -> int:
    rows = [(rule.kind.value, rule.value, rule.team, rule.owner) for rule in rules.rules]
    owners_driver.set_owner_rules(session, caller.tenant, rows)
    detail = {"rules": len(rows)}
    write_entry(
        session, caller, action="owners.set", object_type="owners", object_id="owners", detail=detail, now=caller.now()
    )  # fmt: skip
    return len(rows)


@procedure
def apply_owners(_caller: Caller, path: str | Path) -> Steps[int]:
    """Replace the rules of who owns what by a file's; returns how many there are. Later deliveries heed them."""
    rules = yield Work(read_owners, (Path(path),))
    count: int = yield Do(_set_owners, (rules,))
    return count
