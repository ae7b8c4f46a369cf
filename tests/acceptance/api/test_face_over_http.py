"""The embedded face's own tests, unchanged, with a server between."""

import inspect
from types import ModuleType

from comptroller.api.table import BY_USE_CASE
from comptroller.face import areas as areas_of_bills
from comptroller.face import limits as areas_of_limits
from comptroller.face import runs as areas_of_runs
from comptroller.face.binding import Verb
from integration.spending import test_holds, test_pains_of_holds, test_pains_of_refusals

# Names of tests that open a database by themselves, so that they say nothing of HTTP.
HAND_MADE = {"CostVerbs.ingest", "OwnerVerbs.apply"}  # they send a file
_EMBEDDED = {"database_url", "is_async", "postgres_url"}


def _collect(module: ModuleType) -> None:
    for name, test in vars(module).items():
        if name.startswith("test_") and inspect.isfunction(test):
            asked = set(inspect.signature(test).parameters)
            if "ct" in asked and not asked & _EMBEDDED:
                globals()[name] = test


for _module in (test_holds, test_pains_of_holds, test_pains_of_refusals):
    _collect(_module)


def test_the_embedded_face_s_tests_are_here():
    assert sum(name.startswith("test_") for name in globals()) > 30


def test_every_name_of_the_library_is_answered_over_http():
    for areas in (areas_of_bills, areas_of_limits, areas_of_runs):
        for verbs in vars(areas).values():
            if not (isinstance(verbs, type) and verbs.__name__.endswith("Verbs")):
                continue
            for name, verb in vars(verbs).items():
                if isinstance(verb, Verb) and verb._use_case not in BY_USE_CASE:
                    assert f"{verbs.__name__}.{name}" in HAND_MADE
