"""The best choice within a budget from the listed partitions: label setting over the features with bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from asymptopia.theory.scorecard.fairness.choices import ROUNDING, Budget, Choice, outer_costs
from asymptopia.theory.scorecard.fairness.labels import Clock, Index, Items, LabelLimitError, undominated
from asymptopia.theory.scorecard.shares import Array

_SWEEP = (0.05, 0.15, 0.3, 0.5, 0.75, 1.0)


class _Edge(NamedTuple):
    """A step along the concave hull of one feature's partitions."""

    slope: float
    feature: int
    start: int
    stop: int
    cost: float
    gain: float


def best_choice(items: Sequence[Items], budget: Budget, incumbent: Choice, limit: int, clock: Clock) -> Choice:
    """Return the choice of the largest gain within the budget, to 1e-12 relative.

    Parameters
    ----------
    items : sequence of Items
        Undominated partitions, one entry a feature.
    budget : Budget
        What to keep.
    incumbent : Choice
        A choice within the budget.
    limit : int
        Most combinations of labels and partitions of one feature at a time.
    clock : Clock
        Deadline.

    Raises
    ------
    LabelLimitError
        If the combinations exceed `limit` or the time is over; its argument is the best choice so far.

    Notes
    -----
    A label holds a partition of each of the first features. It is dropped where another one has no less gain, cost,
    variance and features, and where gain plus the Lagrangian bound on the other features does not exceed the
    incumbent.
    """
    edges = _edges(outer_costs(items, budget.outer_weight), items, budget.ceiling)
    best = incumbent
    sweeps = [edges]
    if budget.z > 0 and 0 < budget.eps < math.inf:
        weights = [budget.inner(part * budget.eps / budget.z)[0] for part in _SWEEP]
        sweeps += [_edges(outer_costs(items, weight), items, budget.ceiling) for weight in weights]
    for sweep in sweeps:
        found = _greedy(items, sweep, budget)
        best = found if found.gain > best.gain else best
    # wide features first: what is left is then bounded tightly
    order = sorted(range(len(items)), key=lambda f: -len(items[f].nodes))
    limited = budget.features < len(items)
    sums, used = np.zeros((1, 3)), np.zeros(1, dtype=np.intp)
    trail: list[tuple[Index, Index]] = []
    for step, feature in enumerate(order):
        item, rest = items[feature], set(order[step + 1 :])
        if clock.left() <= 0 or sums.shape[0] * len(item.nodes) > limit:
            raise LabelLimitError(best)
        part = np.stack([item.gain, item.cost, item.variance], axis=-1)
        parent, chosen = (axis.ravel() for axis in np.indices((sums.shape[0], len(item.nodes))))
        together, count = sums[parent] + part[chosen], used[parent] + (chosen > 0)
        keep = np.flatnonzero(_promising(together, count, budget, _remaining(edges, rest), best.gain))
        if keep.size == 0:
            return best
        together, count = together[keep], count[keep]
        groups = np.unique(count) if limited else [None]
        front = np.concatenate([_front(together, count, group, budget.z > 0) for group in groups])
        keep = keep[front]
        sums, used = together[front], count[front]
        trail.append((parent[keep], chosen[keep]))
        top = int(np.lexsort((sums[:, 1], -sums[:, 0]))[0])
        # the other features unused: within the budget
        if sums[top, 0] > best.gain * (1 + ROUNDING):
            best = _trace(items, order, trail, top)
    return best


def _promising(sums: Array, used: Index, budget: Budget, rest: tuple[Array, Array], least: float) -> Array:
    """Return which labels keep the budget and may still exceed `least`."""
    gain, cost, variance = sums.T
    linear = cost + budget.outer_weight * variance
    spent = cost + budget.z * np.sqrt(variance)
    room = np.maximum(budget.eps - linear, 0.0)
    bound = gain + np.interp(room, *rest)
    within = (linear <= budget.ceiling) & (spent <= budget.ceiling) & (used <= budget.features)
    return np.asarray(within & (bound > least * (1 + ROUNDING)))


def _front(sums: Array, used: Index, group: int | None, spread: bool) -> Index:
    rows = np.arange(used.size) if group is None else np.flatnonzero(used == group)
    return np.asarray(rows[undominated(sums[rows], spread)], dtype=np.intp)


def _trace(items: Sequence[Items], order: Sequence[int], trail: Sequence[tuple[Index, Index]], label: int) -> Choice:
    """Return the choice of a label of the last step."""
    picked = [0] * len(items)
    for feature, (parent, chosen) in zip(order[: len(trail)][::-1], reversed(trail), strict=True):
        picked[feature] = int(chosen[label])
        label = int(parent[label])
    return _choice(items, picked)


def _choice(items: Sequence[Items], picked: Sequence[int]) -> Choice:
    chosen = list(zip(items, picked, strict=True))
    sums = [math.fsum(getattr(item, part)[at] for item, at in chosen) for part in ("gain", "cost", "variance")]
    return Choice(tuple(item.nodes[at] for item, at in chosen), *sums)


def _edges(costs: Sequence[Array], items: Sequence[Items], ceiling: float) -> list[_Edge]:
    """Return the steps along the concave hulls of all features, the steepest first."""
    edges: list[_Edge] = []
    for feature, (cost, item) in enumerate(zip(costs, items, strict=True)):
        usable = np.flatnonzero(cost <= ceiling)
        order = usable[np.lexsort((-item.gain[usable], cost[usable]))].tolist()
        hull = [0]
        for at in order:
            if item.gain[at] <= item.gain[hull[-1]]:
                continue
            while len(hull) > 1 and _slope(cost, item.gain, hull[-1], at) >= _slope(cost, item.gain, *hull[-2:]):
                hull.pop()
            hull.append(at)
        edges += [
            _Edge(
                _slope(cost, item.gain, a, b),
                feature,
                a,
                b,
                float(cost[b] - cost[a]),
                float(item.gain[b] - item.gain[a]),
            )
            for a, b in pairwise(hull)
        ]
    return sorted(edges, key=lambda edge: -edge.slope)


def _slope(cost: Array, gain: Array, a: int, b: int) -> float:
    rise, run = float(gain[b] - gain[a]), float(cost[b] - cost[a])
    return rise / run if run > 0 else math.inf


def _remaining(edges: Sequence[_Edge], rest: set[int]) -> tuple[Array, Array]:
    """Return the concave bound on the gain of the features `rest` by the budget left, as abscissas and ordinates."""
    left = [edge for edge in edges if edge.feature in rest]
    free = math.fsum(edge.gain for edge in left if edge.cost <= 0)
    paid = [edge for edge in left if edge.cost > 0]
    x = np.concatenate([[0.0], np.cumsum([edge.cost for edge in paid])])
    y = np.concatenate([[free], free + np.cumsum([edge.gain for edge in paid])])
    return x, y


def _greedy(items: Sequence[Items], edges: Sequence[_Edge], budget: Budget) -> Choice:
    """Return a choice within the budget: steps along the hulls as long as they fit."""
    picked = [0] * len(items)
    cost = variance = 0.0
    for edge in edges:
        if picked[edge.feature] != edge.start:
            continue
        if edge.start == 0 and sum(at > 0 for at in picked) >= budget.features:
            continue
        item = items[edge.feature]
        more = cost + float(item.cost[edge.stop] - item.cost[edge.start])
        wider = variance + float(item.variance[edge.stop] - item.variance[edge.start])
        if budget.spent(more, max(wider, 0.0)) <= budget.eps:
            picked[edge.feature], cost, variance = edge.stop, more, max(wider, 0.0)
    found = _choice(items, picked)
    return found if budget.holds(found) else _choice(items, [0] * len(items))
