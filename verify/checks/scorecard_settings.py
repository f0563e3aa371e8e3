"""Settings of the scorecard checks: two populations with a given divergence, and the sizes of their samples."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.roots import find_root
from asymptopia.theory._core.special import jeffreys_terms
from asymptopia.theory.scorecard.exact import exact_mean
from asymptopia.theory.scorecard.moments import Moments, independent_moments
from asymptopia.theory.scorecard.shares import Shares
from asymptopia.verify.engine.conditional import conditional_probabilities

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Two populations over the same bins and the sizes of their samples; m = inf is a known baseline."""

    bins: int
    n: int
    m: float
    divergence: float
    skewed: bool = False

    @property
    def name(self) -> str:
        """Name of the case."""
        size = "known" if math.isinf(self.m) else f"{int(self.m)}"
        shape = ",skewed" if self.skewed else ""
        return f"B={self.bins},n={self.n},m={size},J={self.divergence:g}{shape}"

    @property
    def n_eff(self) -> float:
        """Effective size n m / (n + m)."""
        return 1.0 / (1.0 / self.n + 1.0 / self.m)

    def shares(self) -> Shares:
        """Return the true shares: a baseline, and its exponential tilt with the divergence asked for."""
        q = np.geomspace(1.0, 0.1, self.bins) if self.skewed else np.ones(self.bins)
        q /= q.sum()
        if self.divergence == 0.0:
            return Shares(q, q, np.zeros(self.bins))
        score = np.linspace(-1.0, 1.0, self.bins)

        def tilted(strength: float) -> Array:
            weight: Array = q * np.exp(strength * score)
            share: Array = weight / weight.sum()
            return share

        def excess(strength: Array) -> Array:
            return np.array(
                [jeffreys_terms(tilted(float(t)), q).sum() - self.divergence for t in np.atleast_1d(strength)]
            )

        p = tilted(float(find_root(excess, [0.0], [20.0])[0]))
        return Shares(p, q, p - q)

    def params(self, pseudo: float, *own: float) -> tuple[float, ...]:
        """Return the parameters of a table kernel; `own` are its three numbers."""
        p, q, d = shares = self.shares()
        ratio = np.log(p / q)
        rows = zip(
            conditional_probabilities(p), conditional_probabilities(q), p, q, ratio + d / p, -ratio - d / q, strict=True
        )
        size = 0.0 if math.isinf(self.m) else float(self.m)
        truth = float(jeffreys_terms(*shares).sum())
        head = (float(self.bins), float(self.n), size, pseudo, truth, *own)
        return (*head, *(float(value) for row in rows for value in row))

    def moments(self, pseudo: float) -> Moments:
        """Return the first-order theory at the true shares."""
        return independent_moments(self.shares(), self.n, self.m, pseudo)

    def exact_mean(self, pseudo: float) -> float:
        """Return the exact finite-size mean of the estimate."""
        p, q, _ = self.shares()
        return exact_mean(p, q, self.n, self.m, pseudo)
