"""Exponential and inverse Gaussian families."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import real
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.observations import require, values
from asymptopia.theory.projection.families.one_parameter import OneParameter, column
from asymptopia.theory.projection.families.protocol import (
    ExponentialFamily,
    Standardised,
    binary_scale,
    finite_theta,
    frozen,
    sample_size,
    symmetric_tensor,
    transformed_truth,
)
from asymptopia.theory.projection.stable_risk import log_excess

if TYPE_CHECKING:
    from asymptopia.theory.projection.invariants import Contractions

Array = NDArray[np.float64]

_ROUNDING = 8 * float(np.finfo(float).eps)
_SMALLEST = 1e-300
"""Its inverse is a float."""


class KnownShape(OneParameter):
    r"""Gamma laws of a known shape a; statistic x, :math:`\theta = -\text{rate}`, :math:`\Psi = -a\log(-\theta)`."""

    __slots__ = ()

    @property
    @abstractmethod
    def _shape(self) -> float:
        """The shape a."""

    def statistic(self, x: ArrayLike) -> Array:
        """Return x as a column, (n, 1); every entry is >= 0."""
        return column(self._values(x))

    def _values(self, x: ArrayLike) -> Array:
        data = values(x)
        require(data, data >= 0, "a number >= 0")
        return data

    def _potential(self, theta: float) -> float:
        return -self._shape * math.log(-theta)

    def _cumulants(self, theta: float) -> tuple[float, float, float, float]:
        scale = -1 / theta
        first = self._shape * scale
        return first, first * scale, 2 * first * scale**2, 6 * first * scale**3

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        """Return the contractions in the coordinate x over its standard deviation."""
        from asymptopia.theory.projection.contractions import from_cumulants

        root = math.sqrt(self._shape)
        to = np.array([[-self._scalar(theta) / root]])
        cov, third = transformed_truth(to, truth_cov, truth_third)
        skewness, kurtosis = np.full((1, 1, 1), 2 / root), 6 / self._shape
        return from_cumulants(np.eye(1), skewness, lambda w: kurtosis * w, truth_cov=cov, truth_third=third)

    def standardised(self, x: Any) -> Standardised:
        """Return the data over the power of 2 below their largest."""
        data = self._values(x)
        unit = binary_scale(float(data.max(initial=0.0)))
        return Standardised(self, data / unit, lambda theta: finite_theta(theta / unit))

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return minus the shape over the mean, which must be > 0."""
        mean = float(self.check_mean(mean_stat)[0])
        if not mean > 0:
            message = (
                f"mean_stat is {mean!r}; {self.name} has a maximum likelihood estimate only for a mean > 0: collect "
                "more data"
            )
            raise MLEDoesNotExistError(message)
        return self.natural(self._shape / mean)

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return draws, (size,)."""
        return generator(rng).gamma(self._shape, -1 / self._scalar(theta), sample_size(size))

    @named_parameters
    def natural(self, rate: float) -> Array:
        """Return theta of the rate, > 0."""
        return frozen(-real("rate", rate, 0.0, math.inf, closed="neither"))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"rate": rate}``."""
        return {"rate": -self._scalar(theta)}

    def _range(self, theta: Array) -> str | None:
        return None if theta[0] < 0 else "theta < 0, minus the rate"

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return the shape times :math:`f(\hat\theta/\theta^* - 1)` in nats, with :math:`f(u) = u - \log(1+u)`."""
        star, delta = self._pair(theta_star, theta_hat)
        return self._shape * float(log_excess(delta / star))


@dataclass(frozen=True, slots=True)
class Exponential(KnownShape):
    r"""Exponential laws; statistic x, :math:`\theta = -\text{rate}`, :math:`\Psi = -\log(-\theta)`.

    Examples
    --------
    >>> family = Exponential()
    >>> family.usual(family.mle([0.5]))
    {'rate': 2.0}
    """

    name: ClassVar[str] = "Exponential"

    @property
    def _shape(self) -> float:
        return 1.0


@dataclass(frozen=True, slots=True)
class InverseGaussian(ExponentialFamily):
    r"""Inverse Gaussian laws of mean mu and shape lam; statistic (x, 1/x).

    :math:`\theta = (-\lambda/(2\mu^2), -\lambda/2)`,
    :math:`\Psi = -\tfrac12\log(-2\theta_2) - 2\sqrt{\theta_1\theta_2}`. The boundary :math:`\theta_1 = 0`, the Levy
    laws, is left out: their mean is infinite.

    Examples
    --------
    >>> family = InverseGaussian()
    >>> theta = family.natural(mu=1.5, lam=3.0)
    >>> family.mean(theta).round(12).tolist()
    [1.5, 1.0]
    """

    name: ClassVar[str] = "InverseGaussian"

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return 2

    def statistic(self, x: ArrayLike) -> Array:
        """Return (x, 1/x), (n, 2); every entry is > 0."""
        data = self._values(x)
        return np.column_stack([data, 1 / data])

    def _values(self, x: ArrayLike) -> Array:
        data = values(x)
        require(data, data >= _SMALLEST, f"a number > 0, at least {_SMALLEST:g}")
        return data

    def log_partition(self, theta: ArrayLike) -> float:
        """Return the log-partition function for the reference measure ``(2 pi x**3)**-0.5 dx``."""
        mu, lam = self._usual(theta)
        return -0.5 * math.log(lam) - lam / mu

    def mean(self, theta: ArrayLike) -> Array:
        """Return (mu, 1/mu + 1/lam)."""
        mu, lam = self._usual(theta)
        return np.array([mu, 1 / mu + 1 / lam])

    def cov(self, theta: ArrayLike) -> Array:
        """Return the covariance of (x, 1/x)."""
        mu, lam = self._usual(theta)
        return np.array([[mu**3 / lam, -mu / lam], [-mu / lam, 1 / (mu * lam) + 2 / lam**2]])

    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulants of (x, 1/x)."""
        mu, lam = self._usual(theta)
        f = 1 / lam**2
        # by the number of indices 1/x
        return symmetric_tensor([3 * mu**5 * f, -(mu**3) * f, -mu * f, 3 * f / mu + 8 * f / lam], 3)

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants of (x, 1/x) contracted with w."""
        mu, lam = self._usual(theta)
        f = 1 / lam**3
        by = [15 * mu**7 * f, -3 * mu**5 * f, -(mu**3) * f, -3 * mu * f, 15 * f / mu + 48 * f / lam]
        result: Array = np.einsum("ikmo,ik->mo", symmetric_tensor(by, 4), self.check_matrix(w))
        return result

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        r"""Return the contractions in the coordinates x and :math:`(x-\mu)^2/x`, which are uncorrelated."""
        from asymptopia.theory.projection.contractions import from_cumulants

        mu, lam = self._usual(theta)
        phi = mu / lam
        root = math.sqrt(phi)
        third = symmetric_tensor([3 * root, math.sqrt(2), 0.0, 2 * math.sqrt(2)], 3)
        fourth = symmetric_tensor([15 * phi, 6 * math.sqrt(2) * root, 4.0, 0.0, 12.0], 4)
        first = 1 / (math.sqrt(2) * phi)
        to = np.array([[1 / (mu * root), 0.0], [first / mu, first * mu]])
        cov, truth = transformed_truth(to, truth_cov, truth_third)
        return from_cumulants(
            np.eye(2), third, lambda w: np.einsum("ikmo,ik->mo", fourth, w), truth_cov=cov, truth_third=truth
        )

    def standardised(self, x: Any) -> Standardised:
        """Return the data over the power of 2 below their largest."""
        data = self._values(x)
        unit = binary_scale(float(data.max(initial=0.0)))
        require(data, data / unit >= _SMALLEST, f"a number of at least {_SMALLEST:g} of the largest")
        units = np.array([1 / unit, unit])
        return Standardised(self, data / unit, lambda theta: finite_theta(theta * units))

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return theta of mu = mean of x and 1/lam = mean of 1/x less 1/mu, which must be > 0."""
        first, inverse = (float(m) for m in self.check_mean(mean_stat))
        excess = first * inverse - 1 if first > 0 else -1.0
        if excess <= _ROUNDING:
            message = (
                f"mean_stat is ({first!r}, {inverse!r}); {self.name} has a maximum likelihood estimate only where the "
                "product of the means of x and 1/x exceeds 1, by more than rounding: two distinct values at least"
            )
            raise MLEDoesNotExistError(message)
        return self.natural(first, first / excess)

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return draws, (size,)."""
        mu, lam = self._usual(theta)
        return generator(rng).wald(mu, lam, sample_size(size))

    @named_parameters
    def natural(self, mu: float, lam: float) -> Array:
        """Return theta of the mean and the shape, both > 0."""
        mu = real("mu", mu, 0.0, math.inf, closed="neither")
        lam = real("lam", lam, 0.0, math.inf, closed="neither")
        return frozen(self.check_theta([-lam / mu / mu / 2, -lam / 2]))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"mu": mean, "lam": shape}``."""
        mu, lam = self._usual(theta)
        return {"mu": mu, "lam": lam}

    def _usual(self, theta: ArrayLike) -> tuple[float, float]:
        first, second = (float(t) for t in self.check_theta(theta))
        return math.sqrt(second / first), -2 * second

    def _range(self, theta: Array) -> str | None:
        return None if (theta < 0).all() else "two numbers < 0"

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return :math:`\tfrac12 f(\hat\lambda/\lambda - 1) + \hat\lambda(\hat\mu-\mu)^2/(2\mu\hat\mu^2)` in nats."""
        mu, lam = self._usual(theta_star)
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        first, second = (float(w) for w in (hat - star) / star)
        # mu_hat/mu is the root of (1 + second)/(1 + first)
        squared = (second - first) / (1 + first)
        ratio = math.sqrt(1 + squared)
        away = squared / (1 + ratio) / ratio
        return 0.5 * float(log_excess(second)) + 0.5 * lam * (1 + second) / mu * away**2
