"""One day's update of many series from their compact states; a replay is nothing but repeated updates."""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.calendar import DayFacts, day_facts
from comptroller.domains.analytics.engine.evidence import see, weigh_evidence
from comptroller.domains.analytics.engine.learning import learn_day
from comptroller.domains.analytics.engine.memory import States, new_states
from comptroller.domains.analytics.engine.outlook import band, foresee
from comptroller.domains.analytics.engine.panel import Judgement
from comptroller.domains.analytics.engine.thresholds import CUTS
from comptroller.domains.analytics.engine.verdict import decide
from comptroller.enums import Sensitivity

__all__ = ["States", "advance", "new_states", "update"]


def update(
    states: States,
    day: date,
    values: NDArray[np.float64],
    *,
    sensitivity: Sensitivity = Sensitivity.NORMAL,
    provisional: float = 1.0,
) -> tuple[States, Judgement]:
    """Judge one day of every series and learn it.

    Args:
        states: From ``new_states`` or an earlier update; changed in place and returned.
        day: The day after the one last seen.
        values: Cost per series in currency units; NaN where there is no data, below zero where credits outweigh it
            (neither is judged).
        sensitivity: How many false alarms are tolerated.
        provisional: Share of the day's final cost that is present; a day below 1.0 is judged upward only, not learned.

    Raises:
        ValueError: A day is missing or repeated: the calendar's memory would be wrong.
    """
    facts = day_facts(day)
    last = int(states.day.max()) if len(states) else 0
    if last and (facts.ordinal <= last or (provisional >= 1 and facts.ordinal != last + 1)):
        raise ValueError(f"the states end at {date.fromordinal(last)}; {day} is not the next day")
    judgement = advance(states, facts, values, sensitivity=sensitivity, provisional=provisional)
    return states, judgement


def advance(
    states: States, facts: DayFacts, values: NDArray[np.float64], *, sensitivity: Sensitivity, provisional: float
) -> Judgement:
    """Judge and learn one day; arrays of the answer have one entry per series."""
    with np.errstate(invalid="ignore", over="ignore"):
        outlook = foresee(states, facts)
        sight = see(states, facts, outlook, values)
        evidence = weigh_evidence(states, outlook, sight)
        expected, low, high = band(states, outlook)
        is_whole = provisional >= 1
        verdict = decide(states, evidence, CUTS[sensitivity], is_whole=is_whole)
        if is_whole:
            learn_day(states, facts, outlook, sight, evidence)
    return Judgement(verdict.score, verdict.flag, verdict.kind, expected, low, high)
