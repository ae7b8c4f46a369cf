"""What a notice says: one sentence, a link, the command that stops it and the one that undoes that."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from comptroller.enums import Severity

_WHOLE_FROM: Final = 1000
_TITLE_MAX: Final = 200
_TIMES: Final = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a notice's subject when it is told; absent values are left out of the words.

    Args:
        where: The dimension values that a kill would name.
        per_hour: What is spent an hour, in ``currency``.
        expected_per_hour: What was expected.
        since: When it began.
    """

    what: str
    where: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    per_hour: Decimal | None = None
    expected_per_hour: Decimal | None = None
    since: datetime | None = None
    description: str = ""
    owner: str | None = None
    team: str | None = None
    page: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The outbox row that is told."""

    notice_id: str
    tenant: str
    kind: str
    subject_id: str
    severity: Severity
    payload: Mapping[str, Any]
    created_at: datetime


def tell(source: Source, facts: Facts, *, public_url: str | None) -> dict[str, Any]:
    """Return a notice's body: JSON, the same for every channel."""
    stoppable = source.kind not in {"incident.resolved", "kill.engaged", "kill.lifted"}
    ratio = _ratio(facts)
    said = {
        "id": source.notice_id,
        "kind": source.kind,
        "tenant": source.tenant,
        "at": source.created_at.isoformat(),
        "subject_id": source.subject_id,
        "severity": source.severity.value,
        "sentence": sentence(source, facts),
        "money_per_hour": None if facts.per_hour is None else f"{_amount(facts.per_hour)} {facts.currency}",
        "times_expected": None if ratio is None else f"{ratio:.1f}",
        "since": None if facts.since is None else facts.since.isoformat(),
        "dimensions": dict(facts.where),
        "owner": facts.owner,
        "team": facts.team,
        "link": f"{public_url.rstrip('/')}{facts.page}" if public_url and facts.page else None,
        "kill": _kill(source, facts) if stoppable else None,
        "undo": _lift(source, facts) if stoppable or source.kind == "kill.engaged" else None,
        "look": _look(source),
    }
    return {name: value for name, value in said.items() if value is not None}


def sentence(source: Source, facts: Facts) -> str:
    """Return the one sentence: who burns how much an hour, how many times the expected, since when."""
    by, why = source.payload.get("by"), source.payload.get("why") or source.payload.get("note")
    because = f": {why}" if why else ""
    if source.kind == "incident.resolved":
        return f"Over: {facts.what}{f', said {by}' if by else ''}{because}."
    if source.kind == "kill.engaged":
        return f"{by or 'somebody'} shut {_scope(facts.where)}{because}."
    if source.kind == "kill.lifted":
        return f"{by or 'somebody'} opened {_scope(facts.where)} again{because}."
    if source.kind == "limit.warning":
        return _warning(source)
    return _burning(source, facts)


def _warning(source: Source) -> str:
    said = source.payload
    subject = said.get("subject")
    who = f" of {subject}" if subject and subject not in {"{}", "[]"} else ""
    resets = f", resets {str(said['resets_at'])[:16]} UTC" if said.get("resets_at") else ""
    return (
        f"Limit {said.get('limit')}{who} has passed {said.get('threshold')}: {said.get('spent')} of "
        f"{said.get('ceiling')} spent{resets}."
    )


def _burning(source: Source, facts: Facts) -> str:
    text = facts.what
    if facts.per_hour is not None:
        text += f" burns {_amount(facts.per_hour)} {facts.currency} an hour"
        ratio = _ratio(facts)
        if ratio is not None and facts.expected_per_hour:
            text += f", {ratio:.1f} {_TIMES} the expected {_amount(facts.expected_per_hour)}"
    if facts.since is not None:
        text += f", since {facts.since:%Y-%m-%d %H:%M} UTC"
    lead = {"incident.escalated": "Worse: ", "incident.reopened": "Again: ", "incident.reminder": "Still: "}
    tail = f" — {facts.description.rstrip('.')}" if facts.description else ""
    owner = facts.owner or facts.team
    return f"{lead.get(source.kind, '')}{text}{tail}{f'; owner {owner}' if owner else ''}."


def title(body: Mapping[str, Any]) -> str:
    """Return a message's subject line."""
    words = f"[{body['severity']}] {body['sentence']}"
    return words if len(words) <= _TITLE_MAX else words[: _TITLE_MAX - 1] + "…"


def text_of(bodies: tuple[Mapping[str, Any], ...]) -> str:
    """Return a message as plain text, for mail and chat."""
    return "\n\n".join(_text(body) for body in bodies)


def _text(body: Mapping[str, Any]) -> str:
    lines = [f"[{body['severity']}] {body['sentence']}"]
    lines += [f"{word}: {body[name]}" for word, name in _LINES if body.get(name)]
    return "\n".join(lines)


_LINES: Final = (("Look", "link"), ("Look", "look"), ("Stop it", "kill"), ("Undo", "undo"))


def _ratio(facts: Facts) -> Decimal | None:
    if facts.per_hour is None or not facts.expected_per_hour:
        return None
    return facts.per_hour / facts.expected_per_hour


def _amount(amount: Decimal) -> str:
    if abs(amount) >= _WHOLE_FROM:
        return f"{amount:,.0f}"
    return f"{amount:,.2f}" if abs(amount) >= Decimal("0.01") or amount == 0 else f"{amount:.2g}"


def _scope(where: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(where.items())) or "everything"


def _where_words(where: Mapping[str, str]) -> str:
    return " ".join(f"--where {shlex.quote(f'{name}={value}')}" for name, value in sorted(where.items()))


def _kill(source: Source, facts: Facts) -> str | None:
    if not facts.where:
        return None  # a kill of the whole tenant is nothing to paste at three in the morning
    why = shlex.quote(f"{source.kind.split('.', maxsplit=1)[0]} {source.subject_id}")
    return f"comptroller kill {_where_words(facts.where)} --why {why} --tenant {shlex.quote(source.tenant)}"


def _lift(source: Source, facts: Facts) -> str | None:
    if not facts.where:
        return None
    return f"comptroller lift {_where_words(facts.where)} --tenant {shlex.quote(source.tenant)}"


def _look(source: Source) -> str | None:
    if not source.kind.startswith("incident."):
        return None
    return f"comptroller incidents show {source.subject_id} --tenant {shlex.quote(source.tenant)}"
