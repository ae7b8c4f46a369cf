"""The draft of an incident that a cost anomaly opens: checked, titled, fingerprinted."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comptroller import checks
from comptroller.enums import Severity
from comptroller.errors import InvalidInputError

_TYPE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\Z")
_TYPE_MAX: Final = 64

_encode: Final = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class IncidentDraft:
    """What a cost anomaly says, as it will be stored; ``detail`` is canonical JSON of all of it."""

    tenant_id: str
    anomaly_id: str
    anomaly_type: str
    severity: Severity
    current_value_cents: int
    expected_value_cents: int
    entity_type: str | None
    entity_id: str | None
    description: str | None
    title: str
    detail: str
    content_hash: str


def draft_incident(
    *,
    tenant_id: object,
    anomaly_id: object,
    anomaly_type: object,
    severity: object,
    current_value_cents: object,
    expected_value_cents: object,
    entity_type: object = None,
    entity_id: object = None,
    description: object = None,
) -> IncidentDraft:
    """Return the checked draft.

    Raises:
        InvalidInputError: If any value is not acceptable; unknown words are never mapped to a default.
    """
    said: dict[str, Any] = {
        "anomaly_id": checks.required_id("anomaly_id", anomaly_id),
        "anomaly_type": _anomaly_type(anomaly_type),
        "severity": _severity(severity),
        "current_value_cents": checks.cents("current_value_cents", current_value_cents),
        "expected_value_cents": checks.cents("expected_value_cents", expected_value_cents),
        "entity_type": checks.optional_id("entity_type", entity_type),
        "entity_id": checks.optional_id("entity_id", entity_id),
        "description": checks.optional_text("description", description),
    }
    detail = _encode(said)
    return IncidentDraft(
        tenant_id=checks.required_id("tenant_id", tenant_id),
        title=_title(said),
        detail=detail.decode(),
        content_hash=hashlib.sha256(detail).hexdigest(),
        **said,
    )


def _title(said: dict[str, Any]) -> str:
    words = said["anomaly_type"].replace("_", " ").lower()
    entity = " ".join(part for part in (said["entity_type"], said["entity_id"]) if part)
    return f"{words} on {entity}" if entity else words


def _anomaly_type(value: object) -> str:
    word = checks.required_id("anomaly_type", value, longest=_TYPE_MAX)
    if not _TYPE.match(word):
        raise InvalidInputError(f"anomaly_type {word!r} must be an UPPER_SNAKE word such as USER_SPIKE")
    return word


def _severity(value: object) -> Severity:
    word = checks.required_id("severity", value)
    try:
        return Severity(word.upper() if word.isascii() else word)  # no dotless i
    except ValueError as error:
        known = ", ".join(Severity)
        raise InvalidInputError(f"severity {checks.shown(word)} is unknown: use one of {known}") from error
