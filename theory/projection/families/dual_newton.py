"""The natural parameter of a mean, for families with finitely many states: damped Newton with a certificate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from asymptopia.theory._core.validation import Array
from asymptopia.theory.projection.errors import MLEDoesNotExistError, combination
from asymptopia.theory.projection.families.hull import HullPosition

DAMPED = 0.3
"""Root of the decrement above which a step is shortened to 1 / (1 + root)."""
CERTAIN = 0.5
"""Reach of a step below which the mean is a mixture of all states with positive weights."""

_ENOUGH = 1e-9
_ROUNDING = 4.0 * float(np.finfo(float).eps)
_ASKED = 10
_STEPS = 500
_HALVINGS = 60


class Moments(NamedTuple):
    """Log-partition function, mean (p,) and covariance (p, p) of the statistic."""

    log_partition: float
    mean: Array
    cov: Array


def solve_mean(
    target: Array,
    moments: Callable[[Array], Moments],
    scores: Callable[[Array], Array],
    position: Callable[[], HullPosition],
    name: str,
    spread: float,
    labels: Callable[[], Sequence[str]] | None = None,
) -> Array:
    r"""Return theta at which the mean of the statistic is `target`.

    Parameters
    ----------
    target : ndarray, shape (p,)
    moments : callable
        Of theta.
    scores : callable
        ``scores(u)`` is ``u @ statistic`` of every state, (N,).
    position : callable
        Where the target lies with respect to the hull of the statistic; asked only where the iteration leaves it open.
    name : str
        Of the family, for the error.
    spread : float
        Largest squared distance of a state's statistic to the mean, or a bound: with it the rounding of the target
        tells how far the certificate is to be trusted.
    labels : callable, optional
        Names of the components of the statistic, for the error.

    Raises
    ------
    MLEDoesNotExistError
        If the target is not in the relative interior of the hull.
    RuntimeError
        If rounding decides: the target lies within about 1e-12 of the boundary.

    Notes
    -----
    With the Newton step :math:`s = G^{-1}(\bar\xi - \eta)` the weights
    :math:`P_a (1 + s\cdot(\xi_a - \eta))` sum to 1 and have the mean :math:`\bar\xi`. Where
    :math:`\max_a |s\cdot(\xi_a - \eta)| < 1` they are all positive, so that the target is in the relative interior and
    the estimate exists. On the boundary no iterate satisfies this, whatever the decrement: existence is proved, not
    inferred from the number of iterations. Nonexistence is proved by the supporting hyperplane of a linear program.
    """
    theta = np.zeros_like(target)
    if target.size == 0:
        return theta
    now = moments(theta)
    certain, reach = False, np.inf
    for count in range(_STEPS):
        step = _step(now.cov, target - now.mean)
        if step is None:
            break
        before, reach = reach, float(np.abs(scores(step) - step @ now.mean).max())
        certain = certain or reach < CERTAIN
        # a Newton step squares the error; where rare states hold it back, rounding is reached when it stops shrinking
        if reach <= _ENOUGH or (certain and reach < 1e-3 and reach > 0.25 * before):
            # what rounding of the target makes of the reach, at most
            if _ROUNDING * spread > CERTAIN * float(np.linalg.eigvalsh(now.cov)[0]):
                certain = False
                break
            result: Array = theta + step
            return result
        if count == _ASKED and not certain:
            _refuse(position(), name, labels)
        root = max(float((target - now.mean) @ step), 0.0) ** 0.5
        length = 1.0 if root <= DAMPED else 1.0 / (1.0 + root)
        theta, now = _climb(theta, step, length, target, now, moments)
    if not certain:
        _refuse(position(), name, labels)
    message = (
        f"the mean of {name} is so near the boundary of the hull of the statistic that rounding "
        "decides whether the estimate exists; merge or drop rare states"
    )
    raise RuntimeError(message)


def _climb(
    theta: Array, step: Array, length: float, target: Array, now: Moments, moments: Callable[[Array], Moments]
) -> tuple[Array, Moments]:
    """Return the end of the step and its moments, the step halved while the likelihood falls by more than rounding."""
    old = theta @ target - now.log_partition
    allowance = 1e-13 * (abs(theta @ target) + abs(now.log_partition) + 1.0)
    for _ in range(_HALVINGS):
        there = theta + length * step
        found = moments(there)
        if there @ target - found.log_partition >= old - allowance:
            break
        length *= 0.5
    return there, found


def _step(cov: Array, gap: Array) -> Array | None:
    """Return ``cov^-1 gap``, None where the covariance is singular."""
    from scipy.linalg import lapack

    scale = np.sqrt(np.maximum(np.diag(cov), 0.0))
    if not (scale > 0.0).all():
        return None
    factor, failed = lapack.dpotrf(cov / scale / scale[:, None], lower=1)
    if failed:
        return None
    result: Array = lapack.dpotrs(factor, gap / scale, lower=1)[0] / scale
    return result if np.isfinite(result).all() else None


def _refuse(found: HullPosition, name: str, labels: Callable[[], Sequence[str]] | None) -> None:
    """Raise the error of a mean that is not in the relative interior."""
    if found.interior or found.direction is None:
        return
    where = "is outside the convex hull" if found.touching == 0 else "is not in the interior of the convex hull"
    ties = f", {found.touching} have the same" if found.touching else ""
    message = (
        f"the mean of {name} {where} of the statistic, so that no maximum likelihood estimate exists: no state has a "
        f"larger value of u = {combination(found.direction, None if labels is None else labels())} than the mean "
        f"has{ties}, and the likelihood grows for ever along u; merge or drop empty cells, or collect more data"
    )
    raise MLEDoesNotExistError(message)
