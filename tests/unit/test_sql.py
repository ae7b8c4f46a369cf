from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from comptroller.sql import Statement, as_lite, lite_value


def test_parameters_take_the_form_of_each_driver():
    statement = Statement("SELECT CAST(:detail AS JSONB), :name, 'a::text', x::text FROM t WHERE a = :name")
    assert statement.text("postgresql") == (
        "SELECT CAST(%(detail)s AS JSONB), %(name)s, 'a::text', x::text FROM t WHERE a = %(name)s"
    )
    assert statement.text("sqlite") == "SELECT :detail, :name, 'a::text', x::text FROM t WHERE a = :name"


def test_sqlite_may_have_its_own_wording():
    assert Statement("one", sqlite="CAST('{}' AS JSONB)").text("sqlite") == "'{}'"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (datetime(2026, 11, 24, 1, 2, 3, 4, tzinfo=UTC), "2026-11-24 01:02:03.000004"),
        (datetime(2026, 11, 24, 1, 30, tzinfo=timezone(timedelta(hours=2))), "2026-11-23 23:30:00.000000"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        ("text", "text"),
        (7, 7),
        (None, None),
        (True, True),
    ],
)
def test_value_is_stored_as_the_models_read_it(value: object, stored: object):
    assert lite_value(value) == stored
    assert as_lite({"x": value}) == {"x": stored}
