"""The multinomial family of one draw: k categories, the last the reference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import fail, integer, numeric
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.observations import require
from asymptopia.theory.projection.families.protocol import (
    FAR,
    ExponentialFamily,
    Support,
    frozen,
    sample_size,
    transformed_truth,
)
from asymptopia.theory.projection.stable_risk import log_mean_exp

if TYPE_CHECKING:
    from asymptopia.theory.projection.invariants import Contractions

Array = NDArray[np.float64]

_SUM = 1e-9
_LARGE = 700.0
_TINY = 1e-200


@dataclass(frozen=True, slots=True)
class Multinomial(ExponentialFamily):
    r"""Laws on k categories; statistic the indicators of the first k - 1, :math:`\theta_i = \log(p_i/p_k)`.

    One observation is one draw: a category code from 0 to k - 1, or a row with a single 1. A sample of size n is then
    what is commonly called one multinomial observation of n trials.

    Parameters
    ----------
    k : int
        Number of categories, at least 2.

    Examples
    --------
    >>> family = Multinomial(3)
    >>> theta = family.natural(probs=[0.5, 0.3, 0.2])
    >>> family.mean(theta).round(12).tolist()
    [0.5, 0.3]
    >>> family.mle(family.statistic([0, 1, 2, 0]).mean(axis=0)).round(6).tolist()
    [0.693147, 0.0]
    """

    k: int
    name: ClassVar[str] = "Multinomial"
    discrete: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Check the number of categories."""
        object.__setattr__(self, "k", integer("k", self.k, 2))

    @property
    def dim(self) -> int:
        """Number p = k - 1 of natural parameters."""
        return self.k - 1

    def statistic(self, x: ArrayLike) -> Array:
        """Return the indicators of the first k - 1 categories, (n, k - 1).

        Parameters
        ----------
        x : array_like
            Category codes 0 to k - 1, (n,), or rows of k numbers, one of them 1 and the others 0, (n, k).
        """
        codes = self.state_index(x)
        result = np.zeros((codes.size, self.k - 1))
        kept = np.flatnonzero(codes < self.k - 1)
        result[kept, codes[kept]] = 1.0
        return result

    def state_index(self, x: ArrayLike) -> NDArray[np.intp]:
        """Return the code of each category, (n,), of data as `statistic` takes them."""
        data = np.atleast_1d(numeric("x", x))
        if data.ndim == 2 and data.shape[1] == self.k:
            require(data, (data == 0) | (data == 1), "0 or 1, as a row of indicators has")
            wrong = data.sum(axis=1) != 1
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise fail(f"x[{row}].sum()", float(data[row].sum()), "1: one category a row")
            found: NDArray[np.intp] = np.argmax(data, axis=1)
            return found
        if data.ndim == 2 and data.shape[1] == 1:
            data = data[:, 0]
        if data.ndim != 1:
            raise fail("x.shape", data.shape, f"(n,) of codes or (n, {self.k}) of indicators")
        require(
            data, (data >= 0) & (data < self.k) & (data == np.floor(data)), f"a category code from 0 to {self.k - 1}"
        )
        codes: NDArray[np.intp] = data.astype(np.intp)
        return codes

    def log_partition(self, theta: ArrayLike) -> float:
        r"""Return :math:`\log(1 + \sum e^{\theta_i})`."""
        return float(-self._log_shares(theta)[-1])

    def mean(self, theta: ArrayLike) -> Array:
        """Return the probabilities of the first k - 1 categories."""
        return self.probabilities(theta)[:-1]

    def cov(self, theta: ArrayLike) -> Array:
        """Return diag(p) - pp'."""
        shares = self.probabilities(theta)
        p = shares[:-1]
        result: Array = np.diag(p) - np.outer(p, p)
        # 1 - p_i as the sum of the others keeps the digits of a rare complement
        np.fill_diagonal(result, p * self._others(shares))
        return result

    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulants: third moments of the indicators about their means."""
        p, rows = self._centred(theta)
        result: Array = np.einsum("a,ai,aj,ak->ijk", p, rows, rows, rows, optimize=True)
        return result

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants contracted with w, from moments over the k states."""
        w = self.check_matrix(w)
        p, rows = self._centred(theta)
        cov = self.cov(theta)
        forms = np.einsum("ai,ij,aj->a", rows, w, rows, optimize=True)
        result: Array = (rows.T * (p * forms)) @ rows - np.vdot(cov, w) * cov - cov @ (w + w.T) @ cov
        return result

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        """Return the contractions from the k states, whitened by a rotation of the indicators over root p."""
        from asymptopia.theory.projection.contractions import from_support

        p = self.probabilities(theta)
        if not (p > _TINY).all():
            raise fail("theta", f"one with a probability of {p.min():.3g}", f"probabilities above {_TINY:g}")
        basis = _complement(np.sqrt(p)) / np.sqrt(p)
        to = basis[:, :-1] - basis[:, -1:]
        cov, third = transformed_truth(to, truth_cov, truth_third)
        return from_support(basis.T, p, truth_cov=cov, truth_third=third)

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return the log odds to the last category; every category must have a positive share."""
        shares = self.check_mean(mean_stat)
        last = math.fsum([1.0, *(-shares)])
        rounding = 2 * self.k * np.finfo(float).eps
        if not ((shares > 0).all() and last > rounding):
            empty = int(np.argmin(shares)) if not (shares > 0).all() else self.k - 1
            share = float(shares[empty]) if empty < self.k - 1 else last
            said = "0 (within rounding)" if abs(share) <= rounding else f"{share:g}"
            message = (
                f"mean_stat gives category {empty} the share {said}; {self.name} has a maximum likelihood estimate "
                "only where every category has a positive share: use more data, merge categories or add a pseudo-count"
            )
            raise MLEDoesNotExistError(message)
        return frozen(np.log(shares) - math.log(last))

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return category codes, int64, (size,)."""
        levels = np.cumsum(self.probabilities(theta))
        uniforms = generator(rng).random(sample_size(size))
        codes: NDArray[Any] = np.searchsorted(levels[:-1], uniforms * levels[-1], side="right").astype(np.int64)
        return codes

    @named_parameters
    def natural(self, probs: ArrayLike) -> Array:
        """Return theta of the k probabilities, each > 0, that sum to 1."""
        p = numeric("probs", probs)
        if p.shape != (self.k,):
            raise fail("probs.shape", p.shape, f"({self.k},), one probability a category")
        if not (p > 0).all():
            raise fail("probs", p.tolist(), "probabilities > 0; drop a category that cannot occur")
        if abs(p.sum() - 1) > _SUM:
            raise fail("probs.sum()", float(p.sum()), "1; divide by the sum first")
        return frozen(np.log(p[:-1]) - math.log(p[-1]))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"probs": the k probabilities}``."""
        return {"probs": frozen(self.probabilities(theta))}

    def _range(self, theta: Array) -> str | None:
        return None if (np.abs(theta) <= FAR).all() else f"log odds of at most {FAR:g}"

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        """Return the divergence in nats: the log of a centred moment generating function, a sum of positive terms."""
        p = self.probabilities(theta_star)
        change = self.check_theta(theta_hat, "theta_hat") - self.check_theta(theta_star)
        return log_mean_exp(np.append(change, 0.0), p, self._log_shares(theta_star))

    def support(self) -> Support:
        """Return the k categories."""
        return Support(np.arange(self.k), np.eye(self.k)[:, :-1], np.zeros(self.k))

    def probabilities(self, theta: ArrayLike) -> Array:
        """Return the probability of each category, (k,)."""
        result: Array = np.exp(self._log_shares(theta))
        return result

    def _log_shares(self, theta: ArrayLike) -> Array:
        logits = np.append(self.check_theta(theta), 0.0)
        result: Array = logits - logits.max()
        result -= math.log(np.exp(result).sum())
        return result

    def _centred(self, theta: ArrayLike) -> tuple[Array, Array]:
        """Return the probabilities and the statistics less their mean, (k, p)."""
        p = self.probabilities(theta)
        rows = np.eye(self.k)[:, :-1] - p[:-1]
        index = np.arange(self.k - 1)
        rows[index, index] = self._others(p)
        return p, rows

    def _others(self, shares: Array) -> Array:
        """Return the total of the other categories for each of the first k - 1."""
        left = np.concatenate([[0.0], np.cumsum(shares)])
        right = np.concatenate([np.cumsum(shares[::-1])[::-1], [0.0]])
        result: Array = left[: self.k - 1] + right[1 : self.k]
        return result


def _complement(unit: Array) -> Array:
    """Return orthonormal rows orthogonal to a unit vector, (k - 1, k), by a reflection of its last axis."""
    k = unit.size
    v = unit.copy()
    # the last entry is > 0: adding keeps its digits
    v[-1] += 1.0
    result: Array = np.eye(k) - np.outer(v, v) * (2.0 / (v @ v))
    return result[:-1]
