"""Causes of any flags at all: complete, exact, deterministic and settled."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from comptroller.domains.analytics.engine.causes import find_causes
from comptroller.domains.analytics.engine.episodes import find_episodes
from unit.analytics.made_bills import FIRST, judge, key
from unit.analytics.test_continuity import Book

SERIES = [key("service", "a"), key("service", "b"), key("account", "x"), key("account", "y"), key("region", "r")]
SERIES += [key("total", "(total)"), key("service", "a", "EUR")]
DAYS = 20
MEANS = [100.0, 20.0, 80.0, 40.0, 120.0, 120.0, 10.0]


@st.composite
def observations(draw):
    """Return series with any extra cost on any days: most of them contradict each other."""
    extras = st.tuples(
        st.integers(0, len(SERIES) - 1),
        st.integers(0, DAYS - 1),
        st.integers(1, 6),
        st.sampled_from([-15, 60, 61, 300]),
    )
    actual = np.repeat(np.array(MEANS)[:, None], DAYS, axis=1)
    for row, start, length, extra in draw(st.lists(extras, max_size=12)):
        actual[row, start : start + length] += extra
    return judge(SERIES, np.maximum(actual, 0), MEANS, [2.0] * len(SERIES), provisional=draw(st.integers(0, 3)))


@settings(max_examples=150, deadline=None)
@given(observations(), st.randoms(use_true_random=False))
def test_any_flags_become_anomalies_that_hold_every_episode_once_as_primary_or_as_evidence(observation, rng):
    episodes = find_episodes(observation)
    drafts = find_causes(observation, episodes)
    shuffled = list(episodes)
    rng.shuffle(shuffled)
    assert find_causes(observation, shuffled) == drafts
    assert len({draft.anomaly_id for draft in drafts}) == len(drafts)
    primaries = {(d.primary, d.start) for d in drafts}
    evidence = {(e.key, e.start) for d in drafts for e in d.evidence}
    assert not primaries & evidence
    assert primaries | evidence == {(observation.keys[e.series], e.start) for e in episodes}
    for draft in drafts:
        assert all(e.key.currency == draft.primary.currency for e in draft.evidence)
        assert FIRST <= draft.start < draft.end <= observation.end_step
        assert draft.stakes >= 0


@settings(max_examples=100, deadline=None)
@given(st.lists(observations(), min_size=1, max_size=4))
def test_after_any_history_of_runs_a_repeat_decides_nothing(runs):
    book = Book()
    for observation in runs:
        book.run(observation)
        assert book.run(observation) == []
        ids = [known for record in book.records.values() for known in (record.anomaly_id, *record.aliases)]
        assert len(ids) == len(set(ids))
