"""How a hold ends: exactly once, the same end again is the same answer, and an estimate is made true once."""

from dataclasses import dataclass
from typing import assert_never

from comptroller.enums import EntryKind
from comptroller.errors import ConflictError, InvalidInputError
from comptroller.types.spend import Admitted, Amounts, End, Ended


@dataclass(frozen=True, slots=True)
class Recorded:
    """An end, or a true-up, that is on record; a true-up's amounts are the difference it made."""

    kind: EntryKind
    amounts: Amounts
    is_estimated: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be written: the end of an open hold, or the true-up of an expired one."""

    kind: EntryKind
    released: Amounts
    charged: Amounts
    is_estimated: bool


NOTHING: Amounts = (0, 0, 0, 0)


def charge_of(hold: Admitted, action: End) -> Amounts:
    """Return what an end charges; a count that is not stated is what was held.

    Raises:
        InvalidInputError: If the amount is in another currency than the hold.
    """
    match action.kind:
        case EntryKind.RELEASE:
            return NOTHING
        case EntryKind.EXPIRE:
            return (*hold.amounts[:3], 0)
        case EntryKind.SETTLE:
            said, held = action.amounts, hold.amounts
            if said[0] >= 0 and action.currency != hold.facts.currency:
                theirs, ours = action.currency or "counts", hold.facts.currency or "counts"
                raise InvalidInputError(f"hold {action.hold_id} is in {ours}, not in {theirs}")
            stated = [told if told >= 0 else kept for told, kept in zip(said[:3], held[:3], strict=True)]
            return (stated[0], stated[1], stated[2], 0)
        case EntryKind.RESERVE | EntryKind.TRUE_UP | EntryKind.CHARGE:
            raise InvalidInputError(f"{action.kind} ends no hold")
    assert_never(action.kind)


def settled_within(action: End, hold: Admitted) -> Amounts | None:
    """Return what a settle charges if it is no more than was held, in the hold's own currency; else None."""
    if action.kind is not EntryKind.SETTLE or action.currency != hold.facts.currency:
        return None
    amount, requests, tokens, _ = action.amounts
    held_amount, held_requests, held_tokens, _ = hold.amounts
    if requests < 0:
        requests = held_requests
    if tokens < 0:
        tokens = held_tokens
    if not 0 <= amount <= held_amount or requests > held_requests or tokens > held_tokens:
        return None
    return (amount, requests, tokens, 0)


def end(hold: Admitted, action: End, ended: Recorded | None, true_up: Recorded | None) -> Step | Ended:
    """Return what to write, or the answer that was given before.

    Raises:
        ConflictError: If the hold ended in another way.
        InvalidInputError: If the amount is in another currency than the hold.
    """
    charged = charge_of(hold, action)
    if ended is None:
        return Step(action.kind, hold.amounts, charged, action.is_estimated)
    if true_up is not None:
        return _same_or_conflict(action, charged, _sum(ended.amounts, true_up.amounts), EntryKind.TRUE_UP)
    if ended.kind is EntryKind.EXPIRE and action.kind is not EntryKind.EXPIRE:
        difference = _difference(charged, ended.amounts)
        return Step(EntryKind.TRUE_UP, NOTHING, difference, is_estimated=False)
    if action.kind is EntryKind.EXPIRE:
        return Ended(action.hold_id, ended.kind, ended.amounts, ended.is_estimated)
    if ended.kind is not action.kind:
        raise ConflictError(f"hold {action.hold_id} has ended by {ended.kind}, so that {action.kind} comes too late")
    return _same_or_conflict(action, charged, ended.amounts, ended.kind)


def _same_or_conflict(action: End, charged: Amounts, recorded: Amounts, kind: EntryKind) -> Ended:
    if action.kind is EntryKind.EXPIRE or charged == recorded:
        return Ended(action.hold_id, kind, recorded, is_estimated=False)
    raise ConflictError(f"hold {action.hold_id} was settled with another amount: a hold is settled once")


def _sum(one: Amounts, other: Amounts) -> Amounts:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3])


def _difference(one: Amounts, other: Amounts) -> Amounts:
    return (one[0] - other[0], one[1] - other[1], one[2] - other[2], one[3] - other[3])


def charged_in_all(step: Step, ended: Recorded | None) -> Amounts:
    """Return what a hold has charged once a step is written."""
    return _sum(ended.amounts, step.charged) if step.kind is EntryKind.TRUE_UP and ended is not None else step.charged
