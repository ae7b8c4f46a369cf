"""``comptroller scan``: the main job."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from comptroller.cli.convert import decimal_of, mapping_of
from comptroller.cli.options import DEFAULT, Common
from comptroller.cli.output import console, error_console, print_json
from comptroller.cli.progress import progress_bar
from comptroller.cli.scan_table import print_scan
from comptroller.enums import Arrival, CostMetric, Sensitivity, Severity
from comptroller.errors import InvalidInputError
from comptroller.spine.orchestrator.scanning import scan as operation
from comptroller.types.scan import ScanReport

FOUND = 1


Amount = Annotated[Decimal | None, Parameter(converter=decimal_of)]


def scan(
    *paths: Path,
    source: str | None = None,
    input_format: Annotated[str | None, Parameter(name="--input-format")] = None,
    map: str | None = None,  # noqa: A002 — the option's word
    skip_bad: bool = False,
    append: bool = False,
    replace: bool = False,
    sensitivity: Sensitivity = Sensitivity.NORMAL,
    cost: CostMetric = CostMetric.EFFECTIVE,
    min_amount: Amount = None,
    min_percent: Amount = None,
    dry_run: bool = False,
    fail_on: Severity | None = None,
    report: Path | None = None,
    common: Common = DEFAULT,
) -> int:
    """Take cost files or folders in, find what is abnormal, open incidents, print what was found.

    Example: comptroller scan bills/ --report report.html --fail-on HIGH

    Args:
        paths: Cost files, or folders as AWS and Azure export them.
        source: Under which name a later delivery replaces this one; the provider unless given.
        input_format: How to read files that are not recognised, such as usage or tabular.
        map: Which column is what: time=Day,cost=Amount,service=Product.
        skip_bad: Keep the good rows of files that have bad ones.
        append: These files are a further part of the current delivery.
        replace: These files are the whole period, though they lack what the current delivery has.
        sensitivity: normal (0.2 false alarms per 1,000 series-days) or high (1.0).
        cost: Which cost is judged.
        min_amount: Below this much at stake an incident opens suppressed.
        min_percent: Likewise below this much above the expected.
        dry_run: Write nothing.
        fail_on: Exit with status 1 if an incident of this severity or a graver one is told.
        report: Write a self-contained page with the series drawn.
        common: Where, for whom, how.
    """
    if not paths:
        raise InvalidInputError("name a cost file or folder: comptroller scan FILE")
    with common.opened() as ct, progress_bar() as progress:
        call = operation.rehearse if dry_run else operation.run
        found = call(
            ct.engine, ct.caller, *paths, source=source, format=input_format, column_map=mapping_of(map),
            skip_bad=skip_bad, arrival=_arrival(append=append, replace=replace), sensitivity=sensitivity, cost=cost,
            min_amount=min_amount, min_percent=min_percent, progress=progress,
        )  # fmt: skip
    if common.is_json:
        print_json(found)
    else:
        print_scan(console(), found, dry_run=dry_run)
    if report is not None:
        _write_report(report, found)
    return FOUND if fail_on is not None and _has(found, fail_on) else 0


def _arrival(*, append: bool, replace: bool) -> Arrival:
    if append and replace:
        raise InvalidInputError("give --append or --replace, not both")
    return Arrival.APPEND if append else Arrival.REPLACE if replace else Arrival.COMPLETE


def _has(found: ScanReport, least: Severity) -> bool:
    order = list(Severity)
    return any(
        one.anomaly.suppressed_reason is None and order.index(one.anomaly.severity) <= order.index(least)
        for one in found.detection.found
    )


def _write_report(path: Path, found: ScanReport) -> None:
    from comptroller.cli.page import scan_page  # noqa: PLC0415 — loads the template engine

    try:
        path.write_text(scan_page(found), encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"report {path} cannot be written: {error.strerror or error}") from error
    error_console().print(f"report: {path}")
