r"""The law of a weighted sum of independent chi-squares with one degree of freedom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.roots import find_root
from asymptopia.theory._core.validation import choice, fail, numeric
from asymptopia.theory.scorecard.imhof import imhof_sf
from asymptopia.theory.scorecard.laws import LogTails, chi2_tails, weighted_chi2_tails
from asymptopia.theory.scorecard.ruben import ruben_tails

Array = NDArray[np.float64]
METHODS = ("exact", "imhof", "ruben", "satterthwaite", "rao-scott")
_LOG_METHODS = tuple(item for item in METHODS if item != "imhof")
_LARGEST_STEP = 64.0


@dataclass(frozen=True, slots=True, eq=False)
class WeightedChi2:
    r"""Law of :math:`X = \sum_i \lambda_i \chi^2_1`, made by `weighted_chi2`.

    Attributes
    ----------
    weights : ndarray
        The positive weights, in falling order. None left: X is 0.

    Notes
    -----
    The methods of `sf`, `cdf`, `logsf` and `logcdf`:

    * ``"exact"``: inversion of the moment generating function on a path of steepest descent. Relative error of the
      smaller tail below ``1e-13 (1 + |log tail|)``, however small it is.
    * ``"imhof"``: the oscillating integral [1]_, eq. (3.2), to 1e-9 absolute. No logarithms.
    * ``"ruben"``: the series in central chi-square laws [2]_ with the smallest weight as its scale, to 1e-13 relative;
      all terms are positive, and the remainder is bounded by a negative binomial tail. It is refused where it needs
      more than 20000 terms: the largest weight is too many times the smallest.
    * ``"satterthwaite"``: chi-square with the mean and the variance of X, the second-order correction of [3]_.
    * ``"rao-scott"``: chi-square with as many degrees of freedom as weights, scaled to the mean of X: the first-order
      correction of [3]_. Both are approximations.

    References
    ----------
    .. [1] J. P. Imhof, "Computing the distribution of quadratic forms in normal variables", Biometrika 48, 1961.
    .. [2] H. Ruben, "Probability content of regions under spherical normal distributions, IV", Ann. Math. Statist. 33,
       1962, eq. (4.3).
    .. [3] J. N. K. Rao, A. J. Scott, "On chi-squared tests for multiway contingency tables with cell proportions
       estimated from survey data", Ann. Statist. 12, 1984, section 3.
    """

    weights: Array

    @property
    def mean(self) -> float:
        """Mean, the sum of the weights."""
        return float(self.weights.sum())

    @property
    def var(self) -> float:
        """Variance, twice the sum of the squared weights."""
        return 2 * float((self.weights**2).sum())

    def sf(self, x: ArrayLike, method: str = "exact") -> Any:
        """Return ``P(X > x)``: 1 for x < 0, and 0 for x >= 0 if no weight is positive."""
        if choice("method", method, METHODS) == "imhof":
            return self._imhof(x, upper=True)
        return _plain(np.exp(self._tails(x, method).sf))

    def cdf(self, x: ArrayLike, method: str = "exact") -> Any:
        """Return ``P(X <= x)``."""
        if choice("method", method, METHODS) == "imhof":
            return self._imhof(x, upper=False)
        return _plain(np.exp(self._tails(x, method).cdf))

    def logsf(self, x: ArrayLike, method: str = "exact") -> Any:
        """Return ``log P(X > x)``, finite far below the smallest float."""
        return self._tails(x, method).sf

    def logcdf(self, x: ArrayLike, method: str = "exact") -> Any:
        """Return ``log P(X <= x)``."""
        return self._tails(x, method).cdf

    def ppf(self, q: ArrayLike) -> Any:
        """Return the quantile of order `q` in [0, 1], under the exact law."""
        return self._quantile(q, upper=False)

    def isf(self, q: ArrayLike) -> Any:
        """Return the value that X exceeds with probability `q` in [0, 1], under the exact law."""
        return self._quantile(q, upper=True)

    def _tails(self, x: ArrayLike, method: str) -> LogTails:
        if method == "imhof":
            message = "method='imhof' has an absolute error of 1e-9 and gives no logarithm; take method='exact'"
            raise ValueError(message)
        choice("method", method, _LOG_METHODS)
        points = _points("x", x)
        cdf = np.where(points < 0, -np.inf, 0.0)
        sf = np.where(points < 0, 0.0, -np.inf)
        inside = (points > 0) & (points < np.inf)
        if self.weights.size:
            cdf[points == 0], sf[points == 0] = -np.inf, 0.0
            if inside.any():
                cdf[inside], sf[inside] = self._inside(points[inside], method)
        return LogTails(_plain(cdf), _plain(sf))

    def _inside(self, x: Array, method: str) -> LogTails:
        w = self.weights
        if method == "ruben":
            return ruben_tails(x, w)
        if method == "rao-scott":
            return chi2_tails(x / w.mean(), w.size)
        top = w[0]
        scale = float(((w / top) ** 2).sum() / (w / top).sum()) * top
        if method == "satterthwaite":
            return chi2_tails(x / scale, self.mean / scale)
        if (w == top).all():
            return chi2_tails(x / top, w.size)
        return weighted_chi2_tails(x, w)

    def _imhof(self, x: ArrayLike, *, upper: bool) -> Any:
        points = _points("x", x)
        result = np.where(points < 0, 1.0, 0.0)
        if self.weights.size:
            result[points == 0] = 1.0
            for at in np.argwhere((points > 0) & (points < np.inf)):
                where = tuple(at)
                result[where] = imhof_sf(float(points[where] / self.weights[0]), self.weights / self.weights[0])
        return _plain(result if upper else 1.0 - result)

    def _quantile(self, q: ArrayLike, *, upper: bool) -> Any:
        order = numeric("q", q)
        outside = (order < 0) | (order > 1)
        if outside.any():
            raise fail("q", float(order[outside].flat[0]), "probabilities in [0, 1]")
        result = np.zeros(order.shape)
        if self.weights.size:
            result[order == (0 if upper else 1)] = np.inf
            inside = (order > 0) & (order < 1)
            if inside.any():
                result[inside] = self._solve(order[inside], upper=upper)
        return _plain(result)

    def _solve(self, q: Array, *, upper: bool) -> Array:
        # the smaller tail is matched, in logarithms, and the root is sought in the logarithm of x
        goal, rest = np.log(q), np.log1p(-q)
        small = goal <= rest
        wanted = np.where(small, goal, rest)
        use_sf = small == upper

        def gap(u: Array, wanted: Array, use_sf: NDArray[np.bool_]) -> Array:
            tails = self._tails(np.exp(u), "exact")
            result: Array = np.where(use_sf, wanted - tails.sf, tails.cdf - wanted)
            return result

        start = np.full(q.shape, np.log(self.mean))
        low = _outwards(gap, start, -1.0, (wanted, use_sf))
        high = _outwards(gap, start, 1.0, (wanted, use_sf))
        root = find_root(gap, low, high, args=(wanted, use_sf), xatol=4e-16)
        return np.asarray(np.exp(root))


def weighted_chi2(lam: ArrayLike) -> WeightedChi2:
    r"""Return the law of :math:`\sum_i \lambda_i \chi^2_1` of independent chi-squares.

    Parameters
    ----------
    lam : array_like
        Weights >= 0, shape ``(k,)``. Those of 0 have no effect; if all are 0, or there is none, the law is the constant
        0: ``sf(x) = 0`` for x >= 0.

    Returns
    -------
    WeightedChi2

    Raises
    ------
    TypeError, ValueError
        If the weights are not finite numbers >= 0 along one axis.

    Notes
    -----
    The law of ``n_eff`` times the divergence under ``J = 0`` for paired accounts and for survey data.

    References
    ----------
    .. [1] J. N. K. Rao, A. J. Scott, "On chi-squared tests for multiway contingency tables with cell proportions
       estimated from survey data", Ann. Statist. 12, 1984.

    Examples
    --------
    >>> law = weighted_chi2([3.0, 2.0, 1.0, 0.5])
    >>> round(law.sf(10.0), 12), round(law.sf(10.0, method="satterthwaite"), 4)
    (0.19305524885, 0.2027)
    >>> round(law.isf(0.19305524884965), 9), law.mean, law.var
    (10.0, 6.5, 28.5)
    >>> round(law.logsf(5000.0), 6)
    -836.425004
    """
    weights = numeric("lam", lam)
    if weights.ndim != 1:
        message = f"lam has shape {weights.shape}; expected one axis, of the weights"
        raise ValueError(message)
    if (weights < 0).any():
        where = int(np.argmax(weights < 0))
        raise fail(f"lam[{where}]", float(weights[where]), "weights >= 0")
    kept = np.sort(weights[weights > 0])[::-1].copy()
    kept.setflags(write=False)
    return WeightedChi2(kept)


def _points(name: str, value: ArrayLike) -> Array:
    array = np.asarray(value)
    if array.dtype.kind == "f":
        if np.isnan(array).any():
            raise fail(name, float("nan"), "numbers, not NaN")
        return array.astype(np.float64)
    return numeric(name, value)


def _plain(value: Any) -> Any:
    array = np.asarray(value)
    return float(array) if array.ndim == 0 else array


def _outwards(gap: Callable[..., Array], start: Array, step: float, args: tuple[Any, ...]) -> Array:
    """Return points left (step < 0) or right of `start` at which the rising `gap` has that sign."""
    reach = np.full(start.shape, step)
    while (short := gap(start + reach, *args) * np.sign(step) < 0).any():
        reach = np.where(short, 2 * reach, reach)
    return np.asarray(start + reach)
