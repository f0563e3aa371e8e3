r"""Noncentralities at which a tail has a given probability, for many tables at once.

The same integral over a steepest-descent parabola as in `inversion`, compiled, with its derivatives in the
noncentrality: :math:`\partial K/\partial\lambda = s/(1-2s)`, so that one pass over the nodes gives the tail, its slope
and its curvature, and the root takes two passes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.roots import RootError
from asymptopia.theory._core.units import load_unit
from asymptopia.theory.scorecard.laws import chi2_tails

Array = NDArray[np.float64]
FLOOR = 0.16
"""Order of the quantile of the null law below which the upper end of an interval does not look."""

SOURCE = '''"""Noncentral chi-square tails with their derivatives in the noncentrality, and the inverse."""
import math

from numba import njit, types

# e**(-2 pi D / h) at h = 0.15 D is below the rounding of the sum, D the width of the strip free of singularities
WIDTH, WIDEST = 0.15, 0.3
NEGLIGIBLE = 1e-20
NODES = 2000


@njit(error_model="numpy", nogil=True)
def strip(bend, distance):
    """Distance from the real axis of the preimage of a point `distance` to the right of where the parabola starts."""
    inside = 1.0 - 4.0 * bend * distance
    if inside <= 0.0:
        return 0.5 / bend
    return 2.0 * abs(distance) / (1.0 + math.sqrt(inside))


@njit(error_model="numpy", nogil=True)
def tail(x, k, lam):
    """Return (log tail, 1.0 for P(X > x) and 0.0 for P(X <= x), first and second derivative over the tail)."""
    w = 2.0 * x / (k + math.sqrt(k * k + 4.0 * lam * x))
    start = (w - 1.0) / (2.0 * w)
    upper = start * math.sqrt(2.0 * k * w * w + 4.0 * lam * w * w * w) > 1.0
    if not upper:
        start = min(start, -1.0 / math.sqrt(2.0 * k + 4.0 * lam))
    w = 1.0 / (1.0 - 2.0 * start)
    second = 2.0 * k * w * w + 4.0 * lam * w * w * w
    third = 8.0 * k * w * w * w + 24.0 * lam * w * w * w * w
    scale = 1.0 / math.sqrt(second)
    bend = third / (6.0 * second) * scale
    free = min(strip(bend, -start / scale), strip(bend, (0.5 - start) / scale))
    h = min(WIDTH * free, WIDEST)
    near = abs(start) < 0.1
    gap = lam - x
    # near the mean lam/(1 - 2 s) and x cancel: s (lam - x) + 2 lam s s/(1 - 2 s) is the same without
    if near:
        top = -0.5 * k * math.log1p(-2.0 * start) + start * gap + 2.0 * lam * start * start * w
    else:
        top = -0.5 * k * math.log1p(-2.0 * start) + start * (lam * w - x)
    total = first = curved = 0.0
    for j in range(NODES):
        tau = (j + 0.5) * h
        im = tau * scale
        re = start + bend * scale * tau * tau
        one, other = 1.0 - 2.0 * re, -2.0 * im
        size = one * one + other * other
        inv_re, inv_im = one / size, -other / size
        log_re = 0.5 * math.log1p(4.0 * (re * (re - 1.0) + im * im))
        log_im = math.atan2(other, one)
        # g = s/(1 - 2 s)
        g_re, g_im = re * inv_re - im * inv_im, re * inv_im + im * inv_re
        if near:
            e_re = re * gap + 2.0 * lam * (re * g_re - im * g_im)
            e_im = im * gap + 2.0 * lam * (re * g_im + im * g_re)
        else:
            e_re = lam * g_re - re * x
            e_im = lam * g_im - im * x
        height = math.exp(e_re - 0.5 * k * log_re - top)
        angle = e_im - 0.5 * k * log_im
        # times slope over s
        slope = 2.0 * bend * tau
        away = re * re + im * im
        f_re, f_im = (slope * re + im) / away, (re - slope * im) / away
        c, d = height * math.cos(angle), height * math.sin(angle)
        q_re, q_im = c * f_re - d * f_im, c * f_im + d * f_re
        total += q_im
        q_re, q_im = q_re * g_re - q_im * g_im, q_re * g_im + q_im * g_re
        first += q_im
        curved += q_re * g_im + q_im * g_re
        if height < NEGLIGIBLE:
            break
    total *= h * scale / math.pi
    first *= h * scale / math.pi
    curved *= h * scale / math.pi
    sign = 1.0 if upper else -1.0
    return top + math.log(sign * total), 1.0 if upper else 0.0, first / total, curved / total


@njit(error_model="numpy", nogil=True)
def wanted(x, k, lam, upper):
    """As `tail`, of the side asked for."""
    log, side, slope, curve = tail(x, k, lam)
    if side == upper:
        return log, slope, curve
    log = min(log, -1e-300)
    other = math.log(-math.expm1(log)) if log > -0.6931471805599453 else math.log1p(-math.exp(log))
    ratio = -math.exp(log - other)
    return other, ratio * slope, ratio * curve


@njit(error_model="numpy", nogil=True)
def normal_score(x, k, lam):
    """Return the normal quantile of P(X <= x) to a few digits (Barndorff-Nielsen's r* of the saddle point)."""
    w = 2.0 * x / (k + math.sqrt(k * k + 4.0 * lam * x))
    s = (w - 1.0) / (2.0 * w)
    u = s * math.sqrt(2.0 * k * w * w + 4.0 * lam * w * w * w)
    root = 2.0 * (s * x - lam * s * w - 0.5 * k * math.log(w))
    if abs(u) < 0.05 or root <= 0.0:
        second = 2.0 * k + 4.0 * lam
        z = (x - k - lam) / math.sqrt(second)
        return z - (8.0 * k + 24.0 * lam) / (6.0 * second * math.sqrt(second)) * (z * z - 1.0)
    r = math.copysign(math.sqrt(root), s)
    return r + math.log(u / r) / r


@njit(error_model="numpy", nogil=True)
def begin(x, k, z):
    """Return a noncentrality whose normal score is nearly z, by secants in sqrt(lam + k/2), where it is straight."""
    least = math.sqrt(0.5 * k)
    old = max(math.sqrt(x) - z, least + 0.1)
    value = normal_score(x, k, old * old - 0.5 * k) - z
    new = max(old + value, 0.5 * (old + least))
    for _ in range(12):
        if abs(new - old) < 1e-4:
            break
        latest = normal_score(x, k, max(new * new - 0.5 * k, 0.0)) - z
        slope = (latest - value) / (new - old)
        if not slope < 0.0:
            break
        old, value = new, latest
        new = max(new - latest / slope, 0.5 * (new + least))
    return max(new * new - 0.5 * k, 1e-3)


@njit(error_model="numpy", nogil=True)
def solve(x, k, log_goal, upper, z):
    """Return the noncentrality > 0 at which the tail has the logarithm `log_goal`; NaN if it is not found."""
    lam = begin(x, k, z)
    low, high = 0.0, math.inf
    for _ in range(100):
        log, slope, curve = wanted(x, k, lam, upper)
        gap = log - log_goal
        # the upper tail grows with lam, the lower one falls
        if (gap < 0.0) == (upper == 1.0):
            low = lam
        else:
            high = lam
        # Halley's step in r = sqrt(lam + k/2)
        r = math.sqrt(lam + 0.5 * k)
        first = 2.0 * r * slope
        second = 4.0 * r * r * (curve - slope * slope) + 2.0 * slope
        below = 2.0 * first * first - gap * second
        step = -2.0 * gap * first / below if below > first * first else -gap / first
        new = lam + (2.0 * r + step) * step
        if r + step > 0.0 and abs(step) < 1e-5:
            return max(new, 0.0)
        if r + step > 0.0 and low < new < high:
            lam = new
        elif high == math.inf:
            lam = 4.0 * lam + 1.0
        else:
            lam = 0.5 * (low + high)
        if high < math.inf and high - low <= 1e-15 * high:
            return lam
    return math.nan


_ROW = types.Array(types.float64, 1, "C", readonly=True)


@njit([types.void(_ROW, _ROW, _ROW, _ROW, _ROW, types.float64[::1])], error_model="numpy", nogil=True, cache=True)
def solve_all(x, k, log_goal, upper, z, out):
    for i in range(x.size):
        out[i] = solve(x[i], k[i], log_goal[i], upper[i], z[i])
'''


class Intervals(NamedTuple):
    """Ends of many intervals, in nats."""

    low: Array
    high: Array


def snc_intervals(
    rho: ArrayLike, nu: ArrayLike, statistic: ArrayLike, n_eff: ArrayLike, level: float = 0.95, floor: float = FLOOR
) -> Intervals:
    r"""Return the intervals of many scaled noncentral chi-square laws.

    Parameters
    ----------
    rho, nu, statistic, n_eff : array_like
        Scale, degrees of freedom, observed ``n_eff J / rho`` and effective size of each law, as in `intervals.SNC`.
        They broadcast; an entry that is NaN gives NaN.
    level : float
        Level of the intervals, in (0, 1).
    floor : float
        As in `intervals.SNC.interval`.

    Returns
    -------
    Intervals
        ``(low, high)``, arrays of the broadcast shape.

    Notes
    -----
    Each end solves :math:`P(\chi'^2_\nu(\lambda) > X) = (1-\mathrm{level})/2`, or the same of the other tail, for
    :math:`\lambda`; :math:`J = \rho\lambda/n_e`. Within 1e-11 of the solution, relative to ``1 + lambda``.

    Examples
    --------
    >>> ends = snc_intervals([1.0325127, 1.0024646], [2.2192033, 2.9562563], [134.04364, 1.7515994], 210.0)
    >>> ends.low.round(4), ends.high.round(4)
    (array([0.4493, 0.    ]), array([0.8946, 0.0362]))
    """
    from scipy.special import gammainc, gammaincc, gammaincinv, ndtri

    arrays = (np.asarray(item, dtype=np.float64) for item in (rho, nu, statistic, n_eff))
    scale, dof, seen, size = np.broadcast_arrays(*arrays)
    tail = (1 - level) / 2
    least = 2 * gammaincinv(dof / 2, max(floor, 1 - level)) if floor > 0 else 0.0
    raised = np.maximum(seen, least)
    result = np.zeros((2, *seen.shape))
    # the end is 0 where not even the central law leaves so little beyond what was seen
    apart = np.stack([gammaincc(dof / 2, seen / 2) < tail, gammainc(dof / 2, raised / 2) > tail])
    x, k = np.stack([seen, raised])[apart], np.stack([dof, dof])[apart]
    upper = np.broadcast_to(np.reshape([1.0, 0.0], (2,) + (1,) * seen.ndim), apart.shape)[apart]
    score = -float(ndtri(tail))
    result[apart] = _solve(x, k, np.full(x.size, math.log(tail)), upper, np.where(upper == 1.0, score, -score))
    result[:, np.isnan(scale + dof + seen + size)] = np.nan
    result *= scale / size
    return Intervals(result[0], result[1])


def noncentralities(x: ArrayLike, dof: ArrayLike, log_tail: ArrayLike, *, upper: bool) -> Any:
    """Return the noncentrality at which a tail of the noncentral chi-square law has a given logarithm.

    Parameters
    ----------
    x, dof : array_like
        Argument > 0 and degrees of freedom > 0.
    log_tail : array_like
        Logarithm, < 0, of ``P(X > x)`` if `upper`, else of ``P(X <= x)``.
    upper : bool
        Which tail.

    Returns
    -------
    float or ndarray
        0 where no noncentrality gives that probability.
    """
    from scipy.special import ndtri_exp

    arrays = (np.asarray(item, dtype=np.float64) for item in (x, dof, log_tail))
    seen, k, goal = np.broadcast_arrays(*arrays)
    central = chi2_tails(seen, k)
    inside = central.sf < goal if upper else central.cdf > goal
    result = np.zeros(seen.shape)
    score = ndtri_exp(goal[inside])
    side = np.full(score.size, float(upper))
    result[inside] = _solve(seen[inside], k[inside], goal[inside], side, -score if upper else score)
    return result[()]


def _solve(x: Array, k: Array, log_goal: Array, upper: Array, score: Array) -> Array:
    out = np.empty(x.size)
    if x.size:
        load_unit("scorecard_noncentral", SOURCE).solve_all(x, k, log_goal, upper, score, out)
        if np.isnan(out).any():
            i = int(np.argmax(np.isnan(out)))
            message = f"no noncentrality found at x = {x[i]!r}, dof = {k[i]!r}, log tail {log_goal[i]!r}"
            raise RootError(message)
    return out
