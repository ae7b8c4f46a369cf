import hashlib
import json

import pytest

from comptroller.domains.incidents.engine.draft import draft_incident
from comptroller.enums import AnomalyKind, Severity
from comptroller.errors import InvalidInputError
from contract_calls import ANOMALY


def test_detail_is_canonical_json_of_all_that_was_said():
    draft = draft_incident(**ANOMALY, description="ü")
    said = {key: value for key, value in ANOMALY.items() if key != "tenant_id"}
    expected = {**said, "description": "ü", "entity_id": None, "entity_type": None}
    assert json.loads(draft.detail) == expected
    assert draft.detail == json.dumps(expected, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert draft.content_hash == hashlib.sha256(draft.detail.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "LOW"},
        {"current_value_cents": 1},
        {"expected_value_cents": 1},
        {"anomaly_type": "OTHER"},
        {"entity_type": "user"},
        {"entity_id": "ann"},
        {"description": ""},
    ],
)
def test_each_value_is_part_of_the_content(change: dict[str, object]):
    assert draft_incident(**{**ANOMALY, **change}).content_hash != draft_incident(**ANOMALY).content_hash


def test_tenant_is_no_part_of_the_content():
    assert draft_incident(**{**ANOMALY, "tenant_id": "x"}).content_hash == draft_incident(**ANOMALY).content_hash


@pytest.mark.parametrize("word", ["CRITICAL", "critical", "CrItIcAl", Severity.CRITICAL])
def test_severity_in_any_case_of_letters_is_the_same(word: str):
    assert draft_incident(**{**ANOMALY, "severity": word}).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    "word",
    [
        "",
        "urgent",
        "HIGH ",
        " HIGH",
        "h\N{LATIN SMALL LETTER DOTLESS I}gh",
        "CR\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}TICAL",
        None,
        1,
        "medium-high",
    ],
)
def test_unknown_severity_raises(word: object):
    with pytest.raises(InvalidInputError, match="severity"):
        draft_incident(**{**ANOMALY, "severity": word})


@pytest.mark.parametrize("word", ["A", "USER_SPIKE", "P95", "A_1_B2", "X" * 64, AnomalyKind.BUDGET_EXCEEDED])
def test_upper_snake_word_is_a_type(word: str):
    draft = draft_incident(**{**ANOMALY, "anomaly_type": word})
    assert draft.anomaly_type == word
    assert type(draft.anomaly_type) is str


@pytest.mark.parametrize(
    "word",
    [
        "",
        "spike",
        "Spike",
        "USER SPIKE",
        "USER-SPIKE",
        "_SPIKE",
        "SPIKE_",
        "A__B",
        "1A",
        "SPIKÉ",
        "A\n",
        "X" * 65,
        None,
    ],
)
def test_what_is_no_upper_snake_word_raises(word: object):
    with pytest.raises(InvalidInputError, match="anomaly_type"):
        draft_incident(**{**ANOMALY, "anomaly_type": word})


@pytest.mark.parametrize(
    ("entity", "title"),
    [
        ({}, "user spike"),
        ({"entity_type": "user", "entity_id": "ann"}, "user spike on user ann"),
        ({"entity_type": "user"}, "user spike on user"),
        ({"entity_id": "ann"}, "user spike on ann"),
    ],
)
def test_title_names_type_and_entity(entity: dict[str, str], title: str):
    assert draft_incident(**ANOMALY, **entity).title == title


@pytest.mark.parametrize("name", ["tenant_id", "anomaly_id", "entity_type", "entity_id"])
def test_empty_ids_raise(name: str):
    with pytest.raises(InvalidInputError, match=f"{name} must not be empty"):
        draft_incident(**{**ANOMALY, name: ""})


@pytest.mark.parametrize("name", ["current_value_cents", "expected_value_cents"])
@pytest.mark.parametrize("value", [-1, 1.5, float("nan"), float("inf"), True, None, "1"])
def test_bad_cents_raise(name: str, value: object):
    with pytest.raises(InvalidInputError, match=name):
        draft_incident(**{**ANOMALY, name: value})
