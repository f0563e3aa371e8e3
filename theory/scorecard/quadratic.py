r"""Tail probabilities of a quadratic form in normal variables that has a linear part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.roots import find_root
from asymptopia.theory._core.special import log1mexp
from asymptopia.theory.scorecard.laws import LogTails

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
_STEP = 0.06
_BATCH = 256
_BATCHES = 64
_SLOPE = 0.7
_NEGLIGIBLE = 1e-18
_BLOCK = 2**19


def quadratic_tails(x: Array, curvature: Array, slope: Array, gaussian: float) -> LogTails:
    r"""Return the log tails of :math:`\sum_k (b_k \epsilon_k + \lambda_k \epsilon_k^2/2) + \sigma \epsilon_0`.

    Parameters
    ----------
    x : ndarray
        Points.
    curvature, slope : ndarray
        :math:`\lambda_k > 0` and :math:`b_k`.
    gaussian : float
        :math:`\sigma \ge 0`.

    Notes
    -----
    The cumulant function is :math:`K(s) = \sigma^2 s^2/2 + \sum_k [b_k^2 s^2/(2(1 - \lambda_k s)) - \tfrac12
    \log(1 - \lambda_k s)]`. It is inverted by the trapezoid rule on a hyperbola with the curvature of the path of
    steepest descent at the saddle point: unlike the parabola of `inversion.log_tail` it stays within the sector in
    which the normal part decays.
    """
    points = np.asarray(x, dtype=float)
    flat = points.ravel()
    cdf, sf = np.zeros(flat.size), np.full(flat.size, -np.inf)
    if curvature.size == 0 and gaussian == 0:
        cdf[flat < 0], sf[flat < 0] = -np.inf, 0.0
        return LogTails(cdf.reshape(points.shape), sf.reshape(points.shape))
    low = -np.inf if gaussian > 0 else -float((slope**2 / (2 * curvature)).sum())
    below = flat <= low
    cdf[below], sf[below] = -np.inf, 0.0
    inside = np.flatnonzero(~below & (flat < np.inf))
    form = _Form(curvature, slope, gaussian)
    rows = max(1, _BLOCK // (_BATCH * max(curvature.size, 1)))
    for first in range(0, inside.size, rows):
        block = inside[first : first + rows]
        cdf[block], sf[block] = form.tails(flat[block])
    return LogTails(cdf.reshape(points.shape), sf.reshape(points.shape))


class _Form:
    """A quadratic form in units of its standard deviation."""

    def __init__(self, curvature: Array, slope: Array, gaussian: float) -> None:
        self.scale = float(np.sqrt(gaussian**2 + (slope**2).sum() + (curvature**2).sum() / 2))
        self.lam, self.b2 = curvature / self.scale, (slope / self.scale) ** 2
        self.g2 = (gaussian / self.scale) ** 2
        self.top = float(self.lam.max(initial=0.0))

    def exponent(self, s: Complex) -> Complex:
        """Return ``K(s)``; the last axis of the work is that of the terms."""
        side = 1 - s[..., None] * self.lam
        terms = self.b2 * (s * s)[..., None] / side - np.log(side)
        result: Complex = self.g2 * s * s / 2 + terms.sum(axis=-1) / 2
        return result

    def first(self, s: Array) -> Array:
        """Return ``K'(s)``."""
        side = 1 - s[..., None] * self.lam
        away = s[..., None]
        terms = self.b2 * away * (1 + side) / (2 * side**2) + self.lam / (2 * side)
        result: Array = self.g2 * s + terms.sum(axis=-1)
        return result

    def higher(self, s: Array) -> tuple[Array, Array]:
        """Return the second and third derivative of K."""
        side = 1 - s[..., None] * self.lam
        second = self.g2 + (self.b2 / side**3 + self.lam**2 / (2 * side**2)).sum(axis=-1)
        third = (3 * self.b2 * self.lam / side**4 + self.lam**3 / side**3).sum(axis=-1)
        return second, third

    def tails(self, x: Array) -> tuple[Array, Array]:
        """Return the log tails at points inside the support."""
        x = x / self.scale
        saddle = self._saddle(x)
        second, _ = self.higher(saddle)
        upper = saddle * np.sqrt(second) > 1
        # the variance at 0 is 1: the path keeps that far from the pole
        start = np.where(upper, saddle, np.minimum(saddle, -1.0))
        if self.top > 0:
            start = np.where(upper, np.minimum(start, (1 - 1e-12) / self.top), start)
        tail = np.minimum(self._integrate(x, start), 0.0)
        other = log1mexp(tail)
        return np.where(upper, other, tail), np.where(upper, tail, other)

    def _saddle(self, x: Array) -> Array:
        # s = 1/top - 1/v for positive s, s = -w for negative: the derivative is sought on a scale without a pole
        def gap(v: Array, x: Array) -> Array:
            return self.first(self._point(v)) - x

        low, high = np.full(x.shape, -1.0), np.full(x.shape, 1.0)
        while (short := gap(low, x) > 0).any():
            low = np.where(short, 4 * low, low)
        while (short := gap(high, x) < 0).any():
            high = np.where(short, 4 * high, high)
        root: Array = self._point(find_root(gap, low, high, args=(x,), xrtol=1e-9, xatol=1e-12))
        return root

    def _point(self, v: Array) -> Array:
        """Map the real line to the interval on which K is finite, with slope 1 at 0."""
        up = np.maximum(v, 0.0)
        result: Array = np.minimum(v, 0.0) + up / (1 + up * self.top)
        return result

    def _integrate(self, x: Array, start: Array) -> Array:
        second, third = self.higher(start)
        scale = (1.0 / np.sqrt(second))[:, None]
        bend = (third / (6 * second))[:, None] * scale
        head = (self.exponent(start.astype(np.complex128)).real - start * x)[:, None]
        total = np.zeros(x.shape)
        for batch in range(_BATCHES):
            t = (np.arange(batch * _BATCH, (batch + 1) * _BATCH, dtype=np.float64) + 0.5) * _STEP
            real, slope = _hyperbola(t, bend)
            path: Complex = (start[:, None] + scale * (real + 1j * t)).astype(np.complex128)
            bump = (np.exp(self.exponent(path) - path * x[:, None] - head) * (slope + 1j) / path).imag
            total += bump.sum(axis=-1)
            if (np.abs(bump[:, -8:]).max(axis=-1) <= _NEGLIGIBLE * np.abs(total)).all():
                break
        else:
            message = "the inversion of the quadratic form did not settle"
            raise ArithmeticError(message)
        result: Array = head[:, 0] + np.log(np.sign(start) * total * (_STEP / np.pi) * scale[:, 0])
        return result


def _hyperbola(t: Array, bend: Array) -> tuple[Array, Array]:
    """Return the real part and its derivative: ``bend t^2`` near 0, with the slope `_SLOPE` far out."""
    # far out c = _SLOPE: real = (c^2 / (2 bend)) (sqrt(1 + (2 bend t / c)^2) - 1)
    ratio = 2 * bend * t / _SLOPE
    root = np.sqrt(1 + ratio * ratio)
    return 2 * bend * t * t / (1 + root), 2 * bend * t / root
