"""The multivariate normal family, of unknown or known mean."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import fail, integer, numeric
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families import quadratic_forms as forms
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.observations import FEW, LARGEST, require, vectors
from asymptopia.theory.projection.families.protocol import (
    ExponentialFamily,
    Standardised,
    binary_scale,
    finite_theta,
    frozen,
    sample_size,
    unchanged,
)
from asymptopia.theory.projection.stable_risk import log_excess

if TYPE_CHECKING:
    from asymptopia.theory.projection.invariants import Contractions

Array = NDArray[np.float64]

_EPS = float(np.finfo(float).eps)
_ASYMMETRY = 1e-9


@dataclass(frozen=True, slots=True, init=False)
class MultivariateNormal(ExponentialFamily):
    r"""Normal laws in d dimensions; statistic (x_i; x_i x_j for i <= j).

    The products stand in the order of the rows of the upper triangle. With :math:`\Lambda` the inverse covariance,
    :math:`\theta = (\Lambda\mu;\ -\Lambda_{ii}/2 \text{ or } -\Lambda_{ij})` and
    :math:`\Psi = \tfrac12\mu'\Lambda\mu - \tfrac12\log\det\Lambda` for the reference measure
    :math:`(2\pi)^{-d/2}dx`. p = d(d + 3)/2, or d(d + 1)/2 with a known mean: then the statistic has only the products
    of :math:`x - \mu`.

    Parameters
    ----------
    d : int
        Dimension, at least 1.
    known_mean : bool or array_like of shape (d,), keyword
        True for the known mean 0, or the known mean.

    References
    ----------
    .. [1] A. M. Mathai, S. B. Provost, "Quadratic Forms in Random Variables", Dekker, 1992, ch. 3 (their cumulants).

    Examples
    --------
    >>> family = MultivariateNormal(2)
    >>> theta = family.natural(mean=[1.0, 2.0], cov=[[2.0, 0.5], [0.5, 1.0]])
    >>> family.dim, family.mean(theta).round(12).tolist()
    (5, [1.0, 2.0, 3.0, 2.5, 5.0])
    >>> found = family.contractions(theta)
    >>> found.F, found.B, found.K
    (46.0, 64.0, 70.0)
    """

    d: int
    known_mean: bool | tuple[float, ...]
    name: ClassVar[str] = "MultivariateNormal"

    def __init__(self, d: int, *, known_mean: bool | ArrayLike = False) -> None:
        object.__setattr__(self, "d", integer("d", d, 1))
        if not isinstance(known_mean, bool | np.bool_):
            mean = numeric("known_mean", known_mean)
            if mean.shape != (self.d,):
                raise fail("known_mean.shape", mean.shape, f"({self.d},), or True for a known mean of 0")
            object.__setattr__(self, "known_mean", tuple(mean.tolist()))
        else:
            object.__setattr__(self, "known_mean", bool(known_mean))

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return self._layout.p

    @property
    def _layout(self) -> forms.Layout:
        return forms.layout(self.d, known_mean=self.known_mean is not False)

    @property
    def _origin(self) -> Array:
        """What is taken off the data before products are formed."""
        return np.array(self.known_mean) if isinstance(self.known_mean, tuple) else np.zeros(self.d)

    def statistic(self, x: ArrayLike) -> Array:
        """Return the statistics of rows of d numbers, (n, p)."""
        data = vectors(x, self.d) - self._origin
        require(data, np.abs(data) <= LARGEST, f"a number of at most {LARGEST:g}, whose square is a float")
        at = self._layout
        result = np.empty((data.shape[0], at.p))
        result[:, : at.linear] = data[:, : at.linear]
        np.multiply(data[:, at.first], data[:, at.second], out=result[:, at.linear :])
        return result

    def log_partition(self, theta: ArrayLike) -> float:
        """Return the log-partition function."""
        mean, _, factor = self._parts(theta)
        whitened = _solve(factor, mean)
        return 0.5 * float(whitened @ whitened) + float(np.log(np.diag(factor)).sum())

    def mean(self, theta: ArrayLike) -> Array:
        """Return the mean of the statistic, (p,)."""
        mean, cov, _ = self._parts(theta)
        at = self._layout
        return np.concatenate([mean[: at.linear], (cov + np.outer(mean, mean))[at.first, at.second]])

    def cov(self, theta: ArrayLike) -> Array:
        """Return the covariance of the statistic, (p, p)."""
        turn = self._unwhiten(theta)
        result: Array = turn @ turn.T
        return result

    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulants of the statistic, (p, p, p): 8 p^3 bytes and as much again to work."""
        return forms.third(*forms.combinations(self._unwhiten(theta), self._layout))

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants contracted with w, in d^4 numbers."""
        turn = self._unwhiten(theta)
        w = self.check_matrix(w)
        result: Array = turn @ forms.fourth(turn.T @ (0.5 * (w + w.T)) @ turn, self._layout) @ turn.T
        return result

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        """Return the contractions as traces over d-dimensional arrays; those of the model depend on d only.

        Notes
        -----
        Memory is d^4 numbers and one block of rows: no array of p^3 numbers is formed.
        """
        from asymptopia.theory.projection.contractions import truth_moments
        from asymptopia.theory.projection.invariants import Rows
        from asymptopia.theory.projection.third_moments import turn

        mean, _, factor = self._parts(theta)
        at = self._layout
        cov, third = truth_moments(truth_cov, truth_third, at.p)
        if cov is None:
            return forms.contractions(at)
        inverse = _solve(factor, np.eye(self.d))
        to = forms.change(inverse, -inverse @ mean, at)
        to[at.linear :][at.diagonal] /= math.sqrt(2)
        if isinstance(third, Rows):
            return forms.contractions(at, to @ cov @ to.T, third._replace(rows=third.rows @ to.T))
        return forms.contractions(at, to @ cov @ to.T, turn(third, to))

    def standardised(self, x: Any) -> Standardised:
        r"""Return the data less their mean, multiplied by a matrix so that their covariance is I.

        Raises
        ------
        MLEDoesNotExistError
            If a combination of the columns does not vary beyond rounding.

        Notes
        -----
        The factor of the covariance comes from an orthogonal decomposition of the data, which squares no condition
        number: means far from 0 and columns that are nearly collinear cost no digits of the contractions.
        """
        data = vectors(x, self.d) - self._origin
        if data.shape[0] < FEW:
            return Standardised(self, x, unchanged)
        unit = np.array([binary_scale(float(size)) for size in np.abs(data).max(axis=0)])
        data = data / unit
        shift = np.zeros(self.d)
        if self._layout.linear:
            shift = data.mean(axis=0)
            data = data - shift
        inner = np.array([binary_scale(float(size)) for size in np.abs(data).max(axis=0)])
        data = data / inner
        root = _root(data, shift / inner, self.name)

        def back(theta: Array) -> Array:
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                inverse = _solve(root, np.eye(self.d)) / inner / unit
                return self._moved(theta, inverse, unit * shift)

        family = self if self.known_mean is False else MultivariateNormal(self.d, known_mean=True)
        return Standardised(family, _solve(root, data.T).T, back)

    def _moved(self, theta: Array, inverse: Array, shift: Array) -> Array:
        """Return theta of x, where `theta` is that of ``inverse @ (x - shift)``."""
        at = self._layout
        precision = inverse.T @ self._precision(theta) @ inverse
        quad = np.where(at.diagonal, -0.5, -1.0) * precision[at.first, at.second]
        linear = inverse.T @ theta[: self.d] + precision @ shift if at.linear else np.empty(0)
        return finite_theta(np.concatenate([linear, quad]))

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return theta of the mean and the covariance, which must be positive definite beyond rounding."""
        stat = self.check_mean(mean_stat)
        at = self._layout
        mean = stat[: at.linear] if at.linear else np.zeros(self.d)
        square = _symmetric(stat[at.linear :], at)
        cov = square - np.outer(mean, mean)
        scale = np.sqrt(np.maximum(np.diag(square), 0.0))
        if not (np.diag(cov) > 8 * _EPS * scale**2).all():
            raise _degenerate(self.name, "mean_stat has a variance that is 0 within rounding")
        scale = np.sqrt(np.diag(cov))
        # rounding of the products, in units of the standard deviations
        blur = 8 * self.d * _EPS * float((np.diag(square) / np.diag(cov)).max())
        if float(np.linalg.eigvalsh(cov / scale / scale[:, None])[0]) <= blur:
            raise _degenerate(self.name, "mean_stat has a covariance that is singular within rounding")
        return self._natural(mean, cov)

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return draws, (size, d)."""
        mean, _, factor = self._parts(theta)
        draws = generator(rng).standard_normal((sample_size(size), self.d))
        return draws @ factor.T + (mean + self._origin)

    def natural(self, *args: Any, **kwargs: Any) -> Array:
        """Return theta of ``(mean, cov)``, or of ``(cov)`` where the mean is known; cov is positive definite."""
        return (self._of_mean if self.known_mean is False else self._of_cov)(*args, **kwargs)

    @named_parameters
    def _of_mean(self, mean: ArrayLike, cov: ArrayLike) -> Array:
        centre = numeric("mean", mean)
        if centre.shape != (self.d,):
            raise fail("mean.shape", centre.shape, f"({self.d},)")
        return self._natural(centre, _covariance(cov, d=self.d))

    @named_parameters
    def _of_cov(self, cov: ArrayLike) -> Array:
        return self._natural(np.zeros(self.d), _covariance(cov, d=self.d))

    def _natural(self, mean: Array, cov: Array) -> Array:
        at = self._layout
        factor = _factor(cov)
        if factor is None:
            raise fail("cov", cov.tolist(), "a positive definite matrix")
        inverse = _solve(factor, np.eye(self.d))
        precision = inverse.T @ inverse
        quad = np.where(at.diagonal, -0.5, -1.0) * precision[at.first, at.second]
        return frozen(np.concatenate([(precision @ mean)[: at.linear], quad]))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"mean": (d,), "cov": (d, d)}``, or the covariance only where the mean is known."""
        mean, cov, _ = self._parts(theta)
        return {"mean": frozen(mean), "cov": frozen(cov)} if self._layout.linear else {"cov": frozen(cov)}

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return the divergence in nats, from differences of the parameters only.

        Notes
        -----
        :math:`\tfrac12\sum f(\omega_i) + \tfrac12 m'\hat\Sigma^{-1}m` with :math:`f(u) = u - \log(1+u)`, omega the
        eigenvalues of :math:`L'(\hat\Lambda - \Lambda)L`, :math:`LL' = \Sigma` and m the difference of the means.
        """
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        mean, _, factor = self._parts(star)
        moved = self._precision(hat - star)
        scale = 0.5 * float(log_excess(np.maximum(np.linalg.eigvalsh(factor.T @ moved @ factor), -1.0)).sum())
        if not self._layout.linear:
            return scale
        away = self._parts(hat)[2].T @ ((hat - star)[: self.d] - moved @ mean)
        return scale + 0.5 * float(away @ away)

    def _precision(self, theta: Array) -> Array:
        at = self._layout
        return _symmetric(np.where(at.diagonal, -2.0, -1.0) * theta[at.linear :], at)

    def _parts(self, theta: ArrayLike) -> tuple[Array, Array, Array]:
        """Return the mean less the known one, the covariance and its lower Cholesky factor."""
        value = self.check_theta(theta)
        # the precision as R R' with R upper triangular, so that the factor of the covariance is lower triangular
        turned = _factor(self._precision(value)[::-1, ::-1])
        assert turned is not None
        factor = _solve(np.ascontiguousarray(turned), np.eye(self.d))[::-1, ::-1].T
        factor = np.ascontiguousarray(factor)
        cov = factor @ factor.T
        linear = value[: self.d] if self._layout.linear else np.zeros(self.d)
        return cov @ linear, cov, factor

    def _unwhiten(self, theta: ArrayLike) -> Array:
        """Return the statistic less its mean as combinations of the whitened one, (p, p)."""
        mean, _, factor = self._parts(theta)
        at = self._layout
        turn = forms.change(factor, mean, at)
        turn[:, at.linear :][:, at.diagonal] *= math.sqrt(2)
        return turn

    def _range(self, theta: Array) -> str | None:
        with np.errstate(over="ignore"):
            precision = self._precision(theta)
        if not np.isfinite(precision).all() or _factor(precision) is None:
            return "one whose quadratic part is minus half a positive definite matrix"
        return None


def _factor(matrix: Array) -> Array | None:
    """Return the lower Cholesky factor, or None if the matrix is not positive definite."""
    try:
        return np.asarray(np.linalg.cholesky(matrix), dtype=float)
    except np.linalg.LinAlgError:
        return None


def _root(data: Array, shift: Array, name: str) -> Array:
    """Return the lower triangular root of the second moments of the data, which had `shift` taken off."""
    n, d = data.shape
    sizes = np.sqrt(np.einsum("ij,ij->j", data, data) / n)
    if n < d or not (sizes > 0.0).all():
        raise _degenerate(name, "x has a column of variance 0" if n >= d else f"x has {n} rows of {d} columns")
    root = np.asarray(np.linalg.qr(data, mode="r")).T / math.sqrt(n)
    # what the rounding of the data themselves makes of a distance, in standard deviations
    blur = 8 * d * _EPS * (1.0 + float((np.abs(shift) / sizes).max()))
    if not (np.abs(np.diag(root)) > blur * sizes).all():
        raise _degenerate(name, "x has a covariance that is singular within rounding")
    return root


def _solve(factor: Array, right: Array) -> Array:
    from scipy.linalg import solve_triangular

    result: Array = solve_triangular(factor, right, lower=True)
    return result


def _symmetric(packed: Array, at: forms.Layout) -> Array:
    result = np.zeros((at.d, at.d))
    result[at.first, at.second] = packed
    result[at.second, at.first] = packed
    return result


def _covariance(cov: ArrayLike, *, d: int) -> Array:
    matrix = numeric("cov", cov)
    if matrix.shape != (d, d):
        raise fail("cov.shape", matrix.shape, f"({d}, {d})")
    if np.abs(matrix - matrix.T).max() > _ASYMMETRY * np.abs(matrix).max():
        raise fail("cov", matrix.tolist(), "a symmetric matrix")
    result: Array = 0.5 * (matrix + matrix.T)
    return result


def _degenerate(name: str, what: str) -> MLEDoesNotExistError:
    message = (
        f"{what}; {name} has a maximum likelihood estimate only for a positive definite covariance: give "
        "more than d distinct observations, drop combinations of the others, and take off means that are far larger "
        "than the standard deviations"
    )
    return MLEDoesNotExistError(message)
