"""Tell causes from what they explain: sums that contain them and parts that they are made of.

Interface:
    ``attribute(linker, linked) -> list[Group]``: the groups that are causes, each with its evidence. Used by
    ``causes`` alone.

Groups are visited by ``Node.specificity``, what is already explained of them left out: a cause is farther out of its
own proportion than the sums it is in and than the parts it has. A cause's money must be somewhere on every axis:

* Where one of its group's series shows it, that is settled; other episodes of that series on the cause's days are
  evidence.
* Else one group that is no cause may *contain* it there: at least as much excess on its days, and no series on an axis
  on which the cause has its own, for that is other money. The best fit is taken and the cause's excess subtracted from
  it. A container of which more than half is subtracted is evidence; if not, it is visited with what is left.
* Else, and for what a container lacks, it may be *spread* there: the cause opens a budget of its excess on that axis. A
  group visited later whose series all find room in such budgets is a part of those causes, if the abnormal series of
  the axis together show at least half of the cause, or the total shows no more than the causes already known.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Final

from comptroller.domains.analytics.engine.linking import Linker, Node, Scope
from comptroller.domains.analytics.engine.observation import SeriesKey
from comptroller.enums import Dimension

# The share of a cause's excess that its primary series must carry (the requirement's "80 %").
PRIMARY_SHARE: Final = 0.8
# More than this share of a group explained makes it evidence; less, and most of it is its own doing.
_EXPLAINED_SHARE: Final = 0.5
# An axis may hold a cause's parts when it shows this share of its excess.
_SPREAD_SHARE: Final = 0.5
# The noise of many parts adds up: so much more than the cause itself may be taken from its budget.
_OVERDRAFT: Final = 1.2
# A container that holds this share of a cause holds all of it; what is missing is noise.
_HELD_SHARE: Final = 0.9
# How many possible containers are tried per axis; the nearest by excess come first.
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
class Group:
    """Hold linked nodes on their way to a cause or evidence."""

    number: int
    members: list[Node]
    axes: frozenset[str]
    primary: Node
    unexplained: float
    causes: list["Group"] = field(default_factory=list)
    evidence: list[Node] = field(default_factory=list)
    is_cause: bool = False

    @property
    def place(self) -> tuple[float, SeriesKey, int, int]:
        """Return where it stands in the order of visits; later the more of it is explained."""
        rest = max(self.unexplained, 0.0) / self.primary.excess if self.primary.excess > 0 else 0.0
        return (-self.primary.specificity * rest if rest else 0.0, self.primary.key, self.primary.start, self.number)

    @property
    def is_explained(self) -> bool:
        """Return whether causes make up most of it."""
        return bool(self.causes) and self.unexplained <= (1 - _EXPLAINED_SHARE) * self.primary.excess

    def explain_by(self, cause: "Group", amount: float) -> None:
        """Note that a cause makes up an amount of it; a cause counts once."""
        if cause not in self.causes:
            self.causes.append(cause)
            self.unexplained -= amount


@dataclass(slots=True, eq=False)
class _Budget:
    """Hold how much of a cause's excess has not been found on one axis."""

    cause: Group
    left: float
    is_shown: bool


def attribute(linker: Linker, linked: Iterable[list[Node]]) -> list[Group]:
    """Return the groups that are causes, with what they explain as their evidence.

    Args:
        linker: Knows the excess of every node on every day.
        linked: Nodes that show the same money; every node in one group.
    """
    groups = [_group(linker, number, members) for number, members in enumerate(linked)]
    book = _Book(linker, groups)
    queue = [group.place for group in groups]
    heapify(queue)
    while queue:
        place = heappop(queue)
        group = groups[place[-1]]
        if group.place > place:
            heappush(queue, group.place)
        elif not group.is_explained and not book.is_known(group) and not book.take_as_part(group):
            book.enter_cause(group)
    for group in groups:
        for cause in [] if group.is_cause else group.causes:
            cause.evidence += group.members
    return [group for group in groups if group.is_cause]


def _group(linker: Linker, number: int, members: list[Node]) -> Group:
    primary = _primary(linker, members)
    axes = frozenset(member.axis for member in members)
    return Group(number=number, members=members, axes=axes, primary=primary, unexplained=primary.excess)


def _primary(linker: Linker, members: Sequence[Node]) -> Node:
    """Return the most specific member that carries 80 % of the excess: the median of those that last long enough."""
    longest = max(members, key=lambda member: (member.end - member.start, -member.number))
    lasting = [member for member in members if 2 * (member.end - member.start) >= longest.end - longest.start]
    middle = sorted(linker.excess_of(member, longest) for member in lasting)[(len(lasting) - 1) // 2]
    able = [member for member in members if member.excess >= PRIMARY_SHARE * middle] or [longest]
    return min(able, key=_rank)


def _rank(node: Node) -> tuple[float, int, SeriesKey]:
    """Return a key that puts the smallest series first, by what it usually costs a step."""
    usual = round(node.expected / (node.end - node.start), 6)
    return (usual, _TELLING.index(node.key.dimension), node.key)


class _Book:
    """Keep who explains whom, and what of each cause has not been found on each axis."""

    def __init__(self, linker: Linker, groups: Sequence[Group]) -> None:
        self._linker = linker
        self._axes = linker.axes()
        self._group_of = {member.number: group for group in groups for member in group.members}
        self._budgets: dict[tuple[Scope, str, int], list[_Budget]] = defaultdict(list)
        self._causes_of: dict[tuple[SeriesKey, int], list[Group]] = defaultdict(list)
        self._unclaimed = linker.day_sums()
        self._claimed: dict[tuple[Scope, int], float] = defaultdict(float)

    def enter_cause(self, cause: Group) -> None:
        """Make the group a cause, and find its money on the axes where it has no series."""
        cause.is_cause = True
        primary, scope = cause.primary, cause.primary.scope
        for member in cause.members:
            self._causes_of[member.key, member.episode.direction].append(cause)
            for day in range(member.start, member.end):
                self._unclaimed[scope, member.axis, day] -= self._linker.excess_on(member, day)
        for day in range(primary.start, primary.end):
            self._claimed[scope, day] += self._linker.excess_on(primary, day)
        own = {member.axis: self._linker.excess_of(member, primary) for member in cause.members}
        for axis in self._axes[scope]:
            found = own[axis] if axis in own else self._enter_container(cause, axis)
            if axis != primary.axis:
                self._open_budget(cause, axis, found)

    def is_known(self, group: Group) -> bool:
        """Return whether it is another episode of a series that a cause of these days already has."""
        primary = group.primary
        for cause in self._causes_of.get((primary.key, primary.episode.direction), ()):
            group.explain_by(cause, max(self._linker.excess_within(cause.primary, primary), 0.0))
        group.causes = [cause for cause in group.causes if self._linker.excess_within(cause.primary, primary) > 0]
        return group.is_explained

    def take_as_part(self, group: Group) -> bool:
        """Return whether budgets have room for the group; if so it is explained by their causes."""
        drawn: list[tuple[_Budget, float]] = []
        size = group.unexplained
        is_new = self._is_new_money(group)
        for member in group.members:
            budgets = [budget for budget in self._room(group, member) if budget.is_shown or not is_new]
            room = sum(budget.left for budget in budgets)
            if room < _EXPLAINED_SHARE * size:
                return False
            drawn += [(budget, min(size, room) * budget.left / room) for budget in budgets]
        for budget, amount in drawn:
            budget.left -= amount
            group.explain_by(budget.cause, 0.0)
        group.unexplained = 0.0
        return True

    def _is_new_money(self, group: Group) -> bool:
        """Return whether the total, less the causes known, surely shows the group too; True where there is no total."""
        node = group.primary
        total = self._linker.total_excess(node)
        if total is None:
            return True
        excess, noise = total
        known = sum(self._claimed[node.scope, day] for day in range(node.start, node.end))
        return excess - known > _EXPLAINED_SHARE * node.excess + noise

    def _room(self, group: Group, member: Node) -> list[_Budget]:
        """Return the open budgets on the member's axis of causes that may have the group as a part."""
        budgets = self._budgets.get((member.scope, member.axis, self._linker.peak(member)), [])
        least = _EXPLAINED_SHARE * member.excess
        return [
            budget
            for budget in budgets
            if budget.left > 0
            and not (budget.cause.axes - {member.axis}) & group.axes
            and self._linker.excess_within(member, budget.cause.primary) >= least
        ]

    def _enter_container(self, cause: Group, axis: str) -> float:
        """Return how much of the cause a group on this axis contains, after subtracting it there."""
        near = [self._group_of[node.number] for node in self._linker.on_day(cause.primary, axis, _CANDIDATES)]
        if any(cause in group.causes for group in near):
            return cause.primary.excess
        fitting = [(group.unexplained, group.number, group) for group in near if self._contains(group, cause)]
        if not fitting:
            return 0.0
        room, _, container = min(fitting)
        container.explain_by(cause, self._linker.excess_within(cause.primary, container.primary))
        for member in container.members:
            self._causes_of[member.key, member.episode.direction].append(cause)
        return room

    def _contains(self, group: Group, cause: Group) -> bool:
        """Return whether the group's excess on the cause's days is enough to hold the cause's, give or take noise."""
        if group.is_cause or group.axes & cause.axes:
            return False
        room = min(group.unexplained, self._linker.excess_of(group.primary, cause.primary))
        overlap = self._linker.excess_within(cause.primary, group.primary)
        return overlap > 0 and room >= cause.primary.excess - self._linker.slack(cause.primary, group.primary)

    def _open_budget(self, cause: Group, axis: str, found: float) -> None:
        """Open a budget for what was not found on the axis, unless a container holds (nearly) all of it."""
        primary = cause.primary
        if found >= _HELD_SHARE * primary.excess:
            return
        day = self._linker.peak(primary)
        shown = self._unclaimed[primary.scope, axis, day] >= _SPREAD_SHARE * self._linker.excess_on(primary, day)
        budget = _Budget(cause, _OVERDRAFT * primary.excess - found, shown)
        for step in range(primary.start, primary.end):
            self._budgets[primary.scope, axis, step].append(budget)
