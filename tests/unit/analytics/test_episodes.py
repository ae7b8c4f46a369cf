"""Episodes: flagged steps joined, opened, closed, and counted exactly."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from comptroller.domains.analytics.engine.episodes import DOWN, UP, EpisodeRules, find_episodes
from comptroller.domains.analytics.engine.observation import Observation, settled_end, step_of, step_start
from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement
from comptroller.enums import AnomalyKind, Grain
from unit.analytics.made_bills import FIRST, UNIT, key

WORDS = {"s": "SPIKE", "b": "BURST", "h": "SHIFT", "r": "DRIFT", "d": "DROP", "n": "NEW_SPEND"}


def observed(*rows, provisional=0, expected=100.0, currency="USD", cost=None):
    """Return an observation from one letter per day: a dot is normal, a letter is a flag of that kind."""
    shape = (len(rows), len(rows[0]))
    kind = np.array([[KIND_CODES[AnomalyKind(WORDS[c])] if c != "." else 0 for c in row] for row in rows], np.uint8)
    actual = np.where(kind == KIND_CODES[AnomalyKind.DROP], 0, np.where(kind > 0, 300, 100)).astype(np.int64) * UNIT
    actual = actual if cost is None else np.array(cost, dtype=np.int64)
    filled = np.full(shape, expected, np.float32)
    verdict = Judgement((kind > 0) * np.float32(2), kind > 0, kind, filled, filled - 20, filled + 20)
    keys = [key("service", f"s{row}", currency) for row in range(shape[0])]
    return Observation(keys, actual, verdict, FIRST, settled_end(FIRST + shape[1], provisional_days=provisional))


def spans(observation, rules=None):
    return [
        (e.series, e.kind.value, e.start - FIRST, e.end - FIRST, e.is_open) for e in find_episodes(observation, rules)
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ("..s...", [(0, "SPIKE", 2, 3, False)]),
        ("..ss..", [(0, "BURST", 2, 4, False)]),
        ("..s.s...", [(0, "BURST", 2, 5, False)]),
        ("..s..s...", [(0, "SPIKE", 2, 3, False), (0, "SPIKE", 5, 6, False)]),
        ("..shhh..", [(0, "SHIFT", 2, 6, False)]),
        ("..rr..rr....", [(0, "DRIFT", 2, 8, False)]),
        ("..nnn..", [(0, "NEW_SPEND", 2, 5, False)]),
        (".....s", [(0, "SPIKE", 5, 6, True)]),
        ("...ddd", [(0, "DROP", 3, 6, True)]),
        ("..sd..", [(0, "SPIKE", 2, 3, False), (0, "DROP", 3, 4, False)]),
        ("......", []),
    ],
)
def test_flags_join_to_episodes(days, expected):
    assert spans(observed(days)) == expected


def test_each_series_has_its_own_episodes():
    assert spans(observed("...s", "s...")) == [(0, "SPIKE", 3, 4, True), (1, "SPIKE", 0, 1, False)]


def test_a_provisional_day_never_closes_an_episode():
    assert spans(observed("..s..", provisional=2)) == [(0, "SPIKE", 2, 3, True)]
    assert spans(observed("..s...", provisional=2)) == [(0, "SPIKE", 2, 3, False)]


def test_a_provisional_day_extends_an_episode_upward():
    assert spans(observed("..ss", provisional=2)) == [(0, "BURST", 2, 4, True)]


def test_a_provisional_day_is_never_a_drop():
    assert spans(observed("....dd", provisional=2)) == []
    assert spans(observed("...ddd", provisional=2)) == [(0, "DROP", 3, 4, True)]


def test_steps_may_be_settled_for_an_end_and_not_for_a_drop():
    observation = replace(observed("..s...dd.."), drops_until=FIRST + 4)
    assert spans(observation) == [(0, "SPIKE", 2, 3, False)]


def test_a_flag_below_the_expected_is_a_direction_of_its_own():
    observation = observed("..h..", cost=[[100 * UNIT, 100 * UNIT, 20 * UNIT, 100 * UNIT, 100 * UNIT]])
    (episode,) = find_episodes(observation)
    assert (episode.direction, episode.excess, episode.stakes) == (DOWN, -80 * UNIT, 80 * UNIT)


def test_history_before_the_judged_steps_is_not_reported():
    observation = observed("ss..s.")
    late = Observation(
        observation.keys, observation.actual_quanta, observation.judgement, FIRST, FIRST + 6, judged_from=FIRST + 3
    )
    assert [(e.start - FIRST, e.end - FIRST) for e in find_episodes(late)] == [(4, 5)]


def test_amounts_are_exact_beyond_float_and_int64():
    cost = [[9_007_199_254_740_993, 9_223_372_036_854_775_807, 9_223_372_036_854_775_807, 0]]
    (episode,) = find_episodes(observed("sss.", cost=cost))
    assert episode.actual == sum(cost[0])
    assert episode.expected == 300 * UNIT
    assert (episode.low, episode.high, episode.direction) == (240 * UNIT, 360 * UNIT, UP)


def test_bridged_days_count_in_the_amounts():
    (episode,) = find_episodes(observed("s.s.."))
    assert (episode.excess, episode.stakes, episode.flagged_steps) == (400 * UNIT, 400 * UNIT, 2)


def test_the_echo_of_a_burst_is_no_part_of_it():
    echo = observed("..ssr..", cost=[[100 * UNIT, 100 * UNIT, 900 * UNIT, 900 * UNIT, 110 * UNIT, 0, 0]])
    assert spans(echo) == [(0, "BURST", 2, 4, False)]


def test_a_lasting_kind_needs_a_quarter_of_the_money():
    cost = [[100, 100, 900, 900, 500, 100, 100]]
    assert spans(observed("..bbh..", cost=[[c * UNIT for c in cost[0]]])) == [(0, "BURST", 2, 5, False)]
    cost = [[100, 100, 900, 900, 800, 100, 100]]
    assert spans(observed("..bbh..", cost=[[c * UNIT for c in cost[0]]])) == [(0, "SHIFT", 2, 5, False)]


def test_the_quantum_is_the_currencys():
    (episode,) = find_episodes(observed("..s..", currency="KRW", cost=[[0, 0, 700 * 10**6, 0, 0]]))
    assert episode.excess == 600 * 10**6


def test_an_unknown_expectation_counts_as_nothing_expected():
    (episode,) = find_episodes(observed("n..", expected=float("nan")))
    assert (episode.expected, episode.excess) == (0, 300 * UNIT)


def test_bridges_are_settings():
    assert len(find_episodes(observed("s..s.."), EpisodeRules(bridge=2))) == 1
    assert len(find_episodes(observed("r.r..."), EpisodeRules(bridge=0, lasting_bridge=0))) == 2


def test_hours_bridge_three_hours():
    by_hour = replace(observed("s...s....s...."), grain=Grain.HOUR)
    assert [(e.start - FIRST, e.end - FIRST) for e in find_episodes(by_hour)] == [(0, 5), (9, 10)]


def test_arrays_of_unequal_shape_are_refused():
    good = observed("s.")
    with pytest.raises(ValueError, match="unequal"):
        Observation(good.keys, np.zeros((2, 2), np.int64), good.judgement, FIRST, FIRST)


def test_steps_count_days_and_hours_since_1970():
    assert step_of(step_start(FIRST).date()) == FIRST
    assert step_of(step_start(FIRST * 24 + 5, Grain.HOUR), Grain.HOUR) == FIRST * 24 + 5
    assert settled_end(480, Grain.HOUR) == 432
    assert Decimal(step_start(1).timestamp()) == 86400
