r"""Expansion of the risk of the maximum likelihood estimator in an exponential family, right or misspecified."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from asymptopia.theory._core.validation import Array, fail, integer
from asymptopia.theory.projection.closed_forms import closed_form
from asymptopia.theory.projection.coefficients import ClosedForm
from asymptopia.theory.projection.errors import NotMinimalError
from asymptopia.theory.projection.families.protocol import ExponentialFamily, check_family, unchanged
from asymptopia.theory.projection.finite_laws import check_projection
from asymptopia.theory.projection.invariants import Contractions, Rows
from asymptopia.theory.projection.plugin import first_error_of_fit, is_sampled
from asymptopia.theory.projection.risk_result import RiskExpansion
from asymptopia.theory.projection.status import FEW, HEAVY, LARGE_SECOND, NOISE, ProjectionStatus
from asymptopia.theory.projection.whitening import Whitening, whiten

if TYPE_CHECKING:
    from asymptopia.theory.projection.families.sampled import SampledContractions
    from asymptopia.theory.projection.truths import Truth


_ROUNDING = 1e-6


def kl_risk_expansion(
    family: ExponentialFamily, theta: ArrayLike | None = None, *, truth: Any = None, order: int = 2
) -> RiskExpansion:
    r"""Return the expansion of E KL(projection || estimate) in 1/n, for a truth in the model or outside it.

    Parameters
    ----------
    family : ExponentialFamily
        The model, p parameters.
    theta : array_like, shape (p,), optional
        Natural parameter, as ``family.natural`` makes it. Without `truth` it is the truth; with it, it must be its
        projection. None stands for the projection of the truth.
    truth : optional
        None if the truth is in the model; else data, moments of the statistic (mean, cov, third), a pmf on the
        family's support or a frozen distribution of scipy.stats.
    order : {1, 2, 3}
        Number of terms that the result takes by default; 3 only for a truth in a family whose third coefficient has a
        closed form.

    Returns
    -------
    RiskExpansion

    Raises
    ------
    TypeError
        If `family` is no exponential family.
    ValueError
        If neither `theta` nor `truth` is given, `theta` is not the projection of `truth`, or the third coefficient is
        not known.
    MLEDoesNotExistError
        If the truth has no projection: its mean is on the boundary of the statistic's range.
    NotMinimalError
        If a combination of the statistic does not vary under the model.

    Notes
    -----
    With G, T, Q the cumulants of the statistic under the model, Sigma and kappa those under the truth, all at the
    projection, indices raised with the inverse of G, and :math:`W = G^{-1}\Sigma G^{-1}`:

    .. math::
        E\,KL = \frac{t_0}{2n} + \frac{-8t_1 + 9(t_{21} + 2t_{22}) - 9t_{31}}{24n^2} + O(n^{-3}),

    :math:`t_0 = tr\,G^{-1}\Sigma`, :math:`t_1 = T\cdot\kappa`, :math:`t_{21} = |T{:}W|^2`,
    :math:`t_{22} = T_{iku}T_{mov}W^{im}W^{ko}G^{uv}`, :math:`t_{31} = Q_{ikmo}W^{ik}W^{mo}`. With
    :math:`A_3 = -t_1`, :math:`A_4 = t_{21} + 2t_{22} - t_{31}` the second coefficient is :math:`A_3/3 + 3A_4/8`, that
    of the reverse risk :math:`A_3/6 + A_4/8` and that of the optimism :math:`(A_3 + A_4)/2`.

    The series is asymptotic, and of the risk given that the MLE exists where it may not (status CONDITIONAL). The
    second coefficient needs six moments of the statistic under the truth. Moments of a sample are taken as the
    truth's: the plug-in bias of the first term is left in, see `pn_criterion`.

    Under a sampled family the coefficients have Monte Carlo errors, from batches of its draws. The status is NOISY if
    they make more than a tenth of the risk: at the n of the data, or where that is not known at the n at which the
    second term is 0.3 of the first, from which on the series is relied on.

    References
    ----------
    .. [1] Y. Sheena, "MLE convergence speed to information projection of exponential family", arXiv:2105.08947, 2021,
       for the first two terms; the other risks and the third terms are derived from the dual potential.

    Examples
    --------
    >>> from asymptopia.theory.projection.families.discrete import Poisson
    >>> family = Poisson()
    >>> found = kl_risk_expansion(family, family.natural(lam=2.0), order=3)
    >>> round(found.c2, 6), found.c3, found.required_n(0.01)
    (0.208333, 0.1875, 51)
    """
    check_family(family)
    order = integer("order", order, 1, 3)
    if truth is None:
        if theta is None:
            message = "theta and truth are both None; give the parameter of the truth, or the truth to project"
            raise ValueError(message)
        return _well_specified(family, family.check_theta(theta), order)
    if order == 3:
        raise fail("order", order, "1 or 2 where truth is given: the third coefficient needs more of its moments")
    from asymptopia.theory.projection.truths import from_rows, resolve_truth

    found = resolve_truth(family, truth)
    if theta is not None or found.kind != "data" or is_sampled(family):
        return _misspecified(family, theta, found, order)
    # the series is the same in all units, and moments of data keep their digits in units of their own
    units = family.standardised(np.asarray(truth))
    if units.back is unchanged:
        return _misspecified(family, None, found, order)
    found = from_rows(units.family.statistic(units.data))
    result = _misspecified(units.family, None, found, order)
    return replace(result, theta_star=np.array(units.back(result.theta_star)))


def _well_specified(family: ExponentialFamily, theta: Array, order: int) -> RiskExpansion:
    with _within_floats(family, theta):
        known = closed_form(family, theta)
    if order == 3 and (known is None or known.c3 is None):
        raise fail("order", order, f"1 or 2: no third coefficient in closed form is known for {family.name}")
    found, drawn = _contractions(family, theta)
    limits = [ProjectionStatus.CONDITIONAL] if family.discrete and family.dim else []
    noise = None if drawn is None else _noise(drawn, 0.0)
    status = ProjectionStatus.worst([*limits, *_noisy(drawn, noise, None)])
    c = known or coefficients(found)
    return _result(family, theta, found, c, order=order, status=status, truth=None, noise=noise)


def _misspecified(family: ExponentialFamily, theta: ArrayLike | None, truth: Truth, order: int) -> RiskExpansion:
    star = family.mle(truth.centre()) if theta is None else family.check_theta(theta)
    if theta is not None and truth.mean is not None:
        check_projection(family, star, truth.mean)
    if truth.kind != "data" and not is_sampled(family):
        _check_digits(family, star, truth.third)
    found, drawn = _contractions(family, star, truth_cov=truth.cov, truth_third=truth.third)
    noise = None if drawn is None else _noise(drawn, first_error_of_fit(family, star, found))
    # a law with atoms can give a sample of one value, also under a continuous model
    atoms = family.discrete or truth.atoms
    limits = [ProjectionStatus.CONDITIONAL] if atoms and family.dim else []
    if (
        family.dim
        and truth.size is not None
        and (truth.size <= FEW * family.dim or _largest_share(truth.third, whiten(family.cov(star))) > HEAVY)
    ):
        limits.append(ProjectionStatus.UNSTABLE_MOMENTS)
    status = ProjectionStatus.worst([*limits, *_noisy(drawn, noise, truth.size)])
    c = coefficients(found)
    return _result(family, star, found, c, order=order, status=status, truth=truth, noise=noise)


def _contractions(family: Any, theta: Array, **truth: Any) -> tuple[Contractions, SampledContractions | None]:
    """Return the contractions and, of a family that is sampled, all that was found of them."""
    if family.dim == 0:
        return Contractions(*[0.0] * 8), None
    drawn: SampledContractions | None = None
    with _within_floats(family, theta):
        if is_sampled(family):
            drawn = family.contractions_with_error(theta, **truth)
        found: Contractions = family.contractions(theta, **truth) if drawn is None else drawn.value
        if not np.isfinite(found).all():
            raise OverflowError
    return found, drawn


@contextmanager
def _within_floats(family: ExponentialFamily, theta: Array) -> Iterator[None]:
    """Turn what leaves float64 into a ValueError that names theta."""
    try:
        with np.errstate(all="ignore"):
            yield
    except ArithmeticError:
        message = (
            f"theta is {np.array2string(theta, threshold=8)}; expected one at which the cumulants of {family.name} and "
            "of the truth are float64 numbers"
        )
        raise ValueError(message) from None


class _Noise(NamedTuple):
    """Monte Carlo standard errors of the first two coefficients, and the part of the first that the fit has."""

    c1: float
    c2: float
    fit: float


def _noise(drawn: SampledContractions, fit: float) -> _Noise:
    return _Noise(
        math.hypot(drawn.error_of(lambda at: 0.5 * at.t0), fit), drawn.error_of(lambda at: coefficients(at).c2), fit
    )


def _noisy(drawn: SampledContractions | None, noise: _Noise | None, n: int | None) -> list[ProjectionStatus]:
    """Return NOISY if the Monte Carlo error exceeds a tenth of the risk at n.

    Where n is None it is the least at which the series is relied on: the second term is 0.3 of the first there.
    """
    if drawn is None or noise is None:
        return []
    found = coefficients(drawn.value)
    size = max(1.0, abs(found.c2) / (LARGE_SECOND * found.c1)) if n is None else float(n)
    error = math.hypot(drawn.error_of(lambda at: 0.5 * at.t0 + coefficients(at).c2 / size), noise.fit)
    return [ProjectionStatus.NOISY] if not error <= NOISE * abs(found.c1 + found.c2 / size) else []


def coefficients(found: Contractions) -> ClosedForm:
    """Return the coefficients that contractions give; the third are None."""
    a3, a4 = found.A3, found.A4
    first = 0.5 * found.A2
    return ClosedForm.of((first, a3 / 3.0 + 0.375 * a4, None), (first, a3 / 6.0 + 0.125 * a4, None))


def _check_digits(family: ExponentialFamily, theta: Array, third: Array | Rows) -> None:
    """Raise ValueError where rounding of the truth's moments is no longer small in the whitened statistic."""
    if family.dim == 0:
        return
    cov = family.cov(theta)
    try:
        # the largest factor by which whitening stretches a direction of the standardised statistic
        stretch = float(np.linalg.norm(whiten(cov).matrix * np.sqrt(np.diag(cov)), 2))
    except NotMinimalError:
        if type(family).standardised is ExponentialFamily.standardised:
            raise
        stretch = 1.0 / _ROUNDING
    lost = float(np.finfo(float).eps) * stretch ** (2 if isinstance(third, Rows) else 3)
    if lost > _ROUNDING:
        message = (
            f"the statistics of {family.name} are nearly collinear at the projection of truth, and rounding of the "
            f"moments of truth would cost a relative {lost:.1g}: give a truth whose mean is not far larger than its "
            "standard deviation (for normal laws the risk does not depend on the mean)"
        )
        raise ValueError(message)


def _largest_share(third: Array | Rows, change: Whitening) -> float:
    """Return the share of t0 that the row of a sample with the largest has; 0 where rows are not known."""
    if not isinstance(third, Rows):
        return 0.0
    turned = third.rows @ change.matrix.T
    sizes = np.einsum("ij,ij->i", turned, turned)
    # a distinct value that many observations share is no outlier: each of them counts on its own
    if third.weights is not None or not sizes.any():
        return 0.0
    return float(sizes.max() / sizes.sum())


def _result(
    family: ExponentialFamily,
    theta: Array,
    found: Contractions,
    c: ClosedForm,
    *,
    order: int,
    status: ProjectionStatus,
    truth: Truth | None,
    noise: _Noise | None,
) -> RiskExpansion:
    third = tuple(None if item is None else float(item) for item in (c.c3, c.optimism3, c.reverse3))
    return RiskExpansion(
        status=status,
        family=family.name,
        p=family.dim,
        order=order,
        well_specified=truth is None,
        n=None if truth is None else truth.size,
        theta_star=np.array(theta, dtype=float),
        c1=float(c.c1),
        c2=float(c.c2),
        c3=third[0],
        optimism1=float(c.optimism1),
        optimism2=float(c.optimism2),
        optimism3=third[1],
        reverse1=float(c.reverse1),
        reverse2=float(c.reverse2),
        reverse3=third[2],
        c1_error=None if noise is None else noise.c1,
        c2_error=None if noise is None else noise.c2,
        contractions=found,
    )
