"""Counters; their names are those that dashboards of the contract's origin already use."""

from prometheus_client import Counter

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
