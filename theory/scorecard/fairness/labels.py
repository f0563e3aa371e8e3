"""Partitions of one feature that no other partition beats: label setting over the nodes."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.scorecard.fairness.segments import Graph
from asymptopia.theory.scorecard.shares import Array

Nodes = tuple[int, ...]
Index = NDArray[np.intp]


class LabelLimitError(Exception):
    """More labels than the limit, or no time left: the caller goes on with the mixed-integer programme."""


@dataclass(frozen=True)
class Items:
    """The partitions of one feature that a solution may use; the first is the unused feature, with no nodes.

    Attributes
    ----------
    gain, cost, variance : ndarray
        Sums of the terms, shape ``(partitions,)``.
    nodes : tuple of tuple of int
        Nodes of each, 0 and K included.
    """

    gain: Array
    cost: Array
    variance: Array
    nodes: tuple[Nodes, ...]


class Clock:
    """The deadline of a computation."""

    def __init__(self, limit: float) -> None:
        self._end = time.perf_counter() + limit

    def left(self) -> float:
        """Return the seconds left, negative after the deadline."""
        return self._end - time.perf_counter()


def best_partitions(
    graphs: Sequence[Graph], max_bins: int, *, spread: bool, limit: int, clock: Clock, most: float
) -> Items:
    """Return all partitions of one feature that are not dominated.

    Parameters
    ----------
    graphs : sequence of Graph
        The directions of its trend.
    max_bins : int
        Most segments.
    spread : bool
        True if the variance is a criterion too.
    limit : int
        Most labels.
    clock : Clock
        Deadline.
    most : float
        Largest budget: partitions of a larger cost are left out.

    Raises
    ------
    LabelLimitError
        If the labels exceed `limit` or the time is over.
    """
    pools = [_Pool(graph, max_bins, spread, limit, clock, most) for graph in graphs]
    found = [(pool, label) for pool in pools for label in pool.complete]
    columns = np.array([[0.0, 0.0, 0.0], *(pool.rows[label] for pool, label in found)])
    keep = undominated(columns, spread)
    nodes = tuple(() if i == 0 else found[i - 1][0].path(found[i - 1][1]) for i in keep.tolist())
    order = np.array(sorted(range(keep.size), key=lambda i: (bool(nodes[i]), columns[keep[i], 1])), dtype=np.intp)
    gain, cost, variance = columns[keep][order].T
    return Items(gain, cost, variance, tuple(nodes[i] for i in order))


def undominated(columns: Array, spread: bool) -> Index:
    """Return the rows (gain, cost, variance) that no other row equals or beats; of equal rows the first.

    Parameters
    ----------
    columns : ndarray of shape (rows, 3)
        More gain is better, less cost and, if `spread`, less variance.
    """
    gain, cost, variance = columns.T
    if not spread:
        order = np.lexsort((-gain, cost))
        ahead = np.maximum.accumulate(gain[order])
        better = np.ones(order.size, dtype=bool)
        better[1:] = ahead[1:] > ahead[:-1]
        return np.asarray(order[better], dtype=np.intp)
    keep: list[int] = []
    variances: list[float] = []
    gains: list[float] = []
    # rows by cost; the front so far as a staircase over the variance with rising gains
    for row, g, v in zip(
        (order := np.lexsort((-gain, variance, cost))).tolist(),
        gain[order].tolist(),
        variance[order].tolist(),
        strict=True,
    ):
        at = bisect_right(variances, v)
        if at and gains[at - 1] >= g:
            continue
        keep.append(row)
        start = bisect_left(variances, v)
        stop = start
        while stop < len(gains) and gains[stop] <= g:
            stop += 1
        variances[start:stop] = [v]
        gains[start:stop] = [g]
    return np.array(keep, dtype=np.intp)


class _Pool:
    """Labels of one graph: partial partitions from node 0, each with its last segment and its predecessor."""

    def __init__(self, graph: Graph, max_bins: int, spread: bool, limit: int, clock: Clock, most: float) -> None:
        self.graph, self.spread, self.limit, self.clock = graph, spread, limit, clock
        self.most = most * (1 + 1e-9)
        self.segment = np.stack([graph.gain, graph.cost, graph.variance], axis=-1)
        self.follows = [graph.follows(node) for node in range(graph.last + 1)] if graph.trend else []
        self.rows: Array = np.zeros((1, 3))
        self.start: Index = np.zeros(1, dtype=np.intp)
        self.node: Index = np.zeros(1, dtype=np.intp)
        self.before: Index = np.full(1, -1, dtype=np.intp)
        at: dict[int, Index] = {0: np.zeros(1, dtype=np.intp)}
        for count in range(1, max_bins + 1):
            # all segments but the last leave room for one more
            nodes = range(1, graph.last + 1) if count < max_bins else (graph.last,)
            at = {node: found for node in nodes if (found := self._extend(at, node)).size}
        self.complete = np.flatnonzero(self.node == graph.last).tolist()

    def path(self, label: int) -> Nodes:
        """Return the nodes from 0 to the label's own."""
        nodes = []
        while label >= 0:
            nodes.append(int(self.node[label]))
            label = int(self.before[label])
        return tuple(reversed(nodes))

    def _extend(self, at: dict[int, Index], node: int) -> Index:
        """Add the labels at `node` that extend those of `at` by one segment; return those that no other one beats."""
        sources = []
        for middle, labels in at.items():
            if middle >= node or not self.graph.allowed[middle, node]:
                continue
            usable = labels[self.follows[middle][self.start[labels], node]] if self.follows and middle else labels
            sources.append(usable)
        before = np.concatenate([*sources, np.empty(0, dtype=np.intp)])
        start = self.node[before]
        rows = self.rows[before] + self.segment[start, node]
        within = rows[:, 1] <= self.most
        rows, before, start = rows[within], before[within], start[within]
        keep = self._best(rows, start, node)
        first = self.rows.shape[0]
        if first + keep.size > self.limit or self.clock.left() <= 0:
            raise LabelLimitError
        self.rows = np.concatenate([self.rows, rows[keep]])
        self.before = np.concatenate([self.before, before[keep]])
        self.start = np.concatenate([self.start, start[keep]])
        self.node = np.concatenate([self.node, np.full(keep.size, node, dtype=np.intp)])
        return np.arange(first, first + keep.size)

    def _best(self, rows: Array, start: Index, node: int) -> Index:
        """Return the rows that no other one beats and that leave other segments to follow."""
        if not self.follows or node == self.graph.last:
            return undominated(rows, self.spread)
        # the segments that may follow are nested by the rate of the last one: their number orders them
        after = (self.follows[node] & self.graph.allowed[node]).sum(axis=1)[start]
        if not self.spread:
            return undominated(np.column_stack([rows[:, :2], -after]), True)
        groups = [np.flatnonzero(after == number) for number in np.unique(after)]
        return np.concatenate([group[undominated(rows[group], True)] for group in groups] or [np.empty(0, np.intp)])
