"""Binomial draws, and multinomial ones cell by cell."""

from __future__ import annotations

from asymptopia.verify.device.elementary import exp, log, log1p
from asymptopia.verify.device.gamma_function import HALF_LOG_TWO_PI, stirling
from asymptopia.verify.device.primitives import sqrt
from asymptopia.verify.device.stream import Stream, uniform, uniform_pair

# beyond it the chance of a larger count is below 1e-80 while the mean is below 10
INVERSION_LIMIT = 120
RECURSION_STEPS = 15
# log(k!) - ((k + 1/2) log(k) - k + log(2 pi) / 2) for 0 < k < 10
STIRLING_ERROR = (
    0.0,
    0.08106146679532726,
    0.0413406959554093,
    0.02767792568499834,
    0.020790672103765093,
    0.016644691189821193,
    0.013876128823070748,
    0.01189670994589177,
    0.010411265261972096,
    0.009255462182712733,
)


def binomial(stream: Stream, j: int, n: int, p: float) -> tuple[int, int]:
    """Return ``(k, j')`` with k binomial(n, p): inversion while n min(p, 1 - p) < 10, else rejection.

    Parameters
    ----------
    stream : tuple
        The stream.
    j : int
        Next unused block.
    n : int
        Trials, 0 to 2**53.
    p : float
        Success probability in [0, 1]. Outside, or for n < 0, k is -1.

    Notes
    -----
    One block an attempt. The acceptance test of BTRS is written with the deviances of both counts, so that nothing of
    the size of n log(n) cancels.

    References
    ----------
    W. Hoermann, "The generation of binomial random variates", J. Statist. Comput. Simul. 46 (1993), algorithm BTRS.
    """
    if n < 0 or not (p >= 0.0 and p <= 1.0):
        return -1, j
    if n == 0 or p == 0.0:
        return 0, j
    flip = p > 0.5
    small = 1.0 - p if flip else p
    if n * small < 10.0:
        k, j = binomial_inversion(stream, j, n, small)
    else:
        k, j = binomial_rejection(stream, j, n, small)
    return n - k if flip else k, j


def binomial_inversion(stream: Stream, j: int, n: int, p: float) -> tuple[int, int]:
    """Return ``(k, j')`` with k binomial(n, p) by adding up probabilities from 0, for p <= 1/2 and n p < 10."""
    odds = p / (1.0 - p)
    start = exp(n * log1p(-p))
    last = min(n, INVERSION_LIMIT)
    while True:
        u, j = uniform(stream, j)
        mass = start
        k = 0
        while u > mass and k < last:
            u -= mass
            mass *= odds * ((n - k) / (k + 1.0))
            k += 1
        # rounding may leave a rest of the size of 1e-16 that no count takes up: draw again
        if u <= mass or n <= INVERSION_LIMIT:
            return k, j


def binomial_rejection(stream: Stream, j: int, n: int, p: float) -> tuple[int, int]:
    """Return ``(k, j')`` with k binomial(n, p) by BTRS, for p <= 1/2 and n p >= 10."""
    mean = n * p
    variance = mean * (1.0 - p)
    sd = sqrt(variance)
    b = 1.15 + 2.53 * sd
    a = -0.0873 + 0.0248 * b + 0.01 * p
    squeeze = 0.92 - 4.2 / b
    while True:
        u, v, j = uniform_pair(stream, j)
        u -= 0.5
        edge = 0.5 - abs(u)
        x = (2.0 * a / edge + b) * u + (mean + 0.5)
        # as a float first: far out it leaves the integers
        if x < 0.0 or x >= n + 1.0:
            continue
        k = int(x)
        if edge >= 0.07 and v <= squeeze:
            return k, j
        v *= (2.83 + 5.1 / b) * sd / (a / (edge * edge) + b)
        if binomial_accepts(k, n, p, mean, variance, v):
            return k, j


def binomial_accepts(k: int, n: int, p: float, mean: float, variance: float, v: float) -> bool:
    """Return whether v is at most the probability of k divided by that of the mode.

    Notes
    -----
    Near the mode by the recursion, farther out by the squeezes of BTPE and, between them, by the probabilities
    themselves: the cheap tests decide nothing that the last one would decide otherwise.

    References
    ----------
    V. Kachitvichyanukul, B. W. Schmeiser, "Binomial random variate generation", Comm. ACM 31 (1988).
    """
    mode = int((n + 1.0) * p)
    if abs(k - mode) <= RECURSION_STEPS:
        odds = p / (1.0 - p)
        top = (n + 1.0) * odds
        low = min(k, mode)
        ratio = 1.0
        for i in range(low + 1, max(k, mode) + 1):
            ratio *= top / i - odds
        return v <= ratio if k > mode else v * ratio <= 1.0
    level = log(v)
    distance = float(abs(k - mode))
    if distance < 0.5 * variance - 1.0:
        normal = -distance * distance / (2.0 * variance)
        slack = ((distance * (distance / 3.0 + 0.625) + 0.16666666666666666) / variance + 0.5) * distance / variance
        if level < normal - slack:
            return True
        if level > normal + slack:
            return False
    return level + binomial_log_mass(mode, n, mean) <= binomial_log_mass(k, n, mean)


def binomial_log_mass(k: int, n: int, mean: float) -> float:
    """Return the logarithm of the binomial probability of k up to a constant of n, by Loader's saddle point."""
    rest = n - k
    return -deviance(k, mean) - deviance(rest, n - mean) - stirling_error(k) - stirling_error(rest)


def deviance(k: int, mean: float) -> float:
    """Return ``k log(k / mean) - (k - mean) + log(2 pi k) / 2`` up to a constant of the mean."""
    if k == 0:
        return mean - HALF_LOG_TWO_PI - 0.5 * log(mean)
    distance = k - mean
    return (k + 0.5) * log1p(distance / mean) - distance


def stirling_error(k: int) -> float:
    """Return ``log(k!) - ((k + 1/2) log(k) - k + log(2 pi) / 2)``, and 0 at 0, where `deviance` is complete."""
    return STIRLING_ERROR[k] if k < 10 else stirling(float(k))


def multinomial_cell(stream: Stream, j: int, left: int, conditional_p: float) -> tuple[int, int]:
    """Return ``(k, j')``, the count of the next cell when `left` trials remain for it and the cells after it.

    Parameters
    ----------
    stream, j
        As in `binomial`.
    left : int
        Trials that no earlier cell took.
    conditional_p : float
        The cell's probability divided by the sum over it and the cells after it; 1 for the last one.
    """
    return binomial(stream, j, left, conditional_p)
