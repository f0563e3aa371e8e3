"""Families on finitely many states: any statistic, exact moments, existence of the estimate decided exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import Array, fail, numeric
from asymptopia.theory.projection.errors import NotMinimalError
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.dual_newton import Moments, solve_mean
from asymptopia.theory.projection.families.hull import HullPosition, locate
from asymptopia.theory.projection.families.protocol import FAR, ExponentialFamily, Support, frozen, sample_size
from asymptopia.theory.projection.stable_risk import log_mean_exp
from asymptopia.theory.projection.whitening import echelon

if TYPE_CHECKING:
    from asymptopia.theory.projection.contractions import Contractions

SUM_TOLERANCE = 1e-9
"""How far probabilities may sum from 1; within it they are divided by their sum."""

_WORDS = "US"
_COLLINEAR = 1e-12
_OUTSIDE = 1e-8
_LARGEST = 2**27


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class FiniteSupport(ExponentialFamily):
    r"""The family :math:`P_a \propto b_a \exp(\theta\cdot\xi_a)` on N states.

    Parameters
    ----------
    statistic : array_like, shape (N, p)
        Statistic :math:`\xi_a` of each state; shape (N,) where p = 1.
    log_base : array_like, shape (N,), optional
        Logarithms of the reference weights :math:`b_a`, finite; 0 where not given.
    states : array_like, shape (N,) or (N, d), optional
        The data value of each state, all different; 0 to N - 1 where not given.

    Raises
    ------
    TypeError, ValueError
        If an entry is not a finite number, shapes do not fit, or two states are the same.
    NotMinimalError
        If a combination of the statistics does not vary; `directions` are those combinations.

    Notes
    -----
    The columns are whitened under equal weights of the states, so that the fit does not depend on their units. Moments
    are sums over the states. The estimate exists if and only if the mean is in the interior of the convex hull of the
    statistics: see `mle`.

    References
    ----------
    .. [1] L. D. Brown, "Fundamentals of Statistical Exponential Families", IMS Lecture Notes 9, 1986, ch. 5.

    Examples
    --------
    The mean and mean square of a die, and the law of largest entropy with mean 4.5:

    >>> die = FiniteSupport(np.arange(1, 7), states=np.arange(1, 7))
    >>> theta = die.mle([4.5])
    >>> np.round(die.probabilities(theta), 4)
    array([0.0544, 0.0788, 0.1142, 0.1654, 0.2398, 0.3475])
    """

    name: ClassVar[str] = "finite support"
    discrete: ClassVar[bool] = True

    _support: Support
    _centre: Array
    _change: Array
    _scores: Array

    def __init__(
        self, statistic: ArrayLike, *, log_base: ArrayLike | None = None, states: ArrayLike | None = None
    ) -> None:
        rows = numeric("statistic", statistic, min_ndim=1)
        rows = rows[:, None] if rows.ndim == 1 else rows
        if rows.ndim != 2 or rows.shape[0] < 1:
            raise fail("statistic.shape", rows.shape, "(N, p), one row a state, at least one state")
        if rows.size > _LARGEST:
            raise fail("statistic.size", rows.size, f"at most 2**27 = {_LARGEST} entries; see SampledFamily")
        count = rows.shape[0]
        base = np.zeros(count) if log_base is None else numeric("log_base", log_base)
        if base.shape != (count,):
            raise fail("log_base.shape", base.shape, f"({count},), one log weight a state")
        values = np.arange(count) if states is None else _values("states", states)
        if values.ndim not in {1, 2} or values.shape[0] != count:
            raise fail("states.shape", values.shape, f"({count},) or ({count}, d), one data value a state")
        if states is not None and np.unique(values, axis=0).shape[0] < count:
            raise fail("states", "an array with a state that occurs twice", "different states")
        self._fill(rows, base, values)

    def _fill(self, rows: Array, base: Array, values: NDArray[Any]) -> None:
        """Set the fields from statistics, log weights and states that are known to fit."""
        centre, change = _whitened(rows)
        scores = (rows - centre) @ change
        for array in (rows, base, values, centre, change, scores):
            array.setflags(write=False)
        object.__setattr__(self, "_support", Support(values, rows, base))
        object.__setattr__(self, "_centre", centre)
        object.__setattr__(self, "_change", change)
        object.__setattr__(self, "_scores", scores)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(N={self._support.log_base.size}, p={self.dim})"

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return int(self._support.statistic.shape[1])

    def support(self) -> Support:
        """Return states, statistics and log weights, read-only."""
        return self._support

    def state_index(self, x: ArrayLike) -> NDArray[np.intp]:
        """Return the number of each data value's state, (n,).

        Raises
        ------
        ValueError
            If a value is not a state, or the shape does not fit.
        """
        states = self._support.states
        values = _values("x", x)
        if (values.dtype.kind in _WORDS) != (states.dtype.kind in _WORDS):
            message = f"x has dtype {values.dtype}; expected states, of dtype {states.dtype}"
            raise TypeError(message)
        if values.ndim == states.ndim - 1:
            # states of one column may be given as numbers, one an observation
            values = values[:, None] if states.shape[1:] == (1,) else values[None]
        if values.ndim == 2 and states.ndim == 1 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim != states.ndim or values.shape[1:] != states.shape[1:]:
            expected = "(n,)" if states.ndim == 1 else f"(n, {states.shape[1]})"
            raise fail("x.shape", np.shape(x), f"{expected}, one state a row")
        found, inverse = np.unique(np.concatenate((states, values)), axis=0, return_inverse=True)
        inverse = inverse.reshape(-1)
        place = np.full(found.shape[0], -1, dtype=np.intp)
        place[inverse[: states.shape[0]]] = np.arange(states.shape[0])
        index: NDArray[np.intp] = place[inverse[states.shape[0] :]]
        if (index < 0).any():
            where = int(np.argmax(index < 0))
            raise fail(f"x[{where}]", values[where].tolist(), f"one of the {states.shape[0]} states")
        return index

    def statistic(self, x: ArrayLike) -> Array:
        """Return the statistic of each data value, (n, p); values are states, or their numbers where none were given.

        Raises
        ------
        ValueError
            If a value is not a state.
        """
        rows: Array = self._support.statistic[self.state_index(x)]
        return rows

    def log_partition(self, theta: ArrayLike) -> float:
        r"""Return :math:`\Psi(\theta) = \log\sum_a b_a e^{\theta\cdot\xi_a}`."""
        return _log_sum(self._support.log_base + self._support.statistic @ self.check_theta(theta))

    def probabilities(self, theta: ArrayLike) -> Array:
        """Return the probability of each state, (N,)."""
        weights, total = _weights(self._support.log_base + self._support.statistic @ self.check_theta(theta))
        return weights / total

    def mean(self, theta: ArrayLike) -> Array:
        """Return the mean of the statistic, (p,)."""
        return self._centre + self.probabilities(theta) @ (self._support.statistic - self._centre)

    def _centred(self, theta: ArrayLike) -> tuple[Array, Array]:
        chances = self.probabilities(theta)
        rows = self._support.statistic - self._centre
        rows -= chances @ rows
        return chances, rows

    def cov(self, theta: ArrayLike) -> Array:
        """Return the covariance of the statistic, (p, p)."""
        chances, rows = self._centred(theta)
        return _gram(rows, chances)

    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulants of the statistic, (p, p, p)."""
        chances, rows = self._centred(theta)
        tensor = np.empty((self.dim,) * 3)
        for i in range(self.dim):
            tensor[i] = _gram(rows, chances * rows[:, i])
        # the slices are symmetric; the rounding of the other pairs of indices is not
        return (tensor + tensor.transpose(1, 2, 0) + tensor.transpose(2, 0, 1)) / 3.0

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants contracted with a symmetric matrix, (p, p)."""
        matrix = self.check_matrix(w)
        chances, rows = self._centred(theta)
        g = _gram(rows, chances)
        form = np.einsum("ai,ai->a", rows @ matrix, rows)
        result: Array = _gram(rows, chances * form) - np.vdot(matrix, g) * g - 2.0 * g @ matrix @ g
        return result

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        """Return the contractions of cumulants, without a tensor of fourth order."""
        from asymptopia.theory.projection.contractions import from_support

        chances = self.probabilities(theta)
        return from_support(self._support.statistic, chances, truth_cov=truth_cov, truth_third=truth_third)

    def mle(self, mean_stat: ArrayLike) -> Array:
        """Return the natural parameter whose mean is `mean_stat`, (p,).

        Raises
        ------
        MLEDoesNotExistError
            If the mean is not in the interior of the convex hull of the statistics; a linear program proves it.
        RuntimeError
            If it lies so near the boundary that rounding decides.

        Notes
        -----
        Damped Newton steps in whitened coordinates until the step reaches rounding; no number of steps decides whether
        the estimate exists.
        """
        target = (self.check_mean(mean_stat) - self._centre) @ self._change
        scores = self._scores
        tau = solve_mean(
            target,
            self._whitened_moments,
            scores.__matmul__,
            lambda: self._position(target),
            self.name,
            4.0 * float(np.einsum("ai,ai->a", scores, scores).max(initial=0.0)),
            self._component_names,
        )
        return frozen(self._change @ tau)

    def _component_names(self) -> Sequence[str]:
        """Return what the components of the statistic are called in an error; empty where they have no names."""
        return ()

    def _whitened_moments(self, tau: Array) -> Moments:
        logs = self._support.log_base + self._scores @ tau
        weights, total = _weights(logs)
        chances = weights / total
        mean = chances @ self._scores
        return Moments(float(logs.max()) + float(np.log(total)), mean, _gram(self._scores - mean, chances))

    def _position(self, target: Array) -> HullPosition:
        scores = self._scores
        found = locate(target, np.zeros_like(target), scores.__getitem__, scores.__matmul__, scores.shape[0])
        if found.direction is None:
            return found
        direction = self._change @ found.direction
        return found._replace(direction=direction / np.abs(direction).max())

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return independent draws: states, (size,) or (size, d)."""
        return np.array(self._support.states[self.draw_states(theta, size, rng)])

    def draw_states(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[np.intp]:
        """Return the numbers of the states drawn, (size,)."""
        return draw(self.probabilities(theta), sample_size(size), rng)

    @named_parameters
    def natural(self, probs: ArrayLike | None = None, *, theta: ArrayLike | None = None) -> Array:
        """Return the natural parameter of probabilities in the family, or `theta` itself, checked.

        Parameters
        ----------
        probs : array_like, shape (N,), optional
            A probability > 0 of each state.
        theta : array_like, shape (p,), optional
            The natural parameter itself; one of the two.

        Raises
        ------
        TypeError
            If none or both are given.
        ValueError
            If the probabilities are not of the family: their projection is what ``truth=probs`` gives.
        """
        if (probs is None) == (theta is None):
            message = "natural takes either probs or theta"
            raise TypeError(message)
        if probs is None:
            assert theta is not None
            return frozen(self.check_theta(theta))
        chances = distribution("probs", np.asarray(probs).reshape(-1), self._scores.shape[0])
        if not (chances > 0.0).all():
            where = int(np.argmin(chances))
            raise fail(f"probs[{where}]", float(chances[where]), "probabilities > 0: this family has no others")
        logs = np.log(chances) - self._support.log_base
        logs -= logs.mean()
        tau = self._scores.T @ logs / logs.size
        gap = float(np.abs(logs - self._scores @ tau).max())
        if gap > _OUTSIDE * (1.0 + float(np.abs(logs).max())):
            message = (
                f"probs are not in the family: their logarithms differ from the nearest theta @ statistic by up to "
                f"{gap:.3g}; give them as truth= (a truth outside the model), or project their mean with mle"
            )
            raise ValueError(message)
        return frozen(self._change @ tau)

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"probs": probabilities}``."""
        return {"probs": self.probabilities(theta)}

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return :math:`KL(\theta^*\|\hat\theta)` in nats.

        Notes
        -----
        :math:`\log E^*[e^z]` with :math:`z = \delta\cdot(\xi - \eta^*)`, whose mean is 0: without the linear terms that
        cancel.
        """
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        chances, rows = self._centred(star)
        return log_mean_exp(rows @ (hat - star), chances)

    def _range(self, theta: Array) -> str | None:
        largest = np.abs(self._support.statistic).max(axis=0, initial=1.0)
        return None if (np.abs(theta) <= FAR / largest).all() else f"theta * statistic of at most {FAR:g}"


def _values(name: str, value: Any) -> NDArray[Any]:
    """Return data values as an array of numbers or of words."""
    array = np.asarray(value)
    return np.array(array if array.dtype.kind in _WORDS else numeric(name, value))


def distribution(name: str, value: ArrayLike, size: int) -> Array:
    """Return probabilities of `size` states, divided by their sum.

    Raises
    ------
    TypeError, ValueError
        If they are not numbers >= 0 of this length that sum to 1 within 1e-9.
    """
    chances = numeric(name, value, min_ndim=1)
    if chances.shape != (size,):
        raise fail(f"{name}.shape", chances.shape, f"({size},), one probability a state")
    if (chances < 0.0).any():
        where = int(np.argmax(chances < 0.0))
        raise fail(f"{name}[{where}]", float(chances[where]), "probabilities >= 0")
    total = float(chances.sum())
    if not abs(total - 1.0) <= SUM_TOLERANCE:
        raise fail(f"{name}.sum()", total, f"1 within {SUM_TOLERANCE:g}: divide weights by their sum first")
    return chances / total


def draw(chances: Array, size: int, rng: RNG) -> NDArray[np.intp]:
    """Return independent indices with the given probabilities, (size,)."""
    edges = np.cumsum(chances)
    found = np.searchsorted(edges, generator(rng).random(size) * edges[-1], side="right")
    result: NDArray[np.intp] = np.minimum(found, np.flatnonzero(chances)[-1])
    return result


def _log_sum(logs: Array) -> float:
    return float(logs.max()) + float(np.log(_weights(logs)[1]))


def _weights(logs: Array) -> tuple[Array, float]:
    weights = np.exp(logs - logs.max())
    return weights, float(weights.sum())


def _gram(rows: Array, weights: Array) -> Array:
    found = (rows * weights[:, None]).T @ rows
    result: Array = 0.5 * (found + found.T)
    return result


def _whitened(rows: Array) -> tuple[Array, Array]:
    """Return centre and matrix with which ``(rows - centre) @ matrix`` has covariance I under equal weights."""
    count, p = rows.shape
    centre = rows.mean(axis=0)
    shifted = rows - centre
    size = np.sqrt(np.einsum("ai,ai->i", shifted, shifted))
    flat = np.abs(shifted).max(axis=0, initial=0.0) <= 8.0 * np.finfo(float).eps * np.abs(rows).max(axis=0, initial=0.0)
    if flat.any():
        raise NotMinimalError.along(np.eye(p)[flat], "it is the same in all states")
    if p == 0:
        return centre, np.empty((0, 0))
    triangle = np.linalg.qr(shifted / size, mode="r")
    _, values, vectors = np.linalg.svd(triangle, full_matrices=True)
    values = np.concatenate((values, np.zeros(p - values.size)))
    null = values <= _COLLINEAR * values[0]
    if null.any():
        raise NotMinimalError.along(echelon(vectors[null] / size), "over all states")
    return centre, (vectors.T / size[:, None]) * (np.sqrt(count) / values)
