"""Replicates of the random search for pairs of laws below a bound, and of the coverage of bootstrap intervals."""

from __future__ import annotations

from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, log
from asymptopia.verify.device.exponential import exponential_pair
from asymptopia.verify.device.primitives import sqrt
from asymptopia.verify.device.stream import Stream, uniform_pair

SLACK = 1e-12
POINTS = 4


def log_ratio(p: float, q: float) -> float:
    """Return ``p log(p/q)``, 0 at p = 0."""
    return p * log(p / q) if p > 0.0 else 0.0


def binary(p: float, q: float) -> float:
    """Return the divergence of two laws on two points."""
    return log_ratio(p, q) + log_ratio(1.0 - p, 1.0 - q)


def random_pair(stream: Stream, j: int, prior: float, error: float) -> tuple[float, float]:
    """Return the divergence of a random pair of laws on four points, and its Bayes error: as asked for, up to rounding.

    The laws times their priors are a common part, the error, and what each has alone: the first law at the first point,
    the second one at the second, and either of them at the others. Half of the common parts are drawn more unequal.
    """
    commons = ones = others = total = overlap = 0.0
    # the same draws twice: sums first, then shares of them
    for part in range(2):
        for i in range(POINTS):
            common, alone, _j = exponential_pair(stream, j + i)
            power, side, _j = uniform_pair(stream, j + POINTS + i)
            common = common * common if power < 0.5 else common
            mine = i == 0 or (i > 1 and side < 0.5)
            if part == 0:
                commons += common
                ones += alone if mine else 0.0
                others += 0.0 if mine else alone
            else:
                shared = error * common / commons
                first = shared + (prior - error) * alone / ones if mine else shared
                second = shared if mine else shared + (1.0 - prior - error) * alone / others
                total += log_ratio(first / prior, second / (1.0 - prior))
                overlap += min(first, second)
    return total, overlap


def search_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float, float, float]:
    """Return whether the divergence of a random pair falls below bounds, and whether the best pair attains them.

    The pair has the prior and the Bayes error of the case. Half of the pairs are on four points, the others on two,
    near the best pair. The bounds are the claimed one, and two changed ones; the latter two statistics are those of
    the claimed one and the first changed one. params: prior of the first law, Bayes error, share of the error at the
    first point of the best pair, largest distance from it in log odds, the bound, two changed bounds.
    """
    prior = params[0]
    error = params[1]
    best = params[2]
    choice, spread, j = uniform_pair(stream, 0)
    divergence = 0.0
    if choice < 0.5:
        divergence, _error = random_pair(stream, j, prior, error)
    else:
        odds = best / (1.0 - best) * exp(params[3] * (2.0 * spread - 1.0))
        share = odds / (1.0 + odds)
        divergence = binary((prior - error + error * share) / prior, error * share / (1.0 - prior))
    least = binary((prior - error + error * best) / prior, error * best / (1.0 - prior))
    return (
        1.0 if divergence < params[4] - SLACK else 0.0,
        1.0 if divergence < params[5] - SLACK else 0.0,
        1.0 if divergence < params[6] - SLACK else 0.0,
        1.0 if abs(least - params[4]) <= SLACK else 0.0,
        1.0 if abs(least - params[5]) <= SLACK else 0.0,
    )


def second_of_counts(n: float, ones: float, twos: float) -> tuple[float, float]:
    """Return the estimated second and first coefficient of the Poisson model's risk, from counts 0, 1 and 2."""
    mean = (ones + 2.0 * twos) / n
    a2 = (ones + 4.0 * twos) / n
    a3 = (ones + 8.0 * twos) / n
    variance = (a2 - mean * mean) * n / (n - 1.0)
    third = (a3 - 3.0 * mean * a2 + 2.0 * mean * mean * mean) * n * n / ((n - 1.0) * (n - 2.0))
    ratio = variance / mean
    return (0.75 * ratio * ratio - third / (3.0 * mean)) / mean, 0.5 * ratio


def bootstrap_statistics(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    """Return whether c2 lies within its interval by the bootstrap's standard error, and within two changed ones.

    The changed ones have the standard error of the first coefficient, and that of a half sample. params: n, the
    probability of 1 given that the count is not 2, that of 2, resamples, the normal quantile, c2.
    """
    n = int(params[0])
    resamples = int(params[3])
    ones = twos = 0
    estimate = 0.0
    sum2 = square2 = sum1 = square1 = 0.0
    j = 0
    # first the sample, then resamples of it
    for b in range(1 + resamples):
        x1 = x2 = 0
        # one call site: each is compiled on its own
        for value in range(2):
            p = params[2 - value]
            if b > 0:
                p = ones / max(n - twos, 1) if value == 1 else twos / n
            x1, j = binomial(stream, j, n - x1, p)
            x2 = x1 if value == 0 else x2
        second, first = second_of_counts(1.0 * n, 1.0 * x1, 1.0 * x2)
        if b == 0:
            ones = x1
            twos = x2
            estimate = second
        else:
            # relative to the estimate, so that nothing cancels
            away = second - estimate
            sum2 += away
            square2 += away * away
            sum1 += first
            square1 += first * first
    error2 = sqrt((square2 - sum2 * sum2 / resamples) / (resamples - 1.0))
    error1 = sqrt(max(square1 - sum1 * sum1 / resamples, 0.0) / (resamples - 1.0))
    miss = abs(estimate - params[5])
    return (
        1.0 if miss <= params[4] * error2 else 0.0,
        1.0 if miss <= params[4] * error1 else 0.0,
        1.0 if miss <= 1.4142135623730951 * params[4] * error2 else 0.0,
    )
