"""What a second feature adds to the information value of a first: the conditional information value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.special import kl, log_ratio
from asymptopia.theory._core.status import Status
from asymptopia.theory._core.validation import counts, numeric
from asymptopia.theory.scorecard.hypotheses import format_pvalue, null_tails
from asymptopia.theory.scorecard.inference import jeffreys
from asymptopia.theory.scorecard.intervals import SNC, ConfidenceInterval
from asymptopia.theory.scorecard.shares import HALF, Array, check_smoothing, refuse_fractions, two_samples

_FEW = 5
_LEAST_DOF = 0.5


class ConditionalStatus(Status):
    """Validity of a conditional information value, from the least to the most severe limit."""

    OK = "The counts are large enough for the asymptotic laws."
    SPARSE = (
        "Few observations a cell (an expected count below 1, or fewer than 5 observations a cell in the smaller "
        "sample): test and interval are approximate; merge levels."
    )
    ZERO_CELL = (
        "A cell is empty in one sample only: the plug-in estimate is infinite and has no standard error; the test and "
        "the interval use smoothed counts (1/2 a cell, or `smoothing`)."
    )
    EMPTY_PARENT = (
        "A level of the first feature holds goods only or bads only: what the second feature adds there cannot be "
        "estimated and is counted as 0."
    )
    NOTHING_TO_TEST = (
        "No level of the first feature holds both outcomes and two levels of the second: nothing can be tested."
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ConditionalIVResult(Result):
    """Information value of a second feature given a first, in nats.

    Attributes
    ----------
    estimate : float
        ``IV(first, second) - IV(first)``, plug-in; inf if a cell is empty in one sample only.
    estimate_smoothed : float
        With 1/2 (or `smoothing`, if that is positive) added to each count in use.
    smoothing : float
        Pseudo-count of the estimator that the next three belong to.
    bias, se : float
        First-order bias and delta-method standard error.
    statistic : float
        ``n_eff`` times the estimate, of the smoothed one if the plug-in is infinite.
    null_weights : ndarray
        Weights of the chi-squares with one degree of freedom in the law of `statistic` under conditional independence.
    dof : int
        Their number: over the levels of the first feature, cells in use less one.
    pvalue, log_pvalue : float
        Of the test that the second feature adds nothing.
    ci : ConfidenceInterval
        95 % interval of the SNC law.
    contributions : ndarray
        Part of each level of the first feature in the estimate that `smoothing` selects.
    iv_joint, iv_first, iv_second : float
        Plug-in information values of the pair and of each feature alone. The single ones do not add up to the joint.
    good, bad : ndarray
        The counts, shape ``(levels of the first, levels of the second)``.
    n_eff : float
        ``n m / (n + m)``.
    """

    title: ClassVar[str] = "Conditional information value"

    estimate: float
    estimate_smoothed: float
    smoothing: float
    bias: float
    se: float
    statistic: float
    null_weights: Array
    dof: int
    pvalue: float
    log_pvalue: float
    ci: ConfidenceInterval
    contributions: Array
    iv_joint: float
    iv_first: float
    iv_second: float
    good: NDArray[np.int64]
    bad: NDArray[np.int64]
    n_eff: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "estimate", format_number(self.estimate)
        yield f"smoothed ({self.smoothing or HALF:g} a cell)", format_number(self.estimate_smoothed)
        yield "95 % interval", f"[{format_number(self.ci.low)}, {format_number(self.ci.high)}]"
        yield "standard error", format_number(self.se)
        yield "bias", format_number(self.bias)
        yield (
            "test of 0",
            f"T = {format_number(self.statistic)}, dof {self.dof}, p = {format_pvalue(self.log_pvalue)}",
        )
        yield "IV of the pair", format_number(self.iv_joint)
        yield "IV of each alone", f"{format_number(self.iv_first)} and {format_number(self.iv_second)}"

    def _columns(self) -> Mapping[str, Any]:
        return {
            "level": np.arange(self.contributions.size),
            "good": self.good.sum(axis=1),
            "bad": self.bad.sum(axis=1),
            "contribution": self.contributions,
        }


def conditional_iv(table: ArrayLike, *, smoothing: float = 0) -> ConditionalIVResult:
    r"""Return what the second feature adds to the information value of the first, with its inference.

    Parameters
    ----------
    table : array_like
        Whole counts, shape ``(levels of the first, levels of the second, 2)``; ``[..., 0]`` goods, ``[..., 1]`` bads.
    smoothing : float
        Pseudo-count a cell of the estimator that `bias`, `se` and `statistic` describe; 0 is the plug-in.

    Returns
    -------
    ConditionalIVResult

    Raises
    ------
    TypeError, ValueError
        If the counts are not whole numbers from 0 to 2**53, the table has another shape, or an outcome is missing.

    Notes
    -----
    *Statement*: with shares :math:`p_{ij}, q_{ij}` of the cells, :math:`p_i, q_i` of the levels i of the first
    feature, and the laws :math:`P_i, Q_i` of the second within i, the chain rule of both divergences gives

    .. math:: C = J(X_1, X_2) - J(X_1)
                = \sum_i p_i \mathrm{KL}(P_i \| Q_i) + q_i \mathrm{KL}(Q_i \| P_i) \ge 0 .

    The gradient is the one of the cell less the one of its level. With :math:`\ell_{ij} = \log(P_{ij}/Q_{ij})`,
    :math:`\rho_i = q_i/p_i`, :math:`\chi(Q, P) = \sum (Q-P)^2/P` and :math:`J_i = J(P_i, Q_i)` the part of the goods in
    the variance is a sum of non-negative terms over n,

    .. math:: \mathrm{Var}_{p_i}\{\mathrm{KL}(P_i\|Q_i)\}
              + \sum_i p_i \{\mathrm{Var}_{P_i}(\ell_i) + \rho_i^2 \chi(Q_i, P_i) + 2 \rho_i J_i\},

    and that of the bads is its mirror image. Where the second feature adds nothing, :math:`P_i = Q_i` in every level,

    .. math:: n_e C \to \sum_i \lambda_i \chi^2_{k_i - 1}, \qquad
              \lambda_i = n_e\,\frac{p_i + q_i}{2} \Big(\frac1{n p_i} + \frac1{m q_i}\Big),

    with :math:`k_i` cells in use. The weights are 1 if the first feature does not separate either; a plain chi-square
    is wrong otherwise, for :math:`\lambda_i = (p_i+q_i)(n p_i + m q_i) / \{2 (n+m) p_i q_i\}`. The interval is that of
    the scaled noncentral chi-square law which matches mean and variance of the smoothed estimate, and at 0 those of
    the mixture.

    *Assumptions*: independent accounts; levels fixed beforehand.

    References
    ----------
    .. [1] T. M. Cover, J. A. Thomas, "Elements of Information Theory", 2nd ed., Wiley, 2006, theorem 2.5.3.

    Examples
    --------
    >>> table = [[[60, 30], [40, 40]], [[200, 20], [100, 25]]]
    >>> found = conditional_iv(table)
    >>> round(found.estimate, 6), round(found.iv_joint - found.iv_first, 6)
    (0.166648, 0.166648)
    >>> round(found.pvalue, 4), found.null_weights.round(3)
    (0.0015, array([0.931, 1.303]))
    """
    cells = _cells(table)
    x, y = cells[..., 0], cells[..., 1]
    a = check_smoothing(smoothing)
    n, m = float(x.sum()), float(y.sum())
    size = n * m / (n + m)
    levels = _Levels(x, y)
    zero_cell = bool(((x == 0) != (y == 0))[levels.known].any())
    plain, smoothed = levels.parts(0.0), levels.parts(a or HALF)
    chosen = smoothed if a else plain
    tested = smoothed if zero_cell else chosen
    weights = levels.null_weights()
    testable = weights.size > 0
    law = levels.moments(smoothed, a or HALF)
    variance, bias = law if a else (math.nan, math.nan) if zero_cell else levels.moments(plain, 0.0)
    statistic = size * tested.value
    log_pvalue = float(null_tails(statistic, weights).sf) if testable else math.nan
    return ConditionalIVResult(
        status=max(levels.limits(zero_cell=zero_cell), key=[*ConditionalStatus].index),
        estimate=plain.value,
        estimate_smoothed=smoothed.value,
        smoothing=a,
        bias=bias if testable else math.nan,
        se=math.sqrt(variance) if testable else math.nan,
        statistic=statistic,
        null_weights=weights,
        dof=int(weights.size),
        pvalue=math.exp(log_pvalue),
        log_pvalue=log_pvalue,
        ci=_snc(smoothed.value, law, weights, size).interval(0.95)
        if testable
        else ConfidenceInterval(math.nan, math.nan),
        contributions=chosen.terms,
        iv_joint=float(jeffreys(x.ravel(), y.ravel())),
        iv_first=float(jeffreys(x.sum(axis=1), y.sum(axis=1))),
        iv_second=float(jeffreys(x.sum(axis=0), y.sum(axis=0))),
        good=x.astype(np.int64),
        bad=y.astype(np.int64),
        n_eff=size,
    )


class _Parts(NamedTuple):
    """Shares of the levels of the first feature and both divergences of the second within each; 0 where unknown."""

    p: Array
    q: Array
    forward: Array
    backward: Array

    @property
    def terms(self) -> Array:
        return self.p * self.forward + self.q * self.backward

    @property
    def value(self) -> float:
        return float(self.terms.sum())


@dataclass(frozen=True)
class _Levels:
    """The counts by level of the first feature; `known` levels hold both outcomes."""

    x: Array
    y: Array

    @property
    def known(self) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = (self.x.sum(axis=1) > 0) & (self.y.sum(axis=1) > 0)
        return found

    @property
    def used(self) -> NDArray[np.bool_]:
        return self.x + self.y > 0

    def parts(self, a: float) -> _Parts:
        """Return the parts with `a` added to each cell in use."""
        known, add = self.known, a * self.used
        p, q = ((counts + add).sum(axis=1) / (counts + add).sum() for counts in (self.x, self.y))
        forward, backward = np.zeros(known.size), np.zeros(known.size)
        within = two_samples(self.x[known], self.y[known], a, self.used[known])
        forward[known], backward[known] = kl(*within), kl(within.q, within.p, -within.d)
        return _Parts(p, q, forward, backward)

    def moments(self, parts: _Parts, a: float) -> tuple[float, float]:
        """Return first-order variance and bias of the estimate, for cells that are all positive."""
        known, used = self.known, self.used[self.known]
        within = two_samples(self.x[known], self.y[known], a, used)
        ratio = log_ratio(*within)
        cells = self.used.sum()
        excess = float((used.sum(axis=1) - 1).sum())
        variance = bias = 0.0
        for sample, first, second, d, own, other, sign in (
            (self.x, within.p, within.q, within.d, parts.p, parts.q, 1.0),
            (self.y, within.q, within.p, -within.d, parts.q, parts.p, -1.0),
        ):
            divergence = parts.forward if sign > 0 else parts.backward
            odds = (other[known] / own[known])[:, None]
            # unused cells have both shares 0
            relative = np.divide(second, first, out=np.zeros_like(first), where=used)
            centre = (first * ratio).sum(axis=1, keepdims=True)
            inside = first * (ratio - centre) ** 2 + odds**2 * np.divide(
                d * d, first, out=np.zeros_like(first), where=used
            )
            inside = inside.sum(axis=1) + 2 * odds[:, 0] * (parts.forward + parts.backward)[known]
            mean = float((own * divergence).sum())
            spread = float((own * (divergence - mean) ** 2).sum()) + float((own[known] * inside).sum())
            lean = float((sign * ratio + odds * used).sum()) - float(cells) * mean
            trace = (excess - float(odds.sum())) / 2 + (0.5 - a) * float((odds * relative).sum()) + a * lean
            variance += spread / float(sample.sum())
            bias += trace / float(sample.sum())
        return variance, bias

    def null_weights(self) -> Array:
        """Return the weights of the null law of ``n_eff C``, one a degree of freedom."""
        n, m = float(self.x.sum()), float(self.y.sum())
        goods, bads = self.x[self.known].sum(axis=1), self.y[self.known].sum(axis=1)
        weights = (goods * m + bads * n) * (goods + bads) / (2 * (n + m) * goods * bads)
        return np.repeat(weights, self.used[self.known].sum(axis=1) - 1)

    def limits(self, *, zero_cell: bool) -> list[ConditionalStatus]:
        """Return what limits the validity."""
        n, m = float(self.x.sum()), float(self.y.sum())
        used = self.used
        expected = (self.x + self.y)[used] / (n + m) * min(n, m)
        checks = (
            (float(expected.min()) < 1 or min(n, m) / expected.size < _FEW, ConditionalStatus.SPARSE),
            (zero_cell, ConditionalStatus.ZERO_CELL),
            (bool((used.any(axis=1) & ~self.known).any()), ConditionalStatus.EMPTY_PARENT),
            (self.null_weights().size == 0, ConditionalStatus.NOTHING_TO_TEST),
        )
        return [ConditionalStatus.OK, *(status for holds, status in checks if holds)]


def _snc(value: float, moments: tuple[float, float], weights: Array, size: float) -> SNC:
    """Return the SNC law; near 0 its scale is that of the mixture, as for paired samples."""
    variance, bias = moments
    mean, scale = float(weights.sum()), float((weights**2).sum() / weights.sum())
    if value == 0:
        return SNC(scale, mean / scale, 0.0, size)
    rho = (size * variance + 4 * mean * scale / size) / (4 * (value + mean / size))
    return SNC(rho, max(size * bias / rho, _LEAST_DOF), size * value / rho, size)


def _cells(table: ArrayLike) -> Array:
    cells = numeric("table", table)
    if cells.ndim != 3 or cells.shape[2] != 2:
        message = (
            f"table has shape {cells.shape}; expected (levels of the first, levels of the second, 2) with goods and "
            "bads along the last axis"
        )
        raise ValueError(message)
    for name, part in (("table[..., 0]", cells[..., 0]), ("table[..., 1]", cells[..., 1])):
        refuse_fractions(name, counts(name, part.ravel()))
    return cells
