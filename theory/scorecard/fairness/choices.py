"""A choice of one partition a feature, and the budget that it has to keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from asymptopia.theory.scorecard.fairness.labels import Items, Nodes
from asymptopia.theory.scorecard.fairness.segments import Graph
from asymptopia.theory.scorecard.shares import Array

ROUNDING = 1e-12
_MOST_STEPS = 500


class Choice(NamedTuple):
    """Nodes of each feature, empty where it is not used, and the sums of gain, cost and variance over all."""

    nodes: tuple[Nodes, ...]
    gain: float
    cost: float
    variance: float

    @property
    def used(self) -> int:
        """Number of features used."""
        return sum(bool(path) for path in self.nodes)


@dataclass(frozen=True)
class Budget:
    """Keep ``cost + z sqrt(variance)`` at most `eps`, and at most `features` features."""

    eps: float
    z: float
    features: int

    def spent(self, cost: float, variance: float) -> float:
        """Return the left side."""
        return cost + self.z * math.sqrt(variance)

    @property
    def ceiling(self) -> float:
        """`eps` with room for the rounding of sums in another order."""
        return self.eps * (1 + ROUNDING)

    def holds(self, choice: Choice) -> bool:
        """Return True if the choice keeps the budget."""
        return self.spent(choice.cost, choice.variance) <= self.ceiling and choice.used <= self.features

    @property
    def outer_weight(self) -> float:
        """Weight of the variance in a linear cost that no choice within the budget exceeds `eps` with.

        ``z sqrt(v) <= eps`` gives ``sqrt(v) >= v z / eps``, the chord of the square root.
        """
        if self.z == 0 or math.isinf(self.eps):
            return 0.0
        return self.z**2 / self.eps if self.eps > 0 else 1.0

    def inner(self, s: float) -> tuple[float, float]:
        """Return weight and right side of the linear constraint that implies this one, for any `s` > 0.

        ``sqrt(v) <= v / (2 s) + s / 2``, the tangent at ``v = s**2``.
        """
        return self.z / (2 * s), self.eps - self.z * s / 2


Oracle = Callable[[float, float], Choice]
"""Maximise ``gain - mu (cost + weight variance)`` for ``(mu, weight)``; for mu = inf, gain where that cost is 0."""


def nothing(features: int) -> Choice:
    """Return the choice that uses no feature."""
    return Choice(((),) * features, 0.0, 0.0, 0.0)


def collect(picks: Sequence[tuple[Nodes, float, float, float]], most: int, mu: float, weight: float) -> Choice:
    """Return the choice of those at most `most` picks whose value is largest and positive."""
    values = []
    for path, gain, cost, variance in picks:
        paid = mu * (cost + weight * variance) if math.isfinite(mu) else 0.0
        values.append(gain - paid if path else 0.0)
    kept = sorted(range(len(picks)), key=lambda f: -values[f])[:most]
    kept = sorted(f for f in kept if values[f] > 0)
    sums = [math.fsum(picks[f][part] for f in kept) for part in (1, 2, 3)]  # type: ignore[misc]
    nodes = tuple(picks[f][0] if f in kept else () for f in range(len(picks)))
    return Choice(nodes, *sums)


def items_oracle(items: Sequence[Items], features: int) -> Oracle:
    """Return the oracle over listed partitions."""

    def best(mu: float, weight: float) -> Choice:
        picks = []
        for item in items:
            paid = item.cost + weight * item.variance
            value = item.gain - mu * paid if math.isfinite(mu) else np.where(paid == 0, item.gain, -math.inf)
            at = int(np.argmax(value))
            picks.append((item.nodes[at], float(item.gain[at]), float(item.cost[at]), float(item.variance[at])))
        return collect(picks, features, mu, weight)

    return best


def graph_oracle(graphs: Sequence[Sequence[Graph]], max_bins: int, features: int) -> Oracle:
    """Return the oracle over all partitions: one dynamic programme a graph."""
    from asymptopia.theory.scorecard.binning import kernels

    programme = kernels.unit().programme

    def best(mu: float, weight: float) -> Choice:
        picks: list[tuple[Nodes, float, float, float]] = []
        for directions in graphs:
            top = 0.0
            pick: tuple[Nodes, float, float, float] = ((), 0.0, 0.0, 0.0)
            for graph in directions:
                paid = graph.cost + weight * graph.variance
                usable = graph.allowed if math.isfinite(mu) else graph.allowed & (paid == 0)
                worth = np.where(usable, graph.gain - (mu * paid if math.isfinite(mu) else 0.0), -math.inf)
                value, path = programme(np.ascontiguousarray(worth), graph.good, graph.bad, max_bins, graph.trend)
                if value > top:
                    top, pick = value, path_sums(graph, tuple(int(node) for node in path))
            picks.append(pick)
        return collect(picks, features, mu, weight)

    return best


def path_sums(graph: Graph, nodes: Nodes) -> tuple[Nodes, float, float, float]:
    """Return the nodes with the sums of gain, cost and variance along them."""
    start, stop = list(nodes[:-1]), list(nodes[1:])
    sums = [math.fsum(part[start, stop].tolist()) for part in (graph.gain, graph.cost, graph.variance)]
    return (nodes, *sums)  # type: ignore[return-value]


class Bracket(NamedTuple):
    """Best supported choice found within a linear budget, and the Lagrangian bound on all choices within it."""

    choice: Choice
    bound: float


def bracket(best: Oracle, weight: float, rhs: float) -> Bracket:
    """Return the supported choice with ``cost + weight variance <= rhs`` next to the limit, and the dual bound.

    Notes
    -----
    The slope mu goes through the chord of the supported choices on both sides of the limit, until no choice lies above
    the chord. Every ``value(mu) + mu rhs`` on the way bounds all choices, the smallest is the Lagrangian dual.
    """

    def paid(choice: Choice) -> float:
        return choice.cost + weight * choice.variance

    limit = rhs * (1 + ROUNDING)
    below, above = best(math.inf, weight), best(0.0, weight)
    bound = above.gain
    if paid(above) <= limit:
        return Bracket(above, bound)
    if below.gain >= above.gain:
        return Bracket(below, below.gain)
    for _ in range(_MOST_STEPS):
        mu = (above.gain - below.gain) / (paid(above) - paid(below))
        found = best(mu, weight)
        value = found.gain - mu * paid(found)
        bound = min(bound, value + mu * rhs)
        if value <= below.gain - mu * paid(below) + 1e-14 * above.gain:
            break
        below, above = (found, above) if paid(found) <= limit else (below, found)
    return Bracket(below, max(bound, below.gain))


def outer_costs(items: Sequence[Items], weight: float) -> list[Array]:
    """Return the linear cost of each partition of each feature."""
    return [item.cost + weight * item.variance for item in items]
