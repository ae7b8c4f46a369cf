"""The promised quality, on small generated sets of seeds that tuned nothing; the full table is a benchmark."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from comptroller.domains.analytics.engine.daily import judge_daily
from comptroller.domains.analytics.engine.hourly import judge_hourly
from comptroller.domains.analytics.engine.panel import KIND_CODES, Panel
from comptroller.domains.analytics.engine.stream import detect_stream
from comptroller.domains.analytics.engine.thresholds import CUTS
from comptroller.enums import AnomalyKind, Sensitivity


@pytest.fixture(scope="module")
def bench():
    folder = str(Path(__file__).parents[3] / "benchmarks")
    sys.path.insert(0, folder)
    try:
        import detection_score
        import nab
        import series

        yield {"score": detection_score, "series": series, "nab": nab}
    finally:
        sys.path.remove(folder)


# A set of 1,200 series is a tenth of what the benchmark pools, so the bounds leave room for its chance.
@pytest.mark.parametrize(
    ("sensitivity", "least_f1", "most_false"), [(Sensitivity.NORMAL, 0.83, 0.25), (Sensitivity.HIGH, 0.81, 0.7)]
)
def test_generated_series_reach_the_promised_quality(bench, sensitivity, least_f1, most_false):
    made = bench["series"].daily(901, count=1200)
    judged = judge_daily(Panel(made.values, made.first_day), sensitivity=sensitivity)
    reached = bench["score"].score(judged.flag, made)
    assert reached.f1 >= least_f1
    assert reached.per_thousand <= most_false
    assert reached.money_found >= 0.85


def test_fast_and_full_scoring_agree(bench):
    made = bench["series"].daily(902, count=300)
    flags = np.random.default_rng(1).random(made.values.shape) < 0.01
    full, fast = bench["score"].score(flags, made), bench["score"].FastScore(made)(flags)
    assert fast == pytest.approx((full.f1, full.per_thousand, full.recall))


def test_high_never_tolerates_less_than_normal():
    normal, high = CUTS[Sensitivity.NORMAL], CUTS[Sensitivity.HIGH]
    for name in ("point", "drop", "dip", "gap", "start"):
        assert getattr(high, name) <= getattr(normal, name)
    assert all(one <= other for one, other in zip(high.means, normal.means, strict=True))


def test_a_runaway_shows_within_its_hours(bench):
    made = bench["series"].hourly(903, count=150)
    judged = judge_hourly(made.values, first_hour=datetime(2025, 1, 6, tzinfo=UTC), sensitivity=Sensitivity.NORMAL)
    reached = bench["score"].score(judged.flag, made)
    assert reached.f1 >= 0.7
    assert 24 * reached.per_thousand <= 1.0


def test_a_runaway_of_one_hour_is_a_spike_and_a_longer_one_a_burst():
    hours = np.arange(21 * 24)
    rng = np.random.default_rng(4)
    values = np.exp(2 + np.sin(2 * np.pi * hours / 24) + rng.normal(0, 0.1, (20, len(hours))))
    values[:, 300] *= 20
    values[:, 400:403] *= 20
    judged = judge_hourly(values, first_hour=datetime(2025, 1, 6, tzinfo=UTC), sensitivity=Sensitivity.NORMAL)
    assert (judged.kind[:, 300] == KIND_CODES[AnomalyKind.SPIKE]).all()
    assert (judged.kind[:, 402] == KIND_CODES[AnomalyKind.BURST]).all()
    assert judged.flag[:, 72:300].mean() < 0.001


def test_hours_are_judged_without_looking_ahead(bench):
    values = bench["series"].hourly(904, count=20, days=10).values
    changed = values.copy()
    changed[:, 150:] = 7
    start = datetime(2025, 1, 6, tzinfo=UTC)
    one = judge_hourly(values, first_hour=start, sensitivity=Sensitivity.HIGH)
    other = judge_hourly(changed, first_hour=start, sensitivity=Sensitivity.HIGH)
    assert one.score[:, :150].tobytes() == other.score[:, :150].tobytes()


def test_a_stream_flags_the_onset_and_then_keeps_quiet():
    rng = np.random.default_rng(6)
    values = rng.normal(50, 1, 1500)
    values[1000:1020] += 40
    judged = detect_stream(values, seconds=np.arange(1500) * 300.0, sensitivity=Sensitivity.NORMAL)
    flagged = np.flatnonzero(judged.flag[0, 900:1100]) + 900
    assert flagged[0] == 1000
    assert len(flagged) <= 3
    assert flagged[-1] < 1020
    assert judged.kind[0, 1000] == KIND_CODES[AnomalyKind.SPIKE]


def test_a_missing_daily_peak_of_a_stream_is_seen():
    rng = np.random.default_rng(7)
    moments = np.arange(14 * 96) * 900.0
    values = 50 + 30 * np.sin(2 * np.pi * moments / 86_400) + rng.normal(0, 1, len(moments))
    day = slice(12 * 96, 13 * 96)
    values[day] = 50 + rng.normal(0, 1, 96)
    assert detect_stream(values, seconds=moments, sensitivity=Sensitivity.NORMAL).flag[0, day].any()


def test_a_stream_is_judged_without_looking_ahead():
    values = np.random.default_rng(8).normal(0, 1, 900)
    changed = values.copy()
    changed[600:] = 99
    one, other = detect_stream(values), detect_stream(changed)
    assert one.score[0, :600].tobytes() == other.score[0, :600].tobytes()


def test_nab_scores_nothing_as_zero_and_early_hits_as_nearly_all(bench):
    nab = bench["nab"]
    file = nab.File("made", [], np.zeros(400), [(200, 239)])
    quiet, early, late, false = (np.zeros(400, dtype=bool) for _ in range(4))
    early[200] = late[239] = false[100] = True
    assert nab.standard([quiet], [file]) == 0
    assert nab.standard([early], [file]) == pytest.approx(100)
    assert 50 < nab.standard([late], [file]) < 60
    assert nab.standard([false], [file]) == pytest.approx(-5.5)
