"""What a caller says of a spend, as the ledger counts it."""

from functools import lru_cache
from typing import Final

from comptroller.checks import required_id, shown
from comptroller.errors import InvalidInputError, LimitExceeded, RunHalted
from comptroller.money import COUNT_UNITS, Money, as_money, spend_quanta
from comptroller.types.runs import HaltReason, RunLimits
from comptroller.types.spend import Admitted, Amounts, Refused

RUN_LIMIT: Final = "builtin:run"
_COUNT_MAX: Final = 2**53  # exact in every language that may read it back
_UNSTATED: Final = -1
Spend = str | Money


@lru_cache(maxsize=4096)
def _parsed(amount: Spend) -> tuple[str, int]:
    money = as_money(amount)
    if money.amount < 0:
        raise InvalidInputError(f"amount {money} must not be negative")
    if money.unit == "runs":
        raise InvalidInputError("runs are counted by starting them, not by amounts")
    return money.unit, spend_quanta(money.amount, money.unit)


def quanta_of(amount: Spend) -> tuple[str, int]:
    """Return an amount's unit and quanta.

    Raises:
        InvalidInputError: If it is a float, negative, not finite or without a known unit.
    """
    if not isinstance(amount, str | Money):
        raise InvalidInputError(
            f"amount {shown(amount)} is {type(amount).__name__}: give text like '0.12 USD' or Money"
        )
    return _parsed(amount)


def reserve_amounts(amount: Spend, requests: int, tokens: int | None) -> tuple[str | None, Amounts, bool]:
    """Return the currency, the amounts, and whether the tokens are stated.

    Raises:
        InvalidInputError: If a value is not acceptable.
    """
    unit, quanta = quanta_of(amount)
    if requests.__class__ is not int or not 0 <= requests <= _COUNT_MAX:
        count("requests", requests)
    if tokens is not None:
        count("tokens", tokens)
    if unit not in COUNT_UNITS:
        return unit, (quanta, requests, tokens or 0, 0), tokens is not None
    if unit == "requests":
        return None, (0, quanta, tokens or 0, 0), tokens is not None
    if tokens is not None and tokens != quanta:
        raise InvalidInputError(f"the amount says {quanta} tokens and tokens says {tokens}")
    return None, (0, requests, quanta, 0), True


def settle_amounts(amount: Spend, requests: int | None, tokens: int | None) -> tuple[str | None, Amounts]:
    """Return the currency and the amounts; what is not stated is what was held.

    Raises:
        InvalidInputError: If a value is not acceptable.
    """
    unit, quanta = quanta_of(amount)
    calls = _UNSTATED if requests is None else count("requests", requests)
    used = _UNSTATED if tokens is None else count("tokens", tokens)
    if unit == "requests":
        return None, (0, quanta, used, 0)
    if unit == "tokens":
        return None, (0, calls, quanta, 0)
    return unit, (quanta, calls, used, 0)


def count(name: str, value: object) -> int:
    """Return a count.

    Raises:
        InvalidInputError: If it is no int, negative, or too large.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _COUNT_MAX:
        raise InvalidInputError(f"{name} must be an int from 0 on: {shown(value)}")
    return value


def dimension_pairs(said: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Return dimensions in the order in which they are compared.

    Raises:
        InvalidInputError: If a name or a value is no text, or the run's own id is given as a dimension.
    """
    if "run" in said:
        raise InvalidInputError("run is the dimension that a run has by itself")
    for name, value in said.items():
        required_id(name, value)
    return tuple(sorted(said.items()))


def run_ceilings(limits: RunLimits | None) -> tuple[tuple[str, int], ...]:
    """Return a run's own limits in quanta of each unit.

    Raises:
        InvalidInputError: If one is zero or below, or no money where money is meant.
    """
    if limits is None:
        return ()
    found = []
    if limits.cost is not None:
        unit, quanta = quanta_of(limits.cost)
        if unit in COUNT_UNITS:
            raise InvalidInputError(f"a run's cost is money, not {limits.cost}")
        found.append((unit, quanta))
    counted = {"tokens": limits.tokens, "requests": limits.calls, "seconds": limits.seconds}
    counted["iterations"] = limits.iterations
    found += [(name, count(name, value)) for name, value in counted.items() if value is not None]
    if any(value == 0 for _, value in found):
        raise InvalidInputError("a run's limit must be above zero")
    return tuple(found)


def admitted(answer: Admitted | Refused, run_id: str | None) -> Admitted:
    """Return the hold, or raise the refusal, whose breach is on record.

    Raises:
        RunHalted: If the run is killed, or used up a limit of its own.
        LimitExceeded: If another limit refused.
    """
    if isinstance(answer, Admitted):
        return answer
    if run_id is None:
        raise LimitExceeded(answer.over, answer.breach_id)
    if answer.killed is not None:
        raise RunHalted(run_id, HaltReason.KILLED, answer.killed, answer.breach_id, answer.over)
    if any(over.limit_id == RUN_LIMIT for over in answer.over):
        names = ", ".join(over.limit_name for over in answer.over if over.limit_id == RUN_LIMIT)
        raise RunHalted(run_id, HaltReason.LIMIT_EXHAUSTED, names, answer.breach_id, answer.over)
    raise LimitExceeded(answer.over, answer.breach_id)
