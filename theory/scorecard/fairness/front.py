"""Binnings that tell most about a target and no more than a budget about a protected attribute."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import choice, fail, integer, numeric, probability, real
from asymptopia.theory.scorecard.fairness.choices import Budget
from asymptopia.theory.scorecard.fairness.evidence import Evidence, evidence
from asymptopia.theory.scorecard.fairness.labels import Clock
from asymptopia.theory.scorecard.fairness.result import FrontPoint, FrontResult
from asymptopia.theory.scorecard.fairness.segments import Graph, build_graphs
from asymptopia.theory.scorecard.fairness.solve import Outcome, Solver
from asymptopia.theory.scorecard.fairness.status import FrontStatus
from asymptopia.theory.scorecard.fairness.tables import Table, feature_tables, matching_tables, trend_signs
from asymptopia.theory.scorecard.shares import check_smoothing

METHODS = ("auto", "labels", "milp")
SUMS = "Sums of information values ignore what the features share: they are no information of the features together."
UPPER = (
    "The upper confidence constraint drops the negative terms of each feature's variance, which is conservative, and "
    "the covariances between features, which is not: with k features the standard error can be up to sqrt(k) times "
    "as large."
)
SELECTED = (
    "The bins were chosen on the counts that the intervals and p-values come from: target information is overstated."
)


def fairness_front(
    target: Any,
    protected: Any,
    *,
    eps: ArrayLike | None = None,
    n_points: int = 20,
    max_bins: int = 5,
    max_features: int | None = None,
    min_share: float = 0.0,
    trend: str | Mapping[str, str | None] | None = None,
    z: float | None = None,
    level: float = 0.95,
    names: Sequence[str] | None = None,
    holdout: tuple[Any, Any] | None = None,
    smoothing: float = 0.0,
    protected_smoothing: float = 0.5,
    method: str = "auto",
    time_limit: float = 60.0,
) -> FrontResult:
    r"""Return the binnings of most target information by budget of protected information.

    Parameters
    ----------
    target : mapping, sequence or array_like
        Whole counts [good, bad] in the ordered prebins of each feature, one table of shape ``(K_f, 2)`` a feature;
        a mapping has the names as keys. One ``(K, 2)`` table is one feature.
    protected : mapping, sequence or array_like
        Counts of group 0 and group 1 of the protected attribute in the same prebins, of the same form.
    eps : float or sequence of float, optional
        Budgets of protected information in nats, >= 0; repeated ones count once. None spreads `n_points` evenly from
        0 to what the best binning without a budget spends.
    n_points : int
        Number of budgets if `eps` is None, at least 2.
    max_bins : int
        Most bins a feature, at least 2.
    max_features : int, optional
        Most features with more than one bin.
    min_share : float
        Least share of the target's rows in a bin, in [0, 1).
    trend : {None, "ascending", "descending", "auto"} or mapping
        Direction of the event rate ``bad / (good + bad)`` along the bins, for all features or by name; "auto" takes
        the better one. Bins of equal rate may follow each other. A name that the mapping lacks has no trend.
    z : float, optional
        Normal quantile > 0, such as 1.645. The budget then holds for an upper confidence value of the protected
        information.
    level : float
        Level of the intervals.
    names : sequence of str, optional
        Names of the features of a sequence.
    holdout : tuple of (target, protected), optional
        Tables of rows that took no part in the choice of prebins and bins, of the same form. Intervals and p-values
        are then computed from them.
    smoothing, protected_smoothing : float
        Pseudo-counts added to both cells of each prebin that is not empty in both. With 0 a bin with an empty cell is
        not allowed. A small prebin often lacks a group; merging bins would be forced by chance, hence 1/2 for the
        protected counts.
    method : {"auto", "labels", "milp"}
        "labels" lists the partitions that no other one beats and combines them, "milp" solves the mixed-integer
        programme over all segments, "auto" does the first and the second where the labels are too many.
    time_limit : float
        Seconds for all points, > 0. Points whose optimality is not proven by then say so.

    Returns
    -------
    FrontResult

    Raises
    ------
    TypeError, ValueError
        If the tables are not whole counts of matching shapes with both columns positive, a budget is negative or NaN,
        or an option is outside its range.

    Notes
    -----
    With :math:`t_{fs}, u_{fs}` the Jeffreys terms of segment s = (i, j) of feature f, for target and protected
    attribute, and binary :math:`x_{fs}`,

    .. math:: \max \sum t_{fs} x_{fs} \quad\text{s.t.}\quad \sum u_{fs} x_{fs} \le \varepsilon ,

    where the x of a feature are a path of at most `max_bins` segments from its first to its last node, or none. A
    feature with one bin carries no information and counts as not used. Two segments whose event rates break the
    trend exclude each other.

    With `z` the budget is

    .. math:: \sum u_{fs} x_{fs} + z \Big(\sum v_{fs} x_{fs}\Big)^{1/2} \le \varepsilon, \qquad
              v = p a^2 / n + q c^2 / m, \quad a = \log\frac pq + 1 - \frac qp, \quad c = -\log\frac pq + 1 - \frac pq,

    with the shares p and q of groups of size n and m. The sum of v exceeds the delta-method variance of a feature by
    :math:`\mathrm{KL}(P\|Q)^2/n + \mathrm{KL}(Q\|P)^2/m`.

    *Exactness*: "labels" gives the optimum to 1e-12 relative, also with `z`, since the budget is monotone in both
    sums: a partition with no less gain, cost and variance is never needed. Partial sums are bounded by the Lagrangian
    dual, in which the chord :math:`\sqrt v \ge v z/\varepsilon` replaces the square root. "milp" reaches 1e-6; with
    `z` it solves :math:`\sum (u + z v/(2s)) x + z s/2 \le \varepsilon` for several s and then at
    :math:`s = (\sum v x)^{1/2}` of the last solution: every one keeps the budget, none is proven optimal.

    *Intervals* of a sum over k features add the ends of SNC intervals at the level ``1 - (1 - level) / k``
    (Bonferroni), for features measured on the same people depend in ways that their separate tables do not show. For
    one feature this is `IVResult.confidence_interval`.

    *Assumptions*: independent people; for intervals and p-values bins that were not chosen on the same counts.

    References
    ----------
    .. [1] A. Sudjianto, D. Burakov, "An information-theoretic framework for credit risk modeling", arXiv:2509.09855,
       2025.
    .. [2] D. Pisinger, "A minimal algorithm for the multiple-choice knapsack problem", European Journal of Operational
       Research 83(2), 1995.

    Examples
    --------
    >>> target = {"income": [[80, 40], [120, 35], [150, 25], [170, 15]], "region": [[90, 50], [210, 45], [220, 20]]}
    >>> sexes = {"income": [[80, 40], [85, 70], [80, 95], [75, 110]], "region": [[70, 70], [120, 135], [130, 110]]}
    >>> front = fairness_front(target, sexes, eps=[0, 0.05, 0.2])
    >>> front.target_iv.round(3)
    array([0.   , 0.463, 0.842])
    >>> front.points[1].splits
    {'region': (1, 2)}
    >>> front.points[1].protected_ci.high < 0.07
    True
    """
    labels, tables = feature_tables("target", target, names)
    mapped = isinstance(target, Mapping)
    shielded = matching_tables("protected", protected, labels, tables, mapped)
    signs = trend_signs(trend, labels)
    budgets = None if eps is None else _budgets(eps)
    n_points = integer("n_points", n_points, 2)
    max_bins = integer("max_bins", max_bins, 2)
    most = len(labels) if max_features is None else integer("max_features", max_features, 1)
    min_share = real("min_share", min_share, 0.0, 1.0, closed="left")
    quantile = 0.0 if z is None else real("z", z, 0.0, math.inf, closed="neither")
    level = probability("level", level)
    additions = check_smoothing(smoothing), real("protected_smoothing", protected_smoothing, 0.0, 1e300)
    choice("method", method, METHODS)
    clock = Clock(real("time_limit", time_limit, 0.0, math.inf, closed="right"))
    judged = _held_out(holdout, labels, tables, mapped) or (tables, shielded)

    graphs = [
        build_graphs(
            f, tables[f], shielded[f], signs[f], min_share=min_share, smoothing=additions[0],
            protected_smoothing=additions[1],
        )
        for f in range(len(labels))
    ]  # fmt: skip
    solver = Solver(graphs, max_bins, min(most, len(labels)), quantile, method)
    # half of the time is kept for the mixed-integer programme
    solver.prepare(math.inf if budgets is None else float(budgets[-1]), Clock(clock.left() / 2))
    if budgets is None:
        top = solver.unconstrained()
        spent = Budget(math.inf, quantile, most).spent(top.cost, top.variance)
        budgets = np.unique(np.linspace(0.0, spent, n_points))
    outcomes = list(_outcomes(solver, budgets, clock))
    evidences = [[evidence(side, found.choice.nodes, level) for side in judged] for found in outcomes]
    points = tuple(
        _point(float(budget), found, graphs, labels, quantile, shown, holdout is not None)
        for budget, found, shown in zip(budgets, outcomes, evidences, strict=True)
    )
    notes = [SUMS] if len(labels) > 1 else []
    notes += [UPPER] if quantile else []
    statuses = set()
    if holdout is None:
        statuses.add(FrontStatus.IN_SAMPLE)
        notes.append(SELECTED)
    if any(side.sparse for shown in evidences for side in shown):
        statuses.add(FrontStatus.SPARSE)
    for found in outcomes:
        if not found.optimal:
            statuses.add(FrontStatus.NOT_PROVEN if found.in_time else FrontStatus.TIME_LIMIT)
    worst = FrontStatus.worst(statuses)
    notes += [status.message for status in FrontStatus if status in statuses and status not in {worst, FrontStatus.OK}]
    return FrontResult(
        status=worst,
        points=points,
        names=labels,
        level=level,
        z=None if quantile == 0 else quantile,
        max_bins=max_bins,
        max_features=max_features,
        held_out=holdout is not None,
        method=" and ".join(sorted({found.method for found in outcomes})),
        notes=tuple(notes),
    )


def _outcomes(solver: Solver, budgets: Any, clock: Clock) -> Iterator[Outcome]:
    """Yield the points by rising budget, each with its share of the time left; a choice fits every later budget."""
    last = None
    for done, budget in enumerate(budgets.tolist()):
        found = solver.point(budget, last, Clock(clock.left() / (len(budgets) - done)))
        last = found.choice
        yield found


def _budgets(eps: ArrayLike) -> Any:
    values = np.atleast_1d(np.asarray(eps))
    if values.ndim != 1 or values.size == 0:
        raise fail("eps.shape", np.shape(eps), "a number or a sequence of at least one")
    infinite = values == np.inf
    checked = numeric("eps", np.where(infinite, 0.0, values) if infinite.any() else values)
    if (checked < 0).any():
        raise fail("eps", float(checked.min()), "budgets >= 0, in nats")
    return np.unique(np.where(infinite, np.inf, checked))


def _held_out(
    holdout: Any, labels: tuple[str, ...], tables: list[Table], mapped: bool
) -> tuple[list[Table], list[Table]] | None:
    if holdout is None:
        return None
    if not isinstance(holdout, tuple | list) or len(holdout) != 2:
        message = (
            f"holdout is of type {type(holdout).__name__}; expected the pair (target, protected) of held-out tables"
        )
        raise TypeError(message)
    first, second = (
        matching_tables(f"holdout[{side}]", part, labels, tables, mapped) for side, part in enumerate(holdout)
    )
    return first, second


def _point(
    eps: float,
    found: Outcome,
    graphs: Sequence[Sequence[Graph]],
    labels: tuple[str, ...],
    z: float,
    shown: Sequence[Evidence],
    held_out: bool,
) -> FrontPoint:
    used = [f for f, path in enumerate(found.choice.nodes) if path]
    paths = [found.choice.nodes[f] for f in used]

    def terms(part: str) -> tuple[float, ...]:
        # both directions of a feature have the same terms
        return tuple(
            math.fsum(getattr(graphs[f][0], part)[list(path[:-1]), list(path[1:])].tolist())
            for f, path in zip(used, paths, strict=True)
        )

    target, protected = shown
    gain, cost, variance = found.choice[1:]
    return FrontPoint(
        eps=eps,
        target_iv=gain,
        protected_iv=cost,
        protected_upper=Budget(eps, z, 1).spent(cost, variance) if z else None,
        target_ci=target.ci,
        protected_ci=protected.ci,
        features=tuple(labels[f] for f in used),
        nodes=tuple(paths),
        target_ivs=terms("gain"),
        protected_ivs=terms("cost"),
        pvalue=protected.pvalue,
        pvalues=protected.pvalues,
        held_out_target=target.estimate if held_out else None,
        held_out_protected=protected.estimate if held_out else None,
        supported=found.supported,
        optimal=found.optimal,
        gap=max(found.bound - gain, 0.0),
        bound=found.bound,
    )
