"""Sampling models that are known by the covariance of both vectors of shares."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from asymptopia.theory._core.special import log_ratio
from asymptopia.theory.scorecard.moments import Moments
from asymptopia.theory.scorecard.sampling import Array, IndependentSamples, Sampling, total
from asymptopia.theory.scorecard.shares import Shares, two_samples

_NEGLIGIBLE = 1e-9
FEW_CLUSTERS = 30


class CovarianceSamples(Sampling):
    r"""A sampling model with covariance :math:`\Sigma` and bias s of the estimated shares, sample 1 before sample 2.

    Notes
    -----
    With the gradient g and the Hessian H of the divergence, :math:`V = g' \Sigma g` and
    :math:`b = \mathrm{tr}(H \Sigma)/2 + g' s`. A constant has no variance in either sample, so that g is centred
    within each first: near ``J = 0`` all its entries are as small as p - q.
    """

    @abstractmethod
    def covariance(self, a: float) -> Array:
        """Return the covariance of the shares, shape ``(2 bins, 2 bins)``, at those that `a` smooths."""

    @abstractmethod
    def shift(self, a: float) -> Array:
        """Return the bias of the shares to the order of their covariance, pseudo-counts included."""

    def moments(self, a: float) -> Moments:
        """Return divergence, variance and bias at the smoothed shares."""
        p, q, d = shares = self.shares(a)
        ratio = log_ratio(p, q, d)
        first, second = ratio + d / p, -ratio - d / q
        gradient = np.concatenate([first - (p * first).sum(), second - (q * second).sum()])
        covariance = self.covariance(a)
        own, across = covariance.diagonal(), np.diagonal(covariance, self.bins)
        # the Hessian of a bin is (p + q) h h' with h = (1/p, -1/q)
        bend = (p + q) * (own[: p.size] / p**2 + own[p.size :] / q**2 - 2 * across / (p * q))
        # rounding can leave a variance of 0 slightly negative
        variance = max(float(gradient @ covariance @ gradient), 0.0)
        return Moments(float(total(shares)), variance, float(bend.sum()) / 2 + float(gradient @ self.shift(a)))

    def woe_variance(self, a: float) -> Array:
        """Return the variance of ``log(p / q)`` in each bin."""
        p, q, _ = self.shares(a)
        covariance = self.covariance(a)
        own, across = covariance.diagonal(), np.diagonal(covariance, self.bins)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(own[: p.size] / p**2 + own[p.size :] / q**2 - 2 * across / (p * q))


@dataclass(frozen=True)
class FixedBins(CovarianceSamples, IndependentSamples):
    r"""Bins of fixed sizes :math:`N_i`, in which the outcome is random: :math:`y_i \sim \mathrm{Bin}(N_i, e_i)`.

    Notes
    -----
    The sizes :math:`n = \sum x`, :math:`m = \sum y` vary, so that both shares are ratios. With
    :math:`w_i = N_i e_i (1 - e_i)` and :math:`W = \sum w`,

    .. math:: dp = -(I - p 1')\,dy/n, \quad dq = (I - q 1')\,dy/m, \quad
              \Sigma = F\,\mathrm{diag}(w)\,F', \quad
              E[\hat p_i] - p_i = \frac{p_i W - w_i}{n^2}, \quad E[\hat q_i] - q_i = \frac{q_i W - w_i}{m^2}.

    The latter is of the order of :math:`\mathrm{tr}(H\Sigma)/2` and belongs to the bias of the divergence.

    Under ``J = 0`` all :math:`e_i` are equal, :math:`p = q = \pi = N/\sum N` and :math:`w_i = n_e \pi_i`. Then
    :math:`d(p - q) = -(I - \pi 1')\,dy\,(1/n + 1/m)` has the covariance
    :math:`(\mathrm{diag}(\pi) - \pi\pi')\,n_e (1/n + 1/m)^2 = (\mathrm{diag}(\pi) - \pi\pi')/n_e`, that of two
    independent samples: the weights of the null law are all 1.

    In terms of the smoothed shares, :math:`w_i = n p_i\, m q_i / (n p_i + m q_i)`; sizes are the observed ones.
    """

    def covariance(self, a: float) -> Array:
        """Return the covariance of the shares."""
        p, q, _ = self.shares(a)
        eye = np.eye(self.bins)
        factor = np.concatenate([-(eye - p[:, None]) / self.n, (eye - q[:, None]) / self.m])
        result: Array = (factor * self.spread(a)) @ factor.T
        return result

    def shift(self, a: float) -> Array:
        """Return the bias of the shares."""
        p, q, _ = self.shares(a)
        w = self.spread(a)
        ratio = [(p * w.sum() - w) / self.n**2, (q * w.sum() - w) / self.m**2]
        return np.concatenate(ratio) + pseudo_count_shift(p, q, a / self.n, a / self.m)

    def spread(self, a: float) -> Array:
        """Return the variance of the number of outcomes in each bin."""
        p, q, _ = self.shares(a)
        x, y = self.n * p, self.m * q
        result: Array = x * y / (x + y)
        return result

    def woe_variance(self, a: float) -> Array:
        """Return the variance of ``log(p / q)`` in each bin."""
        return self.woe_covariance(a).diagonal()

    def woe_covariance(self, a: float) -> Array:
        r"""Return the covariance of ``log(p / q)`` of the bins.

        Notes
        -----
        With :math:`v_i = 1/w_i` and :math:`c = 1/n + 1/m` it is :math:`\delta_{ij} v_i - 2c + c^2 W`; the diagonal is
        formed as :math:`(1 - c w_i)^2/w_i + c^2 (W - w_i)`, in which nothing cancels.
        """
        p, q, _ = self.shares(a)
        w, c = self.spread(a), 1 / self.n + 1 / self.m
        result = np.full((self.bins, self.bins), -2 * c + c * c * float(w.sum()))
        x, y = self.n * p, self.m * q
        rest = (x * (1 - q) + y * (1 - p)) / (x + y)
        with np.errstate(divide="ignore"):
            np.fill_diagonal(result, rest**2 / w + c * c * (w.sum() - w))
        return result

    def resample(self, a: float, repeats: int, random: np.random.Generator) -> Array:
        """Return estimates from outcomes drawn at the event rates of the smoothed shares."""
        p, q, _ = self.shares(a)
        rate = self.m * q / (self.n * p + self.m * q)
        rows = self.x + self.y
        y = random.binomial(rows.astype(np.int64), rate, size=(repeats, self.bins)).astype(np.float64)
        return total(two_samples(rows - y, y, a))


@dataclass(frozen=True)
class SurveySamples(CovarianceSamples):
    r"""Weighted, possibly clustered rows; over the bins in use.

    Attributes
    ----------
    weights : ndarray, shape (2, bins)
        Sums of the weights.
    rows : tuple of float
        Rows of both samples.
    kish : tuple of float
        Kish sizes of both samples.
    linear : ndarray, shape (2 bins, 2 bins)
        The linearised covariance of the shares, see `SurveyTable`.
    ratio : ndarray, shape (2 bins,)
        The bias of the shares, which are ratios of random sums.
    clusters : int or None
        Clusters of the sample that has fewer; None if each row stands alone.

    Notes
    -----
    The effective size of a sample is :math:`n^* = (B - 1) / \sum_i \Sigma_{ii}/p_i`, at which a multinomial sample
    would have the same mean variance (the mean design effect is :math:`n/n^*`). The pseudo-count a is that of a sample
    of this size. With :math:`\theta = aB/(n^* + aB)` and u the even shares, the smoothed shares are
    :math:`(1 - \theta)\hat p + \theta u` and their covariance

    .. math:: (1 - \theta)\Sigma + \frac{\theta}{n^*}(\mathrm{diag}(u) - uu')
              + \frac{\theta(1 - \theta)}{n^*}(\hat p - u)(\hat p - u)',

    as it is for a multinomial sample: for equal weights without clusters all moments are those of two independent
    samples.

    The null law is that at the pooled shares :math:`\pi`. With :math:`F = (I - \pi 1')\,\mathrm{diag}(\pi/p)^{1/2}`
    the covariance of a sample becomes :math:`F\Sigma F' + (Fp)(Fp)'/n^*`, for a multinomial sample
    :math:`(\mathrm{diag}(\pi) - \pi\pi')/n`. The weights are the eigenvalues of
    :math:`\mathrm{diag}(1/\pi)\,\mathrm{Cov}(\hat p - \hat q)` times `n_eff`, their number over their sum, so that
    their mean is 1. Fewer clusters than bins leave fewer of them.
    """

    weights: Array
    rows: tuple[float, float]
    kish: tuple[float, float]
    linear: Array
    ratio: Array
    clusters: int | None
    settled: ClassVar[bool] = False

    @property
    def n(self) -> float:
        """Rows of sample 1."""
        return self.rows[0]

    @property
    def m(self) -> float:
        """Rows of sample 2."""
        return self.rows[1]

    @property
    def bins(self) -> int:
        """Number of bins in use."""
        return int(self.weights.shape[1])

    @property
    def n_eff(self) -> float:
        """Effective size: number of eigenvalues of the null law over their sum."""
        values = self._eigenvalues
        first, second = self.sizes
        return values.size / float(values.sum()) if values.size else first * second / (first + second)

    @property
    def smaller(self) -> float:
        """Smaller of the two effective sizes."""
        return min(self.sizes)

    @property
    def few_clusters(self) -> bool:
        """True if the covariance rests on few clusters."""
        return self.clusters is not None and self.clusters < FEW_CLUSTERS

    @property
    def expected_counts(self) -> Array:
        """Effective counts expected in the smaller sample if both have the same shares."""
        return self._pooled * self.smaller

    @cached_property
    def sizes(self) -> tuple[float, float]:
        """Effective sizes of both samples."""
        first, second = (self._size(k) for k in (0, 1))
        return first, second

    @cached_property
    def plain(self) -> Shares:
        """Shares without pseudo-counts."""
        return two_samples(self.weights[0], self.weights[1], 0.0)

    def shares(self, a: float) -> Shares:
        """Return the shares with `a` added to each effective count."""
        if a == 0:
            return self.plain
        add = [a * self.weights[k].sum() / self.sizes[k] for k in (0, 1)]
        return two_samples(self.weights[0] + add[0], self.weights[1] + add[1], 0.0)

    def covariance(self, a: float) -> Array:
        """Return the covariance of the shares."""
        if a == 0:
            return self.linear
        bins = self.bins
        keep = np.array([size / (size + a * bins) for size in self.sizes])
        scale = np.repeat(np.sqrt(keep), bins)
        result = self.linear * np.outer(scale, scale)
        even = np.eye(bins) / bins - 1 / bins**2
        for k in (0, 1):
            block = slice(k * bins, (k + 1) * bins)
            away = self.plain[k] - 1 / bins
            result[block, block] += (1 - keep[k]) / self.sizes[k] * (even + keep[k] * np.outer(away, away))
        return result

    def shift(self, a: float) -> Array:
        """Return the bias of the shares."""
        p, q, _ = self.shares(a)
        first, second = self.sizes
        keep = np.repeat([first / (first + a * self.bins), second / (second + a * self.bins)], self.bins)
        return keep * self.ratio + pseudo_count_shift(p, q, a / first, a / second)

    def null_weights(self, a: float) -> Array:
        """Return the weights of the null law of ``n_eff J``, whose mean is 1; those of 0 are left out."""
        del a
        return self._eigenvalues * self.n_eff

    def resample(self, a: float, repeats: int, random: np.random.Generator) -> Array:
        """Refuse: a table of weighted sums has no law to draw from."""
        del a, repeats, random
        message = "method='bootstrap' cannot draw weighted or clustered rows from their table; take method='snc'"
        raise ValueError(message)

    def _size(self, k: int) -> float:
        share = self.plain[k]
        own = self.linear.diagonal()[k * self.bins : (k + 1) * self.bins]
        held = share > 0
        spread = float((own[held] / share[held]).sum())
        # one bin, or clusters of one composition, tell nothing: the Kish size stands in
        if held.sum() < 2 or spread <= _NEGLIGIBLE / self.kish[k]:
            return self.kish[k]
        return float((held.sum() - 1) / spread)

    @cached_property
    def _pooled(self) -> Array:
        first, second = self.sizes
        return (first * self.plain.p + second * self.plain.q) / (first + second)

    @cached_property
    def _eigenvalues(self) -> Array:
        bins, pooled = self.bins, self._pooled
        centre, root = np.eye(bins) - pooled[:, None], np.sqrt(pooled)
        blocks, extra, whole = [], np.zeros((bins, bins)), 0.0
        for k in (0, 1):
            share, size = self.plain[k], self.sizes[k]
            held = share > 0
            factor = centre * np.where(held, np.sqrt(pooled / np.where(held, share, 1.0)), 0.0)
            blocks.append(factor)
            # a bin without rows of one sample has the variance of a multinomial sample of the effective size
            extra += (centre * np.where(held, 0.0, pooled / size)) @ centre.T
            away = factor @ share
            extra += np.outer(away, away) / size
            whole += (bins - 1) / size
        factor = np.hstack([blocks[0], -blocks[1]])
        spread = factor @ self.linear @ factor.T
        scale = np.outer(root, root)
        # what the clusters cannot show, and rounding, is no degree of freedom
        rank = int((np.linalg.eigvalsh(spread / scale) > _NEGLIGIBLE * whole).sum())
        values: Array = np.linalg.eigvalsh((spread + extra) / scale)
        return values[bins - min(rank, bins - 1) :]


def pseudo_count_shift(p: Array, q: Array, first: float, second: float) -> Array:
    """Return the first-order shift of both shares where `first` and `second` are pseudo-count over size."""
    return np.concatenate([first * (1 - p.size * p), second * (1 - q.size * q)])
