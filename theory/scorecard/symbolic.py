"""Symbolic proofs for Information Value, PSI and Weight of Evidence: identity, derivatives and variances.

Statements about J hold for every number of bins (see `binsums`). Statements about one or two bins are proved with three
bins, the third holding all others: a multinomial sample stays multinomial when bins are lumped.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.scorecard.binsums import (
    log_ratio,
    m,
    multinomial_covariance,
    n,
    over_bins,
    p,
    q,
    reduced,
)

jeffreys = over_bins((p - q) * log_ratio)
kl_pq = over_bins(p * log_ratio)
kl_qp = over_bins(-q * log_ratio)
term = (p - q) * log_ratio
gradient_p = sp.expand(sp.diff(term, p), log=False)
gradient_q = sp.expand(sp.diff(term, q), log=False)


def identity() -> Derivation:
    r"""Derive that IV, PSI and the Jeffreys divergence are one function: the sum of both KL divergences.

    Symmetry in the two samples is proved with it.

    References
    ----------
    Jeffreys (1946); Kullback and Leibler (1951), section 2; Siddiqi (2006).
    """
    swapped = over_bins(term.subs({p: q, q: p}, simultaneous=True))
    return Derivation(
        lhs=jeffreys,
        rhs=kl_pq + kl_qp,
        residuals=(reduced(jeffreys - kl_pq - kl_qp), reduced(jeffreys - swapped)),
    )


def merging() -> Derivation:
    r"""Derive that merging two bins never increases J.

    The term T(p, q) is homogeneous of degree 1 and convex (its Hessian has determinant 0 and a positive entry), hence
    subadditive: T(p1 + p2, q1 + q2) <= T(p1, q1) + T(p2, q2).

    References
    ----------
    Kullback and Leibler (1951), theorem 4.1.
    """
    a, b = sp.symbols("p_i q_i", positive=True)
    cell = (a - b) * sp.log(a / b)
    hessian = sp.hessian(cell, (a, b))
    euler = a * sp.diff(cell, a) + b * sp.diff(cell, b)
    convex = sp.Integer(0 if sp.simplify(hessian[0, 0]).is_positive else 1)
    determinant = sp.det(hessian)
    return Derivation(
        lhs=sp.Determinant(hessian), rhs=sp.Integer(0), residuals=(sp.expand(euler - cell), determinant, convex)
    )


def derivatives() -> Derivation:
    r"""Derive the gradient and the Hessian of J, cell by cell; derivatives across cells vanish.

    .. math:: \partial_p = L + 1 - q/p, \quad \partial_q = -L + 1 - p/q, \quad
              \partial_{pp} = 1/p + q/p^2, \quad \partial_{qq} = 1/q + p/q^2, \quad \partial_{pq} = -1/p - 1/q

    References
    ----------
    Yurdakul and Naranjo (2020), second-order delta method.
    """
    a, b, c, d = sp.symbols("p_i q_i p_j q_j", positive=True)
    level = sp.log(a / b)
    total = (a - b) * level + (c - d) * sp.log(c / d)
    rhs = sp.Tuple(
        level + 1 - b / a, -level + 1 - a / b, 1 / a + b / a**2, 1 / b + a / b**2, -1 / a - 1 / b, sp.Integer(0)
    )
    orders = ((a,), (b,), (a, a), (b, b), (a, b), (a, c))
    lhs = sp.Tuple(*(sp.Derivative(total, *order) for order in orders))
    across = [sp.diff(total, one, other) for one in (a, b) for other in (c, d)]
    residuals = [left.doit() - right for left, right in zip(lhs, rhs, strict=True)]
    return Derivation(lhs=lhs, rhs=rhs, residuals=(*residuals, *across))


def quadratic_form(values: Any, shares: Any) -> Any:
    r"""Return ``v'(diag(s) - s s')v``, n times the variance of a linear form of multinomial shares, in sums."""
    return over_bins(shares * values**2) - over_bins(shares * values) ** 2


def _quadratic_form_residuals() -> tuple[Any, ...]:
    """Hold `quadratic_form` against explicit covariance matrices of 2, 3 and 4 bins with free entries."""
    residuals = []
    for bins in (2, 3, 4):
        s = sp.symbols(f"s1:{bins + 1}", positive=True)
        v = sp.Matrix(sp.symbols(f"v1:{bins + 1}", real=True))
        matrix = (v.T * multinomial_covariance(list(s), n) * v)[0, 0]
        mean = sum(a * b for a, b in zip(s, v, strict=True))
        square = sum(a * b**2 for a, b in zip(s, v, strict=True))
        residuals.append(sp.expand(matrix - (square - mean**2) / n))
    return tuple(residuals)


def positive_form_p() -> Any:
    r"""Return :math:`\operatorname{Var}_P(L) + \sum q^2/p - 1 + 2J`, whose terms are all non-negative."""
    return quadratic_form(log_ratio, p) + over_bins(q**2 / p) - 1 + 2 * jeffreys


def positive_form_q() -> Any:
    r"""Return :math:`\operatorname{Var}_Q(L) + \sum p^2/q - 1 + 2J`, whose terms are all non-negative."""
    return quadratic_form(log_ratio, q) + over_bins(p**2 / q) - 1 + 2 * jeffreys


def delta_variance() -> Any:
    """Return the delta-method variance of J from the gradient and both multinomial covariances."""
    return quadratic_form(gradient_p, p) / n + quadratic_form(gradient_q, q) / m


def iv_variance() -> Derivation:
    r"""Derive the first-order variance of the plug-in J of two independent multinomial samples.

    .. math:: \operatorname{Var}(\hat J) \approx V_P/n + V_Q/m, \quad
              V_P = \operatorname{Var}_P(L) + \chi^2(Q \| P) + 2J, \quad
              V_Q = \operatorname{Var}_Q(L) + \chi^2(P \| Q) + 2J

    The covariance between L and q/p under P is -J: leaving it out makes each of V_P and V_Q too small by 2J. The
    additive form, a sum over bins less two squared divergences, is proved with it.

    References
    ----------
    Sudjianto and Burakov (2025) state a delta-method variance; the form without cancellation is derived here.
    """
    lhs = delta_variance()
    rhs = positive_form_p() / n + positive_form_q() / m
    cross_p = over_bins(p * log_ratio * q / p) - kl_pq * over_bins(q)
    cross_q = over_bins(q * log_ratio * p / q) - (-kl_qp) * over_bins(p)
    additive = over_bins(p * gradient_p**2) / n + over_bins(q * gradient_q**2) / m - kl_pq**2 / n - kl_qp**2 / m
    return Derivation(
        lhs=lhs,
        rhs=rhs,
        residuals=(
            reduced(lhs - rhs),
            reduced(cross_p + jeffreys),
            reduced(cross_q - jeffreys),
            reduced(lhs - additive),
            *_quadratic_form_residuals(),
        ),
    )


def dropped_cross_covariance() -> Derivation:
    r"""Derive that omitting :math:`\operatorname{Cov}(L, q/p)` understates V_P and V_Q by exactly 2J.

    References
    ----------
    Compare the asymptotic variance in Rojas, Alvarez and Rojas (2023) and its package statistical-iv 0.3.2.
    """
    kept = quadratic_form(log_ratio, p) + quadratic_form(q / p, p)
    kept_q = quadratic_form(log_ratio, q) + quadratic_form(p / q, q)
    lhs = quadratic_form(gradient_p, p) - kept
    return Derivation(
        lhs=lhs,
        rhs=2 * jeffreys,
        residuals=(
            reduced(lhs - 2 * jeffreys),
            reduced(quadratic_form(gradient_q, q) - kept_q - 2 * jeffreys),
        ),
    )


def fixed_bin_size_variance() -> Derivation:
    r"""Derive the variance of J where the bin sizes N_i are fixed and :math:`y_i \sim Bin(N_i, e_i)` are independent.

    .. math:: \sum_i N_i e_i (1 - e_i) D_i^2, \qquad
              D_i = (A_i - \textstyle\sum_k q_k A_k)/m - (C_i - \sum_k p_k C_k)/n

    with :math:`A = \partial J/\partial q` and :math:`C = \partial J/\partial p`. Proved by differentiating J through
    the counts for 2 and 3 bins.
    """
    residuals = []
    for bins in (2, 3):
        sizes = sp.symbols(f"N1:{bins + 1}", positive=True)
        y = sp.symbols(f"y1:{bins + 1}", positive=True)
        x = [size - bad for size, bad in zip(sizes, y, strict=True)]
        good, bad = sum(x), sum(y)
        a, b = sp.symbols("a b", positive=True)
        slope_a = sp.diff((a - b) * sp.log(a / b), a)
        slope_b = sp.diff((a - b) * sp.log(a / b), b)
        shares = [(x[k] / good, y[k] / bad) for k in range(bins)]
        total = sum((s - t) * (sp.log(s) - sp.log(t)) for s, t in shares)
        C = [slope_a.subs({a: s, b: t}, simultaneous=True) for s, t in shares]
        A = [slope_b.subs({a: s, b: t}, simultaneous=True) for s, t in shares]
        mean_a = sum(t * value for (_, t), value in zip(shares, A, strict=True))
        mean_c = sum(s * value for (s, _), value in zip(shares, C, strict=True))
        for k in range(bins):
            claimed = (A[k] - mean_a) / bad - (C[k] - mean_c) / good
            residuals.append(sp.simplify(sp.expand_log(sp.diff(total, y[k]) - claimed, force=True)))
    D, N, e = (sp.IndexedBase(name)[sp.Symbol("i", integer=True)] for name in "DNe")
    return Derivation(
        lhs=sp.Symbol(r"\operatorname{Var}(\hat J)"), rhs=over_bins(N * e * (1 - e) * D**2), residuals=tuple(residuals)
    )


def _three_bins() -> tuple[Any, Any]:
    """Return symbols of the shares of two bins in both samples; a third bin holds the rest."""
    return sp.symbols("p_i p_j", positive=True), sp.symbols("q_i q_j", positive=True)


def woe_covariance_matrix() -> Any:
    """Return the delta-method covariance of (WoE_i, WoE_j) for two independent multinomial samples."""
    (pi, pj), (qi, qj) = _three_bins()
    weights = sp.Matrix([sp.log(pi) - sp.log(qi), sp.log(pj) - sp.log(qj)])
    good = weights.jacobian([pi, pj])
    bad = weights.jacobian([qi, qj])
    return good * multinomial_covariance([pi, pj], n) * good.T + bad * multinomial_covariance([qi, qj], m) * bad.T


def woe_covariance() -> Derivation:
    r"""Derive the variances and covariances of Weight of Evidence.

    .. math:: \operatorname{Var}(WoE_i) = 1/x_i - 1/n + 1/y_i - 1/m, \qquad
              \operatorname{Cov}(WoE_i, WoE_j) = -1/n - 1/m

    with expected counts :math:`x_i = n p_i`, :math:`y_i = m q_i`; the same for one multinomial sample over bins and
    outcomes, where n and m are random too.

    References
    ----------
    Siddiqi (2006) defines Weight of Evidence; its variance is derived here.
    """
    (pi, pj), (qi, qj) = _three_bins()
    across = -1 / n - 1 / m
    rhs = sp.Matrix(
        [[1 / (n * pi) + 1 / (m * qi) + across, across], [across, 1 / (n * pj) + 1 / (m * qj) + across]],
    )
    lhs = woe_covariance_matrix()
    return Derivation(lhs=lhs, rhs=rhs, residuals=(*(lhs - rhs), *(_joint_sampling() - rhs)))


def _joint_sampling() -> Any:
    """Return the covariance of (WoE_i, WoE_j) under one multinomial over bins and outcomes, of size n + m."""
    size = n + m
    cells = sp.symbols("t1:6", positive=True)
    last = 1 - sum(cells)
    xi, xj, rest, yi, yj = cells
    good, bad = xi + xj + rest, yi + yj + last
    weights = sp.Matrix([sp.log(xi / good) - sp.log(yi / bad), sp.log(xj / good) - sp.log(yj / bad)])
    jacobian = weights.jacobian(cells)
    covariance = jacobian * multinomial_covariance(list(cells), size) * jacobian.T
    (pi, pj), (qi, qj) = _three_bins()
    expected = (n * pi, n * pj, n * (1 - pi - pj), m * qi, m * qj)
    return covariance.subs({cell: value / size for cell, value in zip(cells, expected, strict=True)}).applyfunc(
        sp.factor
    )


def woe_contrast() -> Derivation:
    r"""Derive that a contrast has the variance of a log odds ratio, in which 1/n and 1/m cancel.

    .. math:: \operatorname{Var}(WoE_i - WoE_j) = 1/x_i + 1/y_i + 1/x_j + 1/y_j

    This is the variance of a logistic-regression coefficient of the saturated model.
    """
    (pi, pj), (qi, qj) = _three_bins()
    covariance = woe_covariance_matrix()
    lhs = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    rhs = 1 / (n * pi) + 1 / (m * qi) + 1 / (n * pj) + 1 / (m * qj)
    return Derivation(lhs=lhs, rhs=rhs, residuals=(lhs - rhs,))


def woe_fixed_bin_sizes() -> Derivation:
    r"""Derive the covariance of Weight of Evidence where bin sizes are fixed and outcomes are independent binomials.

    .. math:: \operatorname{Cov}(WoE_i, WoE_j) = \delta_{ij} v_i - 2c + c^2 S, \quad
              v_i = 1/x_i + 1/y_i, \; c = 1/n + 1/m, \; S = \sum_k x_k y_k / (x_k + y_k)

    It is at most the variance of two multinomial samples, since :math:`cS \le 1`: 1 - cS is c times a weighted sum
    of squares. Proved with three bins.
    """
    x = sp.symbols("x1:4", positive=True)
    y = sp.symbols("y1:4", positive=True)
    good, bad = sum(x), sum(y)
    sizes = sp.symbols("N1:4", positive=True)
    counts = [size - count for size, count in zip(sizes, y, strict=True)]
    weights = sp.Matrix(
        [sp.log(counts[k]) - sp.log(sum(counts)) - sp.log(y[k]) + sp.log(bad) for k in range(3)],
    )
    binomial = sp.diag(*(x[k] * y[k] / (x[k] + y[k]) for k in range(3)))
    jacobian = weights.jacobian(y).subs({sizes[k]: x[k] + y[k] for k in range(3)})
    lhs = jacobian * binomial * jacobian.T
    c = 1 / good + 1 / bad
    S = sum(x[k] * y[k] / (x[k] + y[k]) for k in range(3))
    rhs = sp.Matrix(3, 3, lambda r, s: (1 / x[r] + 1 / y[r] if r == s else 0) - 2 * c + c**2 * S)
    share = good / (good + bad)
    squares = sum((x[k] + y[k]) * (x[k] / (x[k] + y[k]) - share) ** 2 for k in range(3))
    gap = (1 - c * S) - c * squares
    entries = [sp.factor(lhs[r, s] - rhs[r, s]) for r in range(3) for s in range(r, 3)]
    return Derivation(lhs=lhs, rhs=rhs, residuals=(*entries, sp.factor(gap)))
