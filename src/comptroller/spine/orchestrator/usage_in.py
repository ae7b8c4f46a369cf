"""Use cases of usage that is reported after the fact: what an export says, before it is booked through the gate."""

from comptroller.ingest.genai_spans import logs_usage, traces_usage
from comptroller.types.usage_in import ReportedUsage

__all__ = ["ReportedUsage", "logs_usage", "traces_usage"]
