"""The natural parameter of a mean where moments are sampled: damped Newton down to the noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from asymptopia.theory._core.validation import Array

DAMPED = 0.8
"""Decrement up to which a step is taken whole."""
ILL = 1e12
"""Condition number of the statistic's correlations from which a step is refused."""

_GROWN = 1e3
_CONVERGED = 20.0


class SampledMoments(NamedTuple):
    """Moments of the statistic over draws."""

    mean: Array
    cov: Array
    blocks: Array
    """Means of consecutive blocks of equal size less the whole mean, (b, p): their spread is that of the mean."""


class Step(NamedTuple):
    """One step, for the diagnostics."""

    draws: int
    decrement: float
    noise: float
    """What noise alone makes of the decrement, p / N_eff."""


class Fitted(NamedTuple):
    """An estimate, up to noise."""

    theta: Array
    decrement: float
    """Mean of ``delta @ G @ delta`` with delta what the noise of the draws makes of theta."""


def solve_noisy(
    target: Array,
    moments: Callable[[Array, int, tuple[int, ...]], SampledMoments],
    schedule: Sequence[tuple[int, int]],
    name: str,
) -> Fitted:
    """Return theta at which the mean of the statistic is `target`, up to noise.

    Parameters
    ----------
    target : ndarray, shape (p,)
    moments : callable
        ``moments(theta, draws, stream)``; each stream is another set of random numbers.
    schedule : sequence of (int, int)
        Draws a step and number of steps of each stage.
    name : str
        Of the family, for the error.

    Raises
    ------
    RuntimeError
        If the decrement grows, is still far above the noise in the end, or the covariance is ill-conditioned.

    Notes
    -----
    A whole step ends at theta up to the noise of its own draws, whatever theta it starts from: the ends of the last
    stage are independent, and their mean has the noise of one divided by their number.
    """
    theta = np.zeros_like(target)
    history: list[Step] = []
    kept: list[Array] = []
    noises: list[float] = []
    for stage, (draws, steps) in enumerate(schedule):
        last = stage == len(schedule) - 1
        for count in range(steps):
            found = moments(theta, draws, (1, stage, count))
            step, noise = _step(found, target, name, history)
            decrement = float((target - found.mean) @ step)
            history.append(Step(draws, decrement, noise))
            _check_growth(history, name)
            theta = theta + min(1.0, (DAMPED / decrement) ** 0.5 if decrement > 0.0 else 1.0) * step
            if last and decrement <= _CONVERGED * noise:
                kept.append(theta)
                noises.append(noise)
            if not last and decrement < 2.0 * noise:
                break
    if not kept:
        raise _diverged(name, "the decrement is still far above the noise after the last step", history)
    return Fitted(np.asarray(np.mean(kept, axis=0)), float(np.mean(noises)) / len(noises))


def _step(found: SampledMoments, target: Array, name: str, history: Sequence[Step]) -> tuple[Array, float]:
    """Return the Newton step and the decrement that noise alone makes."""
    scale = np.sqrt(np.diag(found.cov))
    if not (np.isfinite(found.cov).all() and np.isfinite(found.mean).all() and (scale > 0.0).all()):
        flat = np.flatnonzero(~(scale > 0.0)).tolist()
        raise _diverged(name, f"the draws of statistics {flat} do not vary or are not finite", history)
    values, vectors = np.linalg.eigh(found.cov / scale / scale[:, None])
    if not values[0] * ILL > values[-1]:
        condition = values[-1] / max(values[0], np.finfo(float).tiny)
        raise _diverged(name, f"the covariance of the statistic has condition number {condition:.1g}", history)
    root = vectors / np.sqrt(values) / scale[:, None]
    turned = found.blocks @ root
    count = turned.shape[0]
    noise = float(np.vdot(turned, turned)) / (count * max(count - 1, 1))
    return root @ (root.T @ (target - found.mean)), noise


def _check_growth(history: Sequence[Step], name: str) -> None:
    now = history[-1]
    best = min(step.decrement for step in history)
    if not now.decrement <= max(_GROWN * best, _GROWN * now.noise, history[0].decrement * 10.0):
        raise _diverged(name, f"the decrement grew from {best:.3g} to {now.decrement:.3g}", history)


def _diverged(name: str, what: str, history: Sequence[Step]) -> RuntimeError:
    told = "; ".join(f"{step.draws} draws: {step.decrement:.2g} (noise {step.noise:.1g})" for step in history[-8:])
    message = (
        f"the fit of {name} was given up: {what}. Either the mean lies at or beyond the boundary of the statistic's "
        "range (look for corrupt values and statistics that are nearly constant), or the sampler does not mix (draw "
        f"more, or thin). Decrements: {told or 'none'}"
    )
    return RuntimeError(message)
