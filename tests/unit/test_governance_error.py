import copy
import pickle

import pytest

from comptroller.errors import ComptrollerError
from comptroller.errors.governance import GovernanceError, GovernanceUnavailable

ERROR = GovernanceError("cannot be written", "Policies", "record_limit_breach", "limit-1")


def test_text_is_the_one_that_dashboards_know():
    assert str(ERROR) == "[Policies] record_limit_breach: cannot be written (entity_id=limit-1)"


def test_entity_is_left_out_where_there_is_none():
    assert str(GovernanceError("x", "d", "o")) == "[d] o: x"


def test_error_says_what_it_was_given():
    assert (ERROR.message, ERROR.domain, ERROR.operation, ERROR.entity_id) == (
        "cannot be written",
        "Policies",
        "record_limit_breach",
        "limit-1",
    )


@pytest.mark.parametrize("kind", [GovernanceError, GovernanceUnavailable])
def test_error_survives_the_way_to_another_process(kind: type[GovernanceError]):
    error = kind("m", "d", "o", "e")
    for back in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301 — our own bytes
        assert type(back) is kind
        assert (str(back), back.entity_id) == (str(error), "e")


def test_error_is_not_caught_by_a_handler_of_the_programs_other_errors():
    assert not issubclass(GovernanceError, ComptrollerError)
