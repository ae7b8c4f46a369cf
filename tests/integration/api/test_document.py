import inspect
from pathlib import Path

import msgspec
import pytest

from comptroller.api.openapi import text
from comptroller.api.policy import Policy
from comptroller.api.route import Route
from comptroller.api.table import ROUTES

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
OF_PAGES = {"cursor", "count"}


async def anything(_call):
    """Do anything."""


def test_the_committed_document_is_the_one_that_is_served():
    assert COMMITTED.read_text() == text(), "python -m comptroller.api.openapi > docs/openapi.json"


def test_every_operation_has_a_name_of_its_own():
    names = [route.name for route in ROUTES]
    assert len(names) == len(set(names))


def test_every_path_and_method_stands_once():
    places = [(route.method, route.path) for route in ROUTES]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("policy", [None, "read", ""])
def test_a_route_without_a_policy_cannot_be_made(policy):
    with pytest.raises(TypeError, match="declares no policy"):
        Route(method="GET", path="/v1/x", policy=policy, handler=anything, answer=None)


def test_a_route_does_exactly_one_thing():
    with pytest.raises(TypeError, match="use case or a handler"):
        Route(method="GET", path="/v1/x", policy=Policy.READ, answer=None)


@pytest.mark.parametrize("route", [r for r in ROUTES if r.use_case], ids=lambda r: f"{r.method} {r.path}")
def test_what_a_request_can_say_are_arguments_of_the_use_case(route):
    known = set(route.use_case.__signature__.parameters)
    said = set(route.parameters) | {f.name for f in msgspec.structs.fields(route.query)}
    if route.body is not None:
        said |= {f.name for f in msgspec.structs.fields(route.body)}
    if route.paging is not None:
        said -= OF_PAGES
        if route.paging.place is not None:
            said |= {route.paging.argument, route.paging.size}
    assert said | set(route.gives) <= known


@pytest.mark.parametrize("route", [r for r in ROUTES if r.use_case], ids=lambda r: f"{r.method} {r.path}")
def test_a_request_can_say_all_that_the_use_case_needs(route):
    needed = {
        name for name, one in route.use_case.__signature__.parameters.items() if one.default is inspect.Parameter.empty
    }
    said = set(route.parameters) | set(route.gives) | {f.name for f in msgspec.structs.fields(route.query)}
    if route.body is not None:
        said |= {f.name for f in msgspec.structs.fields(route.body)}
    assert needed <= said
