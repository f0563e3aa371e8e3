"""Intervals for the divergence: the uniformly valid SNC law and the forms it is compared with."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from asymptopia.theory.scorecard.laws import LogTails, noncentral_chi2_tails, noncentrality_at
from asymptopia.theory.scorecard.moments import Moments
from asymptopia.theory.scorecard.sampling import Sampling

_LEAST_DOF = 0.5
_BLOCK_CELLS = 2**20
FLOOR = 0.16


class ConfidenceInterval(NamedTuple):
    """Ends of an interval, in nats."""

    low: float
    high: float


class SNC(NamedTuple):
    r"""Scaled noncentral chi-square law :math:`n_e \tilde J / \rho \sim \chi'^2_\nu(n_e J / \rho)`.

    Attributes
    ----------
    rho : float
        Scale: 1 near ``J = 0`` for independent samples.
    nu : float
        Degrees of freedom, near ``J = 0`` the number of bins less one.
    statistic : float
        The observed ``n_e J / rho`` of the smoothed estimate.
    n_eff : float
        Effective size.
    """

    rho: float
    nu: float
    statistic: float
    n_eff: float

    def tails(self, divergence: float) -> LogTails:
        """Return the log probabilities to fall below and above the observed value, were `divergence` the truth."""
        return noncentral_chi2_tails(self.statistic, self.nu, self.n_eff * divergence / self.rho)

    def interval(self, level: float, floor: float = FLOOR) -> ConfidenceInterval:
        """Return the values of the divergence that an equal-tailed test at ``1 - level`` does not reject.

        Parameters
        ----------
        level : float
            Level of the interval.
        floor : float
            The upper end is taken at no smaller an observation than the quantile of this order under ``J = 0`` (of
            order ``1 - level`` if that is larger). 0 leaves it out: then two samples that agree better than chance
            have the interval from 0 to 0.
        """
        from scipy.special import gammaincinv

        tail = (1 - level) / 2
        log_tail, log_rest = np.log(tail), np.log1p(-tail)
        least = 2 * float(gammaincinv(self.nu / 2, max(floor, 1 - level))) if floor > 0 else 0.0
        seen = np.array([self.statistic, max(self.statistic, least)])
        found, usable = np.zeros(2), seen > 0
        goals = np.array([[log_rest, log_tail], [log_tail, log_rest]])[:, usable]
        found[usable] = noncentrality_at(seen[usable], self.nu, *goals)
        low, high = (float(end) for end in found * (self.rho / self.n_eff))
        return ConfidenceInterval(low, high)


def snc(sampling: Sampling, a: float) -> SNC:
    r"""Return the SNC law of the estimate smoothed by `a`.

    Notes
    -----
    Mean and variance match those of the estimate. For independent samples :math:`\rho = n_e V / (4J)` and
    :math:`\nu = n_e b / \rho`, at least 1/2; at ``J = 0`` exactly, :math:`\rho = 1, \nu = B - 1`. For paired samples
    the null law is a mixture with weights :math:`w`, and V/(4J) is not settled near ``J = 0``; there

    .. math:: \rho = \frac{n_e V + 4 \bar b\, c}{4 (J + \bar b)}, \quad \bar b = \frac{1}{n_e} \sum w, \quad
              c = \sum w^2 / \sum w,

    which goes from the Satterthwaite scale c at ``J = 0`` to the plain one where J is large beside its null mean.
    """
    found = sampling.moments(a)
    weights, size = sampling.null_weights(a), sampling.n_eff
    mean, scale = float(weights.sum()), float((weights**2).sum() / weights.sum())
    if found.divergence == 0:
        return SNC(scale, mean / scale, 0.0, size)
    if sampling.settled:
        rho = size * found.variance / (4 * found.divergence)
    else:
        rho = (size * found.variance + 4 * mean * scale / size) / (4 * (found.divergence + mean / size))
    nu = max(size * found.bias / rho, _LEAST_DOF)
    return SNC(float(rho), float(nu), float(size * found.divergence / rho), size)


def null_scaled(sampling: Sampling, a: float) -> SNC:
    """Return the law with the scale and the degrees of freedom of ``J = 0``, whatever the estimate."""
    weights, size = sampling.null_weights(a), sampling.n_eff
    scale = float((weights**2).sum() / weights.sum())
    return SNC(scale, float(weights.sum()) / scale, float(size * sampling.moments(a).divergence / scale), size)


def delta(found: Moments, level: float) -> ConfidenceInterval:
    """Return the normal interval around the estimate, cut off at 0."""
    reach = _normal_quantile(level) * float(np.sqrt(found.variance))
    return ConfidenceInterval(max(0.0, found.divergence - reach), float(found.divergence + reach))


def log_delta(found: Moments, level: float) -> ConfidenceInterval:
    """Return the normal interval for the logarithm; from 0 to inf for an estimate of 0, its limit."""
    if found.divergence == 0:
        return ConfidenceInterval(0.0, float("inf"))
    reach = _normal_quantile(level) * float(np.sqrt(found.variance)) / found.divergence
    with np.errstate(over="ignore"):
        return ConfidenceInterval(float(found.divergence * np.exp(-reach)), float(found.divergence * np.exp(reach)))


def basic_bootstrap(
    sampling: Sampling, a: float, level: float, repeats: int, random: np.random.Generator
) -> ConfidenceInterval:
    """Return the estimate twice less the quantiles of estimates from samples drawn at the smoothed shares."""
    rows = max(1, _BLOCK_CELLS // sampling.cells)
    blocks = [min(rows, repeats - start) for start in range(0, repeats, rows)]
    drawn = np.concatenate([sampling.resample(a, block, random) for block in blocks])
    estimate = sampling.moments(a).divergence
    above, below = np.quantile(drawn, [(1 + level) / 2, (1 - level) / 2])
    return ConfidenceInterval(max(0.0, float(2 * estimate - above)), max(0.0, float(2 * estimate - below)))


def _normal_quantile(level: float) -> float:
    from scipy.special import ndtri

    return -float(ndtri((1 - level) / 2))
