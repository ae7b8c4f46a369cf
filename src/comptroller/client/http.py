"""One connection to a server: requests by the table of routes, problems as the errors that they were."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx2
import msgspec

from comptroller import errors
from comptroller.api.problems import TYPE_PREFIX
from comptroller.api.route import Route
from comptroller.api.wire import encode, from_wire
from comptroller.types.spend import OverLimit

TIMEOUT_SECONDS: Final = 35  # longer than a server lets a request take
_ATTEMPTS: Final = 3
_PLAIN: Final[dict[str, type[Exception]]] = {
    "invalid-input": errors.InvalidInputError,
    "invalid-cursor": errors.InvalidInputError,
    "not-authenticated": errors.NotAuthenticatedError,
    "not-allowed": errors.NotAllowedError,
    "not-found": errors.NotFoundError,
    "conflict": errors.ConflictError,
    "key-reused": errors.KeyReusedError,
    "too-large": errors.InvalidInputError,
    "bad-file": errors.BadFileError,
    "unavailable": errors.StorageError,
}


class Connection:
    """A server and a key.

    Args:
        url: The server's, such as ``https://comptroller.example``.
        key: An API key.
        transport: Used in the place of the network.
    """

    def __init__(self, url: str, key: str, transport: httpx2.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def ask(
        self, route: Route, path: Mapping[str, str], *, query: Mapping[str, Any] | None = None, body: Any = None,
        key: str | None = None, file: Any = None,
    ) -> Any:  # fmt: skip
        """Send a request and return its answer as JSON has it; what may be repeated is, when the network fails.

        Raises:
            ComptrollerError: What the server's operation raised.
            GovernanceUnavailable: If the server cannot be reached or did not answer.
        """
        headers = {} if key is None else {"Idempotency-Key": key}
        content = file if file is not None else None if body is None else encode(body)
        if body is not None:
            headers["Content-Type"] = "application/json"
        target = route.path.format_map({name: _quoted(value) for name, value in path.items()})
        repeats = _ATTEMPTS if route.method == "GET" or key is not None else 1
        response = self._sent(repeats, route.method, target, params=query, content=content, headers=headers)
        if response.status_code >= 400:  # noqa: PLR2004 — HTTP's errors begin here
            raise error_of(response.status_code, response.content, response.headers.get("Retry-After"))
        return msgspec.json.decode(response.content) if response.content else None

    def _sent(self, repeats: int, method: str, target: str, **request: Any) -> httpx2.Response:
        for left in range(repeats, 0, -1):
            try:
                return self._http.request(method, target, **request)
            except httpx2.TransportError as error:
                if left == 1:
                    words = f"the server cannot be reached: {error or type(error).__name__}"
                    raise errors.GovernanceUnavailable(words, "Service", "ask") from error
        raise AssertionError  # pragma: no cover — the last attempt returns or raises


def error_of(status: int, content: bytes, retry_after: str | None) -> Exception:
    """Return the error that a problem was made from."""
    try:
        said: dict[str, Any] = msgspec.json.decode(content)
        name, detail = str(said["type"]).removeprefix(TYPE_PREFIX), str(said["detail"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return errors.GovernanceUnavailable(f"the server answered {status} without a reason", "Service", "ask")
    over = tuple(from_wire(OverLimit, each) for each in said.get("over") or ())
    if name == "limit-exceeded":
        return errors.LimitExceeded(over, said["breach_id"])
    if name == "run-halted":
        return errors.RunHalted(said["run_id"], said["reason"], said.get("why", ""), said.get("breach_id"), over)
    if name == "too-many-requests":
        return errors.TooManyAttemptsError(detail, int(retry_after or 1))
    if name in _PLAIN:
        return _PLAIN[name](detail)
    kind = errors.GovernanceError if name == "governance-error" else errors.GovernanceUnavailable
    return kind(detail, "Service", "ask")


def _quoted(value: str) -> str:

    return quote(value, safe="")
