"""Anytime-valid confidence sequences and the verdict they support."""

from __future__ import annotations

import math
import sys
from enum import Enum

from asymptopia.theory._core.validation import fail, integer, probability, real

Interval = tuple[float, float]
EPSILON = sys.float_info.epsilon
TINY = math.ulp(0.0)


class Verdict(Enum):
    """What a confidence sequence says of ``theory`` and its tolerance."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


def decide(interval: Interval, theory: float, delta: float) -> Verdict:
    """Return PASS if the interval lies inside ``theory +- delta``, FAIL if it lies outside, else INCONCLUSIVE.

    Parameters
    ----------
    interval : tuple of float
        A confidence sequence at any look.
    theory, delta : float
        The claimed value and the tolerance, ``delta > 0``.
    """
    low, high = interval
    if low > theory - delta and high < theory + delta:
        return Verdict.PASS
    if high < theory - delta or low > theory + delta:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE


def decide_at_most(lower: float, upper: float, theory: float, delta: float) -> Verdict:
    """Return the verdict on the claim that the mean is at most ``theory``, with tolerance ``delta``.

    Parameters
    ----------
    lower, upper : float
        One-sided confidence sequences, each at the whole alpha: a wrong PASS rests on the upper one alone, a wrong FAIL
        on the lower one alone.
    theory, delta : float
        The claimed bound and the tolerance, ``delta > 0``.
    """
    if upper < theory + delta:
        return Verdict.PASS
    return Verdict.FAIL if lower > theory + delta else Verdict.INCONCLUSIVE


def validity_start(skewness: float) -> float:
    """Return the number of replicates from which `asymptotic_interval` holds its level in practice.

    Notes
    -----
    ``max(1000, 10 skewness**2)``: with Bernoulli(0.001) replicates the ever-miscoverage at a nominal 5 % is 99 % from
    30 replicates on, 39 % from ``skewness**2`` and 5 % from ten times that.
    """
    return max(1000.0, 10.0 * skewness * skewness)


def asymptotic_interval(mean: float, sd: float, n: int, *, alpha: float, n_star: float) -> Interval:
    r"""Return the asymptotic confidence sequence of a mean at its n-th replicate (Robbins' normal mixture).

    Parameters
    ----------
    mean, sd : float
        Mean and standard deviation of the first `n` replicates.
    n : int
        Replicates so far, at least `validity_start`.
    alpha : float
        Probability that the sequence ever misses the true mean, in (0, 1).
    n_star : float
        Number of replicates at which the sequence is to be tightest; fixed before the run.

    Notes
    -----
    Half-width :math:`s_n \sqrt{2 (n r^2 + 1) / (n r)^2 \cdot \log(\sqrt{n r^2 + 1} / \alpha)}` with
    :math:`r^2 = (-2 \log \alpha + \log(-2 \log \alpha) + 1) / n_*` ([1]_, equations 5 and 49).

    References
    ----------
    .. [1] Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Time-uniform central limit theory and asymptotic
       confidence sequences, Annals of Statistics 52.
    """
    n, rho2 = integer("n", n, 1), mixture_variance(alpha, n_star)
    growth = n * rho2 + 1.0
    half = sd * math.sqrt(2.0 * growth / (n * n * rho2) * (0.5 * math.log(growth) - math.log(alpha)))
    return mean - half, mean + half


def asymptotic_bound(sd: float, n: int, *, alpha: float, n_star: float) -> float:
    r"""Return the distance of a one-sided asymptotic confidence bound from the mean.

    Parameters
    ----------
    sd, n, alpha, n_star
        As in `asymptotic_interval`; the probability that ``mean - bound`` ever exceeds the true mean is at most alpha,
        and likewise for ``mean + bound``.

    Notes
    -----
    :math:`s_n \sqrt{2 (n r^2 + 1) / (n r)^2 \cdot \log(1 + \sqrt{n r^2 + 1} / (2 \alpha))}`: the half-normal mixture
    :math:`2 g^{-1/2} e^{x^2/2} \Phi(x)` with :math:`g = n r^2 + 1` reaches :math:`1/\alpha` there, because
    :math:`1 - \Phi(x) \le e^{-x^2/2}/2`.
    """
    n, rho2 = integer("n", n, 1), mixture_variance(2.0 * min(alpha, 0.25), n_star)
    growth = n * rho2 + 1.0
    return sd * math.sqrt(2.0 * growth / (n * n * rho2) * math.log1p(math.sqrt(growth) / (2.0 * alpha)))


def mixture_variance(alpha: float, n_star: float) -> float:
    """Return the variance of the normal mixture that makes the sequence tightest at `n_star` replicates.

    It only tunes: the sequence holds its level for any. The formula has no value for alpha near 1; there that at 1/2
    serves.
    """
    doubled = -2.0 * math.log(min(probability("alpha", alpha), 0.5))
    return (doubled + math.log(doubled) + 1.0) / real("n_star", n_star, 0.0, closed="neither")


def beta_binomial_interval(successes: int, n: int, *, alpha: float) -> Interval:
    r"""Return the confidence sequence of a proportion, exact at every n (beta(1/2, 1/2) mixture).

    Parameters
    ----------
    successes, n : int
        Successes among the first `n` replicates.
    alpha : float
        Probability that the sequence ever misses the true proportion, in (0, 1).

    Notes
    -----
    All p with :math:`\log B(S + 1/2, n - S + 1/2) - \log B(1/2, 1/2) - S \log p - (n - S) \log(1 - p) <
    \log(1/\alpha)`: the martingale of the mixture stays below :math:`1/\alpha` (Ville's inequality).

    Examples
    --------
    >>> low, high = beta_binomial_interval(50, 1000, alpha=0.001)
    >>> round(low, 12), round(high, 12)
    (0.02442090324, 0.088154366057)
    """
    from scipy.optimize import brentq
    from scipy.special import betaln

    n = integer("n", n, 1)
    successes = integer("successes", successes, 0)
    failures = n - successes
    if failures < 0:
        raise fail("successes", successes, f"at most n = {n}")
    bound = float(betaln(successes + 0.5, failures + 0.5) - betaln(0.5, 0.5)) + math.log(probability("alpha", alpha))

    def lower_end(hits: int, misses: int) -> float:
        def excess(p: float) -> float:
            return bound - hits * math.log(p) - misses * math.log1p(-p)

        # an end below the smallest number is rounded away from the centre
        if not hits or excess(TINY) <= 0.0:
            return 0.0
        if not misses:
            return math.exp(bound / hits)
        return float(brentq(excess, TINY, hits / n, xtol=TINY, rtol=4.0 * EPSILON, maxiter=2000))

    return lower_end(successes, failures), 1.0 - lower_end(failures, successes)
