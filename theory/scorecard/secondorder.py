"""Law of the plug-in divergence to second order: a quadratic form in normal variables."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.result import Result, format_number
from asymptopia.theory._core.validation import choice, fail, same_shape
from asymptopia.theory.scorecard.covariance import pseudo_count_shift
from asymptopia.theory.scorecard.cumulants import second_order_cumulants, second_order_parts
from asymptopia.theory.scorecard.laws import LogTails
from asymptopia.theory.scorecard.quadratic import quadratic_tails
from asymptopia.theory.scorecard.sampling import Array, total
from asymptopia.theory.scorecard.shares import against_fixed, check_smoothing, known_shares, two_samples, whole_counts
from asymptopia.theory.scorecard.status import ScorecardStatus

BASELINES = ("random", "fixed", "quantile")
_FEW = 5
_NEGLIGIBLE = 1e-12
_ROUNDING = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SecondOrderLaw(Result):
    r"""Law of the estimate where the given shares are the truth; made by `second_order_law`.

    Attributes
    ----------
    divergence : float
        The true divergence J, in nats.
    bias, variance, third : float
        Mean excess over J, variance and third cumulant of the estimate.
    first_order_variance : float
        The delta-method variance, without the second-order term.
    shift : float
        Shift by the pseudo-counts, part of the bias.
    curvature, slope : ndarray
        :math:`\lambda_k > 0` and :math:`b_k` of the terms :math:`b_k \epsilon_k + \lambda_k \epsilon_k^2/2`.
    gaussian : float
        Standard deviation of the normal part, which no term with a curvature holds.
    """

    title: ClassVar[str] = "Second-order law of the divergence"

    divergence: float
    bias: float
    variance: float
    third: float
    first_order_variance: float
    shift: float
    curvature: Array
    slope: Array
    gaussian: float

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return math.sqrt(self.variance)

    @property
    def skewness(self) -> float:
        """Third cumulant over the cubed standard deviation; NaN for one bin, where the law is a point."""
        return self.third / self.variance**1.5 if self.variance > 0 else math.nan

    def sf(self, j: ArrayLike) -> Any:
        """Return the probability that the estimate exceeds `j`."""
        return _plain(np.exp(self._tails(j).sf))

    def cdf(self, j: ArrayLike) -> Any:
        """Return the probability that the estimate is at most `j`."""
        return _plain(np.exp(self._tails(j).cdf))

    def logsf(self, j: ArrayLike) -> Any:
        """Return the logarithm of `sf`, finite far below the smallest float."""
        return _plain(self._tails(j).sf)

    def logcdf(self, j: ArrayLike) -> Any:
        """Return the logarithm of `cdf`."""
        return _plain(self._tails(j).cdf)

    def _tails(self, j: ArrayLike) -> LogTails:
        points = np.asarray(j, dtype=float)
        if np.isnan(points).any():
            raise fail("j", math.nan, "numbers, not NaN")
        excess = points - (self.divergence + self.shift)
        return quadratic_tails(excess, self.curvature, self.slope, self.gaussian)

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield "divergence", format_number(self.divergence)
        yield "bias", format_number(self.bias)
        yield "standard deviation", format_number(self.sd)
        yield "first order", format_number(math.sqrt(self.first_order_variance))
        yield "skewness", format_number(self.skewness)


def second_order_law(x: ArrayLike, y: ArrayLike, *, baseline: str = "random", smoothing: float = 0) -> SecondOrderLaw:
    r"""Return the law of the estimated divergence to second order, were the given shares the truth.

    Parameters
    ----------
    x : array_like
        Whole counts of sample 1, shape ``(bins,)``. Their shares and their sum are those of the law.
    y : array_like
        Whole counts of sample 2; known shares for ``baseline="fixed"``.
    baseline : {"random", "fixed", "quantile"}
        As in `psi`.
    smoothing : float
        Pseudo-count a bin: the true shares are those of the smoothed counts, and the law is that of the estimator that
        adds it too.

    Returns
    -------
    SecondOrderLaw

    Raises
    ------
    TypeError, ValueError
        As `psi`; ValueError also where a bin is empty in one sample and `smoothing` is 0: J is infinite.

    Notes
    -----
    With the gradient g and Hessian H of the divergence and the covariance S of the shares,
    :math:`\hat J - J = g'Z + Z'HZ/2` for :math:`Z \sim N(0, S)`. In the eigenvectors of :math:`S^{1/2} H S^{1/2}` this
    is :math:`\sum_k (b_k \epsilon_k + \lambda_k \epsilon_k^2/2) + \sigma \epsilon_0`: a mixture of noncentral
    chi-squares, shifted by :math:`-\sum b_k^2/(2\lambda_k)`, plus a normal part. The Hessian of a bin is
    :math:`(p + q) h h'` with :math:`h = (1/p, -1/q)`, so that at most B curvatures are positive; the normal part is the
    slope in the directions without curvature, and 0 for known shares and for ``p = q``.

    Tails have a relative error below ``1e-11 (1 + |log tail|)``, by inversion of the moment generating function. What
    the expansion leaves out is of the order of 1/n times the standard deviation; J cannot be negative, while the law
    reaches below 0 where its normal part is not 0.

    References
    ----------
    .. [1] A. DasGupta, "Asymptotic Theory of Statistics and Probability", Springer, 2008, section 3.3.
    .. [2] J. P. Imhof, "Computing the distribution of quadratic forms in normal variables", Biometrika 48, 1961.

    Examples
    --------
    >>> law = second_order_law([139, 49, 164, 348], [135, 14, 105, 46])
    >>> round(law.bias, 6), round(law.variance, 6), round(law.third, 8)
    (0.017899, 0.013309, 0.00054213)
    >>> round(law.sf(0.9), 4), round(law.cdf(0.45), 4)
    (0.0395, 0.0113)
    """
    choice("baseline", baseline, BASELINES)
    a = check_smoothing(smoothing)
    first = whole_counts("x", x)
    second = known_shares("y", y) if baseline == "fixed" else whole_counts("y", y)
    same_shape("x", first, "y", second)
    used = first + second > 0
    first, second = first[used], second[used]
    zero = (first == 0) != (second == 0)
    if a == 0 and zero.any():
        where = int(np.flatnonzero(used)[np.argmax(zero)])
        message = f"bin {where} is empty in one sample: the divergence is infinite and has no law; give smoothing=0.5"
        raise ValueError(message)
    n, m = float(first.sum()), math.inf if baseline == "fixed" else float(second.sum())
    shares = against_fixed(first, second, a) if baseline == "fixed" else two_samples(first, second, a)
    parts = second_order_parts(shares, n, m)
    found = second_order_cumulants(shares, n, m)
    shift = float(parts.gradient @ pseudo_count_shift(shares.p, shares.q, a / n, a / m))
    curvature, slope, gaussian = _principal(parts.gradient, parts.hessian, parts.root)
    return SecondOrderLaw(
        status=_status(first, n, m, shares.q),
        divergence=float(total(shares)),
        bias=found.bias + shift,
        variance=found.variance,
        third=found.third,
        first_order_variance=float(((parts.root.T @ parts.gradient) ** 2).sum()),
        shift=shift,
        curvature=curvature,
        slope=slope,
        gaussian=gaussian,
    )


def _principal(gradient: Array, hessian: Array, root: Array) -> tuple[Array, Array, float]:
    """Return curvatures, slopes and the slope without curvature of the form in standard normal variables."""
    values, vectors = np.linalg.eigh(root.T @ hessian @ root)
    slopes = vectors.T @ (root.T @ gradient)
    bent = values > _NEGLIGIBLE * max(float(values.max(initial=0.0)), 0.0)
    flat = float(np.sqrt((slopes[~bent] ** 2).sum()))
    # what rounding leaves of a slope in directions in which the shares cannot move
    rounding = _ROUNDING * float(np.sqrt((slopes**2).sum()))
    return values[bent], slopes[bent], flat if flat > rounding else 0.0


def _status(counts: Array, n: float, m: float, q: Array) -> ScorecardStatus:
    size = min(n, m)
    smallest = size * min(float(counts.min()) / n, float(q.min()))
    sparse = smallest < 1 or size / counts.size < _FEW
    return ScorecardStatus.SPARSE if sparse else ScorecardStatus.OK


def _plain(value: NDArray[Any]) -> Any:
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array
