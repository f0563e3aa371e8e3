"""The largest of N independent uniforms, one after the other from the top, for any N up to exp(1e300) and beyond.

N is given by its logarithm and need not be an integer. Near 1 a double has no digits left for U itself: every function
returns the pair ``(log U, N (1 - U))``, whose second part, the scaled gap, has the size of 1 whatever N, and all its
digits. The logarithm of 1 - U is that of the scaled gap less log N.
"""

from __future__ import annotations

from asymptopia.verify.device.elementary import INF, exp, expm1
from asymptopia.verify.device.exponential import exponential
from asymptopia.verify.device.stream import Stream


def uniform_maximum(stream: Stream, j: int, log_n: float) -> tuple[float, float, int]:
    """Return ``(log U, N (1 - U), j + 1)`` for U = U_(N), the largest of N = exp(log_n) uniforms.

    Parameters
    ----------
    stream : tuple
        The stream.
    j : int
        Next unused block.
    log_n : float
        Logarithm of N, any real number; inf gives the limit, where the gap is a standard exponential.

    Notes
    -----
    With E a standard exponential, log U = -E / N and N (1 - U) = E (1 - exp(-E / N)) / (E / N). Beyond log_n = 708,
    log U loses its digits to underflow and ends at -0; the gap keeps all.
    """
    e, j = exponential(stream, j)
    x = e * exp(-log_n)
    return -x, e * exponential_mean(x), j


def next_order_statistic(
    stream: Stream, j: int, log_u: float, gap: float, log_n: float, log_k: float
) -> tuple[float, float, int]:
    """Return ``(log U_(k-1), N (1 - U_(k-1)), j + 1)`` given the same pair of U_(k), the k-th smallest.

    Parameters
    ----------
    stream : tuple
        The stream.
    j : int
        Next unused block.
    log_u, gap : float
        Logarithm and scaled gap of U_(k), as `uniform_maximum` and this function return them.
    log_n : float
        Logarithm of N, the same in all calls.
    log_k : float
        Logarithm of the rank of U_(k): log N after `uniform_maximum`, then log(N - 1), and so on. At 0 and below no
        value is left: the result is that of U = 0.

    Notes
    -----
    Given U_(k), the ratio U_(k-1) / U_(k) is the largest of k - 1 uniforms: log U_(k-1) = log U_(k) - E / (k - 1), and
    the gap grows by U_(k) N (1 - exp(-E / (k - 1))): every term is positive, and nothing cancels.
    """
    e, j = exponential(stream, j)
    # (k - 1) / k, and 1 once k - 1 rounds to k
    share = -expm1(-log_k)
    left = share > 0.0
    share = share if left else 1.0
    x = e * exp(-log_k) / share
    step = exp(log_u) * (e * exp(log_n - log_k) / share) * exponential_mean(x)
    return log_u - x if left else -INF, gap + step if left else exp(log_n), j


def exponential_mean(x: float) -> float:
    """Return ``(1 - exp(-x)) / x`` for x >= 0, the mean of exp(-y) over 0 < y < x: 1 at 0."""
    y = 1.0 if x == 0.0 else x
    return 1.0 if x == 0.0 else -expm1(-y) / y
