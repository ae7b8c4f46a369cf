"""Counters; their names are those that dashboards of the contract's origin already use."""

from prometheus_client import Counter, Gauge, Histogram

governance_invariant_violations_total = Counter(
    "governance_invariant_violations_total",
    "Mandatory governance writes that failed and raised GovernanceError",
    ["domain", "operation"],
)
governance_incidents_created_total = Counter(
    "governance_incidents_created_total",
    "Incidents created and committed",
    ["domain", "source_type"],
)
governance_limit_breaches_recorded_total = Counter(
    "governance_limit_breaches_recorded_total",
    "Limit breaches recorded and committed",
    ["breach_type"],
)
comptroller_notices_dispatched_total = Counter(
    "comptroller_notices_dispatched_total", "Notices taken out of the outbox", []
)
comptroller_deliveries_total = Counter(
    "comptroller_deliveries_total", "Messages that a receiver took, refused, or never took (dead)", ["outcome"]
)
comptroller_delivery_age_seconds = Histogram(
    "comptroller_delivery_age_seconds",
    "From a notice's fact to its being taken by the receiver",
    buckets=(1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400),
)
comptroller_oldest_notice_seconds = Gauge(
    "comptroller_oldest_notice_seconds", "How long the oldest notice waits", multiprocess_mode="mostrecent"
)
comptroller_job_runs_total = Counter("comptroller_job_runs_total", "Runs of jobs", ["job", "outcome"])
comptroller_job_success_timestamp_seconds = Gauge(
    "comptroller_job_success_timestamp_seconds", "When a job last succeeded", ["job"], multiprocess_mode="mostrecent"
)
