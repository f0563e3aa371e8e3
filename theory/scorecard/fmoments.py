r"""Value, first-order variance and bias of f-divergences, for every sampling design.

With :math:`u = f'(r)`, :math:`v = f(r) - r f'(r)` the gradient in the shares p and q of both samples is ``(u, v)``, and
the Hessian couples p and q of the same cell only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.scorecard import intervals
from asymptopia.theory.scorecard.covariance import CovarianceSamples
from asymptopia.theory.scorecard.generators import Generator
from asymptopia.theory.scorecard.intervals import SNC
from asymptopia.theory.scorecard.moments import Moments
from asymptopia.theory.scorecard.paired import PairedSamples
from asymptopia.theory.scorecard.sampling import Sampling
from asymptopia.theory.scorecard.shares import Shares, two_samples

Array = NDArray[np.float64]


def independent_fmoments(generator: Generator, shares: Shares, n: float, m: float, a: float) -> Moments:
    r"""Return the moments for independent samples of size `n` and `m` with `a` added to each cell.

    Parameters
    ----------
    generator : Generator
        The divergence.
    shares : Shares
        Cells along the last axis.
    n, m : float
        Sizes; ``m = inf`` for a known baseline, which is not smoothed.
    a : float
        Pseudo-count that the estimator adds to every cell of a random sample.

    Notes
    -----
    .. math:: V = \frac{\mathrm{Var}_P(u)}{n} + \frac{\mathrm{Var}_Q(v)}{m}, \qquad
        b_a = \frac1n \sum \Big[\frac{p (1-p)}{2q} f''(r) + a (1 - Bp)\, u\Big]
            + \frac1m \sum \Big[\frac{q (1-q)}{2q} r^2 f''(r) + a (1 - Bq)\, v\Big] .

    Of order alpha, :math:`r f'' = 1 + (\alpha - 1) u`: with :math:`a = (1 - \alpha)/2` the part of the bias that grows
    without bound as a share p tends to 0 cancels. For the Jeffreys divergence that is a = 1/2 on both sides.
    """
    p, q, _ = shares
    cells = generator.cells(shares, a)
    bins = p.shape[-1]
    divergence = cells.term.sum(axis=-1)
    variance, bias = np.zeros_like(divergence), np.zeros_like(divergence)
    for share, size, slope, bend, lean, edge in (
        (p, n, cells.u, cells.bend_p, cells.lean_p, cells.edge_p),
        (q, m, cells.v, cells.bend_q, cells.lean_q, cells.edge_q),
    ):
        if math.isinf(size):
            continue
        centre = (share * slope).sum(axis=-1, keepdims=True)
        variance = variance + ((share * (slope - centre) ** 2) + edge).sum(axis=-1) / size
        with np.errstate(invalid="ignore"):
            weighed = np.where(share > 0, share * (bend / 2 + a * bins * slope), 0.0)
        bias = bias + (lean - weighed).sum(axis=-1) / size
    return Moments(divergence, variance, bias)


def covariance_fmoments(
    generator: Generator,
    shares: Shares,
    covariance: Array,
    shift: Array,
    sizes: tuple[float, float] = (math.inf, math.inf),
) -> Moments:
    r"""Return the moments for estimated shares of any covariance.

    Parameters
    ----------
    generator : Generator
        The divergence.
    shares : Shares
        One table of B cells.
    covariance : ndarray, shape (2 B, 2 B)
        Of the estimated shares of sample 1, then of sample 2.
    shift : ndarray, shape (2 B,)
        Bias of the estimated shares, in the same order, to the order of the covariance; see
        `CovarianceSamples`.
    sizes : tuple of float
        Sizes of both samples, for the limit of the variance at cells that are empty in one.

    Notes
    -----
    With the gradient g and the Hessian H, :math:`V = g' \Sigma g` and
    :math:`b = \mathrm{tr}(H \Sigma)/2 + g' \cdot \mathrm{shift}`.
    """
    p, q, _ = shares
    cells = generator.cells(shares)
    bins = p.size
    # a constant has no variance in either sample: taken off, the quadratic form cancels less
    slope = np.concatenate([cells.u - (p * cells.u).sum(), cells.v - (q * cells.v).sum()])
    edge = float(cells.edge_p.sum()) / sizes[0] + float(cells.edge_q.sum()) / sizes[1]
    variance = max(float(slope @ covariance @ slope), 0.0) + edge
    here = np.arange(bins)
    own = covariance.diagonal()
    across = covariance[here, here + bins]
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = cells.bend_p / p * own[:bins] + cells.bend_q / q * own[bins:] - 2 * (cells.bend_p / q) * across
    gradient = np.concatenate([cells.u, cells.v])
    return Moments(cells.term.sum(), variance, float(curve.sum()) / 2 + float(gradient @ shift))


def paired_fmoments(generator: Generator, table: Array, a: float) -> Moments:
    r"""Return the moments for one sample of pairs; `a` is added to the diagonal of `table`.

    Notes
    -----
    With the smoothed shares t of N pairs, :math:`V = \mathrm{Var}_t(u_i + v_j)/N` and

    .. math:: b_a = \frac1N \Big[\sum_i \frac{r_i f''(r_i)}{2 q_i} (p_i + q_i - 2 t_{ii})
              + a \sum_i (u_i + v_i) - a B D\Big],

    which `covariance_fmoments` gives too, but here nothing cancels where few move.
    """
    bins, size = table.shape[0], float(table.sum())
    shares = two_samples(table.sum(axis=1), table.sum(axis=0), a)
    cells = generator.cells(shares)
    smoothed = table + a * np.eye(bins)
    t = smoothed / smoothed.sum()
    away = table - np.diag(np.diag(table))
    moved = (away.sum(axis=1) + away.sum(axis=0)) / smoothed.sum()
    influence = cells.u[:, None] + cells.v[None, :]
    variance = float((t * (influence - (t * influence).sum()) ** 2).sum() + cells.edge_p.sum() + cells.edge_q.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        curve = np.where(moved > 0, np.where(shares.q > 0, cells.bend_p / shares.q, cells.bend_q / shares.p) * moved, 0)
    divergence = cells.term.sum()
    bias = curve.sum() / 2 + a * ((cells.u + cells.v).sum() - bins * divergence)
    return Moments(divergence, variance / size, float(bias) / size)


def paired_covariance(table: Array, a: float = 0.0) -> Array:
    r"""Return the covariance of both margins of a table of N pairs, shape (2 B, 2 B): rows (p), then columns (q).

    Parameters
    ----------
    table : ndarray, shape (B, B)
        Counts of pairs.
    a : float
        Added to the diagonal before the shares are taken; N stays the number of pairs.

    Notes
    -----
    :math:`N \Sigma_{pp} = \mathrm{diag}(p) - pp'`, the same for q, and :math:`N \Sigma_{pq} = t - pq'`.
    """
    smoothed = table + a * np.eye(table.shape[0])
    t = smoothed / smoothed.sum()
    p, q = t.sum(axis=1), t.sum(axis=0)
    joint = t - np.outer(p, q)
    blocks = [[np.diag(p) - np.outer(p, p), joint], [joint.T, np.diag(q) - np.outer(q, q)]]
    return np.asarray(np.block(blocks) / table.sum())


@dataclass(frozen=True)
class Model:
    """A divergence under a sampling design: what the intervals ask of a sampling model.

    Attributes
    ----------
    sampling : Sampling
        Counts of the bins in use.
    generator : Generator
        The divergence.
    """

    sampling: Sampling
    generator: Generator

    @property
    def settled(self) -> bool:
        """True if the variance over 4 times the divergence tends to the null scale in whatever direction."""
        return self.sampling.settled

    @property
    def n_eff(self) -> float:
        """Scale on which the divergence has a chi-square law: ``2 n_eff / f''(1)``."""
        return 2 * self.sampling.n_eff / self.generator.curvature

    def null_weights(self, a: float) -> Array:
        """Return the weights of the chi-squares in the null law of `n_eff` times the divergence."""
        return self.sampling.null_weights(a)

    def moments(self, a: float) -> Moments:
        """Return divergence, variance and bias at the shares that `a` smooths."""
        base = self.sampling
        if isinstance(base, PairedSamples):
            return paired_fmoments(self.generator, base.table, a)
        if isinstance(base, CovarianceSamples):
            covariance, shift = base.covariance(a), base.shift(a)
            return covariance_fmoments(self.generator, base.shares(a), covariance, shift, (base.n, base.m))
        return independent_fmoments(self.generator, base.shares(a), base.n, base.m, a)

    def snc(self, a: float) -> SNC:
        """Return the scaled noncentral chi-square law of the estimate smoothed by `a`."""
        # the law asks for nothing but the four members above
        return intervals.snc(cast("Sampling", self), a)

    def null_scaled(self, a: float) -> SNC:
        """Return the law with the scale and degrees of freedom of equality."""
        return intervals.null_scaled(cast("Sampling", self), a)
