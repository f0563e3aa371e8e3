"""The mixed-integer programme over all segments, for features with too many partitions to list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.scorecard.fairness.choices import ROUNDING, Choice, nothing, path_sums
from asymptopia.theory.scorecard.fairness.labels import Clock, Nodes
from asymptopia.theory.scorecard.fairness.segments import Graph
from asymptopia.theory.scorecard.shares import Array

_TIGHTEN = (0.0, 3e-6, 3e-5)
SOLVER_GAP = 1e-6
"""Feasibility and optimality of the solver's floating-point arithmetic, relative."""


class Solved(NamedTuple):
    """Best choice found, None if none better than the given value; bound on all; True if the solver finished."""

    choice: Choice | None
    bound: float
    finished: bool


class Program:
    """Binary x for each segment: a flow of at most one unit from node 0 to K in each graph.

    The unit of flow itself tells whether the feature is used: the number of segments is at most `max_bins` times the
    flow out of node 0.
    """

    def __init__(self, graphs: Sequence[Sequence[Graph]], max_bins: int, features: int) -> None:
        from scipy.sparse import csr_array

        self._features = len(graphs)
        self._graphs = [graph for directions in graphs for graph in directions]
        arcs = [np.argwhere(graph.allowed) for graph in self._graphs]
        self._owner = np.repeat(np.arange(len(arcs)), [len(part) for part in arcs])
        self._arcs = np.concatenate([*arcs, np.empty((0, 2), dtype=np.intp)]).astype(np.intp)
        self._gain = self._terms("gain")
        rows: list[tuple[NDArray[np.intp], Array]] = []
        low: list[float] = []
        high: list[float] = []

        def add(at: Any, values: Any, least: float, most: float) -> None:
            rows.append((np.asarray(at, dtype=np.intp), np.asarray(values, dtype=np.float64)))
            low.append(least)
            high.append(most)

        sources = self._arcs[:, 0] == 0
        for g, graph in enumerate(self._graphs):
            own = np.flatnonzero(self._owner == g)
            start, stop = self._arcs[own].T
            for node in range(1, graph.last):
                add(own, (stop == node).astype(float) - (start == node), 0.0, 0.0)
            add(own, 1.0 - max_bins * (start == 0), -np.inf, 0.0)
            for at in _cuts(graph, own, start, stop) if graph.trend else []:
                add(at, np.ones(at.size), -np.inf, 1.0)
        feature_of = np.array([graph.feature for graph in self._graphs], dtype=np.intp)[self._owner]
        for f in range(self._features):
            at = np.flatnonzero(sources & (feature_of == f))
            add(at, np.ones(at.size), -np.inf, 1.0)
        if features < self._features:
            at = np.flatnonzero(sources)
            add(at, np.ones(at.size), -np.inf, float(features))
        pointer = np.concatenate([[0], np.cumsum([at.size for at, _ in rows])])
        columns, values = (np.concatenate([pair[part] for pair in rows]) for part in (0, 1))
        self._matrix = csr_array((values, columns, pointer), shape=(len(rows), self._owner.size))
        self._matrix.eliminate_zeros()
        self._low, self._high = np.array(low), np.array(high)

    def _terms(self, part: str) -> Array:
        columns = [getattr(graph, part)[tuple(self._arcs[self._owner == g].T)] for g, graph in enumerate(self._graphs)]
        return np.concatenate([*columns, np.empty(0)])

    def solve(self, weight: float, rhs: float, least: float, clock: Clock) -> Solved:
        """Maximise the gain with ``cost + weight variance <= rhs``.

        Parameters
        ----------
        weight, rhs : float
            The constraint.
        least : float
            Only a choice with at least this gain is sought.
        clock : Clock
            Deadline.
        """
        from scipy.optimize import Bounds, LinearConstraint, milp

        if self._owner.size == 0:
            return Solved(nothing(self._features), 0.0, True)
        cost = self._terms("cost") + weight * self._terms("variance")
        fits = cost <= rhs * (1 + ROUNDING)
        bound = math.inf
        for slack in _TIGHTEN:
            left = clock.left()
            if left <= 0:
                break
            constraints = [LinearConstraint(self._matrix, self._low, self._high)]
            if math.isfinite(rhs) and rhs > 0:
                constraints.append(LinearConstraint(np.where(fits, cost, 0.0)[None, :] / rhs, -np.inf, 1.0 - slack))
            constraints.append(LinearConstraint(self._gain[None, :], least * (1 - SOLVER_GAP), np.inf))
            found = milp(
                -self._gain,
                integrality=np.ones(cost.size, dtype=np.int64),
                bounds=Bounds(0.0, fits.astype(float)),
                constraints=constraints,
                options={"time_limit": left, "mip_rel_gap": SOLVER_GAP / 10},
            )
            # 2: no choice reaches `least`, so that it is the bound
            if slack == 0 and found.status == 2:
                bound = least
            elif slack == 0 and found.mip_dual_bound is not None:
                bound = -float(found.mip_dual_bound)
            if found.x is None:
                return Solved(None, bound, found.status == 2)
            choice = self._choice(found.x > 0.5)
            # the solver keeps constraints to 1e-6 only
            if choice.cost + weight * choice.variance <= rhs * (1 + ROUNDING):
                bound = max(bound, choice.gain)
                finished = found.status == 0
                if slack > 0:
                    finished = finished and bound - choice.gain <= SOLVER_GAP * bound
                return Solved(choice, bound, finished)
        return Solved(None, bound, False)

    def _choice(self, picked: NDArray[np.bool_]) -> Choice:
        paths: list[Nodes] = [()] * self._features
        sums = np.zeros(3)
        for g, graph in enumerate(self._graphs):
            own = picked & (self._owner == g)
            if not own.any():
                continue
            nodes, *parts = path_sums(graph, (0, *sorted(int(node) for node in self._arcs[own, 1])))
            if parts[0] > 0:
                paths[graph.feature] = nodes
                sums += parts
        return Choice(tuple(paths), *(float(part) for part in sums))


def _cuts(graph: Graph, own: Any, start: Any, stop: Any) -> list[NDArray[np.intp]]:
    """Return sets of segments of which a monotone partition uses at most one.

    Notes
    -----
    For a segment (a, b), all segments that end at b and whose rate goes as far, with all that start at b and may not
    follow (a, b): stronger than ``x_ab + x_bc <= 1`` for each pair, and fewer.
    """
    cuts = []
    for node in range(1, graph.last):
        into, out = np.flatnonzero(stop == node), np.flatnonzero(start == node)
        if into.size == 0 or out.size == 0:
            continue
        clash = ~graph.follows(node)[np.ix_(start[into], stop[out])]
        for row in np.unique(clash[clash.any(axis=1)], axis=0):
            as_far = clash[:, row].all(axis=1)
            cuts.append(np.concatenate([own[into[as_far]], own[out[row]]]))
    return cuts
