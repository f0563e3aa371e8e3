"""Sampling model of the same accounts seen at both dates: a transition table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.special import log_ratio
from asymptopia.theory.scorecard.moments import Moments
from asymptopia.theory.scorecard.sampling import Sampling, total
from asymptopia.theory.scorecard.shares import Shares, two_samples

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PairedSamples(Sampling):
    r"""One multinomial over pairs of bins: ``table[i, j]`` accounts in bin i now and in bin j at the baseline.

    Notes
    -----
    The pseudo-count a is added to the diagonal: each margin gains a in each bin and no account is made to move. With
    shares :math:`t_{ij}` of N accounts, margins p and q, :math:`d = p - q` and :math:`L = \log(p/q)`,

    .. math:: V = \frac{1}{N} \mathrm{Var}_t\Big(L_i - L_j + \frac{d_i}{p_i} - \frac{d_j}{q_j}\Big), \qquad
        b_a = \frac{1}{N} \Big[\sum_i \frac{p_i - t_{ii}}{p_i} + \frac{q_i - t_{ii}}{q_i}
              + \big(\tfrac12 - a\big) \frac{d_i^2}{p_i q_i} - a B J\Big],

    the latter half the trace of the Hessian times the covariance of both margins, plus the shift by the pseudo-counts.
    Under equal margins ``d`` has covariance :math:`(2\,\mathrm{diag}(\bar p) - t - t')/N`, whose scaled eigenvalues
    are the weights of the null law.
    """

    table: Array
    settled: ClassVar[bool] = False

    @property
    def cells(self) -> int:
        """Number of counts that a resample draws."""
        return self.bins**2

    @property
    def n(self) -> float:
        """Number of accounts."""
        return float(self.table.sum())

    @property
    def m(self) -> float:
        """Number of accounts."""
        return self.n

    @property
    def bins(self) -> int:
        """Number of bins in use."""
        return int(self.table.shape[0])

    @property
    def expected_counts(self) -> Array:
        """Counts expected in the smaller sample if both have the same shares."""
        expected: Array = (self.table.sum(axis=0) + self.table.sum(axis=1)) / 2
        return expected

    def shares(self, a: float) -> Shares:
        """Return the shares with `a` added to each count."""
        return two_samples(self.table.sum(axis=1), self.table.sum(axis=0), a)

    def moments(self, a: float) -> Moments:
        """Return divergence, variance and bias at the smoothed shares."""
        p, q, d = self.shares(a)
        divergence = float(total(Shares(p, q, d)))
        t, leave, enter = self._flows(a)
        ratio = log_ratio(p, q, d)
        influence = (ratio + d / p)[:, None] - (ratio + d / q)[None, :]
        np.fill_diagonal(influence, -d * d / (p * q))
        variance = float((t * (influence - (t * influence).sum()) ** 2).sum()) / self.n
        moved = leave / p + enter / q + (0.5 - a) * d * d / (p * q)
        return Moments(divergence, variance, (float(moved.sum()) - a * self.bins * divergence) / self.n)

    def null_weights(self, a: float) -> Array:
        """Return the weights of the null law of ``n_eff J``; those of 0 are left out."""
        from scipy.sparse.csgraph import connected_components

        p, q, _ = self.shares(a)
        t, leave, enter = self._flows(a)
        laplacian = -(t + t.T)
        np.fill_diagonal(laplacian, leave + enter)
        root = np.sqrt((p + q) / 2)
        values = np.linalg.eigvalsh(laplacian / np.outer(root, root)) * (self.n_eff / self.n)
        # one eigenvalue is zero for each set of bins that exchanges no account with the others
        groups, _ = connected_components(self.table > 0, directed=False)
        weights: Array = values[groups:]
        return weights

    def woe_variance(self, a: float) -> Array:
        """Return the variance of ``log(p / q)`` in each bin."""
        p, q, _ = self.shares(a)
        _, leave, enter = self._flows(a)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((leave + enter) / (p * q) / self.n)

    def resample(self, a: float, repeats: int, random: np.random.Generator) -> Array:
        """Return estimates from samples drawn at the smoothed shares."""
        t, _, _ = self._flows(a)
        drawn = random.multinomial(int(self.n), t.ravel(), size=repeats).reshape(repeats, *t.shape).astype(np.float64)
        return total(two_samples(drawn.sum(axis=2), drawn.sum(axis=1), a))

    def _flows(self, a: float) -> tuple[Array, Array, Array]:
        """Return the smoothed shares of the table and the shares that leave and enter each bin."""
        table = self.table + a * np.eye(self.bins)
        size = table.sum()
        away = self.table - np.diag(np.diag(self.table))
        return table / size, away.sum(axis=1) / size, away.sum(axis=0) / size
