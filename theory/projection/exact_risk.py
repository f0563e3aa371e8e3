r"""Exact risk of the maximum likelihood estimator at finite n, where a closed form or a finite sum gives it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asymptopia.theory._core.validation import EXACT_INTEGERS, choice, fail, integer, real
from asymptopia.theory.projection import (
    exact_cells,
    exact_closed,
    exact_enumeration,
    exact_gamma,
    finite_laws,
    total_laws,
)
from asymptopia.theory.projection.exact_discrete import (
    Risk,
    bernoulli_risk,
    count_risk,
    negative_binomial_divergence,
    poisson_divergence,
)
from asymptopia.theory.projection.exact_enumeration import FiniteModel
from asymptopia.theory.projection.exact_result import ExactRisk
from asymptopia.theory.projection.families.protocol import check_family
from asymptopia.theory.projection.status import ProjectionStatus

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.protocol import ExponentialFamily

Array = NDArray[np.float64]

CONVENTIONS = ("condition", "inf", "smooth")
"""What is done with samples for which no MLE exists."""
LEAST_SMOOTHING = 1e-5
"""Pseudo-count of families that are enumerated."""
LEAST_PROBABILITY = 1e-150
"""Of a state: its square is a float."""
_CLOSED = "closed form"
_INTEGRAL = "integral over the law of the estimated shape"
_TOTAL = "sum over the total count"
_CELLS = "dynamic programming over the cells"
_SAMPLES = "enumeration of all samples"
_GAMMAS = ("gamma", "expon", "erlang", "chi2")


class Method(NamedTuple):
    """The risk as a function of n, and its name."""

    name: str
    risk: Callable[[int], Risk]


def kl_risk_exact(
    family: ExponentialFamily,
    theta: ArrayLike | None = None,
    n: Any = None,
    *,
    truth: Any = None,
    nonexistence: str = "condition",
    smoothing: float = 0.5,
) -> ExactRisk:
    r"""Return the exact risk E KL(theta* || theta_hat) of the MLE, in nats.

    Parameters
    ----------
    family : ExponentialFamily
        The model.
    theta : array_like, shape (p,), optional
        Natural parameter, as ``family.natural`` makes it. Without `truth` it is the truth; with it, it must be its
        projection. It may be left out where the risk is the same for all: exponential, gamma of known shape, normal,
        multivariate normal.
    n : int or array_like of int
        Sample sizes, >= 1.
    truth : optional
        None if the truth is in the model; a mapping of data values to probabilities; for a family of finitely many
        states an array with the probability of each; or a frozen distribution of scipy.stats: any law of counts for
        Poisson and negative binomial models, gamma laws for exponential models and those of known shape, laws on at
        most 64 integers elsewhere.
    nonexistence : {"condition", "inf", "smooth"}
        The risk given that the MLE exists; inf where with positive probability it does not; or that of the estimate
        with `smoothing` added to each count (discrete families).
    smoothing : float
        Pseudo-count > 0 of "smooth": of each cell or state, of the total for Poisson and negative binomial laws.

    Returns
    -------
    ExactRisk
        `value` and `prob_no_mle` are floats for one n, arrays otherwise. A risk that does not exist at so small an n is
        inf, with the status INFINITE_RISK.

    Raises
    ------
    TypeError
        If an argument is of a wrong type.
    ValueError
        If one is out of range, no exact risk is known for the family and truth, or there are too many samples to sum
        over.
    MLEDoesNotExistError
        If the truth has no projection.

    Notes
    -----
    Pythagoras: for every truth g, :math:`E\,KL(g\|\hat g) = KL(g\|g^*) + E\,KL(g^*\|\hat g)`; the value is the second
    term, at every n.

    Closed forms: exponential, gamma of known shape (also under gamma laws of another), normal, multivariate normal,
    inverse Gaussian. An integral over the law of the estimated shape: gamma of unknown shape. Sums over the total
    count: Bernoulli, Poisson, negative binomial. Dynamic programming over the cells: multinomial, and families with as
    many parameters. All samples: a normal model under a law on k points (2e8 samples at most), other finite families
    (2e6), any other model under a law on points (2e4). At least 12 digits; for gamma of unknown shape beyond n = 1e9
    the relative error is 1e-16 times the root of n.

    For beta and Dirichlet no exact risk is known, nor for sampled families.

    References
    ----------
    .. [1] Y. Sheena, "MLE convergence speed to information projection of exponential family: Criterion for model
       dimension and sample size", arXiv 2105.08947 (the risk; the exact values are derived here).

    Examples
    --------
    >>> from asymptopia.theory.projection.families import Bernoulli, Normal
    >>> kl_risk_exact(Normal(), n=10).value.__format__(".12f")
    '0.175430792677'
    >>> found = kl_risk_exact(Bernoulli(), Bernoulli().natural(p=0.5), n=10)
    >>> print(f"{found.value:.14f} {found.prob_no_mle}", found.status.name)
    0.05850729686911 0.001953125 CONDITIONAL
    >>> three_points = {-1.0: 0.3, 0.0: 0.45, 2.0: 0.25}
    >>> print(f"{kl_risk_exact(Normal(), n=100, truth=three_points).value:.12e}")
    8.168183266472e-03
    """
    check_family(family)
    if n is None:
        message = "n is missing; expected a sample size, or an array of them" + (
            "" if theta is None else " (the second argument is theta; write n=10)"
        )
        raise TypeError(message)
    sizes = _sizes(n)
    kind = choice("nonexistence", nonexistence, CONVENTIONS)
    extra = real("smoothing", smoothing, 0.0, math.inf, closed="neither") if kind == "smooth" else None
    star = None if theta is None else family.check_theta(theta)
    method = _method(family, star, truth, extra)
    found = [method.risk(int(size)) for size in sizes.ravel()]
    value = np.array([_convention(risk, kind) for risk in found]).reshape(sizes.shape)
    missing = np.array([risk.prob_no_mle for risk in found]).reshape(sizes.shape)
    return ExactRisk(
        status=_status(value, missing, kind),
        family=family.name,
        p=family.dim,
        n=int(sizes) if sizes.ndim == 0 else sizes,
        value=float(value) if sizes.ndim == 0 else value,
        prob_no_mle=float(missing) if sizes.ndim == 0 else missing,
        nonexistence=kind,
        smoothing=extra,
        method=method.name,
    )


def _sizes(n: Any) -> NDArray[np.int64]:
    array = np.asarray(n)
    if array.ndim == 0:
        return np.array(integer("n", n, 1, EXACT_INTEGERS), dtype=np.int64)
    if array.dtype.kind not in "iu":
        message = f"n has dtype {array.dtype}; expected integers"
        raise TypeError(message)
    if array.size and (array.min() < 1 or array.max() > EXACT_INTEGERS):
        worst = int(array.min() if array.min() < 1 else array.max())
        raise fail("n", worst, f"integers from 1 to 2**53 = {EXACT_INTEGERS}")
    return array.astype(np.int64)


def _convention(risk: Risk, kind: str) -> float:
    return math.inf if kind == "inf" and not risk.certain else risk.value


def _status(value: Array, missing: Array, kind: str) -> ProjectionStatus:
    found = [ProjectionStatus.OK]
    if np.isposinf(value).any():
        found.append(ProjectionStatus.INFINITE_RISK)
    if kind == "smooth":
        found.append(ProjectionStatus.SMOOTHED)
    elif kind == "condition" and (missing > 0.0).any():
        found.append(ProjectionStatus.CONDITIONAL)
    return ProjectionStatus.worst(found)


def _method(family: ExponentialFamily, theta: Array | None, truth: Any, extra: float | None) -> Method:
    """Return how the risk is found, after checks that concern the family and the truth."""
    from asymptopia.theory.projection import families

    if isinstance(family, families.Poisson | families.NegativeBinomial):
        return _counts(family, theta, truth, extra)
    law = None if truth is None else finite_laws.finite_law(family, truth)
    if _is_finite(family):
        return _finite(family, theta, truth, law, extra)
    if extra is not None:
        raise fail("nonexistence", "smooth", f"'condition' or 'inf' for {family.name}, whose data are no counts")
    if law is not None:
        star = _projection(family, theta, law.probs @ law.rows)
        if isinstance(family, families.Normal):
            points = np.asarray(law.values, dtype=float).reshape(-1)
            probs = law.probs
            return Method(_SAMPLES, lambda n: exact_enumeration.normal_enumeration(n, points, probs))
        rows, probs = law.rows, law.probs
        return Method(_SAMPLES, lambda n: exact_enumeration.one_by_one(n, family, star, rows, probs))
    integral = isinstance(family, families.Gamma) and family.known_shape is None
    return Method(_INTEGRAL if integral else _CLOSED, _closed(family, theta, truth))


def _is_finite(family: ExponentialFamily) -> bool:
    try:
        family.support()
    except TypeError:
        return False
    return True


def _projection(family: ExponentialFamily, theta: Array | None, mean: Array) -> Array:
    """Return the projection of a truth with this mean of the statistic; a given theta must be it."""
    if theta is None:
        return np.asarray(family.mle(mean))
    finite_laws.check_projection(family, theta, mean)
    return theta


def _needed(family: ExponentialFamily, theta: Array | None) -> Array:
    if theta is None:
        message = f"theta and truth are both missing; the risk of {family.name} depends on its parameter"
        raise ValueError(message)
    return theta


def _unknown(family: ExponentialFamily, truth: Any) -> ValueError:
    under = "" if truth is None else f" under the truth given ({_words(truth)})"
    return ValueError(
        f"no exact risk is known for {family.name}{under}; use kl_risk_expansion, a mapping of values to probabilities "
        "as truth, or the simulation of asymptopia.verify"
    )


def _words(truth: Any) -> str:
    return finite_laws.distribution_name(truth) or type(truth).__name__ if truth is not None else ""


def _counts(family: Any, theta: Array | None, truth: Any, extra: float | None) -> Method:
    """Return the sum over the total of Poisson and negative binomial models."""
    from asymptopia.theory.projection import families

    poisson = isinstance(family, families.Poisson)
    if truth is None:
        mean = float(family.mean(_needed(family, theta))[0])
    else:
        found = finite_laws.total_law(family, truth, 1)
        if found is None:
            raise _unknown(family, truth)
        mean = found[1]
        _projection(family, theta, np.array([mean]))
    if not mean >= LEAST_PROBABILITY:
        raise fail("theta", f"one with the mean {mean:.3g}", f"means of at least {LEAST_PROBABILITY:g}")
    at = poisson_divergence(mean) if poisson else negative_binomial_divergence(family.size, mean)

    def risk(n: int) -> Risk:
        if truth is not None:
            given = finite_laws.total_law(family, truth, n)
            law = given[0] if given is not None else total_laws.poisson(n * mean)
        elif poisson:
            law = total_laws.poisson(n * mean)
        else:
            law = total_laws.negative_binomial(n * family.size, n * mean)
        return count_risk(law, at, n, mean, extra)

    return Method(_TOTAL, risk)


def _finite(
    family: ExponentialFamily, theta: Array | None, truth: Any, law: finite_laws.FiniteLaw | None, extra: float | None
) -> Method:
    """Return the sum over cells where the family is saturated, over all samples else."""
    from asymptopia.theory.projection import families

    if truth is not None and law is None:
        raise _unknown(family, truth)
    if family.dim == 0:
        return Method(_CLOSED, lambda _: Risk(0.0, 0.0, True))
    if law is None:
        star = _needed(family, theta)
        probs = family.probabilities(star)
        chances = probs
    else:
        star = _projection(family, theta, law.probs @ law.rows)
        probs = family.probabilities(star)
        chances = finite_laws.on_states(family, law)
    if not (probs >= LEAST_PROBABILITY).all():
        rare = f"one with a probability of {float(probs.min()):.3g}"
        raise fail("theta", rare, f"probabilities of at least {LEAST_PROBABILITY:g}")
    if isinstance(family, families.Bernoulli):
        p = float(family.usual(star)["p"])
        q = float(family.usual(-star)["p"])
        return Method(_TOTAL, lambda n: bernoulli_risk(n, p, q, extra))
    if family.dim == probs.size - 1:
        if extra is None:
            return Method(_CELLS, lambda n: exact_cells.conditional_risk(n, probs))
        return Method(_CELLS, lambda n: exact_cells.smoothed_risk(n, probs, extra))
    if extra is not None and extra < LEAST_SMOOTHING:
        expected = f"at least {LEAST_SMOOTHING:g} for {family.name}: digits of means near the boundary are lost"
        raise fail("smoothing", extra, expected)
    statistic = family.support().statistic
    shifted = statistic - probs @ statistic
    factor = np.linalg.cholesky((shifted * probs[:, None]).T @ shifted)
    change = np.linalg.inv(factor).T

    def single(gap: Array) -> float:
        return family.divergence(star, family.mle(probs @ statistic + factor @ gap))

    model = FiniteModel(shifted @ change, probs, statistic, change, single)
    return Method(_SAMPLES, lambda n: exact_enumeration.finite_enumeration(n, model, chances, extra))


def _closed(family: Any, theta: Array | None, truth: Any) -> Callable[[int], Risk]:
    """Return the closed form of a continuous family."""
    from asymptopia.theory.projection import families

    if isinstance(family, families.Gamma) and family.known_shape is None:
        return _both(family, theta, truth)
    if isinstance(family, families.Exponential | families.Gamma):
        shape = 1.0 if isinstance(family, families.Exponential) else float(family.known_shape or 0.0)
        true_shape = shape if truth is None else _gamma_shape(family, truth)
        if truth is not None:
            _projection(family, theta, np.array([float(truth.mean())]))
        return lambda n: Risk(float(exact_closed.gamma_risk(n, shape, true_shape)), 0.0, True)
    if isinstance(family, families.InverseGaussian):
        if truth is None:
            usual = family.usual(_needed(family, theta))
            phi = float(usual["mu"]) / float(usual["lam"])
        else:
            phi = _inverse_gaussian_ratio(family, theta, truth)
        return lambda n: _lost(exact_closed.inverse_gaussian_risk(n, phi), n, 2)
    if isinstance(family, families.Normal):
        if truth is not None:
            _check_normal(family, theta, truth, "norm")
        return lambda n: _lost(exact_closed.normal_risk(n), n, 2)
    if isinstance(family, families.MultivariateNormal):
        if truth is not None:
            _check_normal(family, theta, truth, "multivariate_normal")
        known = family.known_mean is not False
        return lambda n: _lost(
            exact_closed.multivariate_normal_risk(n, family.d, known_mean=known), n, family.d + (0 if known else 1)
        )
    raise _unknown(family, truth)


def _both(family: Any, theta: Array | None, truth: Any) -> Callable[[int], Risk]:
    """Return the integral of gamma laws of unknown shape and rate."""
    if truth is None:
        usual = family.usual(_needed(family, theta))
        shape = float(usual["shape"])
    else:
        shape = _gamma_shape(family, truth)
        _same(family, theta, family.natural(shape, shape / float(truth.mean())))

    def risk(n: int) -> Risk:
        return _lost(exact_gamma.gamma_both_risk(n, shape) if n > 1 else math.inf, n, 2)

    return risk


def _lost(value: Any, n: int, least: int) -> Risk:
    """Return the risk of a family whose MLE exists almost surely from `least` observations on, and never below."""
    return Risk(float(value), 0.0, True) if n >= least else Risk(math.inf, 1.0)


def _gamma_shape(family: ExponentialFamily, truth: Any) -> float:
    if not finite_laws.is_frozen(truth, *_GAMMAS):
        raise _unknown(family, truth)
    found, loc, _ = finite_laws.shapes(truth)
    if loc != 0.0:
        raise fail("the location of truth", loc, "0: a shifted gamma law has no exact risk")
    name = finite_laws.distribution_name(truth)
    return 1.0 if name == "expon" else (0.5 * found[0] if name == "chi2" else found[0])


def _inverse_gaussian_ratio(family: Any, theta: Array | None, truth: Any) -> float:
    if not finite_laws.is_frozen(truth, "invgauss"):
        raise _unknown(family, truth)
    (ratio,), loc, scale = finite_laws.shapes(truth)
    if loc != 0.0:
        raise fail("the location of truth", loc, "0: a shifted law is outside the family")
    _same(family, theta, family.natural(ratio * scale, scale))
    return ratio


def _check_normal(family: Any, theta: Array | None, truth: Any, name: str) -> None:
    if not finite_laws.is_frozen(truth, name):
        raise _unknown(family, truth)
    if name == "norm":
        _same(family, theta, family.natural(float(truth.mean()), float(truth.var())))
        return
    if np.shape(truth.mean) != (family.d,):
        raise fail("the dimension of truth", np.shape(truth.mean), f"({family.d},)")
    if family.known_mean is False:
        _same(family, theta, family.natural(truth.mean, truth.cov))
        return
    known = np.zeros(family.d) if family.known_mean is True else np.array(family.known_mean)
    if not np.allclose(truth.mean, known, rtol=0.0, atol=1e-12 * float(np.sqrt(np.max(np.diag(truth.cov))))):
        raise fail("the mean of truth", np.asarray(truth.mean).tolist(), f"{known.tolist()}, the family's known mean")
    _same(family, theta, family.natural(truth.cov))


def _same(family: ExponentialFamily, theta: Array | None, star: Array) -> None:
    if theta is not None:
        finite_laws.check_projection(family, theta, family.mean(star))
