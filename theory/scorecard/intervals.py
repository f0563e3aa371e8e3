"""Intervals for the divergence: the uniformly valid SNC law and the forms it is compared with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asymptopia.theory.scorecard.laws import LogTails, noncentral_chi2_tails, noncentrality_at
from asymptopia.theory.scorecard.moments import Moments
from asymptopia.theory.scorecard.sampling import Sampling

_BLOCK_CELLS = 2**20
_LEAST_DOF = 0.5


class ConfidenceInterval(NamedTuple):
    """Ends of an interval, in nats."""

    low: float
    high: float


class SNC(NamedTuple):
    r"""Scaled noncentral chi-square law :math:`\tilde J \sim (\rho / n_e)\, \chi'^2_\nu(n_e J / \rho)`.

    Attributes
    ----------
    rho : float
        Scale: 1 near ``J = 0``.
    nu : float
        Degrees of freedom: B - 1 near ``J = 0``.
    statistic : float
        ``n_e Jt / rho``, the observed value.
    n_eff : float
        Effective size.
    """

    rho: float
    nu: float
    statistic: float
    n_eff: float

    def tails(self, divergence: float) -> LogTails:
        """Return the log probabilities below and above the observed value if the divergence is `divergence`."""
        return noncentral_chi2_tails(self.statistic, self.nu, self.n_eff * divergence / self.rho)

    def interval(self, level: float) -> ConfidenceInterval:
        """Return the values that neither one-sided test at ``(1 - level) / 2`` rejects."""
        if self.statistic == 0:
            # the law has no atom: only values below any resolution are compatible from below
            return ConfidenceInterval(0.0, self._end_at_zero(level))
        tail = (1 - level) / 2
        log_tail, log_rest = float(np.log(tail)), float(np.log1p(-tail))
        found = noncentrality_at(self.statistic, self.nu, [log_rest, log_tail], [log_tail, log_rest])
        low, high = (float(end) for end in found * (self.rho / self.n_eff))
        return ConfidenceInterval(low, high)

    def _end_at_zero(self, level: float) -> float:
        raise NotImplementedError
