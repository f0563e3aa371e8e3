"""Symbolic proofs for Information Value and PSI: bias, smoothing, the null law and the moments of the interval."""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.scorecard.binsums import (
    B,
    i,
    log_ratio,
    m,
    multinomial_covariance,
    n,
    n_e,
    over_bins,
    p,
    q,
    reduced,
)
from asymptopia.theory.scorecard.symbolic import gradient_p, gradient_q, kl_pq, kl_qp, quadratic_form, term

S = over_bins(log_ratio)
_pi, _u, _v = (sp.IndexedBase(name)[i] for name in ("pi", "u", "v"))
_epsilon = sp.Symbol("epsilon", positive=True)
NEAR_NULL = {_pi: sp.Integer(1), _u: sp.Integer(0), _v: sp.Integer(0)}
"""Shares pi sum to 1, the deviations u and v to 0."""


def plain_bias_terms() -> tuple[Any, Any]:
    r"""Return n and m times :math:`\tfrac12 \operatorname{tr}(H \Sigma)`, one for each sample."""
    first = over_bins(sp.diff(term, p, p) * p * (1 - p)) / 2
    second = over_bins(sp.diff(term, q, q) * q * (1 - q)) / 2
    return first, second


def bias() -> Derivation:
    r"""Derive the first-order bias of the plug-in J; the first part alone holds where the baseline is known.

    .. math:: \frac{B - 2 + \sum q/p}{2n} + \frac{B - 2 + \sum p/q}{2m}

    References
    ----------
    Derived here from the Hessian; at P = Q it is (B - 1)(1/n + 1/m), the mean of the law of Yurdakul and Naranjo
    (2020).
    """
    first, second = plain_bias_terms()
    lhs = first / n + second / m
    rhs = (B - 2 + over_bins(q / p)) / (2 * n) + (B - 2 + over_bins(p / q)) / (2 * m)
    at_null = rhs.xreplace({q: p}) - (B - 1) / n_e
    return Derivation(lhs=lhs, rhs=rhs, residuals=(reduced(lhs - rhs), reduced(at_null), *_trace_residuals()))


def _trace_residuals() -> tuple[Any, ...]:
    """Hold the trace in sums against explicit block matrices of 2, 3 and 4 bins with a free Hessian."""
    residuals = []
    for bins in (2, 3, 4):
        shares = [sp.symbols(f"{name}1:{bins + 1}", positive=True) for name in "st"]
        hpp, hqq, hpq = (sp.diag(*sp.symbols(f"{name}1:{bins + 1}", real=True)) for name in "abc")
        hessian = sp.BlockMatrix([[hpp, hpq], [hpq, hqq]]).as_explicit()
        sigma = sp.diag(multinomial_covariance(list(shares[0]), n), multinomial_covariance(list(shares[1]), m))
        sums = [sum(h[k, k] * s[k] * (1 - s[k]) for k in range(bins)) for h, s in zip((hpp, hqq), shares, strict=True)]
        residuals.append(sp.expand((hessian * sigma).trace() - sums[0] / n - sums[1] / m))
    return tuple(residuals)


def smoothing_shift(share: Any, size: Any, a: Any) -> Any:
    """Return the limit of ``size * (E[(x + a) / (size + a B)] - share)`` for a binomial x of mean ``size * share``."""
    return sp.limit(size * ((size * share + a) / (size + a * B) - share), size, sp.oo)


def smoothed_bias_terms(a: Any) -> tuple[Any, Any]:
    """Return n and m times the first-order bias of J with `a` added to every count."""
    share = sp.Symbol("s", positive=True)
    first, second = plain_bias_terms()
    shift_p = smoothing_shift(share, n, a).subs(share, p)
    shift_q = smoothing_shift(share, m, a).subs(share, q)
    return first + over_bins(shift_p * gradient_p), second + over_bins(shift_q * gradient_q)


def smoothed_bias() -> Derivation:
    r"""Derive the bias of J with a added to every count, a >= 0.

    .. math:: \frac1n\left[\tfrac{B - 2 + \sum q/p}{2} + a\left(S - B\,KL(P\|Q) - \sum q/p + B\right)\right]
              + \frac1m\left[\tfrac{B - 2 + \sum p/q}{2} + a\left(-S - B\,KL(Q\|P) - \sum p/q + B\right)\right],
              \quad S = \sum \log(p/q)
    """
    a = sp.Symbol("a", nonnegative=True)
    first, second = smoothed_bias_terms(a)
    lhs = first / n + second / m
    ratio, inverse = over_bins(q / p), over_bins(p / q)
    rhs = ((B - 2 + ratio) / 2 + a * (S - B * kl_pq - ratio + B)) / n + (
        (B - 2 + inverse) / 2 + a * (-S - B * kl_qp - inverse + B)
    ) / m
    return Derivation(lhs=lhs, rhs=rhs, residuals=(reduced(lhs - rhs),))


def half_smoothed_bias() -> Derivation:
    r"""Derive the bias of J with 1/2 added to every count: the sums of q/p and p/q cancel.

    .. math:: \frac{B - 1 + S/2 - (B/2)\,KL(P\|Q)}{n} + \frac{B - 1 - S/2 - (B/2)\,KL(Q\|P)}{m}

    No other constant cancels them: their coefficients are 1/2 - a.
    """
    half = sp.Rational(1, 2)
    first, second = smoothed_bias_terms(half)
    lhs = first / n + second / m
    rhs = (B - 1 + S / 2 - B * kl_pq / 2) / n + (B - 1 - S / 2 - B * kl_qp / 2) / m
    a = sp.Symbol("a", nonnegative=True)
    general = reduced(smoothed_bias_terms(a)[0])
    coefficient = general.coeff(sp.Function("Sigma")(q / p))
    return Derivation(lhs=lhs, rhs=rhs, residuals=(reduced(lhs - rhs), sp.expand(coefficient - (half - a))))


def near_null(expression: Any, order: int) -> Any:
    """Return the coefficient of ``epsilon**order`` of a term at p = pi + epsilon u, q = pi + epsilon v."""
    share, up, down = sp.symbols("pi u v", positive=True)
    moved = expression.subs({p: share + _epsilon * up, q: share + _epsilon * down}, simultaneous=True)
    coefficient = sp.series(moved, _epsilon, 0, order + 1).removeO().coeff(_epsilon, order)
    return sp.expand(coefficient.subs({share: _pi, up: _u, down: _v}, simultaneous=True))


def _second_order(weight: Any, values: Any) -> Any:
    """Return the second-order coefficient of ``sum w v**2 - (sum w v)**2``; the mean must vanish to first order."""
    mean = [reduced(over_bins(near_null(weight * values, k)), NEAR_NULL) for k in (0, 1)]
    square = over_bins(near_null(weight * values**2, 2))
    return square - mean[1] ** 2 - 2 * mean[0] * over_bins(near_null(weight * values, 2))


def null_scale() -> Derivation:
    r"""Derive :math:`n_e J \to \chi^2_{B-1}` where both samples share one distribution, with n_e = nm/(n + m).

    With p = pi + epsilon u and q = pi + epsilon v, J is :math:`\varepsilon^2 \sum (u-v)^2/\pi` to second order; terms
    of order 0 and 1 vanish. The covariance of :math:`(\hat p - \hat q)/\sqrt\pi`, times n_e, is a projection of trace
    B - 1. With a known baseline the same holds with n in place of n_e.

    References
    ----------
    Yurdakul (2018); Yurdakul and Naranjo (2020).
    """
    quadratic = over_bins((_u - _v) ** 2 / _pi)
    lower = [reduced(over_bins(near_null(term, k)), NEAR_NULL) for k in (0, 1)]
    lhs = over_bins(near_null(term, 2))
    s = sp.symbols("s1:4", positive=True)
    # three bins, the third holding all others, whose share is 1 - s1**2 - s2**2
    rest = {s[2]: sp.sqrt(1 - s[0] ** 2 - s[1] ** 2)}
    both = multinomial_covariance([item**2 for item in s], n) + multinomial_covariance([item**2 for item in s], m)
    scale = sp.diag(*(1 / item for item in s))
    law = (n_e * scale * both * scale).subs(rest).applyfunc(sp.simplify)
    trace = over_bins(1 - p) - (B - 1)
    return Derivation(
        lhs=lhs,
        rhs=quadratic,
        residuals=(
            *lower,
            reduced(lhs - quadratic, NEAR_NULL),
            *(law * law - law),
            sp.expand(law.trace() - 2),
            reduced(trace),
        ),
    )


@cache
def null_variances() -> tuple[Any, Any, Any, Any]:
    """Return second-order coefficients near P = Q of J and three squared standard errors in circulation.

    The delta method; fixed weights, the sum of ``(p - q)**2 (1/(n p) + 1/(m q))``; the delta method without the
    covariance of L and q/p.
    """
    divergence = over_bins(near_null(term, 2))
    full = _second_order(p, gradient_p) / n + _second_order(q, gradient_q) / m
    weights_fixed = over_bins(near_null((p - q) ** 2 / p, 2)) / n + over_bins(near_null((p - q) ** 2 / q, 2)) / m
    no_cross = (_second_order(p, log_ratio) + _second_order(p, q / p)) / n + (
        _second_order(q, log_ratio) + _second_order(q, p / q)
    ) / m
    return divergence, full, weights_fixed, no_cross


def null_z_ratios() -> Derivation:
    r"""Derive the law of J divided by its standard error where P = Q: no standard error makes it normal.

    To leading order SE**2 is 4J/n_e (delta method), J/n_e (weights held fixed), 2J/n_e (covariance of L and q/p left
    out), so that with :math:`n_e J \to \chi^2_{B-1}` the ratio J/SE tends to :math:`\tfrac12\sqrt{\chi^2_{B-1}}`,
    :math:`\sqrt{\chi^2_{B-1}}` and :math:`\sqrt{\chi^2_{B-1}/2}`. Adding :math:`\sum L^2 \operatorname{Var}(p - q)` to
    the fixed-weight form gives 2J/n_e less :math:`\sum (p-q)^2/n_e`.
    """
    divergence, full, weights_fixed, no_cross = null_variances()
    independent = (
        weights_fixed
        + over_bins(near_null(log_ratio**2 * p * (1 - p), 2)) / n
        + over_bins(near_null(log_ratio**2 * q * (1 - q), 2)) / m
    )
    less = over_bins((_u - _v) ** 2)
    factors = (4, 1, 2)
    residuals = [
        reduced(n_e * squared - factor * divergence, NEAR_NULL)
        for squared, factor in zip((full, weights_fixed, no_cross), factors, strict=True)
    ]
    residuals.append(reduced(n_e * independent - (2 * divergence - less), NEAR_NULL))
    J, chi2 = sp.symbols("J chi2", positive=True)
    z = [J / sp.sqrt(factor * J / n_e) for factor in factors]
    laws = (sp.sqrt(chi2) / 2, sp.sqrt(chi2), sp.sqrt(chi2 / 2))
    residuals += [sp.simplify(item.subs(J, chi2 / n_e) - law) for item, law in zip(z, laws, strict=True)]
    return Derivation(
        lhs=sp.Tuple(*z), rhs=sp.Tuple(*(law.subs(chi2, n_e * J) for law in laws)), residuals=tuple(residuals)
    )


def noncentral_moments(nu: Any, noncentrality: Any) -> tuple[Any, Any]:
    """Return mean and variance of a noncentral chi-square from its cumulant generating function."""
    t = sp.Symbol("t")
    cumulants = -nu / 2 * sp.log(1 - 2 * t) + noncentrality * t / (1 - 2 * t)
    return sp.diff(cumulants, t).subs(t, 0), sp.diff(cumulants, t, 2).subs(t, 0)


def snc_moments() -> Derivation:
    r"""Derive the moments of the scaled noncentral chi-square law of the smoothed J.

    With :math:`\rho = n_e V/(4J)` and :math:`\nu = n_e b/\rho`, the variable
    :math:`(\rho/n_e)\,\chi'^2_\nu(n_e J/\rho)` has mean J + b and variance V + 2 rho b/n_e. With P = Q it is the law
    of `null_scale`: rho tends to 1 and nu to B - 1. With J fixed its variance tends to V as n_e grows.
    """
    J, V, b, size = sp.symbols("J V b n_e", positive=True)
    rho, nu, noncentrality = sp.symbols("rho nu lambda", positive=True)
    mean, variance = noncentral_moments(nu, noncentrality)
    lhs = sp.Tuple(rho / size * mean, (rho / size) ** 2 * sp.factor(variance))
    rhs = sp.Tuple(J + b, V + 2 * rho * b / size)
    matched = {nu: size * b / rho, noncentrality: size * J / rho}
    scale = {rho: size * V / (4 * J)}
    divergence, full, *_ = null_variances()
    at_null = half_smoothed_bias().rhs.xreplace({q: p}) - (B - 1) / n_e
    small = {V: sp.Symbol("v") / size, b: sp.Symbol("c") / size}
    shrinking = sp.limit((rhs[1].subs(scale) / V - 1).subs(small), size, sp.oo)
    return Derivation(
        lhs=lhs,
        rhs=rhs,
        residuals=(
            *(sp.simplify((left - right).subs(matched).subs(scale)) for left, right in zip(lhs, rhs, strict=True)),
            reduced(n_e * full / 4 - divergence, NEAR_NULL),
            reduced(at_null),
            shrinking,
        ),
    )


__all__ = [
    "bias",
    "half_smoothed_bias",
    "noncentral_moments",
    "null_scale",
    "null_variances",
    "null_z_ratios",
    "plain_bias_terms",
    "quadratic_form",
    "smoothed_bias",
    "smoothed_bias_terms",
    "smoothing_shift",
    "snc_moments",
]
