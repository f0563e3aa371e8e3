"""E-values: evidence against a theory that may be averaged over checks and screened over sweeps."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import fail, integer, numeric, probability, real
from asymptopia.verify.engine.sequential import Interval, mixture_variance


def log_e_value(mean: float, sd: float, n: int, theory: float, delta: float, *, alpha: float, n_star: float) -> float:
    r"""Return the logarithm of the e-value against "the mean lies within ``theory +- delta``".

    Parameters
    ----------
    mean, sd, n : float, float, int
        Mean, standard deviation and number of the replicates.
    theory, delta : float
        The claim and its tolerance.
    alpha, n_star : float
        What the mixture is tuned for, as in `asymptotic_interval`.

    Notes
    -----
    The normal-mixture martingale
    :math:`(n r^2 + 1)^{-1/2} \exp\{n^2 r^2 (\bar x - \theta)^2 / (2 s^2 (n r^2 + 1))\}` at the value of the band
    nearest to the mean, which is its smallest. Under the claim its expectation is at most 1 at
    every look, asymptotically; above ``log(1 / alpha)`` the confidence sequence has left the band.
    """
    n, rho2 = integer("n", n, 1), mixture_variance(alpha, n_star)
    distance = max(0.0, abs(mean - theory) - delta)
    growth = n * rho2 + 1.0
    return (n * distance / sd) ** 2 * rho2 / (2.0 * growth) - 0.5 * math.log(growth)


def log_e_value_of_proportion(successes: int, n: int, theory: float, delta: float) -> float:
    """Return the logarithm of the e-value against "the proportion lies within ``theory +- delta``", exact at every n.

    Notes
    -----
    The beta(1/2, 1/2) mixture of `beta_binomial_interval` at the value of the band nearest to the observed share.
    """
    from scipy.special import betaln, xlog1py, xlogy

    share = successes / n
    nearest = min(max(share, theory - delta), theory + delta, 1.0)
    mixture = betaln(successes + 0.5, n - successes + 0.5) - betaln(0.5, 0.5)
    return float(mixture - xlogy(successes, nearest) - xlog1py(n - successes, -nearest))


def average_e_value(log_e_values: ArrayLike) -> float:
    """Return the logarithm of the arithmetic mean of e-values, an e-value under any dependence."""
    logs = numeric("log_e_values", log_e_values, min_ndim=1)
    top = float(logs.max())
    return top + math.log(float(np.exp(logs - top).mean()))


def e_benjamini_hochberg(log_e_values: ArrayLike, *, alpha: float) -> NDArray[np.bool_]:
    """Return which claims to reject so that the false discovery rate is at most alpha, under any dependence.

    Parameters
    ----------
    log_e_values : array_like, shape (m,)
        Logarithms of the e-values.
    alpha : float
        Rate in (0, 1).

    Notes
    -----
    Rejects the k largest with k the largest number such that ``k e_(k) / m >= 1 / alpha``.

    References
    ----------
    R. Wang and A. Ramdas, "False discovery rate control with e-values", J. R. Stat. Soc. B 84 (2022).

    Examples
    --------
    >>> import numpy as np
    >>> e_benjamini_hochberg(np.log([100, 45, 30, 15, 9, 3, 1, 0.2]), alpha=0.1).tolist()
    [True, True, True, False, False, False, False, False]
    """
    logs = numeric("log_e_values", log_e_values, min_ndim=1)
    order = np.argsort(-logs, kind="stable")
    ranks = np.arange(1, logs.size + 1)
    enough = logs[order] + np.log(ranks / logs.size) >= -math.log(probability("alpha", alpha)) - 1e-12
    rejected = np.zeros(logs.size, dtype=bool)
    if enough.any():
        rejected[order[: int(np.flatnonzero(enough)[-1]) + 1]] = True
    return rejected


def empirical_bernstein_interval(values: Sequence[float], low: float, high: float, *, alpha: float) -> Interval:
    r"""Return the predictable plug-in empirical Bernstein confidence sequence of a bounded mean, at its last value.

    Parameters
    ----------
    values : sequence of float
        Observations in the order in which they were drawn (replicates or means of blocks), within [low, high].
    low, high : float
        Their bounds.
    alpha : float
        Probability that the sequence ever misses the mean, in (0, 1).

    Raises
    ------
    ValueError
        If a value lies outside the bounds.

    Notes
    -----
    Valid at every size, without a limit theorem; 1.3 to 1.6 times as wide as `asymptotic_interval` at 10**5 values.
    It depends on the order, so it must never be fed in the order in which threads finish.

    References
    ----------
    I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", J. R. Stat. Soc. B 86
    (2024), theorem 2.
    """
    x = numeric("values", values, min_ndim=1)
    low, high = real("low", low), real("high", high)
    alpha = probability("alpha", alpha)
    if not (x.min() >= low and x.max() <= high and low < high):
        raise fail("values", [float(x.min()), float(x.max())], f"numbers in [{low:g}, {high:g}]")
    x = (x - low) / (high - low)
    t = np.arange(1, x.size + 1)
    means = (0.5 + np.cumsum(x)) / (t + 1)
    before = np.concatenate([[0.5], means[:-1]])
    variances = (0.25 + np.cumsum((x - means) ** 2)) / (t + 1)
    variance_before = np.concatenate([[0.25], variances[:-1]])
    bets = np.minimum(np.sqrt(2 * math.log(2 / alpha) / (variance_before * t * np.log1p(t))), 0.75)
    psi = (-np.log1p(-bets) - bets) / 4
    weight = float(bets.sum())
    centre = float(bets @ x) / weight
    half = (math.log(2 / alpha) + float((4 * (x - before) ** 2) @ psi)) / weight
    width = high - low
    return low + width * max(0.0, centre - half), low + width * min(1.0, centre + half)
