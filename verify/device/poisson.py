"""Poisson draws, and draws of any discrete law out of a table."""

from __future__ import annotations

from asymptopia.verify.device.binomial import INVERSION_LIMIT, stirling_error
from asymptopia.verify.device.elementary import TWO52_BIASED, TWO_PI, exp, log_core
from asymptopia.verify.device.gamma_function import stirling
from asymptopia.verify.device.log_rest import log1p_rest
from asymptopia.verify.device.primitives import float_bits, sqrt
from asymptopia.verify.device.stream import Stream, uniform, uniform_pair, words, words_to_uniform

MU_LIMIT = 1e15
# adding and subtracting it rounds what is below it to an integer
TWO52 = 4503599627370496.0
# counts from it on have a chance below 1e-120
FAR_COUNT = 16.0
# The constants as published let probabilities exceed the hat by up to 0.58 % (mean 14, count 21) and the squeeze exceed
# a probability by up to 0.6 %: probabilities of single counts come out wrong by up to 4e-5 of themselves. Hat and
# squeeze are moved apart.
HAT_MARGIN = 1.01
SQUEEZE_MARGIN = 0.98
SERIES_START = 10.0


def poisson(stream: Stream, j: int, mu: float) -> tuple[int, int]:
    """Return ``(k, j')`` with k Poisson of mean mu: inversion below 10, else rejection, one block an attempt.

    Parameters
    ----------
    stream : tuple
        The stream.
    j : int
        Next unused block.
    mu : float
        Mean, 0 to 1e15; 0 gives 0 without a block. Outside, k is -1.
    """
    if not (mu >= 0.0 and mu <= MU_LIMIT):
        return -1, j
    if mu == 0.0:
        return 0, j
    if mu < 10.0:
        return poisson_inversion(stream, j, mu)
    return poisson_rejection(stream, j, mu)


def poisson_inversion(stream: Stream, j: int, mu: float) -> tuple[int, int]:
    """Return ``(k, j')`` with k Poisson by adding up probabilities from 0, for 0 < mu < 10."""
    start = exp(-mu)
    while True:
        u, j = uniform(stream, j)
        mass = start
        k = 0
        while u > mass and k < INVERSION_LIMIT:
            u -= mass
            k += 1
            mass *= mu / k
        # rounding may leave a rest of the size of 1e-16 that no count takes up: draw again
        if u <= mass:
            return k, j


def poisson_rejection(stream: Stream, j: int, mu: float) -> tuple[int, int]:
    """Return ``(k, j')`` with k Poisson by the transformed rejection PTRS, its hat mended, for 10 <= mu <= 1e15.

    References
    ----------
    W. Hoermann, "The transformed rejection method for generating Poisson random variables", Insurance: Mathematics and
    Economics 12 (1993).
    """
    while True:
        u, v, j = uniform_pair(stream, j)
        x, level, squeezed = poisson_proposal(u, v, mu)
        if x >= 0.0:
            if squeezed:
                return int(x), j
            error = stirling_error(int(x)) if x < SERIES_START else stirling(x)
            if poisson_accepts(x, mu, level, error):
                return int(x), j


def poisson_attempt(stream: Stream, j: int, mu: float) -> tuple[int, int]:
    """Return ``(k, accepted)``: the k of `poisson` at its first attempt if accepted is 1; 0 if it takes more to know.

    Notes
    -----
    Nothing branches, so that loops over replicates vectorise. What is not accepted has been refused, or is a count
    below 10 whose probability needs a table, or belongs to a mean outside 10 <= mu <= 1e15.
    """
    known = mu >= 10.0 and mu <= MU_LIMIT
    mean = mu if known else 10.0
    u, v, _j = uniform_pair(stream, j)
    x, level, squeezed = poisson_proposal(u, v, mean)
    large = x >= SERIES_START
    safe = x if large else SERIES_START
    hit = large and poisson_accepts(safe, mean, level, stirling(safe))
    return float_bits(x + TWO52) & 0xFFFFFFFFFFFFF, 1 if known and ((squeezed and x >= 0.0) or hit) else 0


def poisson_proposal(u: float, v: float, mu: float) -> tuple[float, float, bool]:
    """Return ``(x, level, squeezed)``: a count, what its probability is compared with, and whether that is not needed.

    x is -1 for what lies outside the counts.
    """
    b = 0.931 + 2.53 * sqrt(mu)
    a = -0.059 + 0.02483 * b
    u -= 0.5
    edge = 0.5 - abs(u)
    y = (2.0 * a / edge + b) * u + (mu + 0.43)
    inside = y >= 0.0 and y < min(FAR_COUNT * mu, TWO52)
    y = y if inside else 0.0
    whole = (y + TWO52) - TWO52
    whole = whole - 1.0 if whole > y else whole
    level = v * (HAT_MARGIN * (1.1239 + 1.1328 / (b - 3.4))) / (a / (edge * edge) + b)
    squeezed = edge >= 0.07 and v <= SQUEEZE_MARGIN * (0.9277 - 3.6224 / (b - 2.0))
    return whole if inside else -1.0, level, squeezed


def poisson_accepts(x: float, mu: float, level: float, error: float) -> bool:
    """Return whether level is at most the probability of the count x, given the error of Stirling's formula for x!.

    Notes
    -----
    With t = x / mu - 1, the logarithm of the probability is -mu ((1 + t) log(1 + t) - t) - log(2 pi x) / 2 - error.
    The first term is written without what cancels in it: its error is of the size of its last digit, whatever mu.
    """
    distance = x - mu
    t = distance / mu
    deviance_term = distance * t * (0.5 - t * (0.16666666666666666 - t * 0.3333333333333333)) + x * log1p_rest(t)
    scale = sqrt(TWO_PI * x) if x > 0.0 else 1.0
    return log_core(level * scale, TWO52_BIASED) <= -deviance_term - error


def table_draw(stream: Stream, j: int, params: list[float], offset: int) -> tuple[int, int]:
    """Return ``(k, j + 1)`` with k of the law whose table starts at params[offset]: increasing in its uniform.

    Parameters
    ----------
    stream : tuple
        The stream.
    j : int
        Next unused block.
    params : list of float
        Holds the table that `asymptopia.verify.engine.tables.guide_table` made: the number of buckets, the first
        count, for every bucket the place of its first sum, relative to the table, and the sums of probabilities.
    offset : int
        Where the table starts.
    """
    w0, w1, _w2, _w3 = words(stream, j)
    return table_count(w0, w1, params, offset), j + 1


def table_pair(stream: Stream, j: int, params: list[float], offset: int) -> tuple[int, int, int]:
    """Return ``(k1, k2, j + 1)``, two independent draws out of one block; k1 is that of `table_draw`."""
    w0, w1, w2, w3 = words(stream, j)
    return table_count(w0, w1, params, offset), table_count(w2, w3, params, offset), j + 1


def table_count(high: int, low: int, params: list[float], offset: int) -> int:
    """Return the count at which the sums of the table at params[offset] reach the uniform made of two words."""
    u = words_to_uniform(high, low)
    buckets = int(params[offset])
    place = offset + int(params[offset + 2 + ((high * buckets) >> 32)])
    # the last sum is 1
    while u > params[place]:
        place += 1
    return place - (offset + 2 + buckets) + int(params[offset + 1])
