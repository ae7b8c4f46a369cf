"""Join the episodes that show the same thing, so that one cause becomes one anomaly.

Interface:
    ``find_causes(observation, episodes) -> list[AnomalyDraft]``, the largest stakes first; independent of input order.

How: in two steps, among episodes of one currency and direction.

1. *The same money seen along other axes* (``linking``). Two episodes on different axes agree when their excess over
   the union of their days is equal within the noise of both. The best agreeing pairs are linked first; a link never
   brings two values of one axis together, for these are different money.
2. *Sums and parts* (``attribution``). Linked groups are visited from the most out of proportion to the least. One that
   earlier causes explain, as their sum or as a part of them, is their evidence; any other is a cause. So two
   independent spikes stay two although their sum stands out in the total, and a general rise that no single series
   explains is an anomaly of the total.

The primary series of a cause is the most specific one that carries at least 80 % of its excess. Two causes that only
one account or region holds on the same days, and nothing else tells apart, may become one anomaly of that account.
Work is near-linear: candidates are neighbours in lists sorted by excess, per day.
"""

from collections.abc import Iterable

from comptroller.domains.analytics.engine.attribution import Group, attribute
from comptroller.domains.analytics.engine.drafts import AnomalyDraft, Evidence, anomaly_id
from comptroller.domains.analytics.engine.episodes import Episode
from comptroller.domains.analytics.engine.linking import Linker, link_same_money, nodes_of
from comptroller.domains.analytics.engine.observation import Observation, SeriesKey


def find_causes(observation: Observation, episodes: Iterable[Episode]) -> list[AnomalyDraft]:
    """Return one draft per cause, the largest stakes first.

    Args:
        observation: The run's facts.
        episodes: What ``find_episodes`` found, in any order.
    """
    nodes = nodes_of(observation, episodes)
    if not nodes:
        return []
    linker = Linker(observation, nodes)
    causes = attribute(linker, link_same_money(linker))
    drafts = [_draft(observation, cause) for cause in causes]
    return sorted(drafts, key=lambda draft: (-draft.stakes, draft.primary, draft.start))


def _draft(observation: Observation, group: Group) -> AnomalyDraft:
    episode = group.primary.episode
    others = [member for member in group.members if member is not group.primary]
    evidence = [Evidence(n.key, n.start, n.end, n.episode.excess) for n in others + group.evidence]
    key: SeriesKey = group.primary.key
    return AnomalyDraft(
        anomaly_id=anomaly_id(key, episode.direction, episode.start, observation.grain),
        primary=key,
        kind=episode.kind,
        direction=episode.direction,
        start=episode.start,
        end=episode.end,
        is_open=episode.is_open,
        grain=observation.grain,
        actual=episode.actual,
        expected=episode.expected,
        low=episode.low,
        high=episode.high,
        score=episode.score,
        evidence=tuple(sorted(set(evidence), key=lambda e: (-abs(e.excess), e.key, e.start))),
    )
