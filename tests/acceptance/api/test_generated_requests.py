"""Requests drawn from the OpenAPI document, good ones and bad ones, against a server as a user starts it."""

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from comptroller.api.openapi import document
from server_process import ServerProcess

# A request of the right form can still contradict what is on record: that it is accepted is not asked for.
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]
# Protobuf cannot be drawn from a document; its readers have tests of their own.
DRAWN = [op.ok() for op in schemathesis.openapi.from_dict(document()).get_all_operations()]
OPERATIONS = {operation.label: operation for operation in DRAWN if "/otlp/" not in operation.label}
SETTINGS = hypothesis.settings(
    max_examples=3, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)


SAYS_NOTHING = {"GET /healthz", "GET /readyz"}  # there is no wrong way to ask
CASES = [(label, GenerationMode.POSITIVE) for label in OPERATIONS]
CASES += [(label, GenerationMode.NEGATIVE) for label in OPERATIONS if label not in SAYS_NOTHING]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ServerProcess(tmp_path_factory.mktemp("server")) as running:
        running.secret = running.key()
        yield running


@pytest.mark.parametrize(("label", "mode"), CASES)
def test_no_request_fails_the_server_or_gets_an_answer_that_is_not_in_the_document(server, label, mode):
    operation = OPERATIONS[label]
    headers = {"Authorization": f"Bearer {server.secret}"}

    @SETTINGS
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate(base_url=server.address, headers=headers, checks=CHECKS)

    ask()
