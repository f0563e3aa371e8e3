"""The normal family of unknown mean and variance."""

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
from asymptopia.theory.projection.families.observations import FEW, LARGEST, require, values
from asymptopia.theory.projection.families.protocol import (
    ExponentialFamily,
    Standardised,
    binary_scale,
    finite_theta,
    frozen,
    sample_size,
    symmetric_tensor,
    transformed_truth,
    unchanged,
)
from asymptopia.theory.projection.stable_risk import log_excess

if TYPE_CHECKING:
    from asymptopia.theory.projection.invariants import Contractions

Array = NDArray[np.float64]

_ROUNDING = 8 * float(np.finfo(float).eps)
# by the number of second indices: cumulants of y = (z, (z^2 - 1)/sqrt 2)
_THIRD = (0.0, math.sqrt(2), 0.0, 2 * math.sqrt(2))
_FOURTH = (0.0, 0.0, 4.0, 0.0, 12.0)


@dataclass(frozen=True, slots=True)
class Normal(ExponentialFamily):
    r"""Normal laws; statistic (x, x^2), :math:`\theta = (\mu/\sigma^2, -1/(2\sigma^2))`.

    :math:`\Psi = \mu^2/(2\sigma^2) + \tfrac12\log\sigma^2` for the reference measure :math:`dx/\sqrt{2\pi}`.

    Examples
    --------
    >>> family = Normal()
    >>> family.mean(family.natural(mu=1.0, sigma2=4.0)).tolist()
    [1.0, 5.0]
    """

    name: ClassVar[str] = "Normal"

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return 2

    def statistic(self, x: ArrayLike) -> Array:
        """Return (x, x^2), (n, 2)."""
        data = values(x)
        require(data, np.abs(data) <= LARGEST, f"a number of at most {LARGEST:g}, whose square is a float")
        return np.column_stack([data, data * data])

    def log_partition(self, theta: ArrayLike) -> float:
        """Return the log-partition function."""
        mu, sigma2 = self._usual(theta)
        return 0.5 * (mu * mu / sigma2 + math.log(sigma2))

    def mean(self, theta: ArrayLike) -> Array:
        """Return (mu, mu^2 + sigma2)."""
        mu, sigma2 = self._usual(theta)
        return np.array([mu, mu * mu + sigma2])

    def cov(self, theta: ArrayLike) -> Array:
        """Return the covariance of (x, x^2)."""
        mu, sigma2 = self._usual(theta)
        return sigma2 * np.array([[1.0, 2 * mu], [2 * mu, 4 * mu * mu + 2 * sigma2]])

    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulants of (x, x^2)."""
        turn = self._unwhiten(theta)
        result: Array = np.einsum("abc,ia,jb,kc->ijk", symmetric_tensor(_THIRD, 3), turn, turn, turn)
        return result

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants of (x, x^2) contracted with w."""
        turn = self._unwhiten(theta)
        result: Array = turn @ _fourth(turn.T @ self.check_matrix(w) @ turn) @ turn.T
        return result

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        r"""Return the contractions in the coordinates :math:`z = (x-\mu)/\sigma` and :math:`(z^2-1)/\sqrt2`."""
        from asymptopia.theory.projection.contractions import from_cumulants

        mu, sigma2 = self._usual(theta)
        to = np.array([[1 / math.sqrt(sigma2), 0.0], [-math.sqrt(2) * mu / sigma2, 1 / (math.sqrt(2) * sigma2)]])
        cov, truth = transformed_truth(to, truth_cov, truth_third)
        return from_cumulants(np.eye(2), symmetric_tensor(_THIRD, 3), _fourth, truth_cov=cov, truth_third=truth)

    def standardised(self, x: Any) -> Standardised:
        r"""Return the data less their mean, over a power of 2.

        Notes
        -----
        The moments of (x, x^2) lose twice as many digits as the mean has more than the standard deviation.
        """
        data = values(x)
        if data.size < FEW:
            return Standardised(self, data, unchanged)
        unit = binary_scale(float(np.abs(data).max()))
        data = data / unit
        shift = float(data.mean())
        data = data - shift
        inner = binary_scale(float(np.abs(data).max()))
        if inner <= _ROUNDING * abs(shift):
            message = (
                f"x has a variance of 0 within rounding; {self.name} has a maximum likelihood estimate only for data "
                "that vary"
            )
            raise MLEDoesNotExistError(message)

        def back(theta: Array) -> Array:
            with np.errstate(over="ignore", under="ignore"):
                first, second = theta / inner / unit
                second = second / inner / unit
                return finite_theta(np.array([first - 2.0 * second * (unit * shift), second]))

        return Standardised(self, data / inner, back)

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return theta of the mean and the variance, the mean square less the squared mean, which must be > 0."""
        mu, square = (float(m) for m in self.check_mean(mean_stat))
        sigma2 = square - mu * mu
        if sigma2 <= _ROUNDING * square or square <= 0:
            variance = "0 (within rounding)" if abs(sigma2) <= _ROUNDING * square else f"{sigma2:.3g}"
            message = (
                f"mean_stat is ({mu!r}, {square!r}), a variance of {variance}; {self.name} has a maximum likelihood "
                "estimate only for a variance > 0 beyond rounding: give data that vary, and take off a mean that is "
                "far larger than the standard deviation"
            )
            raise MLEDoesNotExistError(message)
        return self.natural(mu, sigma2)

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return draws, (size,)."""
        mu, sigma2 = self._usual(theta)
        return generator(rng).normal(mu, math.sqrt(sigma2), sample_size(size))

    @named_parameters
    def natural(self, mu: float, sigma2: float) -> Array:
        """Return theta of the mean and the variance, > 0."""
        mu, sigma2 = real("mu", mu, closed="neither"), real("sigma2", sigma2, 0.0, math.inf, closed="neither")
        return frozen(self.check_theta([mu / sigma2, -0.5 / sigma2]))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"mu": mean, "sigma2": variance}``."""
        mu, sigma2 = self._usual(theta)
        return {"mu": mu, "sigma2": sigma2}

    def _usual(self, theta: ArrayLike) -> tuple[float, float]:
        first, second = (float(t) for t in self.check_theta(theta))
        return -0.5 * first / second, -0.5 / second

    def _unwhiten(self, theta: ArrayLike) -> Array:
        mu, sigma2 = self._usual(theta)
        sigma = math.sqrt(sigma2)
        return np.array([[sigma, 0.0], [2 * mu * sigma, math.sqrt(2) * sigma2]])

    def _range(self, theta: Array) -> str | None:
        return None if theta[1] < 0 else "two numbers, the second < 0"

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return :math:`\tfrac12 f(\sigma^2/\hat\sigma^2 - 1) + (\hat\mu-\mu)^2/(2\hat\sigma^2)` in nats."""
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        delta = hat - star
        scale = 0.5 * float(log_excess(float(delta[1] / star[1])))
        # the difference of the means, from differences only
        away = -0.5 * (float(delta[0]) - float(star[0] / star[1]) * float(delta[1])) / float(hat[1])
        return scale - away * away * float(hat[1])


def _fourth(w: Array) -> Array:
    off = 2 * _FOURTH[2] * w[0, 1]
    return np.array([[_FOURTH[2] * w[1, 1], off], [off, _FOURTH[2] * w[0, 0] + _FOURTH[4] * w[1, 1]]])
