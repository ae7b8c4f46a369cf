import json
from decimal import Decimal

import pytest

from comptroller.domains.policies.engine.breach import BUILTIN_LIMITS, draft_breach
from comptroller.enums import BreachType
from comptroller.errors import InvalidInputError
from contract_calls import CROSSING


def test_payload_is_canonical_json_with_exact_values():
    draft = draft_breach(**{**CROSSING, "value_at_breach": Decimal("1.50E+3"), "run_id": "r"})
    assert draft.payload == json.dumps(json.loads(draft.payload), sort_keys=True, separators=(",", ":"))
    assert json.loads(draft.payload) == {
        "breach_type": "BREACHED",
        "incident_id": None,
        "limit_id": "limit-1",
        "limit_value": "100.00",
        "run_id": "r",
        "value_at_breach": "1500",
    }


@pytest.mark.parametrize("word", list(BreachType))
def test_breach_types_are_the_four_of_the_contract(word: BreachType):
    assert draft_breach(**{**CROSSING, "breach_type": word.value}).breach_type is word


@pytest.mark.parametrize("word", ["", "breached", "BREACHED ", "EXCEEDED", None, 4])
def test_any_other_breach_type_raises(word: object):
    with pytest.raises(InvalidInputError, match="breach_type"):
        draft_breach(**{**CROSSING, "breach_type": word})


@pytest.mark.parametrize("name", ["tenant_id", "limit_id", "run_id", "incident_id"])
@pytest.mark.parametrize("value", ["", "  ", 7, "x" * 256])
def test_bad_ids_raise(name: str, value: object):
    with pytest.raises(InvalidInputError, match=name):
        draft_breach(**{**CROSSING, name: value})


@pytest.mark.parametrize("name", ["value_at_breach", "limit_value"])
@pytest.mark.parametrize("value", [1.5, True, "1", None, Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_bad_values_raise(name: str, value: object):
    with pytest.raises(InvalidInputError, match=name):
        draft_breach(**{**CROSSING, name: value})


def test_whole_numbers_are_taken():
    assert draft_breach(**{**CROSSING, "value_at_breach": 7}).value_at_breach == Decimal(7)


def test_builtin_limits_are_named_as_such():
    assert all(name.startswith("builtin:") for name in BUILTIN_LIMITS)
