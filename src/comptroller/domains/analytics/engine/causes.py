"""Join the episodes that show the same thing, so that one cause becomes one anomaly.

Interface:
    ``find_causes(observation, episodes) -> list[AnomalyDraft]``, the largest stakes first; independent of input order.

How: in two steps, among episodes of one currency and direction.

1. *The same money seen along other axes.* Two episodes on different axes agree when their excess over the union of
   their days is equal within the noise of both (the half band, summed over days). The best agreeing pairs are linked
   first; a link never brings two values of one axis together, for these are different money.
2. *Sums and parts.* Linked groups are visited from the most specific (``Node.specificity``) to the most general. Each
   unexplained one is a cause. Its excess is subtracted from one larger group per missing axis that can contain it (a
   group that shares an axis with it cannot); smaller groups of a missing axis that together make up its excess are its
   parts. A group of which more than half is subtracted is evidence of those causes and no anomaly. So
   two independent spikes stay two although their sum stands out in the total, and a general rise that no single
   series explains is an anomaly of the total.

The primary series of a cause is the most specific one that carries at least 80 % of its excess. Work is near-linear:
candidates are neighbours in lists sorted by excess, per day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

from comptroller.domains.analytics.engine.drafts import AnomalyDraft, Evidence, anomaly_id
from comptroller.domains.analytics.engine.episodes import Episode
from comptroller.domains.analytics.engine.linking import Linker, Node, link_same_money, nodes_of
from comptroller.domains.analytics.engine.observation import Observation, SeriesKey
from comptroller.enums import Dimension

# The share of a cause's excess that its primary series must carry (the requirement's "80 %").
PRIMARY_SHARE: Final = 0.8
# A group is evidence of its causes when they make up at least half of it: below, most of it is its own doing.
_EXPLAINED_SHARE: Final = 0.5
# A container may show a little less than the cause: its own noise may have been below the mean on these days.
_CONTAINS_SHARE: Final = 0.75
# How many possible containers or parts are tried per axis; the nearest by excess come first.
_CANDIDATES: Final = 48
# Which of two series with equal claims names the cause: the one that tells more about who acted.
_TELLING: Final = (
    Dimension.MODEL,
    Dimension.SERVICE,
    Dimension.USER,
    Dimension.ACCOUNT,
    Dimension.TAG,
    Dimension.TEAM,
    Dimension.REGION,
    Dimension.TOTAL,
)


@dataclass(slots=True, eq=False)
class _Group:
    """Hold linked nodes on their way to a cause, evidence or part."""

    number: int
    members: list[Node]
    primary: Node
    unexplained: float
    causes: list["_Group"] = field(default_factory=list)
    evidence: list[Node] = field(default_factory=list)
    is_cause: bool = False

    @property
    def axes(self) -> frozenset[str]:
        return frozenset(member.axis for member in self.members)

    @property
    def place(self) -> tuple[float, SeriesKey, int, int]:
        """Return where it stands in the order of visits; later the more of it is explained."""
        rest = max(self.unexplained, 0.0) / self.primary.excess if self.primary.excess > 0 else 0.0
        return (-self.primary.specificity * rest if rest else 0.0, self.primary.key, self.primary.start, self.number)

    @property
    def is_explained(self) -> bool:
        return bool(self.causes) and self.unexplained <= (1 - _EXPLAINED_SHARE) * self.primary.excess


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
    groups = [_group(number, members) for number, members in enumerate(link_same_money(linker))]
    _explain_groups(linker, groups)
    causes = [group for group in groups if group.is_cause]
    drafts = [_draft(observation, group) for group in causes]
    return sorted(drafts, key=lambda draft: (-draft.stakes, draft.primary, draft.start))


def _group(number: int, members: list[Node]) -> _Group:
    primary = _primary(members)
    return _Group(number=number, members=members, primary=primary, unexplained=primary.excess)


def _primary(members: Sequence[Node]) -> Node:
    """Return the most specific member that carries 80 % of the group's (median) excess."""
    middle = sorted(member.excess for member in members)[(len(members) - 1) // 2]
    able = [member for member in members if member.excess >= PRIMARY_SHARE * middle]
    return min(able, key=lambda member: (round(member.expected, 6), _TELLING.index(member.key.dimension), member.key))


def _explain_groups(linker: Linker, groups: list[_Group]) -> None:
    """Visit the groups from the most specific on, what is explained of them left out; fill in causes and evidence."""
    group_of = {member.number: group for group in groups for member in group.members}
    axes_of = linker.axes()
    queue = [group.place for group in groups]
    heapify(queue)
    while queue:
        place = heappop(queue)
        group = groups[place[-1]]
        if group.place > place:
            heappush(queue, group.place)
        elif not group.is_explained:
            group.is_cause = True
            for axis in axes_of[group.primary.scope]:
                if axis not in group.axes:
                    _subtract(linker, group, axis, group_of)
    for group in groups:
        if group.is_explained and not group.is_cause:
            for cause in group.causes:
                cause.evidence += group.members


def _subtract(linker: Linker, cause: _Group, axis: str, group_of: dict[int, _Group]) -> None:
    """Take the cause's excess from the group on this axis that contains it, else find its parts there."""
    near = [group_of[node.number] for node in linker.on_day(cause.primary, axis, _CANDIDATES)]
    rivals = [group for group in near if not group.is_cause and not group.axes & cause.axes]
    fitting = [(group.unexplained, group.number, group) for group in rivals if _contains(linker, group, cause)]
    if not fitting:
        _take_parts(linker, cause, rivals)
        return
    _, _, container = min(fitting)
    if cause not in container.causes:
        container.causes.append(cause)
        container.unexplained -= linker.excess_within(cause.primary, container.primary)


def _contains(linker: Linker, group: _Group, cause: _Group) -> bool:
    """Return whether the group's excess on the cause's days is enough to hold the cause's."""
    if cause in group.causes:
        return group.unexplained > 0 or len(group.causes) > 1
    room = min(group.unexplained, linker.excess_of(group.primary, cause.primary))
    overlap = linker.excess_within(cause.primary, group.primary)
    return overlap > 0 and room >= _CONTAINS_SHARE * cause.primary.excess


def _take_parts(linker: Linker, cause: _Group, rivals: list[_Group]) -> None:
    """Take as parts the groups that together make up the cause's excess, if they make up half of it."""
    left = cause.primary.excess
    parts: list[_Group] = []
    for group in sorted(rivals, key=lambda g: (cause not in g.causes, -g.primary.excess, g.primary.key)):
        size = linker.excess_within(group.primary, cause.primary)
        is_inside = size >= _EXPLAINED_SHARE * group.primary.excess and size <= left / _CONTAINS_SHARE
        if cause in group.causes or is_inside:
            parts.append(group)
            left -= size
    if left > (1 - _EXPLAINED_SHARE) * cause.primary.excess:
        return
    for part in parts:
        if cause not in part.causes:
            part.causes.append(cause)
            part.unexplained = 0.0


def _draft(observation: Observation, group: _Group) -> AnomalyDraft:
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
