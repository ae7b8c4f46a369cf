"""How a group is answered, whatever happens: together, else one by one, else as undecidable.

The steps are written once; the threads' gate and the event loop's gate run them each in its own way.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from comptroller.enums import EntryKind
from comptroller.errors import ComptrollerError, GovernanceError, GovernanceUnavailable, NotFoundError, StorageError
from comptroller.spine.orchestrator import spend
from comptroller.spine.orchestrator.operation import Operation
from comptroller.types.caller import Caller
from comptroller.types.spend import Action, Admitted, End, Invalid, Outcome, Reserve

# What an operation can fail with; an error of one caller alone comes back as an answer.
FAILURES: Final = (ComptrollerError, GovernanceError, SQLAlchemyError, spend.AlteredError, OSError)
_ATTEMPTS: Final = 3  # each finds what another has just committed; more than that is no race
_NOTHING: Final = (0, 0, 0, 0)
_ORPHANS_MAX: Final = 10_000


class Waiting:
    """One caller's action, and its answer once there is one.

    Attributes:
        is_repeat: True if what became of it before is not known.
        is_abandoned: True if its caller has gone: an admitted hold is given back.
    """

    is_repeat = False
    is_abandoned = False
    is_answered = False
    answer: Any = None
    error: BaseException | None = None

    def __init__(self, action: Action, caller: Caller) -> None:
        self.action = action
        self.caller = caller

    def result(self) -> Any:
        """Return the answer, or raise the caller's own error."""
        if self.error is not None:
            raise self.error
        if isinstance(self.answer, Invalid):
            raise self.answer.error
        return self.answer


Step = tuple[Operation[..., Outcome], tuple[Any, ...]]
Steps = Generator[Step, Outcome, None]


@dataclass(slots=True)
class Desk:
    """What a process keeps of one tenant between groups: its policy, and holds that nobody will ever use."""

    book: spend.PolicyBook = field(default_factory=spend.PolicyBook)
    orphans: list[str] = field(default_factory=list)


def sent(steps: Steps, outcome: Outcome) -> Step | None:
    """Go on with what an operation returned; None at the end."""
    try:
        return steps.send(outcome)
    except StopIteration:
        return None


def thrown(steps: Steps, error: BaseException) -> Step | None:
    """Go on with what an operation failed with; None at the end."""
    try:
        return steps.throw(error)
    except StopIteration:
        return None


def serve(desk: Desk, group: list[Waiting]) -> Steps:
    """Answer a group; a member whose outcome cannot be found out gets GovernanceUnavailable."""
    if not any(each.is_repeat for each in group):
        try:
            outcome = yield spend.act, (desk.book, [each.action for each in group])
        except FAILURES:  # whatever it was, each is now asked for by its key
            pass
        else:
            _answer(desk, group, outcome)
            yield from _give_back(desk, group)
            return
    down: BaseException | None = None
    for each in group:
        if down is None:
            down = yield from _serve_one(desk, each)
        else:
            _undecided(desk, each, down)
    if down is None:
        yield from _give_back(desk, group)


def _serve_one(desk: Desk, waiting: Waiting) -> Generator[Step, Outcome, BaseException | None]:
    """Answer one; returns the error if the database is not there, so that nobody else waits for it."""
    failure: BaseException | None = None
    for _ in range(_ATTEMPTS):
        try:
            outcome = yield spend.act_again, (desk.book, waiting.action)
        except FAILURES as error:
            failure = error
        else:
            _answer(desk, [waiting], outcome)
            return None
    assert failure is not None  # noqa: S101 — every attempt failed
    _undecided(desk, waiting, failure)
    return failure if isinstance(failure, StorageError | OSError) else None


def _answer(desk: Desk, group: list[Waiting], outcome: Outcome) -> None:
    desk.book.confirm(outcome)
    for waiting, answer in zip(group, outcome.answers, strict=True):
        waiting.answer = answer
        waiting.is_answered = True


def _undecided(desk: Desk, waiting: Waiting, cause: BaseException) -> None:
    if isinstance(cause, GovernanceError):
        waiting.error = cause
    else:
        words = " ".join(str(cause).split())[:300] or type(cause).__name__
        waiting.error = GovernanceUnavailable(
            f"comptroller could not decide: {words}", "Policies", "admit", waiting.action.hold_id
        )
        waiting.error.__cause__ = cause
    waiting.is_answered = True
    if isinstance(waiting.action, Reserve) and len(desk.orphans) < _ORPHANS_MAX:
        desk.orphans.append(waiting.action.hold_id)  # it may have been admitted, and its caller will not call


def _give_back(desk: Desk, group: list[Waiting]) -> Steps:
    """Release holds of callers who have gone, and those whose admission became known too late."""
    gone = [each.answer.hold_id for each in group if each.is_abandoned and isinstance(each.answer, Admitted)]
    desk.orphans += gone
    while desk.orphans:
        hold_id = desk.orphans[-1]
        try:
            outcome = yield spend.act_again, (desk.book, End(hold_id, EntryKind.RELEASE, _NOTHING))
        except FAILURES:
            return  # kept for the next group
        desk.orphans.pop()
        if not isinstance(outcome.answers[0], Invalid) or isinstance(outcome.answers[0].error, NotFoundError):
            continue
