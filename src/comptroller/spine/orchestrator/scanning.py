"""The main job: cost files in, anomalies found, incidents opened."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from comptroller.enums import Arrival, CostMetric, Sensitivity
from comptroller.spine.orchestrator.anomalies import detect, read_options
from comptroller.spine.orchestrator.ingestion import Progress, ingest
from comptroller.spine.orchestrator.operation import Steps, procedure
from comptroller.types.caller import Caller
from comptroller.types.scan import ScanReport


@procedure
def scan(
    caller: Caller,
    *paths: str | Path,
    source: str | None = None,
    format: str | None = None,  # noqa: A002 — the word that users know
    column_map: Mapping[str, str] | None = None,
    skip_bad: bool = False,
    arrival: str = Arrival.COMPLETE,
    sensitivity: str = Sensitivity.NORMAL,
    cost: str = CostMetric.EFFECTIVE,
    min_amount: Decimal | None = None,
    min_percent: Decimal | None = None,
    progress: Progress | None = None,
) -> Steps[ScanReport]:
    """Take cost files in and judge them: see ``ingest`` and ``detect``; running it twice changes nothing."""
    read_options(sensitivity, cost, min_amount, min_percent)
    ingested = yield from ingest.steps(
        caller, *paths, source=source, format=format, column_map=column_map, skip_bad=skip_bad, arrival=arrival,
        progress=progress,
    )  # fmt: skip
    if progress is not None:
        progress("detecting", 0.0)
    detected = yield from detect.steps(
        caller, sensitivity=sensitivity, cost=cost, min_amount=min_amount, min_percent=min_percent
    )
    if progress is not None:
        progress("detecting", 1.0)
    return ScanReport(ingested, detected)
