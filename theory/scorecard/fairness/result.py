"""The performance-fairness front and its points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory.scorecard.intervals import ConfidenceInterval
from asymptopia.theory.scorecard.shares import Array


class FrontPoint(NamedTuple):
    """The best binning within one budget of protected information. All information is in nats.

    Attributes
    ----------
    eps : float
        The budget.
    target_iv, protected_iv : float
        Information about the target and about the protected attribute, each summed over the features used, at the
        counts that chose the bins and with the smoothing of the optimisation.
    protected_upper : float or None
        Upper confidence value that the budget holds for; None without `z`.
    target_ci, protected_ci : ConfidenceInterval
        Intervals for both sums, from the held-out counts if there are any; see `fairness_front`.
    features : tuple of str
        Features used, in the order given. A feature with one bin carries no information and is not used.
    nodes : tuple of tuple of int
        One entry a feature used: its bins are the prebins from each node up to the next, the first 0 and the last K.
    target_ivs, protected_ivs : tuple of float
        The terms of both sums, one a feature used.
    pvalue : float
        Smallest Holm-adjusted p-value of "this binned feature tells nothing about the protected attribute"; 1 if no
        feature is used.
    pvalues : tuple of float
        The p-values, one a feature used, not adjusted.
    held_out_target, held_out_protected : float or None
        Smoothed estimates of both sums from the held-out counts; None without them.
    supported : bool
        True if the point maximises ``target - mu protected`` for some mu, so that it lies on the concave hull.
    optimal : bool
        True if no other binning within the budget is better.
    gap, bound : float
        `bound` is proven to be no less than the best `target_iv` within the budget; `gap` is the difference.
    """

    eps: float
    target_iv: float
    protected_iv: float
    protected_upper: float | None
    target_ci: ConfidenceInterval
    protected_ci: ConfidenceInterval
    features: tuple[str, ...]
    nodes: tuple[tuple[int, ...], ...]
    target_ivs: tuple[float, ...]
    protected_ivs: tuple[float, ...]
    pvalue: float
    pvalues: tuple[float, ...]
    held_out_target: float | None
    held_out_protected: float | None
    supported: bool
    optimal: bool
    gap: float
    bound: float

    @property
    def splits(self) -> dict[str, tuple[int, ...]]:
        """Inner nodes by feature: a bin ends before each of these prebins."""
        return {name: path[1:-1] for name, path in zip(self.features, self.nodes, strict=True)}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrontResult(Result):
    """Points of the performance-fairness front by rising budget.

    Attributes
    ----------
    points : tuple of FrontPoint
        One a budget.
    names : tuple of str
        All features.
    level : float
        Level of the intervals.
    z : float or None
        Normal quantile of the upper confidence constraint.
    max_bins : int
        Most bins a feature.
    max_features : int or None
        Most features.
    held_out : bool
        True if intervals and p-values come from held-out counts.
    method : str
        How the points were found: "labels", "milp", or "lagrange" where the dual bound proved a supported choice
        optimal; joined by "and".
    notes : tuple of str
        Assumptions and limits that apply.
    """

    title: ClassVar[str] = "Performance-fairness front"
    plotter: ClassVar[str] = "asymptopia.theory.scorecard.fairness.plots:plot_front"

    points: tuple[FrontPoint, ...]
    names: tuple[str, ...]
    level: float
    z: float | None
    max_bins: int
    max_features: int | None
    held_out: bool
    method: str
    notes: tuple[str, ...]

    @property
    def eps(self) -> Array:
        """Budgets, shape ``(points,)``."""
        return np.array([point.eps for point in self.points])

    @property
    def target_iv(self) -> Array:
        """Target information, shape ``(points,)``."""
        return np.array([point.target_iv for point in self.points])

    @property
    def protected_iv(self) -> Array:
        """Protected information, shape ``(points,)``."""
        return np.array([point.protected_iv for point in self.points])

    def _lines(self) -> Iterator[tuple[str, str]]:
        features = len(self.names)
        most = "" if self.max_features is None else f", at most {self.max_features} used"
        yield "features", f"{features}, at most {self.max_bins} bins{most}"
        yield "intervals", f"{100 * self.level:g} %, {'held-out' if self.held_out else 'in-sample'} counts"
        for point in self.points:
            target = f"{format_number(point.target_iv, 4)} {_ends(point.target_ci)}"
            protected = f"{format_number(point.protected_iv, 4)} {_ends(point.protected_ci)}"
            proof = "" if point.optimal else f", gap {format_number(point.gap, 2)}"
            yield (
                f"eps {format_number(point.eps, 4)}",
                f"target {target}, protected {protected}, p {format_number(point.pvalue, 2)}, "
                f"{len(point.features)} used{proof}",
            )
        for note in self.notes:
            yield "note", note

    def _columns(self) -> Mapping[str, Any]:
        points = self.points
        columns: dict[str, Any] = {
            "eps": self.eps,
            "target_iv": self.target_iv,
            "target_low": [point.target_ci.low for point in points],
            "target_high": [point.target_ci.high for point in points],
            "protected_iv": self.protected_iv,
            "protected_low": [point.protected_ci.low for point in points],
            "protected_high": [point.protected_ci.high for point in points],
        }
        if self.z is not None:
            columns["protected_upper"] = [point.protected_upper for point in points]
        if self.held_out:
            columns["held_out_target"] = [point.held_out_target for point in points]
            columns["held_out_protected"] = [point.held_out_protected for point in points]
        return columns | {
            "pvalue": [point.pvalue for point in points],
            "used": [len(point.features) for point in points],
            "features": [", ".join(point.features) for point in points],
            "supported": [point.supported for point in points],
            "optimal": [point.optimal for point in points],
            "gap": [point.gap for point in points],
            "bound": [point.bound for point in points],
        }


def _ends(interval: ConfidenceInterval) -> str:
    return f"[{format_number(interval.low, 3)}, {format_number(interval.high, 3)}]"
