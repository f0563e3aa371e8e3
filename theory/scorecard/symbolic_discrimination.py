"""Symbolic proofs for discrimination: AUC, Gini, KS, their links to J, the logistic model and conditional IV."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import sympy as sp
from sympy.polys.matrices import DomainMatrix

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.scorecard.binsums import multinomial_covariance

K = sp.Symbol("KS", positive=True)


def auc(p: Any, q: Any) -> Any:
    """Return the area under the ROC curve of bins in ascending order of bad share, ties counted half."""
    return sum(b * (sum(p[:k]) + p[k] / 2) for k, b in enumerate(q))


def auc_variance() -> Derivation:
    r"""Derive the first-order variance of the AUC of binned scores, and that twice the AUC less 1 is KS for two bins.

    .. math:: \operatorname{Var}(\widehat{AUC}) \approx \operatorname{Var}_P(W)/n + \operatorname{Var}_Q(U)/m, \quad
              U_i = \sum_{j<i} p_j + p_i/2, \; W_i = \sum_{j>i} q_j + q_i/2

    U and W are the placements of one sample's items among the other's; their means are the AUC.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988); Hanley and McNeil (1982).
    """
    n, m = sp.symbols("n m", positive=True)
    residuals: list[Any] = []
    for bins in (2, 3, 4):
        p, q = ([*(head := sp.symbols(f"{name}1:{bins}", positive=True)), 1 - sum(head)] for name in "pq")
        free_p, free_q = (sp.symbols(f"{name}1:{bins + 1}", positive=True) for name in "st")
        place = {**dict(zip(free_p, p, strict=True)), **dict(zip(free_q, q, strict=True))}
        area = auc(free_p, free_q)
        gradient = sp.Matrix([area]).jacobian([*free_p, *free_q]).subs(place, simultaneous=True)
        covariance = sp.diag(multinomial_covariance(p, n), multinomial_covariance(q, m))
        U = [sum(p[:k]) + p[k] / 2 for k in range(bins)]
        W = [sum(q[k + 1 :]) + q[k] / 2 for k in range(bins)]
        value = auc(p, q)
        claimed = sum(s * (w - value) ** 2 for s, w in zip(p, W, strict=True)) / n
        claimed += sum(s * (u - value) ** 2 for s, u in zip(q, U, strict=True)) / m
        residuals.append(sp.expand((gradient * covariance * gradient.T)[0, 0] - claimed))
        residuals.append(sp.expand(sum(s * w for s, w in zip(p, W, strict=True)) - value))
    p, q = sp.symbols("p q", positive=True)
    residuals.append(sp.expand(2 * auc([p, 1 - p], [q, 1 - q]) - 1 - (p - q)))
    names = sp.symbols(r"\operatorname{Var}_P(W) \operatorname{Var}_Q(U)")
    return Derivation(
        lhs=sp.Symbol(r"\operatorname{Var}(\widehat{AUC})"),
        rhs=names[0] / n + names[1] / m,
        residuals=tuple(residuals),
    )


def area_above_diagonal(points: list[tuple[Any, Any]]) -> Any:
    """Return the area between a polyline from (0, 0) to (1, 1) and the diagonal."""
    steps = pairwise(points)
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in steps) - sp.Rational(1, 2)


def gini_bounds() -> Derivation:
    r"""Derive the bounds :math:`KS \le Gini \le 2 KS - KS^2` from the two extreme concave ROC curves.

    Bins in order of bad share have a concave curve whose largest height over the diagonal is KS. It contains the
    triangle over the point where that height is reached, at any place s, and lies below the line parallel to the
    diagonal at height KS. Twice the areas over the diagonal are the bounds; that a concave curve lies between the two
    is geometry, not algebra.

    References
    ----------
    Derived here; the curve's height is the Kolmogorov-Smirnov distance of the ordered bins.
    """
    s = sp.Symbol("s", nonnegative=True)
    lower = 2 * area_above_diagonal([(sp.Integer(0), sp.Integer(0)), (s, s + K), (sp.Integer(1), sp.Integer(1))])
    upper = 2 * area_above_diagonal(
        [(sp.Integer(0), sp.Integer(0)), (sp.Integer(0), K), (1 - K, sp.Integer(1)), (sp.Integer(1), sp.Integer(1))]
    )
    return Derivation(
        lhs=sp.Tuple(lower, upper),
        rhs=sp.Tuple(K, 2 * K - K**2),
        residuals=(sp.expand(lower - K), sp.expand(upper - (2 * K - K**2)), sp.diff(sp.expand(lower), s)),
    )


def jeffreys_of_two(first: Any, second: Any) -> Any:
    """Return J of two bins with shares `first` and `second` in the first bin."""
    return (first - second) * (sp.log(first) - sp.log(second) - sp.log(1 - first) + sp.log(1 - second))


def ks_bound() -> Derivation:
    r"""Derive :math:`J \ge 2\,KS \log\frac{1 + KS}{1 - KS}`, with equality for two mirrored bins.

    Merging the bins with p > q and those with p < q does not raise J (see `merging`) and keeps KS. Of two bins whose
    shares differ by KS, placed at s from the mirrored pair, J is KS times the logarithm of
    :math:`((1 + KS)^2 - 4 s^2)/((1 - KS)^2 - 4 s^2)`, which rises with s squared.

    References
    ----------
    Gilardoni (2006) on f-divergences at a given variational distance.
    """
    s, z = sp.Symbol("s", real=True), sp.Symbol("z", nonnegative=True)
    first, second = (1 + K) / 2 + s, (1 - K) / 2 + s
    value = jeffreys_of_two(first, second)
    ratio = ((1 + K) ** 2 - z) / ((1 - K) ** 2 - z)
    product = first * (1 - second) / (second * (1 - first))
    slope = sp.factor(sp.diff(ratio, z))
    rhs = 2 * K * (sp.log(1 + K) - sp.log(1 - K))
    return Derivation(
        lhs=sp.Symbol(r"\min J"),
        rhs=2 * K * sp.log((1 + K) / (1 - K)),
        residuals=(
            sp.cancel(product - ratio.subs(z, 4 * s**2)),
            sp.cancel(slope - 4 * K / ((1 - K) ** 2 - z) ** 2),
            sp.expand(sp.expand_log(value.subs(s, 0), force=True) - rhs),
        ),
    )


def binormal() -> Derivation:
    r"""Derive :math:`J = d^2` and :math:`AUC = \Phi(\sqrt{J/2})` for normal scores with means d apart and variance 1.

    References
    ----------
    Kullback and Leibler (1951) for J of normal populations; Hanley and McNeil (1982) for the binormal area.
    """
    z = sp.Symbol("z", real=True)
    d = sp.Symbol("d", positive=True)
    normal = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
    moved = normal.subs(z, z - d)
    log_ratio = sp.expand_log(sp.log(moved), force=True) - sp.expand_log(sp.log(normal), force=True)
    J = sp.integrate(sp.expand((moved - normal) * sp.expand(log_ratio)), (z, -sp.oo, sp.oo))
    # the difference of two scores is normal with mean d and variance 2
    difference = sp.exp(-((z - d) ** 2) / 4) / sp.sqrt(4 * sp.pi)
    area = sp.integrate(difference, (z, 0, sp.oo))
    value = sp.Symbol("J", positive=True)
    phi = (1 + sp.erf(sp.sqrt(value / 2) / sp.sqrt(2))) / 2
    return Derivation(
        lhs=sp.Symbol("AUC"),
        rhs=phi,
        residuals=(sp.simplify(J - d**2), sp.simplify((area - phi.subs(value, d**2)).rewrite(sp.erf))),
    )


def logistic() -> Derivation:
    r"""Derive that the logistic fit on Weight of Evidence has slope 1 and intercept log(m/n), and its standard error.

    .. math:: SE(\hat\beta_1) = \Bigl[\sum_i w_i (W_i - \bar W)^2\Bigr]^{-1/2}, \quad w_i = \frac{x_i y_i}{x_i + y_i}

    with W = log(bad share/good share) and :math:`\bar W` its mean weighted by w. The fitted rate of a bin at these
    coefficients is its observed rate, so that both score equations hold; the fit is unique where W takes two values.
    """
    x = sp.symbols("x1:4", positive=True)
    y = sp.symbols("y1:4", positive=True)
    good, bad = sum(x), sum(y)
    odds = [(y[k] / bad) / (x[k] / good) for k in range(3)]
    slope, intercept = sp.Integer(1), sp.log(bad / good)
    residuals: list[Any] = []
    score, weighted = sp.Integer(0), sp.Integer(0)
    levels = sp.symbols("W1:4", real=True)
    for k in range(3):
        odds_of_fit = sp.exp(intercept) * odds[k] ** slope
        fitted = (x[k] + y[k]) * odds_of_fit / (1 + odds_of_fit)
        residuals.append(sp.cancel(fitted - y[k]))
        score += y[k] - fitted
        weighted += levels[k] * (y[k] - fitted)
    residuals += [sp.cancel(score), sp.cancel(weighted)]
    w = sp.symbols("w1:4", positive=True)
    information = sp.Matrix(
        2, 2, lambda r, c: sum(weight * level ** (r + c) for weight, level in zip(w, levels, strict=True))
    )
    mean = sum(weight * level for weight, level in zip(w, levels, strict=True)) / sum(w)
    spread = sum(weight * (level - mean) ** 2 for weight, level in zip(w, levels, strict=True))
    residuals.append(sp.cancel(information.inv()[1, 1] - 1 / spread))
    a, b = sp.symbols("x_i y_i", positive=True)
    rate = b / (a + b)
    residuals.append(sp.cancel((a + b) * rate * (1 - rate) - a * b / (a + b)))
    return Derivation(
        lhs=sp.Tuple(sp.Symbol(r"\hat\beta_0"), sp.Symbol(r"\hat\beta_1")),
        rhs=sp.Tuple(sp.log(sp.Symbol("m") / sp.Symbol("n")), sp.Integer(1)),
        residuals=tuple(residuals),
    )


def conditional_iv(p: Any, q: Any) -> Any:
    """Return the sum over rows of ``p_i KL(P_i || Q_i) + q_i KL(Q_i || P_i)`` of tables of cell shares."""
    total = sp.Integer(0)
    for row, other in zip(p, q, strict=True):
        out, into = sum(row), sum(other)
        for s, t in zip(row, other, strict=True):
            level = sp.log(s) - sp.log(out) - sp.log(t) + sp.log(into)
            total += out * (s / out) * level - into * (t / into) * level
    return total


def conditional() -> Derivation:
    r"""Derive the chain rule :math:`IV(X_1, X_2) = IV(X_1) + \sum_i p_i KL(P_i\|Q_i) + q_i KL(Q_i\|P_i)`.

    P_i and Q_i are the laws of X2 in bin i of X1. The gradient by a cell is that of the joint IV less that of the
    margin: :math:`L_{ij} - q_{ij}/p_{ij} - L_i + q_i/p_i`.

    References
    ----------
    Kullback and Leibler (1951), section 2: additivity of information.
    """
    residuals: list[Any] = []
    for rows, columns in ((2, 2), (2, 3), (3, 2)):
        p, q = (
            [[sp.Symbol(f"{name}{j}{k}", positive=True) for k in range(columns)] for j in range(rows)] for name in "pq"
        )
        joint = sum(
            (p[j][k] - q[j][k]) * (sp.log(p[j][k]) - sp.log(q[j][k])) for j in range(rows) for k in range(columns)
        )
        out, into = [sum(row) for row in p], [sum(row) for row in q]
        margin = sum((s - t) * (sp.log(s) - sp.log(t)) for s, t in zip(out, into, strict=True))
        value = conditional_iv(p, q)
        residuals.append(sp.expand(joint - margin - sp.expand(value)))
        slope = sp.diff(joint - margin, p[0][0])
        claimed = sp.log(p[0][0]) - sp.log(q[0][0]) - q[0][0] / p[0][0]
        claimed += -sp.log(out[0]) + sp.log(into[0]) + into[0] / out[0]
        residuals.append(sp.simplify(slope - claimed))
    names = sp.symbols(r"IV(X_1,X_2) IV(X_1) IV(X_2\mid{}X_1)")
    return Derivation(lhs=names[0], rhs=names[1] + names[2], residuals=tuple(residuals))


def conditional_null() -> Derivation:
    r"""Derive the null law of the conditional IV: a weighted sum of chi-squares, one weight for each bin of X1.

    .. math:: \widehat{IV}(X_2 \mid X_1) \to \sum_i \frac{p_i + q_i}{2}\Bigl(\frac1{n p_i} + \frac1{m q_i}\Bigr)
              \chi^2_{B_2 - 1}

    where X2 has the same law in both outcomes within each bin of X1. If X1 is without effect too, every weight is
    1/n_e. Proved from the expansion of both divergences to second order and the covariance of the difference of two
    independent multinomial shares, which is a multiple of a projection.
    """
    eps = sp.Symbol("epsilon", positive=True)
    pi = sp.symbols("pi1:3", positive=True)
    u, v = sp.symbols("u1:3", real=True), sp.symbols("v1:3", real=True)
    out, into = sp.symbols("p_i q_i", positive=True)
    shares = [*pi, 1 - sum(pi)]
    up, down = [*u, -sum(u)], [*v, -sum(v)]

    def second_order(weight: Any, first: Any, second: Any) -> list[Any]:
        total = weight * sum(
            (s + eps * a) * (sp.log(s + eps * a) - sp.log(s + eps * b))
            for s, a, b in zip(shares, first, second, strict=True)
        )
        return [sp.diff(total, eps, k).subs(eps, 0) / sp.factorial(k) for k in range(3)]

    pieces = [a + b for a, b in zip(second_order(out, up, down), second_order(into, down, up), strict=True)]
    quadratic = sum((a - b) ** 2 / s for a, b, s in zip(up, down, shares, strict=True))
    residuals: list[Any] = [sp.simplify(pieces[0]), sp.simplify(pieces[1])]
    residuals.append(sp.simplify(pieces[2] - (out + into) / 2 * quadratic))
    n, m = sp.symbols("n m", positive=True)
    scale = 1 / (n * out) + 1 / (m * into)
    covariance = multinomial_covariance(shares, n * out) + multinomial_covariance(shares, m * into)
    # as in `null_scale`: C with C D^-1 C = C for a projection after scaling by the root of D
    unit = (covariance / scale).applyfunc(sp.cancel)
    inverse = sp.diag(*(1 / s for s in shares))
    field = sp.QQ.frac_field(*pi)
    exact, weights = (
        DomainMatrix([[field.from_sympy(sp.cancel(e)) for e in row] for row in item.tolist()], item.shape, field)
        for item in (unit, inverse)
    )
    residuals += list((exact * weights * exact - exact).to_Matrix())
    residuals.append(sp.cancel((unit * inverse).trace() - 2))
    weight = (out + into) / 2 * scale
    residuals.append(sp.cancel(weight.subs(into, out) - (1 / n + 1 / m)))
    return Derivation(lhs=sp.Symbol(r"\lambda_i"), rhs=weight, residuals=tuple(residuals))
