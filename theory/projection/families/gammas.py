"""The gamma family, of known or unknown shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import real
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.digammas import (
    gammaln_bregman,
    pentagamma_excess,
    tetragamma_excess,
    trigamma_excess,
)
from asymptopia.theory.projection.families.observations import require, values
from asymptopia.theory.projection.families.positive import KnownShape
from asymptopia.theory.projection.families.protocol import (
    ExponentialFamily,
    Standardised,
    binary_scale,
    finite_theta,
    frozen,
    sample_size,
    transformed_truth,
)
from asymptopia.theory.projection.stable_risk import digamma_excess, log_excess

if TYPE_CHECKING:
    from asymptopia.theory.projection.invariants import Contractions

Array = NDArray[np.float64]

_EPS = float(np.finfo(float).eps)
_STEEP = 1e8
_SMALLEST, _LARGEST = 1e-75, 1e75


@dataclass(frozen=True, slots=True)
class _Scale(KnownShape):
    shape: float
    name: ClassVar[str] = "Gamma of known shape"

    @property
    def _shape(self) -> float:
        return self.shape


@dataclass(frozen=True, slots=True)
class Gamma(ExponentialFamily):
    r"""Gamma laws; statistic (log x, x), :math:`\theta = (a, -b)` of shape a and rate b.

    :math:`\Psi = \log\Gamma(a) - a\log b` for the reference measure dx/x. With a known shape the statistic is x and
    :math:`\theta = -b`.

    Parameters
    ----------
    known_shape : float, optional
        The shape where it is known, > 0.

    References
    ----------
    .. [1] F. W. J. Olver et al., "NIST Digital Library of Mathematical Functions", 5.11 and 5.15.

    Examples
    --------
    >>> family = Gamma()
    >>> theta = family.natural(shape=2.0, rate=0.5)
    >>> fitted = family.usual(family.mle(family.mean(theta)))
    >>> round(fitted["shape"], 12), round(fitted["rate"], 12)
    (2.0, 0.5)
    >>> Gamma(known_shape=2.0).natural(rate=0.5).tolist()
    [-0.5]
    """

    known_shape: float | None = None
    name: ClassVar[str] = "Gamma"

    def __post_init__(self) -> None:
        """Check the shape."""
        if self.known_shape is not None:
            shape = real("known_shape", self.known_shape, 0.0, math.inf, closed="neither")
            object.__setattr__(self, "known_shape", shape)

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return 2 if self.known_shape is None else 1

    @property
    def _scale(self) -> _Scale | None:
        """The family of one parameter, where the shape is known."""
        return None if self.known_shape is None else _Scale(self.known_shape)

    def statistic(self, x: ArrayLike) -> Array:
        """Return (log x, x), (n, 2), of numbers > 0; or x as a column where the shape is known."""
        if self._scale:
            return self._scale.statistic(x)
        data = self._values(x)
        return np.column_stack([np.log(data), data])

    def _values(self, x: ArrayLike) -> Array:
        data = values(x)
        require(data, data > 0, "a number > 0")
        return data

    def log_partition(self, theta: ArrayLike) -> float:
        """Return the log-partition function."""
        if self._scale:
            return self._scale.log_partition(theta)
        shape, rate = self._usual(theta)
        return math.lgamma(shape) - shape * math.log(rate)

    def mean(self, theta: ArrayLike) -> Array:
        """Return (digamma(a) - log b, a/b)."""
        if self._scale:
            return self._scale.mean(theta)
        shape, rate = self._usual(theta)
        return np.array([math.log(shape / rate) - float(digamma_excess(shape)), shape / rate])

    def cov(self, theta: ArrayLike) -> Array:
        """Return the covariance of (log x, x)."""
        if self._scale:
            return self._scale.cov(theta)
        shape, rate = self._usual(theta)
        trigamma = 1 / shape + float(trigamma_excess(shape))
        return np.array([[trigamma, 1 / rate], [1 / rate, shape / rate**2]])

    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulants of (log x, x)."""
        if self._scale:
            return self._scale.third(theta)
        shape, rate = self._usual(theta)
        result = np.zeros((2, 2, 2))
        result[0, 0, 0] = float(tetragamma_excess(shape)) - 1 / shape**2
        result[0, 1, 1] = result[1, 0, 1] = result[1, 1, 0] = 1 / rate**2
        result[1, 1, 1] = 2 * shape / rate**3
        return result

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants of (log x, x) contracted with w."""
        if self._scale:
            return self._scale.fourth(theta, w)
        shape, rate = self._usual(theta)
        w = self.check_matrix(w)
        pentagamma = float(pentagamma_excess(shape)) + 2 / shape**3
        one, mixed, own = w[0, 0], w[0, 1] + w[1, 0], w[1, 1]
        cube = 2 / rate**3
        off = cube * own
        return np.array([[pentagamma * one, off], [off, cube * mixed + 3 * shape * cube / rate * own]])

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        r"""Return the contractions in the uncorrelated coordinates x and :math:`\log x - (b/a)x`.

        Notes
        -----
        Their cumulants are powers of a and the remainders :math:`\psi_1 - 1/a`, :math:`\psi_2 + 1/a^2` and
        :math:`\psi_3 - 2/a^3`, so nothing cancels at a large shape.
        """
        if self._scale:
            return self._scale.contractions(theta, truth_cov=truth_cov, truth_third=truth_third)
        from asymptopia.theory.projection.contractions import from_cumulants

        shape, rate = self._usual(theta)
        root, spread = math.sqrt(shape), math.sqrt(float(trigamma_excess(shape)))
        third = np.zeros((2, 2, 2))
        third[0, 0, 0] = 2 / root
        third[0, 0, 1] = third[0, 1, 0] = third[1, 0, 0] = -1 / shape / spread
        third[1, 1, 1] = float(tetragamma_excess(shape)) / spread**3
        odd, even = -4 / (root * shape * spread), 2 / (shape * spread) ** 2
        last = float(pentagamma_excess(shape)) / spread**4

        def fourth(w: Array) -> Array:
            first = 6 / shape * w[0, 0] + 2 * odd * w[0, 1] + even * w[1, 1]
            off = odd * w[0, 0] + 2 * even * w[0, 1]
            return np.array([[first, off], [off, even * w[0, 0] + last * w[1, 1]]])

        to = np.array([[0.0, rate / root], [1 / spread, -rate / shape / spread]])
        cov, truth = transformed_truth(to, truth_cov, truth_third)
        return from_cumulants(np.eye(2), third, fourth, truth_cov=cov, truth_third=truth)

    def standardised(self, x: Any) -> Standardised:
        """Return the data over the power of 2 below their largest."""
        if self._scale:
            return self._scale.standardised(x)._replace(family=self)
        data = self._values(x)
        unit = binary_scale(float(data.max(initial=0.0)))
        require(data, data / unit > 0, "a number whose ratio to the largest is a float")
        units = np.array([1.0, 1 / unit])
        return Standardised(self, data / unit, lambda theta: finite_theta(theta * units))

    def mle(self, mean_stat: ArrayLike) -> Array:
        r"""Return theta by solving :math:`\log a - \psi(a) = \log\bar x - \overline{\log x}`, then b = a over mean x.

        Notes
        -----
        The right side must be > 0. It is the difference of numbers of the size of log x: a shape a has an error of
        about :math:`2a\,|\overline{\log x}|` units in the last place from their rounding alone.
        """
        if self._scale:
            return self._scale.mle(mean_stat)
        log_mean, mean = (float(m) for m in self.check_mean(mean_stat))
        gap = math.log(mean) - log_mean if mean > 0 else -1.0
        if gap <= 8 * _EPS * max(1.0, abs(log_mean)):
            message = (
                f"mean_stat is ({log_mean!r}, {mean!r}); {self.name} has a maximum likelihood estimate only where the "
                "mean of log x is below the log of the mean of x, by more than rounding: two distinct values at least"
            )
            raise MLEDoesNotExistError(message)
        shape = float(shape_of(gap))
        return self.natural(shape, shape / mean)

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return draws, (size,). A shape below about 0.01 gives draws that float64 rounds to 0."""
        if self._scale:
            return self._scale.sample(theta, size, rng)
        shape, rate = self._usual(theta)
        return generator(rng).gamma(shape, 1 / rate, sample_size(size))

    def natural(self, *args: Any, **kwargs: Any) -> Array:
        """Return theta of ``(shape, rate)``, both > 0, or of ``(rate)`` where the shape is known."""
        return self._scale.natural(*args, **kwargs) if self._scale else self._natural(*args, **kwargs)

    @named_parameters
    def _natural(self, shape: float, rate: float) -> Array:
        a = real("shape", shape, _SMALLEST, _LARGEST)
        return frozen([a, -real("rate", rate, 0.0, math.inf, closed="neither")])

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"shape": a, "rate": b}``, or the rate only where the shape is known."""
        if self._scale:
            return self._scale.usual(theta)
        shape, rate = self._usual(theta)
        return {"shape": shape, "rate": rate}

    def _usual(self, theta: ArrayLike) -> tuple[float, float]:
        shape, minus_rate = (float(t) for t in self.check_theta(theta))
        return shape, -minus_rate

    def _range(self, theta: Array) -> str | None:
        if self._scale:
            return self._scale._range(theta)
        if _SMALLEST <= theta[0] <= _LARGEST and theta[1] < 0:
            return None
        return f"a shape from {_SMALLEST:g} to {_LARGEST:g} (fourth cumulants are floats there) and minus the rate < 0"

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return the divergence in nats, as a sum of non-negative terms.

        Notes
        -----
        With :math:`e = \hat a/a - 1`, :math:`w = \hat b/b - 1`, :math:`f(u) = u - \log(1+u)` and s the remainder of
        Stirling's formula: :math:`\hat a\,f((w-e)/(1+e)) + f(e)/2 + [s(\hat a) - s(a) - (\hat a - a)s'(a)]`.
        """
        if self._scale:
            return self._scale.divergence(theta_star, theta_hat)
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        e, w = (float(part) for part in (hat - star) / star)
        scale = float(hat[0]) * float(log_excess((w - e) / (1 + e)))
        return scale + 0.5 * float(log_excess(e)) + float(gammaln_bregman(star[0], hat[0]))


def shape_of(gap: ArrayLike) -> Any:
    r"""Return the shape a > 0 with :math:`\log a - \psi(a)` = gap > 0, elementwise.

    Notes
    -----
    Newton steps in log a from Minka's approximation; the left side falls from inf to 0, between 1/(2a) and 1/a. Beyond
    a gap of 1e8 the expansion at a = 0.
    """
    gap = np.asarray(gap, dtype=float)
    steep = gap > _STEEP
    small = 1 / np.where(steep, gap, _STEEP)
    if steep.any():
        for _ in range(6):
            small = 1 / (np.where(steep, gap, _STEEP) - np.log(small) - np.euler_gamma)
    usual = np.where(steep, 1.0, gap)
    shape = (3 - usual + np.hypot(usual - 3, np.sqrt(24 * usual))) / (12 * usual)
    for _ in range(50):
        excess = digamma_excess(shape)
        step = np.log(excess / usual) * excess / (shape * trigamma_excess(shape))
        shape = shape * np.exp(np.clip(step, -2.0, 2.0))
        if (np.abs(step) <= 2 * _EPS).all():
            break
    return np.where(steep, small, shape)[()]
