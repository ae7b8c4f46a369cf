"""New spend lasts as long as a person would call it new."""

import numpy as np
import pytest

from comptroller.domains.analytics.engine.newcomers import leave_out_early_drops, let_new_spend_last, new_steps
from comptroller.domains.analytics.engine.panel import KIND_CODES, Judgement, empty_judgement
from comptroller.enums import AnomalyKind, Grain

NEW = KIND_CODES[AnomalyKind.NEW_SPEND]
DROP = KIND_CODES[AnomalyKind.DROP]


def judged(quanta: np.ndarray, first: int) -> Judgement:
    judgement = empty_judgement(*quanta.shape)
    judgement.expected[:] = 5
    judgement.flag[0, first], judgement.kind[0, first], judgement.score[0, first] = True, NEW, 1.5
    return judgement


@pytest.mark.parametrize("grain", Grain)
def test_what_follows_new_spend_is_new_for_two_weeks_or_a_day(grain: Grain) -> None:
    quanta = np.full((2, 60), 7, dtype=np.int64)
    judgement = judged(quanta, 10)

    let_new_spend_last(judgement, quanta, grain)

    end = 10 + new_steps(grain)
    assert np.flatnonzero(judgement.flag[0]).tolist() == list(range(10, end))
    assert (judgement.expected[0, 10:end] == 0).all()
    assert (judgement.expected[0, end:] == 5).all()
    assert not judgement.flag[1].any()


def test_new_spend_ends_when_money_stops_flowing() -> None:
    quanta = np.full((1, 30), 7, dtype=np.int64)
    quanta[0, 13:] = 0
    judgement = judged(quanta, 10)

    let_new_spend_last(judgement, quanta, Grain.DAY)

    assert np.flatnonzero(judgement.flag[0]).tolist() == [10, 11, 12]


def test_new_spend_on_the_last_step_stays_there() -> None:
    quanta = np.full((1, 20), 7, dtype=np.int64)
    judgement = judged(quanta, 19)

    let_new_spend_last(judgement, quanta, Grain.DAY)

    assert np.flatnonzero(judgement.flag[0]).tolist() == [19]


@pytest.mark.parametrize(("days", "stays"), [(6, False), (7, True)])
def test_a_series_falls_only_from_a_level_it_had(days: int, stays: bool) -> None:
    quanta = np.zeros((1, 40), dtype=np.int64)
    quanta[0, :days] = 7
    judgement = empty_judgement(1, 40)
    judgement.flag[0, 30], judgement.kind[0, 30], judgement.score[0, 30] = True, DROP, 2

    leave_out_early_drops(judgement, quanta)

    assert bool(judgement.flag[0, 30]) is stays
    assert (judgement.score[0, 30] > 0) == stays
