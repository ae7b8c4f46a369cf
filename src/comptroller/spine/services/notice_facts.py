"""Look up what a notice's sentence needs: the incident, its anomaly, the breach, who owns it, what it burns."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.orm import Session

from comptroller.domains.analytics.driver.facts import anomaly_rows
from comptroller.domains.incidents.driver.facts import incident_rows
from comptroller.domains.notices.engine.telling import Facts, Source
from comptroller.domains.policies.driver.facts import breach_rows
from comptroller.domains.policies.driver.kills import money_per_hour
from comptroller.domains.policies.engine.policy import subject_values
from comptroller.money import COUNT_UNITS, from_quanta

_LOOKS_MAX: Final = 5  # at what a scope burns, in one batch: each reads an hour of the ledger
_SCOPELESS: Final = frozenset({"total", "limit", "channel", "source"})
_NOWHERE: Final = frozenset({"(none)", "(unowned)"})


class FactsOf:
    """The facts of one batch of notices, read in a few queries."""

    def __init__(self, session: Session, tenant: str, sources: Sequence[Source], now: datetime) -> None:
        self._session, self._tenant, self._now = session, tenant, now
        told = {source.subject_id for source in sources if source.kind.startswith("incident.")}
        self.incidents = incident_rows(session, tenant, told)
        anomalies = {row.anomaly_id for row in self.incidents.values() if row.anomaly_id}
        self.anomalies = anomaly_rows(session, tenant, anomalies)
        crossed = {source.subject_id for source in sources if source.kind == "limit.breached"}
        crossed |= {one.removeprefix("breach:") for one in anomalies if one.startswith("breach:")}
        self.breaches = breach_rows(session, tenant, crossed)
        self._burning: dict[tuple[tuple[str, str], ...], tuple[str, Decimal] | None] = {}

    def of(self, source: Source) -> Facts:
        """Return what is known of a notice."""
        if source.kind.startswith("incident."):
            return self._incident(source)
        if source.kind == "limit.breached":
            return self._breach(self.breaches.get(source.subject_id), "")
        if source.kind == "limit.warning":
            where = subject_values(source.payload.get("subject") or "")
            return Facts(f"limit {source.payload.get('limit')}", where=where, page="/limits")
        return Facts("kill", where=source.payload.get("where", {}), page="/runs")

    def is_told_elsewhere(self, source: Source) -> bool:
        """Tell whether a breach opened an incident, whose own notice tells it."""
        breach = self.breaches.get(source.subject_id) if source.kind == "limit.breached" else None
        return breach is not None and breach.incident_id is not None

    def _incident(self, source: Source) -> Facts:
        incident = self.incidents.get(source.subject_id)
        if incident is None:
            return Facts(str(source.payload.get("title") or "an incident"))
        page = f"/incidents/{incident.id}"
        breach = self.breaches.get(str(incident.anomaly_id).removeprefix("breach:"))
        if breach is not None:
            return self._breach(breach, page)
        anomaly = self.anomalies.get(incident.anomaly_id)
        if anomaly is not None:
            return _anomaly_facts(anomaly, page, self._now)
        where = _scope({incident.entity_type or "": incident.entity_id or ""})
        what = " ".join(part for part in (incident.entity_type, incident.entity_id) if part) or incident.title
        return Facts(what, where=where, description=incident.description or "", since=incident.opened_at, page=page)

    def _breach(self, breach: Row[Any] | None, page: str) -> Facts:
        if breach is None:
            return Facts("a limit", page="/breaches")
        said = breach.details or {}
        where = _scope({**breach.scope, **subject_values(said.get("subject") or "")})
        burning = self._burns(where)
        spent = f"{breach.value_at_breach.normalize():f} of {breach.limit_value.normalize():f} {breach.unit}"
        reason = said.get("reason") or breach.breach_type.lower()
        return Facts(
            _words(where) or "the tenant",
            where=where,
            currency=burning[0] if burning else "",
            per_hour=burning[1] if burning else None,
            since=breach.recorded_at,
            description=f"limit {breach.limit_name} {reason}: {spent}",
            page=page or "/breaches",
        )

    def _burns(self, where: Mapping[str, str]) -> tuple[str, Decimal] | None:
        scope = tuple(sorted(where.items()))
        if scope not in self._burning:
            if len(self._burning) >= _LOOKS_MAX:
                return None
            sums = money_per_hour(self._session.connection(), self._tenant, scope, self._now)
            most = max(sums, key=lambda money: money.amount, default=None)
            self._burning[scope] = None if most is None else (most.unit, most.amount)
        return self._burning[scope]


def _anomaly_facts(anomaly: Row[Any], page: str, now: datetime) -> Facts:
    end = min(anomaly.end_at, now)  # a limit's period ends in the future
    hours = Decimal(max((end - anomaly.start_at) / timedelta(hours=1), 1.0))
    unit, is_money = anomaly.currency, anomaly.currency not in COUNT_UNITS
    named = {anomaly.dimension: anomaly.value}
    if anomaly.dimension == "total":
        named = {c["dimension"]: c["value"] for c in anomaly.explanation[:1]}
    where = _scope(named)
    return Facts(
        _words(where) or f"{anomaly.dimension} {anomaly.value}".strip(),
        where=where,
        currency=unit,
        per_hour=from_quanta(anomaly.actual_quanta, unit) / hours if is_money else None,
        expected_per_hour=from_quanta(anomaly.expected_quanta, unit) / hours if is_money else None,
        since=anomaly.start_at,
        description=anomaly.description,
        owner=anomaly.owner,
        team=anomaly.team,
        page=page,
    )


def _scope(named: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value for name, value in named.items()
        if name and value and name not in _SCOPELESS and value not in _NOWHERE and ":" not in name
    }  # fmt: skip


def _words(where: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(where.items()))
