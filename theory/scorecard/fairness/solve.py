"""One point after the other: by listed partitions, and by the mixed-integer programme where these are too many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from asymptopia.theory.scorecard.fairness.choices import (
    Budget,
    Choice,
    Oracle,
    bracket,
    graph_oracle,
    items_oracle,
    nothing,
)
from asymptopia.theory.scorecard.fairness.labels import Clock, Items, LabelLimitError, best_partitions
from asymptopia.theory.scorecard.fairness.program import Program
from asymptopia.theory.scorecard.fairness.search import best_choice
from asymptopia.theory.scorecard.fairness.segments import Graph

LABELS = 200_000
COMBINATIONS = 4_000_000
PROVEN = 1e-9
_SWEEP = (0.05, 0.15, 0.3, 0.5, 0.75, 1.0)
_MOST_TANGENTS = 8


class Outcome(NamedTuple):
    """Best choice found within a budget, the bound on all of them, and how."""

    choice: Choice
    bound: float
    optimal: bool
    supported: bool
    method: str
    in_time: bool


@dataclass
class Solver:
    """Solve the points of one front, budgets rising.

    Attributes
    ----------
    graphs : sequence of sequence of Graph
        Directions of each feature.
    max_bins, features : int
        Most bins a feature, most features.
    z : float
        Normal quantile of the upper confidence constraint, 0 for none.
    method : str
        "auto", "labels" or "milp".
    """

    graphs: Sequence[Sequence[Graph]]
    max_bins: int
    features: int
    z: float
    method: str
    labels: int = LABELS
    combinations: int = COMBINATIONS
    _items: list[Items] | None = None
    _oracle: Oracle = field(init=False)
    _program: Program | None = None

    def prepare(self, most: float, clock: Clock) -> None:
        """List the undominated partitions of cost up to `most`, unless they are too many."""
        if self.method != "milp":
            try:
                self._items = [
                    best_partitions(
                        directions, self.max_bins, spread=self.z > 0, limit=self.labels, clock=clock, most=most
                    )
                    for directions in self.graphs
                ]
            except LabelLimitError:
                self._items = None
        if self._items is None:
            self._oracle = graph_oracle(self.graphs, self.max_bins, self.features)
        else:
            self._oracle = items_oracle(self._items, self.features)

    def unconstrained(self) -> Choice:
        """Return the choice of the largest gain whatever its cost."""
        return self._oracle(0.0, 0.0)

    def point(self, eps: float, incumbent: Choice | None, clock: Clock) -> Outcome:
        """Return the best choice within the budget `eps`, no worse than `incumbent`."""
        budget = Budget(eps, self.z, self.features)
        best = nothing(len(self.graphs)) if incumbent is None else incumbent
        found = bracket(self._oracle, budget.outer_weight, eps)
        if found.choice.gain > best.gain and budget.holds(found.choice):
            best = found.choice
        bound, finished, method = found.bound, False, "labels"
        if _met(best, bound):
            return self._outcome(best, bound, True, "lagrange", clock)
        if self._items is not None:
            try:
                best = best_choice(self._items, budget, best, self.combinations, clock)
                return self._outcome(best, best.gain, True, method, clock)
            except LabelLimitError as error:
                best = error.args[0]
        if self.method != "labels":
            method = "milp"
            best, bound, finished = self._programme(budget, best, bound, clock)
        return self._outcome(best, bound, finished or _met(best, bound), method, clock)

    def _outcome(self, best: Choice, bound: float, optimal: bool, method: str, clock: Clock) -> Outcome:
        own = bracket(self._oracle, 0.0, best.cost)
        supported = best.gain >= own.bound * (1 - PROVEN)
        return Outcome(best, max(bound, best.gain), optimal, supported, method, optimal or clock.left() > 0)

    def _programme(self, budget: Budget, best: Choice, bound: float, clock: Clock) -> tuple[Choice, float, bool]:
        if self._program is None:
            self._program = Program(self.graphs, self.max_bins, self.features)
        if budget.z == 0 or budget.eps == 0 or math.isinf(budget.eps):
            solved = self._program.solve(budget.outer_weight, budget.eps, best.gain, clock)
            if solved.choice is not None and solved.choice.gain > best.gain:
                best = solved.choice
            return best, min(bound, max(solved.bound, best.gain)), solved.finished
        start = 0.0
        for part in _SWEEP:
            s = part * budget.eps / budget.z
            weight, rhs = budget.inner(s)
            found = bracket(self._oracle, weight, rhs).choice
            if budget.holds(found) and found.gain >= best.gain:
                best, start = found, s
        s = start or math.sqrt(best.variance) or budget.eps / (2 * budget.z)
        for _ in range(_MOST_TANGENTS):
            solved = self._program.solve(*budget.inner(s), best.gain, clock)
            better = solved.choice is not None and budget.holds(solved.choice) and solved.choice.gain > best.gain
            if better and solved.choice is not None:
                best = solved.choice
            # the tangent at the choice itself: it stays feasible, so that the next one is no worse
            touch = math.sqrt(best.variance)
            if clock.left() <= 0 or touch == 0 or (not better and touch == s):
                break
            s = touch
        return best, bound, False


def _met(best: Choice, bound: float) -> bool:
    return bound - best.gain <= PROVEN * max(bound, 0.0)
