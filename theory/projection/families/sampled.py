"""Families that are known by draws only: no normalising constant is computed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG, generator
from asymptopia.theory._core.validation import Array, fail, integer, numeric
from asymptopia.theory.projection.families.arguments import named_parameters
from asymptopia.theory.projection.families.noisy_newton import SampledMoments, solve_noisy
from asymptopia.theory.projection.families.protocol import ExponentialFamily, frozen, sample_size
from asymptopia.theory.projection.invariants import Contractions
from asymptopia.theory.projection.stable_risk import log_mean_exp

if TYPE_CHECKING:
    from numpy.random import Generator

Sampler = Callable[[Array, int, "Generator"], Any]
Statistic = Callable[[Any], ArrayLike]
Conditional = Callable[[Array, Any], tuple[Array, Array]]

LEAST_BATCHES = 2
_LEAST_WEIGHT = 0.01
_BLOCKS = 32


class SampledContractions(NamedTuple):
    """Contractions from draws, and their Monte Carlo standard errors."""

    value: Contractions
    error: Contractions
    parts: Array
    """Those of each batch, (batches, 8)."""

    def error_of(self, combination: Callable[[Contractions], float]) -> float:
        """Return the standard error of a linear combination of the contractions, which are correlated."""
        values = [combination(Contractions(*map(float, part))) for part in self.parts]
        return float(np.std(values, ddof=1) / np.sqrt(len(values)))


class MeanCov(NamedTuple):
    """Mean (p,) and covariance (p, p) of a statistic."""

    mean: Array
    cov: Array


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class SampledFamily(ExponentialFamily):
    r"""Return a family given by its statistic and a sampler, such as a Markov chain, without a normaliser.

    Parameters
    ----------
    statistic : callable
        ``statistic(x)`` of n observations, (n, p).
    sampler : callable
        ``sampler(theta, size, rng)`` returns `size` draws that `statistic` takes; `rng` is a numpy Generator, and the
        draws depend on it alone. Draws of a chain come in its order, several chains one after the other.
    dim : int
        Number p of natural parameters.
    draws : int
        Draws for moments and contractions, more than ``2 * batches * p``.
    batches : int
        Consecutive batches of these draws, from which the Monte Carlo errors come; at least 2.
    schedule : sequence of (int, int), optional
        Draws a step and number of steps of each stage of the fit; ``(draws / 10, 6), (3 draws / 10, 4), (draws, 3)``
        where not given.
    seed : int
        All draws depend on it and theta alone, so that moments are functions of theta.
    conditional : callable, optional
        ``conditional(theta, x)`` returns the conditional means of the statistic given a part of each draw, (n, p), and
        the average of the conditional covariances, (p, p): moments are then Rao-Blackwellised.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of range.

    Notes
    -----
    The reference measure is the law at theta = 0. The estimate is a damped Newton iteration with sampled moments whose
    last steps are averaged: see `mle`. Contractions are U-statistics in whitened draws. The inverse of a sampled G is
    too large by about ``(p + 1) / N_eff``; all contractions are corrected by Quenouille's extrapolation from the
    batches to the whole, ``(B whole - mean of batches) / (B - 1)``, which needs no N_eff.

    References
    ----------
    .. [1] C. J. Geyer, E. A. Thompson, "Constrained Monte Carlo maximum likelihood for dependent data", JRSS B 54(3),
       1992.
    .. [2] M. H. Quenouille, "Notes on bias in estimation", Biometrika 43, 1956.

    Examples
    --------
    Poisson counts, by draws:

    >>> family = SampledFamily(
    ...     lambda x: np.asarray(x, dtype=float)[:, None],
    ...     lambda theta, size, rng: rng.poisson(np.exp(theta[0]), size),
    ...     dim=1, draws=20_000,
    ... )
    >>> theta = family.mle([2.0])
    >>> bool(abs(theta[0] - np.log(2.0)) < 0.02)
    True
    """

    name: ClassVar[str] = "sampled family"

    _statistic: Statistic
    _sampler: Sampler
    _dim: int
    draws: int
    batches: int
    schedule: tuple[tuple[int, int], ...]
    seed: int
    _conditional: Conditional | None
    _memory: dict[str, tuple[Any, Any]]

    def __init__(
        self,
        statistic: Statistic,
        sampler: Sampler,
        *,
        dim: int,
        draws: int = 200_000,
        batches: int = 8,
        schedule: Sequence[tuple[int, int]] | None = None,
        seed: int = 0,
        conditional: Conditional | None = None,
    ) -> None:
        given: dict[str, Any] = {"statistic": statistic, "sampler": sampler, "conditional": conditional}
        for label, function in given.items():
            if not callable(function) and not (function is None and label == "conditional"):
                message = f"{label} is of type {type(function).__name__}; expected a function"
                raise TypeError(message)
        p = integer("dim", dim, 1)
        parts = integer("batches", batches, LEAST_BATCHES)
        count = integer("draws", draws, 2 * parts * max(p, 2) + 1)
        plan = ((max(count // 10, 2 * p + 2), 6), (max(3 * count // 10, 2 * p + 2), 4), (count, 3))
        object.__setattr__(self, "_statistic", statistic)
        object.__setattr__(self, "_sampler", sampler)
        object.__setattr__(self, "_dim", p)
        object.__setattr__(self, "draws", count)
        object.__setattr__(self, "batches", parts)
        object.__setattr__(self, "schedule", plan if schedule is None else _plan(schedule, p))
        object.__setattr__(self, "seed", integer("seed", seed, 0))
        object.__setattr__(self, "_conditional", conditional)
        object.__setattr__(self, "_memory", {})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.dim}, draws={self.draws})"

    @property
    def dim(self) -> int:
        """Number p of natural parameters."""
        return self._dim

    def statistic(self, x: Any) -> Array:
        """Return the statistic of each observation, (n, p).

        Raises
        ------
        ValueError
            If what the given function returns has another shape, or an entry that is not finite.
        """
        rows = numeric("statistic(x)", self._statistic(x), min_ndim=1)
        rows = rows[:, None] if rows.ndim == 1 and self.dim == 1 else rows
        if rows.ndim != 2 or rows.shape[1] != self.dim:
            raise fail("statistic(x).shape", rows.shape, f"(n, {self.dim})")
        return rows

    def log_partition(self, theta: ArrayLike) -> float:
        """Raise NotImplementedError: this family has no normaliser."""
        self.check_theta(theta)
        message = (
            f"{self.name} has no normaliser: log_partition is not computed; mean, cov, mle, contractions and "
            "divergence need none"
        )
        raise NotImplementedError(message)

    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return draws of the sampler, dependent where it is a chain."""
        drawn: NDArray[Any] = self._sampler(self.check_theta(theta), sample_size(size), generator(rng))
        return drawn

    def mean(self, theta: ArrayLike) -> Array:
        """Return the mean of the statistic over the draws, (p,)."""
        return self._moments(theta).mean.copy()

    def cov(self, theta: ArrayLike) -> Array:
        """Return the covariance of the statistic over the draws, (p, p)."""
        return self._moments(theta).cov.copy()

    def third(self, theta: ArrayLike) -> Array:
        """Return the unbiased third cumulants of the statistic over the draws, (p, p, p)."""
        rows = self._centred(self.check_theta(theta))
        n = rows.shape[0]
        tensor = np.empty((self.dim,) * 3)
        for i in range(self.dim):
            tensor[i] = (rows * rows[:, i : i + 1]).T @ rows
        tensor *= n / ((n - 1) * (n - 2))
        return tensor

    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        """Return the fourth cumulants over the draws contracted with a symmetric matrix, (p, p)."""
        matrix = self.check_matrix(w)
        rows = self._centred(self.check_theta(theta))
        n = rows.shape[0]
        form = np.einsum("ai,ai->a", rows @ matrix, rows)
        g = rows.T @ rows / n
        result: Array = (rows * form[:, None]).T @ rows / n - np.vdot(matrix, g) * g - 2.0 * g @ matrix @ g
        return result

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        """Return the contractions of cumulants from draws; `contractions_with_error` also says how noisy they are."""
        return self.contractions_with_error(theta, truth_cov=truth_cov, truth_third=truth_third).value

    def contractions_with_error(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> SampledContractions:
        """Return the contractions of cumulants from draws, with their Monte Carlo standard errors.

        Parameters
        ----------
        theta, truth_cov, truth_third
            As `contractions`.

        Returns
        -------
        SampledContractions
            Values without the bias of order 1/N of a sampled G, and standard errors from the spread of the batches
            (with B batches they are themselves uncertain by a factor of about ``1 +- 0.7 / sqrt(B - 1)``).

        Raises
        ------
        NotMinimalError
            If a combination of the statistic does not vary over the draws.
        """
        from asymptopia.theory.projection.contractions import from_samples

        value = self.check_theta(theta)
        key = _digest(value, truth_cov, truth_third)
        if self._memory.get("contractions", (None, None))[0] == key:
            held: SampledContractions = self._memory["contractions"][1]
            return held
        rows = self._drawn(value)
        self._remember(value, rows)
        whole = np.array(from_samples(rows, truth_cov=truth_cov, truth_third=truth_third))
        parts = np.array(
            [
                from_samples(part, truth_cov=truth_cov, truth_third=truth_third)
                for part in np.array_split(rows, self.batches)
            ]
        )
        count = self.batches
        best = (count * whole - parts.mean(axis=0)) / (count - 1)
        error = parts.std(axis=0, ddof=1) / np.sqrt(count)
        parts.setflags(write=False)
        found = SampledContractions(Contractions(*map(float, best)), Contractions(*map(float, error)), parts)
        self._memory["contractions"] = (key, found)
        return found

    def mle(self, mean_stat: ArrayLike) -> Array:
        r"""Return the natural parameter whose mean is `mean_stat`, up to Monte Carlo error, (p,).

        Raises
        ------
        RuntimeError
            If the iteration diverges or stays far away: the mean may lie on the boundary of the statistic's hull or
            outside, or the sampler may not mix. The message has the history.

        Notes
        -----
        Newton steps :math:`\hat G^{-1}(\bar\xi - \hat\eta)` of length :math:`\min(1, \sqrt{0.8/\Delta})` with the
        decrement :math:`\Delta`, in the stages of `schedule`. A stage ends where :math:`\Delta < 2p/N_{eff}`, twice
        what noise alone makes of it; the steps of the last stage are averaged. :math:`N_{eff}` comes from block means.
        """
        target = self.check_mean(mean_stat)

        def moments(theta: Array, size: int, stream: tuple[int, ...]) -> SampledMoments:
            return self._sampled_moments(theta, self._draw(theta, size, stream))

        fitted = solve_noisy(target, moments, self.schedule, self.name)
        theta = frozen(fitted.theta)
        self._memory["fit"] = (theta.tobytes(), fitted.decrement)
        return theta

    def fit_noise(self, theta: ArrayLike) -> float:
        r"""Return the mean of :math:`\delta'G\delta`, with delta the Monte Carlo error of theta as `mle` found it.

        It is 0 for any other theta than that of the last `mle`. For independent draws and p parameters it is p over
        the draws of the steps that `mle` averages.
        """
        held: tuple[Any, Any] = self._memory.get("fit", (None, 0.0))
        return float(held[1]) if held[0] == self.check_theta(theta).tobytes() else 0.0

    @named_parameters
    def natural(self, theta: ArrayLike) -> Array:
        """Return the natural parameter itself, checked."""
        return frozen(self.check_theta(theta))

    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return ``{"theta": theta}``."""
        return {"theta": self.check_theta(theta)}

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return :math:`KL(\theta^*\|\hat\theta)` in nats from draws at the first, without a normaliser.

        Raises
        ------
        ValueError
            If the two are so far apart that the draws do not tell: fewer than 1 % of them would count.

        Notes
        -----
        :math:`\log E^*[e^z]` with :math:`z = \delta\cdot(\xi - \eta^*)`.
        """
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        z = self._centred(star) @ (hat - star)
        weights = np.exp(z - z.max())
        share = float(weights.sum() ** 2 / (weights @ weights)) / z.size
        if share < _LEAST_WEIGHT:
            message = (
                f"theta_hat is too far from theta_star for {self.draws} draws: {share:.2%} of them would count; "
                "go there in steps"
            )
            raise ValueError(message)
        return log_mean_exp(z, np.full(z.size, 1.0 / z.size))

    def _draw(self, theta: Array, size: int, stream: tuple[int, ...]) -> Any:
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=stream))
        return self._sampler(theta, size, rng)

    def _drawn(self, theta: Array) -> Array:
        """Return the statistics of the draws that moments and contractions at theta come from."""
        rows = self.statistic(self._draw(theta, self.draws, ()))
        if rows.shape[0] != self.draws:
            raise fail("the number of draws of sampler", rows.shape[0], f"{self.draws}, the size it was given")
        return rows

    def _centred(self, theta: Array) -> Array:
        rows = self._drawn(theta)
        rows -= rows.mean(axis=0)
        return rows

    def _remember(self, theta: Array, rows: Array) -> MeanCov:
        mean = rows.mean(axis=0)
        shifted = rows - mean
        found = MeanCov(mean, shifted.T @ shifted / (rows.shape[0] - 1))
        self._memory["moments"] = (theta.tobytes(), found)
        return found

    def _moments(self, theta: ArrayLike) -> MeanCov:
        value = self.check_theta(theta)
        held: tuple[Any, Any] = self._memory.get("moments", (None, None))
        if held[0] == value.tobytes():
            found: MeanCov = held[1]
            return found
        return self._remember(value, self._drawn(value))

    def _sampled_moments(self, theta: Array, x: Any) -> SampledMoments:
        if self._conditional is None:
            rows, inner = self.statistic(x), np.zeros((self.dim, self.dim))
        else:
            rows, inner = self._conditional(theta, x)
        n = rows.shape[0]
        mean = rows.mean(axis=0)
        shifted = rows - mean
        cov = shifted.T @ shifted / (n - 1) + inner
        length = n // _BLOCKS
        blocks = shifted[: length * _BLOCKS].reshape(_BLOCKS, length, -1).mean(axis=1) if length else shifted
        return SampledMoments(mean, cov, blocks)

    def _range(self, theta: Array) -> str | None:  # noqa: ARG002 - a sampler draws what it is given
        return None


def _plan(schedule: Sequence[tuple[int, int]], p: int) -> tuple[tuple[int, int], ...]:
    stages = tuple(
        (integer(f"schedule[{i}][0]", draws, 2 * p + 2), integer(f"schedule[{i}][1]", steps, 1))
        for i, (draws, steps) in enumerate(schedule)
    )
    if not stages:
        raise fail("schedule", schedule, "at least one stage (draws, steps)")
    return stages


def _digest(theta: Array, cov: ArrayLike | None, third: Any) -> bytes:
    """Return what tells one call from another without holding its data."""
    found = hashlib.blake2b(theta.tobytes())
    pieces = (cov, *third) if isinstance(third, tuple) else (cov, third)
    for piece in pieces:
        found.update(b"none" if piece is None else np.ascontiguousarray(piece, dtype=float).tobytes())
    return found.digest()
