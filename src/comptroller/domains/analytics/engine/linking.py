"""Find the episodes that are the same money seen along other axes (service, account, region, total).

Interface:
    ``nodes_of(observation, episodes)``, ``Linker(observation, nodes)`` (excess between any two nodes, neighbours by
    excess on a day), ``link_same_money(linker) -> list of groups of nodes``. Used by ``causes`` alone.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from comptroller.domains.analytics.engine.episodes import Episode
from comptroller.domains.analytics.engine.observation import Observation, SeriesKey
from comptroller.enums import Dimension
from comptroller.money import from_quanta

Scope = tuple[str, int]
Ints = NDArray[np.intp]

# Neighbours tried in the list sorted by excess: one cause has at most one series per axis, and there are about eight.
_NEIGHBOURS: Final = 12
# Two series never show the same money when one shows less than half of the other's.
_LEAST_RATIO: Final = 0.5
# 1 would be plain proportion; 0.8 lets a part go first only if it is out of proportion by 1.6 for each factor of ten.
_PROPORTION: Final = 0.8
# What level errors of both baselines may add beyond the noise of single days.
_LEVEL_ERROR: Final = 0.1
# The half band is about three standard deviations at the threshold; two are allowed.
_BAND_TO_NOISE: Final = 2 / 3
# Days may differ (a detector is later on a noisier series), but half of the shorter episode must be shared.
_LEAST_OVERLAP: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Hold an episode as the grouping sees it; money as float currency units, positive in its direction."""

    number: int
    row: int
    episode: Episode
    key: SeriesKey
    axis: str
    excess: float
    expected: float
    noise: float

    @property
    def start(self) -> int:
        """Return the first step."""
        return self.episode.start

    @property
    def end(self) -> int:
        """Return the step after the last."""
        return self.episode.end

    @property
    def scope(self) -> Scope:
        """Return what must be equal for two nodes to be compared."""
        return (self.key.currency, self.episode.direction)

    @property
    def specificity(self) -> float:
        """Return how far out of its own proportion it is; infinite where nothing was expected.

        A cause is farther out of proportion than its parts and than the sums it is in. The exponent prefers the larger
        series where both are nearly equal, so that a rise of everything is one of the total.
        """
        return self.excess / self.expected**_PROPORTION if self.expected > 0 else float("inf")


def nodes_of(observation: Observation, episodes: Iterable[Episode]) -> list[Node]:
    """Return the nodes in one order for any order of series and episodes; ``row`` counts distinct series."""
    ordered = sorted(episodes, key=lambda e: (observation.keys[e.series], e.start, e.direction))
    rows: dict[int, int] = {}
    nodes = []
    for number, episode in enumerate(ordered):
        key = observation.keys[episode.series]
        excess, expected, band = (
            float(from_quanta(quanta, key.currency))
            for quanta in (episode.stakes, episode.expected, episode.high - episode.low)
        )
        noise = band / 2 * _BAND_TO_NOISE / (episode.end - episode.start)
        row = rows.setdefault(episode.series, len(rows))
        nodes.append(Node(number, row, episode, key, key.axis, excess, expected, noise))
    return nodes


class Linker:
    """Answer how much excess one node shows on another's days, and which nodes are near on a day."""

    def __init__(self, observation: Observation, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self._first = observation.first_step
        totals = [row for row, key in enumerate(observation.keys) if key.dimension is Dimension.TOTAL]
        series = list(dict.fromkeys([*(node.episode.series for node in nodes), *totals]))
        self._total_row = {observation.keys[row].currency: series.index(row) for row in totals}
        rows = np.array(series, dtype=np.intp)
        verdict = observation.judgement
        self._total_noise = {
            observation.keys[row].currency: float(np.nanmean(verdict.high[row] - verdict.low[row])) / 2 * _BAND_TO_NOISE
            for row in totals
            if np.isfinite(verdict.high[row] - verdict.low[row]).any()
        }
        self._daily = observation.excess(rows, observation.first_step, observation.end_step)
        self._sums = np.zeros((rows.size, self._daily.shape[1] + 1))
        np.cumsum(self._daily, axis=1, out=self._sums[:, 1:])
        spent = observation.actual_quanta[rows] / observation.units(rows)[:, None]
        self._spent = np.zeros_like(self._sums)
        np.cumsum(spent, axis=1, out=self._spent[:, 1:])
        self._by_day = self._index()

    def axes(self) -> dict[Scope, list[str]]:
        """Return the axes on which each scope has nodes, sorted."""
        found: dict[Scope, set[str]] = defaultdict(set)
        for node in self.nodes:
            found[node.scope].add(node.axis)
        return {scope: sorted(axes) for scope, axes in found.items()}

    def excess_of(self, node: Node, days: Node) -> float:
        """Return the excess of a node's series over another node's days, in the node's direction."""
        sums = self._sums[node.row]
        return float(sums[days.end - self._first] - sums[days.start - self._first]) * node.episode.direction

    def excess_within(self, node: Node, other: Node) -> float:
        """Return the excess of a node over the days that both share."""
        start, end = max(node.start, other.start), min(node.end, other.end)
        if start >= end:
            return 0.0
        sums = self._sums[node.row]
        return float(sums[end - self._first] - sums[start - self._first]) * node.episode.direction

    def total_excess(self, days: Node) -> tuple[float, float] | None:
        """Return the excess of all spend in the node's currency over its days, in its direction, and the noise of that.

        None where there is no total.
        """
        row = self._total_row.get(days.key.currency)
        if row is None:
            return None
        start, end = days.start - self._first, days.end - self._first
        excess = float(self._sums[row, end] - self._sums[row, start]) * days.episode.direction
        return excess, self._total_noise.get(days.key.currency, 0.0) * math.sqrt(end - start)

    def on_day(self, node: Node, axis: str, limit: int) -> list[Node]:
        """Return nodes of an axis that are abnormal on the node's largest day, those nearest in excess first."""
        day = self.peak(node)
        entries = self._by_day.get((*node.scope, axis, day), [])
        size = self.excess_on(node, day)
        place = bisect_left(entries, (size, -1))
        near = entries[max(place - limit, 0) : place + limit]
        near.sort(key=lambda entry: (abs(entry[0] - size), entry[1]))
        return [self.nodes[number] for _, number in near[:limit]]

    def day_sums(self) -> dict[tuple[Scope, str, int], float]:
        """Return, per scope, axis and day, the excess of all nodes that are abnormal then; 0 for any other."""
        sums: dict[tuple[Scope, str, int], float] = defaultdict(float)
        for (currency, direction, axis, day), entries in self._by_day.items():
            sums[(currency, direction), axis, day] = sum(size for size, _ in entries)
        return sums

    @staticmethod
    def slack(node: Node, other: Node) -> float:
        """Return by how much the excess of two nodes over the first one's days may differ by noise."""
        days = math.sqrt(node.end - node.start)
        return _LEVEL_ERROR * node.excess + days * math.hypot(node.noise, other.noise)

    def pairs(self) -> tuple[Ints, Ints, NDArray[np.float64]]:
        """Return pairs of nodes on different axes that agree, with how far apart they are."""
        first, second = self._neighbours()
        axes = {axis: code for code, axis in enumerate(sorted({node.axis for node in self.nodes}))}
        axis = np.array([axes[node.axis] for node in self.nodes], dtype=np.intp)
        other = axis[first] != axis[second]
        first, second = first[other], second[other]
        start = np.array([node.start for node in self.nodes]) - self._first
        end = np.array([node.end for node in self.nodes]) - self._first
        outer = np.minimum(start[first], start[second]), np.maximum(end[first], end[second])
        shorter = np.minimum(end[first] - start[first], end[second] - start[second])
        shared = np.minimum(end[first], end[second]) - np.maximum(start[first], start[second])
        agree, apart = self._agree(first, second, *outer, held=False)
        level, level_apart = self._agree(first, second, *outer, held=True)
        # A new level is learned sooner on one series than on another; against the old one both still agree. The total
        # holds other things too.
        total = np.array([node.key.dimension is Dimension.TOTAL for node in self.nodes])
        learned = level & ~agree & (start[first] == start[second]) & ~total[first] & ~total[second]
        distance = np.where(learned, level_apart, apart) + 1.0 - shared / (outer[1] - outer[0])
        near = (agree | learned) & (shared >= _LEAST_OVERLAP * shorter)
        return first[near], second[near], distance[near]

    def _agree(
        self, first: Ints, second: Ints, low: Ints, high: Ints, *, held: bool
    ) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
        """Return whether pairs show the same excess over [low, high) within their noise, and how far they are apart."""
        left, right = (self._span(numbers, low, high, held=held) for numbers in (first, second))
        larger, smaller = np.maximum(left, right), np.minimum(left, right)
        noise = np.array([node.noise for node in self.nodes])
        slack = _LEVEL_ERROR * larger + np.sqrt(high - low) * np.hypot(noise[first], noise[second])
        agree = (larger - smaller <= slack) & (smaller >= _LEAST_RATIO * larger) & (smaller > 0)
        return agree, (larger - smaller) / np.where(larger > 0, larger, 1.0)

    def _span(self, numbers: Ints, low: Ints, high: Ints, *, held: bool) -> NDArray[np.float64]:
        """Return the excess over [low, high): over what was expected then, or (held) over each node's own level."""
        rows = np.array([node.row for node in self.nodes], dtype=np.intp)[numbers]
        direction = np.array([node.episode.direction for node in self.nodes])[numbers]
        if held:
            usual = np.array([node.expected / (node.end - node.start) for node in self.nodes])[numbers]
            spans = (self._spent[rows, high] - self._spent[rows, low] - usual * (high - low)) * direction
        else:
            spans = (self._sums[rows, high] - self._sums[rows, low]) * direction
        summed: NDArray[np.float64] = spans
        return summed

    def _neighbours(self) -> tuple[Ints, Ints]:
        """Return index pairs of nodes that stand near each other in a day's list sorted by excess."""
        found: set[tuple[int, int]] = set()
        lists: dict[tuple[str, int, int], list[tuple[float, int]]] = defaultdict(list)
        for (currency, direction, _, day), entries in self._by_day.items():
            lists[currency, direction, day] += entries
        for entries in lists.values():
            entries.sort()
            numbers = [number for _, number in entries]
            for place, number in enumerate(numbers):
                for near in numbers[place + 1 : place + 1 + _NEIGHBOURS]:
                    found.add((min(number, near), max(number, near)))
        if not found:
            return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
        pairs = np.array(sorted(found), dtype=np.intp)
        return pairs[:, 0], pairs[:, 1]

    def _index(self) -> dict[tuple[str, int, str, int], list[tuple[float, int]]]:
        """Return, per scope, axis and day, the nodes of some telling days, sorted by that day's excess."""
        index: dict[tuple[str, int, str, int], list[tuple[float, int]]] = defaultdict(list)
        for node in self.nodes:
            for day in range(node.start, node.end):
                index[(*node.scope, node.axis, day)].append((self.excess_on(node, day), node.number))
        for entries in index.values():
            entries.sort()
        return index

    def peak(self, node: Node) -> int:
        """Return the day on which the node is largest."""
        daily = self._daily[node.row, node.start - self._first : node.end - self._first] * node.episode.direction
        return node.start + int(daily.argmax())

    def excess_on(self, node: Node, day: int) -> float:
        """Return the node's excess on one day."""
        return float(self._daily[node.row, day - self._first]) * node.episode.direction


def link_same_money(linker: Linker) -> list[list[Node]]:
    """Return groups of nodes, at most one per axis, that show the same excess; every node is in one group."""
    first, second, distance = linker.pairs()
    group: list[int] = list(range(len(linker.nodes)))
    members: dict[int, list[Node]] = {node.number: [node] for node in linker.nodes}
    for place in np.lexsort((second, first, distance.round(9))).tolist():
        left, right = group[int(first[place])], group[int(second[place])]
        if left == right or {n.axis for n in members[left]} & {n.axis for n in members[right]}:
            continue
        for node in members[right]:
            group[node.number] = left
        members[left] += members.pop(right)
    return [sorted(nodes, key=lambda n: n.number) for _, nodes in sorted(members.items())]
