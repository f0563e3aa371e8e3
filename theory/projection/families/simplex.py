"""Beta and Dirichlet families."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import fail, integer, numeric, real
from asymptopia.theory.projection.families import log_shares
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.digammas import gammaln_bregman
from asymptopia.theory.projection.families.observations import require, values, vectors
from asymptopia.theory.projection.families.protocol import ExponentialFamily, frozen, sample_size
from asymptopia.theory.projection.families.shares_fit import LARGEST, SMALLEST, solve
from asymptopia.theory.projection.stable_risk import log_excess

if TYPE_CHECKING:
    from asymptopia.theory.projection.invariants import Contractions

Array = NDArray[np.float64]

_SUM = 1e-8
_ALLOWED = f"numbers from {SMALLEST:g} to {LARGEST:g} (fourth cumulants are floats there)"


class _Simplex(ExponentialFamily):
    """What both share: theta is alpha, the statistic the logarithms of the shares."""

    __slots__ = ()

    def log_partition(self, theta: ArrayLike) -> float:
        r"""Return :math:`\sum\log\Gamma(\alpha_i) - \log\Gamma(\sum\alpha_i)`, the log of the beta function."""
        alpha = self.check_theta(theta)
        return math.fsum([*(math.lgamma(a) for a in alpha), -math.lgamma(alpha.sum())])

    def mean(self, theta: ArrayLike) -> Array:
        r"""Return :math:`\psi(\alpha_i) - \psi(\sum\alpha)`."""
        return log_shares.mean(self.check_theta(theta))

    def cov(self, theta: ArrayLike) -> Array:
        r"""Return the covariance, :math:`\psi_1(\alpha_i)` on the diagonal less :math:`\psi_1(\sum\alpha)` all over."""
        return log_shares.cov(self.check_theta(theta))

    def third(self, theta: ArrayLike) -> Array:
        r"""Return the third cumulants, :math:`\psi_2(\alpha_i)` on the diagonal less :math:`\psi_2(\sum\alpha)`."""
        return log_shares.third(self.check_theta(theta))

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants contracted with w, (p, p)."""
        return log_shares.fourth(self.check_theta(theta), self.check_matrix(w))

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        """Return the contractions from k^2 numbers, without cancellation at large alpha."""
        from asymptopia.theory.projection.contractions import truth_moments

        cov, third = truth_moments(truth_cov, truth_third, self.dim)
        return log_shares.contractions(self.check_theta(theta), cov, third)

    def mle(self, mean_stat: ArrayLike) -> Array:
        r"""Return alpha with :math:`\psi(\alpha_i) - \psi(\sum\alpha)` equal to the mean logarithms.

        Notes
        -----
        It exists where the exponentials of the mean logarithms sum to less than 1, beyond rounding.
        """
        return frozen(solve(self.check_mean(mean_stat), self.name))

    def _range(self, theta: Array) -> str | None:
        return None if ((theta >= SMALLEST) & (theta <= LARGEST)).all() else _ALLOWED

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return the divergence in nats, with the parts that cancel at large parameters taken together.

        Notes
        -----
        With :math:`e_i = \hat\alpha_i/\alpha_i - 1`, E the same of the sums, :math:`f(u) = u - \log(1+u)` and s the
        remainder of Stirling's formula, whose Bregman divergence is :math:`b_s`:
        :math:`\sum\hat\alpha_i f(\tfrac{1+E}{1+e_i} - 1) + \tfrac12[\sum f(e_i) - f(E)] + \sum b_s(\alpha_i) - b_s(A)`.
        """
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        e = (hat - star) / star
        total, total_hat = float(star.sum()), float(hat.sum())
        mean = float((hat - star).sum()) / total
        shares = float(hat @ log_excess((mean - e) / (1 + e)))
        scales = 0.5 * (float(log_excess(e).sum()) - float(log_excess(mean)))
        return shares + scales + float(gammaln_bregman(star, hat).sum()) - float(gammaln_bregman(total, total_hat))


@dataclass(frozen=True, slots=True)
class Dirichlet(_Simplex):
    r"""Dirichlet laws on the simplex of k shares; statistic :math:`(\log x_1, \dots, \log x_k)`, theta = alpha.

    The reference measure is :math:`\prod x_i^{-1}dx`; p = k.

    Parameters
    ----------
    k : int
        Number of shares, at least 2.

    Notes
    -----
    `mle` sees the data through the mean logarithms, whose rounding limits it: the relative error of the estimate is a
    few 1e-16 times the size of alpha, however well the equations are solved.

    Examples
    --------
    >>> family = Dirichlet(3)
    >>> theta = family.natural(alpha=[1.0, 2.0, 3.0])
    >>> family.mle(family.mean(theta)).round(9).tolist()
    [1.0, 2.0, 3.0]
    """

    k: int
    name: ClassVar[str] = "Dirichlet"

    def __post_init__(self) -> None:
        """Check the number of shares."""
        object.__setattr__(self, "k", integer("k", self.k, 2))

    @property
    def dim(self) -> int:
        """Number p = k of natural parameters."""
        return self.k

    def statistic(self, x: ArrayLike) -> Array:
        """Return the logarithms of rows of k shares > 0 that sum to 1, (n, k)."""
        data = vectors(x, self.k)
        require(data, data > 0, "a share > 0")
        totals = data.sum(axis=1)
        wrong = np.abs(totals - 1) > _SUM
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise fail(f"x[{row}].sum()", float(totals[row]), "1; divide each row by its sum first")
        result: Array = np.log(data)
        return result

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return rows of shares, (size, k). An alpha below about 0.01 gives shares that float64 rounds to 0."""
        alpha = self.check_theta(theta)
        return generator(rng).dirichlet(alpha, sample_size(size))

    @named_parameters
    def natural(self, alpha: ArrayLike) -> Array:
        """Return theta = alpha, k numbers > 0."""
        value = numeric("alpha", alpha)
        if value.shape != (self.k,):
            raise fail("alpha.shape", value.shape, f"({self.k},), one number a share")
        if self._range(value) is not None:
            raise fail("alpha", value.tolist(), _ALLOWED)
        return frozen(value)

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"alpha": theta}``."""
        return {"alpha": frozen(self.check_theta(theta))}


@dataclass(frozen=True, slots=True)
class Beta(_Simplex):
    r"""Beta laws on (0, 1); statistic :math:`(\log x, \log(1-x))`, theta = (a, b).

    The reference measure is :math:`dx/(x(1-x))`. Rounding limits `mle` as that of `Dirichlet`.

    Examples
    --------
    >>> family = Beta()
    >>> family.mle(family.mean(family.natural(a=2.0, b=0.5))).round(9).tolist()
    [2.0, 0.5]
    """

    name: ClassVar[str] = "Beta"

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return 2

    def statistic(self, x: ArrayLike) -> Array:
        """Return (log x, log(1 - x)), (n, 2), of numbers strictly between 0 and 1."""
        data = values(x)
        require(data, (data > 0) & (data < 1), "a number strictly between 0 and 1")
        return np.column_stack([np.log(data), np.log1p(-data)])

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return draws, (size,). A parameter below about 0.01 gives draws that float64 rounds to 0 or 1."""
        a, b = self.check_theta(theta)
        return generator(rng).beta(a, b, sample_size(size))

    @named_parameters
    def natural(self, a: float, b: float) -> Array:
        """Return theta = (a, b), both > 0."""
        first = real("a", a, SMALLEST, LARGEST)
        return frozen([first, real("b", b, SMALLEST, LARGEST)])

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"a": a, "b": b}``."""
        a, b = (float(t) for t in self.check_theta(theta))
        return {"a": a, "b": b}
