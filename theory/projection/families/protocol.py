"""What every exponential family provides: statistic, log-partition function, cumulants, projection and samples."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.rng import RNG
from asymptopia.theory._core.validation import fail, integer, numeric

if TYPE_CHECKING:
    from asymptopia.theory.projection.invariants import Contractions, Rows

Array = NDArray[np.float64]

FAR = 1e100
"""Largest entry of a natural parameter of a family with finitely many states: sums over them stay floats."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_CANCELS = 1e-3


class Support(NamedTuple):
    r"""The states of a finite family: :math:`\log f(x_a) = \log b_a + \theta\cdot\xi_a - \Psi(\theta)`."""

    states: NDArray[Any]
    """The N data values, as `ExponentialFamily.statistic` takes them."""
    statistic: Array
    """Their statistics, (N, p)."""
    log_base: Array
    """Logarithm of the reference measure of each, (N,)."""


class Standardised(NamedTuple):
    """Data in units of their own, and what leads back from them."""

    family: ExponentialFamily
    """Whose member the data in these units have: the family itself, unless its known parameters change with them."""
    data: Any
    back: Callable[[Array], Array]
    """From the natural parameter in these units to that of the data given."""


class ExponentialFamily(abc.ABC):
    r"""A full regular minimal exponential family with densities :math:`\exp(\theta\cdot\xi(x) - \Psi(\theta))`.

    A family holds only its structure (dimension, number of cells, known parameters). The natural parameter
    :math:`\theta` is passed to each method as an array of shape (p,), made by `natural` from the usual parameters.

    Attributes
    ----------
    name : str
        Name of the family, for messages and summaries.
    discrete : bool
        Whether the data are counts or categories.
    dim : int
        Number p of natural parameters.

    Notes
    -----
    Derivatives of :math:`\Psi` are the cumulants of the statistic under the model: `mean` :math:`\eta`, `cov`
    :math:`G`, `third` :math:`T` and, contracted with a matrix, `fourth` :math:`Q`. A subclass provides `dim`,
    `statistic`, `log_partition`, `mean`, `cov`, `third`, `fourth`, `mle`, `sample`, `natural`, `usual` and `_range`.

    References
    ----------
    .. [1] O. Barndorff-Nielsen, "Information and Exponential Families in Statistical Theory", Wiley, 1978.
    """

    __slots__ = ()

    name: ClassVar[str]
    discrete: ClassVar[bool] = False

    @property
    @abc.abstractmethod
    def dim(self) -> int:
        """Number p of natural parameters."""

    @abc.abstractmethod
    def statistic(self, x: ArrayLike) -> Array:
        """Return the sufficient statistics of the data, one row an observation, (n, p).

        Raises
        ------
        TypeError
            If the data are not numeric.
        ValueError
            If a value is NaN, infinite or outside the family's sample space.
        """

    @abc.abstractmethod
    def log_partition(self, theta: ArrayLike) -> float:
        r"""Return :math:`\Psi(\theta)`."""

    @abc.abstractmethod
    def mean(self, theta: ArrayLike) -> Array:
        r"""Return the mean :math:`\eta = \nabla\Psi` of the statistic, (p,)."""

    @abc.abstractmethod
    def cov(self, theta: ArrayLike) -> Array:
        r"""Return the covariance :math:`G = \nabla^2\Psi` of the statistic, (p, p): the Fisher information."""

    @abc.abstractmethod
    def third(self, theta: ArrayLike) -> Array:
        """Return the third cumulants T of the statistic, (p, p, p)."""

    @abc.abstractmethod
    def fourth(self, theta: ArrayLike, w: ArrayLike) -> Array:
        r"""Return :math:`M_{mo} = \sum_{ik} Q_{ikmo} w_{ik}` with Q the fourth cumulants of the statistic, (p, p).

        Parameters
        ----------
        theta : array_like of shape (p,)
            Natural parameter.
        w : array_like of shape (p, p)
            Symmetric matrix.
        """

    @abc.abstractmethod
    def mle(self, mean_stat: ArrayLike) -> Array:
        r"""Return the natural parameter whose mean is `mean_stat`: the maximum likelihood estimate, (p,).

        Given the mean statistic of a sample it is the estimate; given that of any law it is its information
        projection.

        Raises
        ------
        MLEDoesNotExistError
            If the mean is not in the interior of the convex hull of the statistic's range.
        """

    @abc.abstractmethod
    def sample(self, theta: ArrayLike, size: int, rng: RNG = None) -> NDArray[Any]:
        """Return `size` independent draws, as `statistic` takes them."""

    @abc.abstractmethod
    def natural(self, *args: Any, **kwargs: Any) -> Array:
        """Return the natural parameter of the usual ones, (p,), read-only."""

    @abc.abstractmethod
    def usual(self, theta: ArrayLike) -> dict[str, Any]:
        """Return the usual parameters, as `natural` takes them by name."""

    @abc.abstractmethod
    def _range(self, theta: Array) -> str | None:
        """Return None if theta is in the parameter space, else the space in words for the error."""

    def contractions(
        self, theta: ArrayLike, *, truth_cov: ArrayLike | None = None, truth_third: Any = None
    ) -> Contractions:
        """Return the contractions of cumulants in the risk's expansion.

        Parameters
        ----------
        theta : array_like of shape (p,)
            Natural parameter: the information projection of the truth.
        truth_cov : array_like of shape (p, p), optional
            Covariance of the statistic under the truth; None for the model's.
        truth_third : array_like of shape (p, p, p) or Rows, optional
            Its third cumulants; None for the model's.
        """
        from asymptopia.theory.projection.contractions import from_cumulants

        theta = self.check_theta(theta)
        return from_cumulants(
            self.cov(theta),
            self.third(theta),
            lambda w: self.fourth(theta, w),
            truth_cov=truth_cov,
            truth_third=truth_third,
        )

    def standardised(self, x: Any) -> Standardised:
        """Return the data in units in which moments of the statistic keep their digits.

        Contractions are the same in all units that the family is closed under. Families of a location or a scale take
        them off; here the data are left as they are.
        """
        return Standardised(self, x, unchanged)

    def divergence(self, theta_star: ArrayLike, theta_hat: ArrayLike) -> float:
        r"""Return :math:`KL(\theta^*\|\hat\theta)` in nats, without cancellation where the two are close.

        Notes
        -----
        The default is :math:`\Psi(\hat\theta) - \Psi(\theta^*) - \delta\cdot\eta^*` with
        :math:`\delta = \hat\theta - \theta^*`, or where that cancels the same quantity as
        :math:`\int_0^1 (1-s)\,\delta'G(\theta^* + s\delta)\,\delta\,ds` by 16 Gauss-Legendre nodes.
        """
        star, hat = self.check_theta(theta_star), self.check_theta(theta_hat, "theta_hat")
        delta = hat - star
        ends = self.log_partition(hat), self.log_partition(star), float(delta @ self.mean(star))
        plain = ends[0] - ends[1] - ends[2]
        if plain > _CANCELS * max(map(abs, ends)):
            return plain
        nodes = (_NODES + 1) / 2
        forms = [float(delta @ self.cov(star + s * delta) @ delta) for s in nodes]
        return float((_WEIGHTS / 2 * (1 - nodes)) @ forms)

    def support(self) -> Support:
        """Return the states of a finite family.

        Raises
        ------
        TypeError
            If the family is not finite.
        """
        message = f"{self.name} has no finite support; give the truth as data, moments or a frozen distribution"
        raise TypeError(message)

    def probabilities(self, theta: ArrayLike) -> Array:
        """Return the probability of each state of `support`, (N,); a TypeError if the family is not finite."""
        states = self.support()
        logs = states.log_base + states.statistic @ self.check_theta(theta)
        weights = np.exp(logs - logs.max())
        result: Array = weights / weights.sum()
        return result

    def check_theta(self, theta: ArrayLike, name: str = "theta") -> Array:
        """Return `theta` as a float64 array of shape (p,); a number will do where p = 1.

        Raises
        ------
        TypeError
            If it is not numeric.
        ValueError
            If its shape is wrong, or it is outside the parameter space.
        """
        value = np.atleast_1d(numeric(name, theta))
        if value.shape != (self.dim,):
            raise fail(f"{name}.shape", value.shape, f"({self.dim},), the natural parameter of {self.name}")
        allowed = self._range(value)
        if allowed is not None:
            raise fail(name, value.tolist(), f"{allowed} (natural parameter of {self.name}; make it with .natural)")
        return value

    def check_mean(self, mean_stat: ArrayLike) -> Array:
        """Return `mean_stat` as a finite float64 array of shape (p,)."""
        value = np.atleast_1d(numeric("mean_stat", mean_stat))
        if value.shape != (self.dim,):
            raise fail("mean_stat.shape", value.shape, f"({self.dim},), a mean of the statistic of {self.name}")
        return value

    def check_matrix(self, w: ArrayLike, name: str = "w") -> Array:
        """Return `w` as a finite float64 array of shape (p, p)."""
        value = numeric(name, w)
        if value.shape != (self.dim, self.dim):
            raise fail(f"{name}.shape", value.shape, f"({self.dim}, {self.dim})")
        return value


def check_family(family: object) -> None:
    """Raise TypeError unless `family` is an exponential family, not its name or its class."""
    if isinstance(family, ExponentialFamily):
        return
    if isinstance(family, type) and issubclass(family, ExponentialFamily):
        message = f"family is the class {family.__name__}; expected an instance of it, such as Normal()"
    else:
        names = "; pn_report takes names" if isinstance(family, str) else ""
        message = f"family is of type {type(family).__name__}; expected an ExponentialFamily such as Normal(){names}"
    raise TypeError(message)


def unchanged(theta: Array) -> Array:
    """Return the natural parameter where the units are those of the data."""
    return theta


def finite_theta(theta: Array) -> Array:
    """Return a natural parameter led back from other units; a ValueError if it left float64."""
    if not np.isfinite(theta).all():
        where = int(np.flatnonzero(~np.isfinite(theta))[0])
        raise fail(f"theta[{where}]", float(theta[where]), "a float64 number: give the data in other units")
    return frozen(theta)


def binary_scale(size: float) -> float:
    """Return the power of 2 next below a size > 0, by which floats are divided without rounding; 1 for 0."""
    return float(np.ldexp(1.0, np.frexp(size)[1] - 1)) if size > 0.0 else 1.0


def sample_size(size: Any) -> int:
    """Return the number of draws as an int >= 0."""
    return integer("size", size, 0)


def symmetric_tensor(by_count: Sequence[float], order: int) -> Array:
    """Return the symmetric 2 x ... x 2 tensor whose entries depend on the number of second indices."""
    result: Array = np.array(by_count)[np.indices((2,) * order).sum(axis=0)]
    return result


def frozen(values: ArrayLike) -> Array:
    """Return a read-only float64 copy of at least one axis."""
    result: Array = np.atleast_1d(np.array(values, dtype=float))
    result.setflags(write=False)
    return result


def transformed_truth(
    to: Array, truth_cov: ArrayLike | None, truth_third: Array | Rows | None
) -> tuple[Array | None, Array | Rows | None]:
    """Return the truth's cumulants of the statistic ``to @ xi``, so that a family may whiten by hand."""
    from asymptopia.theory.projection.contractions import truth_moments
    from asymptopia.theory.projection.invariants import Rows
    from asymptopia.theory.projection.third_moments import turn

    cov, third = truth_moments(truth_cov, truth_third, to.shape[1])
    if cov is None:
        return None, None
    if isinstance(third, Rows):
        return to @ cov @ to.T, third._replace(rows=third.rows @ to.T)
    return to @ cov @ to.T, turn(third, to)
