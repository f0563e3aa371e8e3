"""The Dirichlet parameters of given mean logarithms."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory._core.validation import fail
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families.log_shares import axes, mean

Array = NDArray[np.float64]

_EPS = float(np.finfo(float).eps)
_BISECTIONS = 12
_INNER = 6
_LIMIT = 200
SMALLEST, LARGEST = 1e-75, 1e75
"""Parameters between them have fourth cumulants that are floats."""


def solve(target: Array, name: str) -> Array:
    r"""Return alpha with the mean logarithms `target`.

    Notes
    -----
    With :math:`\alpha_i = \psi^{-1}(g_i + \psi(A))` the sum A of alpha is one unknown, found roughly by bisection in
    log A. Newton steps in log alpha, with a matrix that is diagonal plus rank one, take the other digits.
    """
    top = int(np.argmax(target))
    rest = np.delete(target, top)
    # the sum of the exponentials less 1, in two parts that do not cancel unless it is 0
    parts = float(np.expm1(target[top])), float(np.exp(rest).sum())
    # rounding of a mean t is about |t| units, which its exponential multiplies
    rounding = 8 * _EPS * float(np.abs(target[top]) * np.exp(target[top]) + np.exp(rest) @ (1.0 + np.abs(rest)))
    if not parts[0] + parts[1] < -rounding or parts[0] == 0:
        message = (
            f"mean_stat is {np.array2string(target, precision=6, threshold=6)}; {name} has a maximum likelihood "
            "estimate only where the exponentials of the mean logarithms sum to less than 1, by more than rounding: "
            "two distinct observations at least"
        )
        raise MLEDoesNotExistError(message)
    short = -(float(target[top]) + math.log1p(float(np.exp(rest - target[top]).sum())))
    alpha = _start(target, max(short, 1e-300))
    if not ((alpha >= SMALLEST) & (alpha <= LARGEST)).all():
        worst = float(alpha.max() if alpha.max() > LARGEST else alpha.min())
        raise fail(f"the parameter of {name} at mean_stat", worst, f"one from {SMALLEST:g} to {LARGEST:g}")
    best, least = alpha, math.inf
    for _ in range(_LIMIT):
        step = _newton(alpha, target)
        size = float(np.abs(step).max())
        if size < least:
            best, least = alpha * np.exp(step), size
        elif least < 1e-5:
            return best
        alpha = alpha * np.exp(np.clip(step, -1.0, 1.0))
        if size <= 2 * _EPS:
            return alpha
    return best


def _start(target: Array, short: float) -> Array:
    """Return alpha by bisection in the logarithm of its sum."""
    middle = math.log((target.size - 1) / (2 * short))
    low, high = middle - 2.0, middle + 2.0
    while _surplus(low, target)[0] < 0 and low > -700:
        low -= 4.0
    while _surplus(high, target)[0] > 0 and high < 700:
        high += 4.0
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _surplus(middle, target)[0] > 0 else (low, middle)
    return _surplus(0.5 * (low + high), target)[1]


def _surplus(log_total: float, target: Array) -> tuple[float, Array]:
    """Return how far the sum of the alphas exceeds A, relative to A, and the alphas."""
    from scipy.special import digamma

    total = math.exp(log_total)
    alpha = _inverse_digamma(target + float(digamma(total)))
    return float(alpha.sum()) / total - 1, alpha


def _inverse_digamma(value: Array) -> Array:
    """Return a with digamma(a) = value to some digits, by Newton steps in log a."""
    from scipy.special import digamma, zeta

    a = np.where(value > -2.22, np.exp(np.minimum(value, 700.0)) + 0.5, -1 / np.minimum(value + 0.5772, -0.5))
    for _ in range(_INNER):
        a = a * np.exp(np.clip((value - digamma(a)) / (a * zeta(2.0, a)), -2.0, 2.0))
    result: Array = a
    return result


def _newton(alpha: Array, target: Array) -> Array:
    """Return the Newton step of log alpha, by the whitening that does not cancel."""
    on = axes(alpha)
    gap = on.q * (target - mean(alpha))
    step: Array = on.q * (gap + on.unit * ((on.stretch**2 - 1) * float(on.unit @ gap))) / alpha
    return step
