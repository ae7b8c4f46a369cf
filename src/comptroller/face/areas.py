"""The areas of the library that bills, anomalies and incidents need."""

from comptroller.face.binding import verb
from comptroller.spine.orchestrator import anomalies, audit, breaches, costs, incidents, ingestion, prices


class CostVerbs:
    """``ct.costs``: cost files in, costs asked for."""

    ingest = verb(ingestion.ingest)
    query = verb(costs.query_costs)


class BreachVerbs:
    """``ct.breaches``: refusals and crossings, on record."""

    list = verb(breaches.list_breaches)
    get = verb(breaches.get_breach)


class AuditVerbs:
    """``ct.audit``: who changed what."""

    list = verb(audit.list_audit)


class OwnerVerbs:
    """``ct.owners``: which team and person owns which account, subscription, tag, key, model."""

    list = verb(ingestion.list_owners)
    apply = verb(ingestion.apply_owners)


class PriceVerbs:
    """``ct.prices``: what tokens cost."""

    list = verb(prices.list_prices)
    set = verb(prices.set_price)
    update = verb(prices.update_prices)


class AnomalyVerbs:
    """``ct.anomalies``: detect, look, say what they were, announce and mute."""

    detect = verb(anomalies.detect)
    list = verb(anomalies.list_anomalies)
    get = verb(anomalies.get_anomaly)
    feedback = verb(anomalies.give_feedback)
    plan = verb(anomalies.plan_window)
    mute = verb(anomalies.mute_series)
    unmute = verb(anomalies.unmute_series)


class IncidentVerbs:
    """``ct.incidents``: what people act on."""

    list = verb(incidents.list_incidents)
    get = verb(incidents.get_incident)
    acknowledge = verb(incidents.acknowledge_incident)
    resolve = verb(incidents.resolve_incident)
    reopen = verb(incidents.reopen_incident)
    comment = verb(incidents.comment_incident)
