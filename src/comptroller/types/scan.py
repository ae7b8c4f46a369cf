"""What a scan reports."""

from dataclasses import dataclass

from comptroller.types.anomalies import DetectionReport
from comptroller.types.costs import IngestReport


@dataclass(frozen=True, slots=True)
class ScanReport:
    """What the files held and what is abnormal in what is now on record."""

    costs: IngestReport
    detection: DetectionReport
