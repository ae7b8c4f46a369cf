"""The draft of a limit breach: checked, ready to store."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from comptroller import checks
from comptroller.enums import BreachType
from comptroller.errors import InvalidInputError

# Limits that decide without a balance; their rows appear with their first breach.
BUILTIN_LIMITS: Final = frozenset({"builtin:kill-switch", "builtin:pricing", "builtin:no-limit", "builtin:run"})

_encode: Final = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class BreachDraft:
    """A crossing as it will be stored; values are kept digit for digit."""

    tenant_id: str
    limit_id: str
    breach_type: BreachType
    value_at_breach: Decimal
    limit_value: Decimal
    run_id: str | None
    incident_id: str | None
    details: str | None
    payload: str


def draft_breach(
    *,
    tenant_id: object,
    limit_id: object,
    breach_type: object,
    value_at_breach: object,
    limit_value: object,
    run_id: object = None,
    incident_id: object = None,
    details: object = None,
) -> BreachDraft:
    """Return the checked draft.

    Raises:
        InvalidInputError: If any value is not acceptable; unknown words are never mapped to a default.
    """
    said = {
        "limit_id": checks.required_id("limit_id", limit_id),
        "breach_type": _breach_type(breach_type),
        "run_id": checks.optional_id("run_id", run_id),
        "incident_id": checks.optional_id("incident_id", incident_id),
    }
    value, ceiling = (
        checks.exact_amount("value_at_breach", value_at_breach),
        checks.exact_amount("limit_value", limit_value),
    )
    told = {**said, "value_at_breach": format(value, "f"), "limit_value": format(ceiling, "f")}
    return BreachDraft(
        tenant_id=checks.required_id("tenant_id", tenant_id),
        value_at_breach=value,
        limit_value=ceiling,
        details=checks.json_details("details", details),
        payload=_encode(told).decode(),
        **said,  # type: ignore[arg-type]  # a mapping of differently typed values
    )


def _breach_type(value: object) -> BreachType:
    try:
        return BreachType(checks.required_id("breach_type", value))
    except ValueError as error:
        known = ", ".join(BreachType)
        raise InvalidInputError(f"breach_type {checks.shown(value)} is unknown: use one of {known}") from error
