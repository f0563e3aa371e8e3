"""How the two vectors of bin counts were drawn: what an estimate, its moments and its null law depend on."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.special import jeffreys_terms
from asymptopia.theory.scorecard.moments import Moments, independent_moments
from asymptopia.theory.scorecard.shares import Shares, against_fixed, two_samples

Array = NDArray[np.float64]


class Sampling(ABC):
    """A sampling model over the bins in use, those that hold an observation of either sample."""

    settled: ClassVar[bool] = True
    """True if ``V / (4 J)`` tends to the null scale as J tends to 0, in whatever direction."""

    @property
    @abstractmethod
    def n(self) -> float:
        """Size of sample 1."""

    @property
    @abstractmethod
    def m(self) -> float:
        """Size of sample 2, inf if its shares are known."""

    @property
    def cells(self) -> int:
        """Number of counts that a resample draws."""
        return self.bins

    @property
    @abstractmethod
    def bins(self) -> int:
        """Number of bins in use."""

    @property
    def n_eff(self) -> float:
        """Effective size ``n m / (n + m)``, the scale on which the divergence has a chi-square law."""
        return self.n if math.isinf(self.m) else self.n * self.m / (self.n + self.m)

    @property
    def smaller(self) -> float:
        """Size of the smaller sample, by which sparse bins are judged."""
        return min(self.n, self.m)

    @property
    def few_clusters(self) -> bool:
        """True if the covariance of the shares rests on few clusters."""
        return False

    @property
    @abstractmethod
    def expected_counts(self) -> Array:
        """Counts expected in the smaller sample if both have the same shares."""

    @abstractmethod
    def shares(self, a: float) -> Shares:
        """Return the shares with `a` added to each count of a random sample."""

    @abstractmethod
    def moments(self, a: float) -> Moments:
        """Return divergence, variance and bias at the shares that `a` smooths; they need all shares > 0."""

    def null_weights(self, a: float) -> Array:
        """Return the weights of the chi-squares with one degree of freedom in the null law of ``n_eff J``."""
        del a
        return np.ones(self.bins - 1)

    @abstractmethod
    def woe_variance(self, a: float) -> Array:
        """Return the variance of ``log(p / q)`` in each bin, with `a` added to each count."""

    @abstractmethod
    def resample(self, a: float, repeats: int, random: np.random.Generator) -> Array:
        """Return estimates of the divergence from `repeats` samples drawn at the shares that `a` smooths."""

    @property
    def zero_cell(self) -> bool:
        """True if a bin is empty in exactly one sample."""
        p, q, _ = self.shares(0.0)
        return bool(((p == 0) != (q == 0)).any())


@dataclass(frozen=True)
class IndependentSamples(Sampling):
    """Two independent multinomial samples, or one multinomial over bin and outcome (the same to first order)."""

    x: Array
    y: Array

    @property
    def n(self) -> float:
        """Size of sample 1."""
        return float(self.x.sum())

    @property
    def m(self) -> float:
        """Size of sample 2, inf if its shares are known."""
        return float(self.y.sum())

    @property
    def bins(self) -> int:
        """Number of bins in use."""
        return int(self.x.size)

    @property
    def expected_counts(self) -> Array:
        """Counts expected in the smaller sample if both have the same shares."""
        return (self.x + self.y) / (self.n + self.m) * min(self.n, self.m)

    def shares(self, a: float) -> Shares:
        """Return the shares with `a` added to each count."""
        return two_samples(self.x, self.y, a)

    def moments(self, a: float) -> Moments:
        """Return divergence, variance and bias at the smoothed shares."""
        return independent_moments(self.shares(a), self.n, self.m, a)

    def woe_variance(self, a: float) -> Array:
        """Return the variance of ``log(p / q)`` in each bin."""
        return share_odds(self.x + a) / self.n + share_odds(self.y + a) / self.m

    def woe_covariance(self, a: float) -> Array:
        """Return the covariance of ``log(p / q)`` of the bins."""
        result = np.full((self.bins, self.bins), -1 / self.n - 1 / self.m)
        np.fill_diagonal(result, self.woe_variance(a))
        return result

    def resample(self, a: float, repeats: int, random: np.random.Generator) -> Array:
        """Return estimates from samples drawn at the smoothed shares."""
        p, q, _ = self.shares(a)
        x = random.multinomial(int(self.n), p, size=repeats).astype(np.float64)
        y = random.multinomial(int(self.m), q, size=repeats).astype(np.float64)
        return total(two_samples(x, y, a))


@dataclass(frozen=True)
class FixedBaseline(Sampling):
    """One multinomial sample against known probabilities."""

    x: Array
    q: Array

    @property
    def n(self) -> float:
        """Size of sample 1."""
        return float(self.x.sum())

    @property
    def m(self) -> float:
        """Size of sample 2, inf if its shares are known."""
        return math.inf

    @property
    def bins(self) -> int:
        """Number of bins in use."""
        return int(self.x.size)

    @property
    def expected_counts(self) -> Array:
        """Counts expected in the smaller sample if both have the same shares."""
        return self.n * self.q

    def shares(self, a: float) -> Shares:
        """Return the shares with `a` added to each count."""
        return against_fixed(self.x, self.q, a)

    def moments(self, a: float) -> Moments:
        """Return divergence, variance and bias at the smoothed shares."""
        return independent_moments(self.shares(a), self.n, math.inf, a)

    def woe_variance(self, a: float) -> Array:
        """Return the variance of ``log(p / q)`` in each bin."""
        return share_odds(self.x + a) / self.n

    def resample(self, a: float, repeats: int, random: np.random.Generator) -> Array:
        """Return estimates from samples drawn at the smoothed shares."""
        x = random.multinomial(int(self.n), self.shares(a).p, size=repeats).astype(np.float64)
        return total(against_fixed(x, self.q, a))


def share_odds(counts: Array) -> Array:
    """Return ``(1 - p) / p`` of the shares p of `counts`, inf where a count is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray((counts.sum() - counts) / counts)


def total(shares: Shares) -> Array:
    """Return the Jeffreys divergence of `shares`."""
    result: Array = np.asarray(jeffreys_terms(*shares).sum(axis=-1))
    return result
