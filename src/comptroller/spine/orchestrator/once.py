"""A request with a key of its own: done once, answered the same every time."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from comptroller.checks import required_id
from comptroller.domains.access.driver import request_keys as driver
from comptroller.errors import KeyReusedError
from comptroller.spine.orchestrator.operation import Operation, operation
from comptroller.types.caller import Caller


@operation
def once(
    session: Session,
    caller: Caller,
    key: str,
    *,
    use_case: Operation[..., Any],
    arguments: Mapping[str, Any],
    encode: Callable[[Any], str],
) -> str:
    """Do a use case and keep its answer under a key, in one transaction; a repeat gets the answer, nothing is done.

    Args:
        session: The transaction.
        caller: For whom.
        key: The request's own key, unique per tenant.
        use_case: What to do.
        arguments: The use case's arguments; their text is what a repeat must equal.
        encode: Makes the text that is kept and returned.

    Raises:
        KeyReusedError: If the key belongs to a request with other content.
    """
    key = required_id("Idempotency-Key", key)
    said = repr((use_case.__name__, sorted((name, repr(value)) for name, value in arguments.items())))
    content_hash = hashlib.sha256(said.encode()).hexdigest()
    if not driver.claim(session, caller.tenant, key, content_hash, now=caller.now()):
        known, answer = driver.first_answer(session, caller.tenant, key)
        if known != content_hash:
            raise KeyReusedError(f"Idempotency-Key {key!r} belongs to a request with other content: use another key")
        return answer
    answer = encode(use_case.within(session, caller, **arguments))
    driver.keep_answer(session, caller.tenant, key, answer)
    return answer
