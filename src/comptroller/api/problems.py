"""Errors as problem details (RFC 9457): the ``type`` is stable and tells them apart, the status does not have to."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from comptroller import errors
from comptroller.api.wire import to_wire

TYPE_PREFIX: Final = "urn:comptroller:problem:"
MEDIA_TYPE: Final = "application/problem+json"


class Problem(msgspec.Struct, omit_defaults=True):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    breach_id: str | None = None
    over: list[dict[str, Any]] | None = None
    run_id: str | None = None
    reason: str | None = None
    why: str | None = None


class RequestError(errors.ComptrollerError):
    """The request itself is not acceptable, whatever it asks for.

    Args:
        name: The problem's name.
        detail: What is wrong.
    """

    def __init__(self, name: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.name = name
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Kind:
    """A problem's status and title."""

    status: int
    title: str


KINDS: Final = {
    "invalid-input": Kind(400, "A value is not acceptable"),
    "invalid-cursor": Kind(400, "The cursor is not one of ours"),
    "not-authenticated": Kind(401, "No valid key or session"),
    "limit-exceeded": Kind(402, "A limit refused the spend"),
    "not-allowed": Kind(403, "The role may not do this"),
    "cross-site": Kind(403, "A browser's request from another site, or without its token"),
    "not-found": Kind(404, "No such thing for this tenant"),
    "method-not-allowed": Kind(405, "The path has no such method"),
    "conflict": Kind(409, "The request contradicts what is on record"),
    "key-reused": Kind(409, "The idempotency key belongs to another request"),
    "run-halted": Kind(409, "The run must stop"),
    "too-large": Kind(413, "The body is too large"),
    "media-type": Kind(415, "The body is not of this type"),
    "bad-file": Kind(422, "The cost file cannot be taken in"),
    "too-many-requests": Kind(429, "Too many requests"),
    "internal": Kind(500, "The server failed"),
    "governance-error": Kind(500, "A mandatory write did not happen"),
    "unavailable": Kind(503, "The database cannot be used"),
    "governance-unavailable": Kind(503, "comptroller could not decide; this is no refusal by a limit"),
    "timed-out": Kind(503, "The request took too long; what became of it is not known"),
}
# The first that matches names the problem.
_NAMES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (errors.LimitExceeded, "limit-exceeded"),
    (errors.RunHalted, "run-halted"),
    (errors.BadFileError, "bad-file"),
    (errors.InvalidInputError, "invalid-input"),
    (errors.NotFoundError, "not-found"),
    (errors.KeyReusedError, "key-reused"),
    (errors.ConflictError, "conflict"),
    (errors.NotAuthenticatedError, "not-authenticated"),
    (errors.NotAllowedError, "not-allowed"),
    (errors.TooManyAttemptsError, "too-many-requests"),
    (errors.StorageError, "unavailable"),
    (errors.SchemaBehindError, "unavailable"),
    (errors.GovernanceUnavailable, "governance-unavailable"),
    (errors.GovernanceError, "governance-error"),
)
_SAID_ONLY_IN_THE_LOG: Final = "the server failed; its log says why"


def problem_of(error: Exception) -> tuple[Problem, dict[str, str]]:
    """Return the problem that an error is, and the headers that go with it."""
    if isinstance(error, RequestError):
        return problem(error.name, str(error)), error.headers
    name = next((name for kind, name in _NAMES if isinstance(error, kind)), "internal")
    if name in {"internal", "unavailable"}:
        return problem(name, _SAID_ONLY_IN_THE_LOG), {}
    made = problem(name, str(error))
    headers = {"WWW-Authenticate": "Bearer"} if name == "not-authenticated" else {}
    if isinstance(error, errors.LimitExceeded | errors.RunHalted):
        made.breach_id = error.breach_id
        made.over = to_wire(error.over)
        headers["X-Should-Retry"] = "false"  # clients of model providers heed it
    if isinstance(error, errors.RunHalted):
        made.run_id, made.reason, made.why = error.run_id, str(error.reason), error.why
    if isinstance(error, errors.TooManyAttemptsError):
        headers["Retry-After"] = str(error.seconds)
    return made, headers


def problem(name: str, detail: str) -> Problem:
    """Return a problem of a known name."""
    kind = KINDS[name]
    return Problem(TYPE_PREFIX + name, kind.title, kind.status, detail)
