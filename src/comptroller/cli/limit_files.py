"""``comptroller limits apply`` and ``replay``: limits as a file."""

import csv
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from comptroller.cli import output
from comptroller.cli.options import DEFAULT, Common
from comptroller.errors import BadFileError
from comptroller.money import Money
from comptroller.spine.orchestrator.limits import replay_limits
from comptroller.types.limit_file import PastCall, PlannedChange, PlannedStep

_COUNTED = frozenset({"time", "cost", "currency", "tokens", "requests"})
_SHOWN = 20
_FILE_MAX_BYTES = 16 * 1024 * 1024


def apply(
    file: Path,
    *,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    prune: Annotated[bool, Parameter(negative=())] = False,
    why: str = "",
    common: Common = DEFAULT,
) -> int:
    """Make the limits in force those of a TOML file, all of them or none.

    The file is a list of [[limit]] tables with name, ceiling, every, timezone, where, per, require, mode, warn_at.

    Example: comptroller limits apply limits.toml --dry-run

    Args:
        file: The file of limits.
        dry_run: Only show the difference.
        prune: Archive limits that the file does not name.
        why: Kept with each version.
        common: Where, for whom, how.
    """
    said = read_limits(file)
    with common.opened() as ct:
        planned = ct.limits.plan(said, prune=prune) if dry_run else ct.limits.apply(said, prune=prune, why=why)
    if common.is_json:
        output.print_json(planned)
        return 0
    for one in planned:
        _show(one)
    changed = sum(one.step is not PlannedStep.KEEP for one in planned)
    output.console().print(f"{changed} of {len(planned)} limits {'would change' if dry_run else 'changed'}")
    return 0


_IMPORT_HELP = "Take limits over from elsewhere, as a file.\n\nExample: comptroller limits import litellm --from URL"
import_app = App(name="import", help=_IMPORT_HELP, help_format="plaintext")


@import_app.command
def litellm(
    *, from_: Annotated[str, Parameter(name="--from")], out: Path | None = None, common: Common = DEFAULT
) -> int:
    """Read the budgets of a LiteLLM database into a file of limits that only observe; nothing is written there.

    Example: comptroller limits import litellm --from postgresql://… --out limits.toml

    Args:
        from_: The database's URL; it is only read.
        out: Where to write the file; else it is printed.
        common: How to answer.
    """
    from comptroller.integrations.litellm_limits import read_litellm  # noqa: PLC0415 — needed by this verb alone

    found = read_litellm(from_)
    if common.is_json:
        output.print_json(found)
    elif out is None:
        output.console().print(found.toml, markup=False, soft_wrap=True)
    else:
        out.write_text(found.toml, encoding="utf-8")
        output.console().print(f"{found.limits} limits in {out}; next: comptroller limits apply {out} --dry-run")
    for line in found.left_out:
        output.error_console().print(f"left out, it has no window of ours: {line}", soft_wrap=True)
    return 0


def replay(file: Path, usage: Path, *, common: Common = DEFAULT) -> int:
    """Show which past calls a file of limits would have refused, and the money that saves.

    The usage is CSV with time and cost; currency (USD), tokens and requests (1) are optional, every other column is a
    dimension.

    Example: comptroller limits replay limits.toml calls.csv

    Args:
        file: The file of limits.
        usage: The past calls.
        common: How to answer.
    """
    told = replay_limits(read_limits(file), read_calls(usage))
    if common.is_json:
        output.print_json(told)
        return 0
    console = output.console()
    saved = ", ".join(output.money(amount, unit) for unit, amount in sorted(told.saved.items())) or "nothing"
    console.print(f"{told.refused:,} of {told.calls:,} calls refused, {saved} saved")
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="bold")
    for head in ("Time (UTC)", "Cost", "Who", "Refused by"):
        table.add_column(head, overflow="fold")
    for call, names in told.first[:_SHOWN]:
        who = " ".join(f"{name}={value}" for name, value in call.dimensions)
        table.add_row(f"{call.at:%Y-%m-%d %H:%M:%S}", str(call.cost), who, ", ".join(names))
    if told.first:
        console.print(table)
    return 0


def read_limits(file: Path) -> dict[str, Any]:
    """Return what a file of limits says.

    Raises:
        BadFileError: If it cannot be read or is no TOML.
    """
    try:
        if file.stat().st_size > _FILE_MAX_BYTES:
            raise BadFileError(f"{file} is larger than {_FILE_MAX_BYTES} bytes")
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadFileError(f"{file} cannot be read as TOML: {error}") from error


def read_calls(file: Path) -> Iterator[PastCall]:
    """Yield the calls of a usage file.

    Raises:
        BadFileError: If it cannot be read, has no time or cost, or a value is wrong; the row is named.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            reader = csv.DictReader(opened)
            missing = {"time", "cost"} - set(reader.fieldnames or ())
            if missing:
                raise BadFileError(f"{file} has no column {min(missing)}: it needs time and cost")
            for row in reader:
                yield _call(file, reader.line_num, row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFileError(f"{file} cannot be read as CSV: {error}") from error


def _call(file: Path, line: int, row: dict[str, str]) -> PastCall:
    try:
        at = datetime.fromisoformat(row["time"])
        cost = Money(Decimal(row["cost"]), row.get("currency") or "USD")
        tokens, requests = row.get("tokens"), row.get("requests")
        return PastCall(
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
            cost=cost,
            requests=int(requests) if requests else 1,
            tokens=int(tokens) if tokens else None,
            dimensions=tuple(sorted((name, value) for name, value in row.items() if name not in _COUNTED and value)),
        )
    except (ValueError, TypeError, InvalidOperation) as error:
        raise BadFileError(f"{file}, line {line}: {error}") from error


def _show(one: PlannedChange) -> None:
    marks = {PlannedStep.CREATE: "+", PlannedStep.UPDATE: "~", PlannedStep.ARCHIVE: "-", PlannedStep.KEEP: " "}
    console = output.console()
    console.print(f"{marks[one.step]} {one.name}")
    for name, (before, after) in one.changes.items():
        if one.step is PlannedStep.UPDATE:
            console.print(f"    {name}: {before} -> {after}", soft_wrap=True)
