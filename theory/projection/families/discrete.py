"""Bernoulli, Poisson and negative binomial families."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import real
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.observations import counts, require, values
from asymptopia.theory.projection.families.one_parameter import OneParameter, column
from asymptopia.theory.projection.families.protocol import Support, frozen, sample_size
from asymptopia.theory.projection.stable_risk import exp_excess, log_excess

Array = NDArray[np.float64]

_LOG_MAX = 709.0
_LEAST = 1e-75
"""Fourth cumulants of a negative binomial law are floats from here on."""


@dataclass(frozen=True, slots=True)
class Bernoulli(OneParameter):
    r"""Bernoulli laws; statistic x in {0, 1}, :math:`\theta = \log(p/(1-p))`, :math:`\Psi = \log(1 + e^\theta)`.

    Examples
    --------
    >>> family = Bernoulli()
    >>> theta = family.natural(p=0.5)
    >>> family.usual(theta), family.cov(theta)
    ({'p': 0.5}, array([[0.25]]))
    """

    name: ClassVar[str] = "Bernoulli"
    discrete: ClassVar[bool] = True

    def statistic(self, x: ArrayLike) -> Array:
        """Return x as a column, (n, 1); every entry is 0 or 1."""
        data = values(x)
        require(data, (data == 0) | (data == 1), "0 or 1")
        return column(data)

    def _potential(self, theta: float) -> float:
        return float(np.logaddexp(0.0, theta))

    def _cumulants(self, theta: float) -> tuple[float, float, float, float]:
        p, q = _logistic(theta), _logistic(-theta)
        second = p * q
        return p, second, second * (q - p), second * (1 - 6 * second)

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return the logit of the mean, which must be strictly between 0 and 1."""
        share = float(self.check_mean(mean_stat)[0])
        if not 0 < share < 1:
            raise _boundary(share, self.name, "strictly between 0 and 1")
        return self.natural(share)

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return draws in {0, 1}, int64, (size,)."""
        p = _logistic(self._scalar(theta))
        return (generator(rng).random(sample_size(size)) < p).astype(np.int64)

    @named_parameters
    def natural(self, p: float) -> Array:
        """Return theta of the probability of 1, strictly between 0 and 1."""
        p = real("p", p, 0.0, 1.0, closed="neither")
        return frozen(math.log(p) - math.log1p(-p))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"p": probability of 1}``."""
        return {"p": _logistic(self._scalar(theta))}

    def _range(self, theta: Array) -> str | None:  # noqa: ARG002 - the whole space
        return None

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        """Return the divergence in nats: the log of a centred moment generating function."""
        star, delta = self._pair(theta_star, theta_hat)
        p, q = _logistic(star), _logistic(-star)
        if abs(delta) > _LOG_MAX:
            ends = -np.logaddexp(0.0, [star, -star])
            return float(np.logaddexp(ends[0] - p * delta, ends[1] + q * delta))
        return math.log1p(float(p * exp_excess(q * delta) + q * exp_excess(-p * delta)))

    def support(self) -> Support:
        """Return the states 0 and 1."""
        return Support(np.array([0, 1]), np.array([[0.0], [1.0]]), np.zeros(2))


@dataclass(frozen=True, slots=True)
class Poisson(OneParameter):
    r"""Poisson laws; statistic x = 0, 1, 2, ..., :math:`\theta = \log\lambda`, :math:`\Psi = e^\theta`.

    Examples
    --------
    >>> family = Poisson()
    >>> float(family.mean(family.natural(lam=2.0))[0])
    2.0
    """

    name: ClassVar[str] = "Poisson"
    discrete: ClassVar[bool] = True

    def statistic(self, x: ArrayLike) -> Array:
        """Return x as a column, (n, 1); every entry is a whole number >= 0."""
        return column(counts(x))

    def _potential(self, theta: float) -> float:
        return math.exp(theta)

    def _cumulants(self, theta: float) -> tuple[float, float, float, float]:
        lam = math.exp(theta)
        return lam, lam, lam, lam

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return the log of the mean, which must be > 0."""
        lam = float(self.check_mean(mean_stat)[0])
        if not lam > 0:
            raise _boundary(lam, self.name, "> 0")
        return self.natural(lam)

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return counts, int64, (size,)."""
        return generator(rng).poisson(math.exp(self._scalar(theta)), sample_size(size))

    @named_parameters
    def natural(self, lam: float) -> Array:
        """Return theta of the mean, > 0."""
        return frozen(math.log(real("lam", lam, 0.0, math.inf, closed="neither")))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"lam": mean}``."""
        return {"lam": math.exp(self._scalar(theta))}

    def _range(self, theta: Array) -> str | None:
        return None if abs(theta[0]) < _LOG_MAX else f"theta between -{_LOG_MAX:g} and {_LOG_MAX:g}, the log of a float"

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return :math:`\lambda f(\hat\lambda/\lambda - 1)` in nats, with :math:`f(u) = u - \log(1+u)`."""
        star, delta = self._pair(theta_star, theta_hat)
        # the excess may exceed float64 where its product with lam does not
        return math.exp(star) * float(exp_excess(delta)) if delta < _LOG_MAX else math.exp(star + delta)


@dataclass(frozen=True, slots=True)
class NegativeBinomial(OneParameter):
    r"""Negative binomial laws :math:`P(x) \propto q^x` of a known size r; :math:`\Psi = -r\log(1 - e^\theta)`.

    The number of failures before the r-th success, each failure of probability q: statistic x,
    :math:`\theta = \log q < 0`, mean r q/(1 - q).

    Parameters
    ----------
    size : float
        The size r > 0; it need not be whole.

    Examples
    --------
    >>> family = NegativeBinomial(4)
    >>> round(float(family.mean(family.natural(q=1 / 3))[0]), 12)
    2.0
    """

    size: float
    name: ClassVar[str] = "NegativeBinomial"
    discrete: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the size."""
        object.__setattr__(self, "size", real("size", self.size, 0.0, math.inf, closed="neither"))

    def statistic(self, x: ArrayLike) -> Array:
        """Return x as a column, (n, 1); every entry is a whole number >= 0."""
        return column(counts(x))

    def _potential(self, theta: float) -> float:
        return -self.size * math.log(-math.expm1(theta))

    def _cumulants(self, theta: float) -> tuple[float, float, float, float]:
        q, p = math.exp(theta), -math.expm1(theta)
        odds = q / p
        second = self.size * odds / p
        return self.size * odds, second, second * (1 + q) / p, second * (1 + 4 * q + q * q) / p**2

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return the log of m/(m + size) for a mean m > 0."""
        mean = float(self.check_mean(mean_stat)[0])
        if not mean > 0:
            raise _boundary(mean, self.name, "> 0")
        return frozen(-math.log1p(self.size / mean))

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return counts, int64, (size,)."""
        p = -math.expm1(self._scalar(theta))
        return generator(rng).negative_binomial(self.size, p, sample_size(size))

    @named_parameters
    def natural(self, q: float) -> Array:
        """Return theta of the probability of a failure, strictly between 0 and 1."""
        return frozen(self.check_theta(math.log(real("q", q, 0.0, 1.0, closed="neither"))))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"q": probability of a failure}``."""
        return {"q": math.exp(self._scalar(theta))}

    def _range(self, theta: Array) -> str | None:
        return None if theta[0] <= -_LEAST else f"theta < 0, at most -{_LEAST:g}"

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        """Return the divergence in nats, as a sum of two non-negative terms."""
        star, delta = self._pair(theta_star, theta_hat)
        odds = math.exp(star) / -math.expm1(star)
        moved = -odds * math.expm1(delta)
        if moved <= -0.9:
            # 1 + moved is (1 - q_hat)/(1 - q) and loses digits in the sum
            ratio = math.log(math.expm1(star + delta) / math.expm1(star))
            return self.size * (-ratio - delta * odds)
        return self.size * float(log_excess(moved) + odds * exp_excess(delta))


def _logistic(theta: float) -> float:
    return 1.0 / (1.0 + math.exp(-theta)) if theta > -_LOG_MAX else math.exp(theta)


def _boundary(mean: float, name: str, where: str) -> MLEDoesNotExistError:
    message = (
        f"mean_stat is {mean!r}; {name} has a maximum likelihood estimate only for a mean {where}: collect more data"
    )
    return MLEDoesNotExistError(message)
