"""Symbolic proofs for a general f-divergence: derivatives, variance, bias, smoothing and the law where nothing differs.

The generator f is an undefined function wherever the statement holds for all of them. Sums over bins hold for every
number of bins (see `binsums`); the covariance matrices are multiplied out for 2, 3 and 4 bins.
"""

from __future__ import annotations

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
from asymptopia.theory.scorecard.symbolic import iv_variance, jeffreys, kl_pq, kl_qp, quadratic_form
from asymptopia.theory.scorecard.symbolic_moments import NEAR_NULL, bias, near_null, smoothed_bias, smoothing_shift

r = sp.Symbol("r", positive=True)
alpha = sp.Symbol("alpha", positive=True)
f = sp.Function("f")
_half = sp.Rational(1, 2)

GENERATORS: dict[str, Any] = {
    "kl": r * sp.log(r),
    "reverse-kl": -sp.log(r),
    "jeffreys": (r - 1) * sp.log(r),
    "js": (r * sp.log(2 * r / (1 + r)) + sp.log(2 / (1 + r))) / 2,
    "hellinger": (sp.sqrt(r) - 1) ** 2 / 2,
    "pearson": (r - 1) ** 2,
    "neyman": (1 - r) ** 2 / r,
    "alpha": (r**alpha - alpha * r - (1 - alpha)) / (alpha * (alpha - 1)),
}
"""Generators f of sum q f(p/q)."""

CURVATURES: dict[str, Any] = {
    "kl": 1,
    "reverse-kl": 1,
    "jeffreys": 2,
    "js": sp.Rational(1, 4),
    "hellinger": sp.Rational(1, 4),
    "pearson": 2,
    "neyman": 2,
    "alpha": 1,
}
"""Second derivatives of the generators at 1."""

_mixture = (p + q) / 2
SUMS: dict[str, Any] = {
    "kl": kl_pq,
    "reverse-kl": kl_qp,
    "jeffreys": kl_pq + kl_qp,
    "js": over_bins(p * sp.log(p / _mixture)) / 2 + over_bins(q * sp.log(q / _mixture)) / 2,
    "hellinger": 1 - over_bins(sp.sqrt(p * q)),
    "pearson": over_bins((p - q) ** 2 / q),
    "neyman": over_bins((p - q) ** 2 / p),
    "alpha": (over_bins(p**alpha * q ** (1 - alpha)) - 1) / (alpha * (alpha - 1)),
}
"""The same divergences as they are usually written."""


def first_derivatives(generator: Any, ratio: Any) -> tuple[Any, Any]:
    """Return u = f'(r) and v = f(r) - r f'(r), the derivatives of ``q f(p/q)`` by p and by q, at `ratio`."""
    slope = sp.diff(generator, r)
    return slope.subs(r, ratio), (generator - r * slope).subs(r, ratio)


def _cell_derivative(*by: str) -> Any:
    """Return a derivative of ``q f(p/q)`` with p written as r q."""
    a, b = sp.symbols("p q", positive=True)
    place = {"p": a, "q": b}
    return sp.diff(b * f(a / b), *(place[name] for name in by)).subs(a, r * b).doit()


def f_derivatives() -> Derivation:
    r"""Derive the gradient and the Hessian of a term :math:`q f(p/q)` for an undefined f.

    .. math:: \partial_p = f'(r), \quad \partial_q = f(r) - r f'(r), \quad
              \partial_{pp} = f''/q, \quad \partial_{qq} = r^2 f''/q, \quad \partial_{pq} = -r f''/q

    The Hessian has determinant 0 and, with f convex, non-negative diagonal: the term is jointly convex. Terms of
    different bins share no variable, so that derivatives across bins vanish.

    References
    ----------
    Csiszar (1967) defines the class; the derivatives are taken here.
    """
    b = sp.Symbol("q", positive=True)
    slope, curvature = sp.diff(f(r), r), sp.diff(f(r), r, 2)
    rhs = sp.Tuple(slope, f(r) - r * slope, curvature / b, r**2 * curvature / b, -r * curvature / b)
    orders = (("p",), ("q",), ("p", "p"), ("q", "q"), ("p", "q"))
    lhs = sp.Tuple(*(_cell_derivative(*order) for order in orders))
    return Derivation(
        lhs=lhs,
        rhs=rhs,
        residuals=(
            *(left - right for left, right in zip(lhs, rhs, strict=True)),
            sp.expand(lhs[2] * lhs[3] - lhs[4] ** 2),
        ),
    )


def _bins(bins: int) -> tuple[list[Any], list[Any], Any, Any]:
    """Return shares that sum to 1 in both samples, and free values u and v, of `bins` bins."""
    shares = []
    for name in "st":
        head = list(sp.symbols(f"{name}1:{bins}", positive=True))
        shares.append([*head, 1 - sum(head)])
    u, v = (sp.Matrix(sp.symbols(f"{name}1:{bins + 1}", real=True)) for name in "uv")
    return shares[0], shares[1], u, v


def centred_square(values: Any, shares: list[Any]) -> Any:
    """Return the variance of `values` under `shares`, written with the mean subtracted."""
    mean = sum(s * value for s, value in zip(shares, values, strict=True))
    return sum(s * (value - mean) ** 2 for s, value in zip(shares, values, strict=True))


def f_variance() -> Derivation:
    r"""Derive the first-order variance of the plug-in f-divergence of two independent multinomial samples.

    .. math:: \operatorname{Var}(\hat D_f) \approx \operatorname{Var}_P(u)/n + \operatorname{Var}_Q(v)/m,
              \quad u = f'(r), \; v = f(r) - r f'(r)

    A constant added to u or to v changes nothing, so that generators which differ by a multiple of r - 1 agree. The
    mean of u under P and that of v under Q add to the divergence, since it is homogeneous of degree 1.

    References
    ----------
    Csiszar (1967); Pardo (2006), chapter 3, for phi-divergences of multinomial samples.
    """
    residuals: list[Any] = []
    c = sp.Symbol("c", real=True)
    for bins in (2, 3, 4):
        s, t, u, v = _bins(bins)
        matrix = sp.diag(multinomial_covariance(s, n), multinomial_covariance(t, m))
        gradient = sp.Matrix([*u, *v])
        claimed = centred_square(u, s) / n + centred_square(v, t) / m
        residuals.append(sp.expand((gradient.T * matrix * gradient)[0, 0] - claimed))
        residuals.append(sp.expand(centred_square([value + c for value in u], s) - centred_square(u, s)))
    slope, other = first_derivatives(f(r), r)
    residuals.append(sp.expand(r * slope + other - f(r)))
    u, v = (sp.IndexedBase(name, real=True)[i] for name in "uv")
    return Derivation(
        lhs=sp.Symbol(r"\operatorname{Var}(\hat D_f)"),
        rhs=quadratic_form(u, p) / n + quadratic_form(v, q) / m,
        residuals=tuple(residuals),
    )


def f_bias_terms(curvature: Any) -> tuple[Any, Any]:
    """Return n and m times the first-order bias, with `curvature` = f''(p/q)."""
    return (
        over_bins(p * (1 - p) * curvature / q) / 2,
        over_bins(q * (1 - q) * (p / q) ** 2 * curvature / q) / 2,
    )


def f_bias() -> Derivation:
    r"""Derive the first-order bias of the plug-in f-divergence, half the trace of Hessian times covariance.

    .. math:: \frac1{2n} \sum p(1-p) \frac{f''(r)}{q} + \frac1{2m} \sum q(1-q) \frac{r^2 f''(r)}{q}

    Against a known baseline the first part alone remains. At P = Q it is f''(1) (B - 1)/(2 n_e).
    """
    residuals: list[Any] = []
    for bins in (2, 3, 4):
        s, t, w, _ = _bins(bins)
        ratio = [a / b for a, b in zip(s, t, strict=True)]
        hpp = sp.diag(*(w[k] / t[k] for k in range(bins)))
        hqq = sp.diag(*(ratio[k] ** 2 * w[k] / t[k] for k in range(bins)))
        hpq = sp.diag(*(-ratio[k] * w[k] / t[k] for k in range(bins)))
        hessian = sp.BlockMatrix([[hpp, hpq], [hpq, hqq]]).as_explicit()
        matrix = sp.diag(multinomial_covariance(s, n), multinomial_covariance(t, m))
        claimed = sum(
            s[k] * (1 - s[k]) * w[k] / t[k] / (2 * n) + t[k] * (1 - t[k]) * ratio[k] ** 2 * w[k] / t[k] / (2 * m)
            for k in range(bins)
        )
        residuals.append(sp.factor((hessian * matrix).trace() / 2 - claimed))
    w = sp.IndexedBase("w", real=True)[i]
    first, second = f_bias_terms(w)
    one = sp.Symbol("w", real=True)
    null_first, null_second = (item.xreplace({q: p}) for item in f_bias_terms(one))
    residuals.append(reduced(null_first / n + null_second / m - one * (B - 1) / (2 * n_e)))
    return Derivation(
        lhs=sp.Symbol(r"\operatorname{E}(\hat D_f) - D_f"), rhs=first / n + second / m, residuals=tuple(residuals)
    )


def f_smoothed_bias_terms(u: Any, v: Any, curvature: Any, a: Any) -> tuple[Any, Any]:
    """Return n and m times the first-order bias with `a` added to every count."""
    share = sp.Symbol("s", positive=True)
    first, second = f_bias_terms(curvature)
    shift_p = smoothing_shift(share, n, a).subs(share, p)
    shift_q = smoothing_shift(share, m, a).subs(share, q)
    return first + over_bins(shift_p * u), second + over_bins(shift_q * v)


def f_smoothed_bias() -> Derivation:
    r"""Derive the bias with a added to every count: :math:`a \sum (1 - B p) u / n + a \sum (1 - B q) v / m` more.

    The expectation of (x + a)/(n + aB) differs from p by a(1 - Bp)/n to first order. A constant in u or v drops out,
    because the shifts add to 0. For Jeffreys the statement is `smoothed_bias`.
    """
    a = sp.Symbol("a", nonnegative=True)
    c = sp.Symbol("c", real=True)
    u, v, w = (sp.IndexedBase(name, real=True)[i] for name in "uvw")
    first, second = f_smoothed_bias_terms(u, v, w, a)
    lhs = first / n + second / m
    plain = f_bias_terms(w)
    rhs = (plain[0] + a * over_bins((1 - B * p) * u)) / n + (plain[1] + a * over_bins((1 - B * q) * v)) / m
    moved = f_smoothed_bias_terms(u + c, v - c, w, a)
    ratio = p / q
    slopes = first_derivatives(GENERATORS["jeffreys"], ratio)
    curved = sp.diff(GENERATORS["jeffreys"], r, 2).subs(r, ratio)
    special = f_smoothed_bias_terms(*slopes, curved, a)
    return Derivation(
        lhs=lhs,
        rhs=rhs,
        residuals=(
            reduced(lhs - rhs),
            reduced(moved[0] - first),
            reduced(moved[1] - second),
            reduced(special[0] / n + special[1] / m - smoothed_bias().rhs),
        ),
    )


_c1, _c2, _c3 = sp.symbols("c_1 c_2 c_3", real=True)
_deviation = p / q - 1
TAYLOR = _c1 * _deviation + _c2 * _deviation**2 / 2 + _c3 * _deviation**3 / 6
"""A generator near r = 1, with f(1) = 0; terms of higher order do not matter below."""


def null_coefficients() -> tuple[Any, Any]:
    """Return second-order coefficients near P = Q of D_f and of its squared standard error."""
    divergence = over_bins(near_null(q * TAYLOR, 2))
    # c_1 adds a constant to u and v, which `f_variance` proves to be without effect
    u = _c2 * _deviation + _c3 * _deviation**2 / 2
    v = -_c2 * _deviation - _c3 * _deviation**2 / 2 - _c2 * _deviation**2 / 2
    variance = []
    for weight, values in ((p, u), (q, v)):
        mean = reduced(over_bins(near_null(weight * values, 1)), NEAR_NULL)
        variance.append(over_bins(near_null(weight * values**2, 2)) - mean**2)
    return divergence, variance[0] / n + variance[1] / m


def f_null_scale() -> Derivation:
    r"""Derive that :math:`(2 n_e / f''(1))\, D_f \to \chi^2_{B-1}` where P = Q, and the law of D_f/SE there.

    With p = pi + epsilon u, q = pi + epsilon v the divergence is
    :math:`\varepsilon^2 \tfrac{f''(1)}{2} \sum (u-v)^2/\pi`: the statistic of `null_scale` for every f. The squared
    standard error is :math:`2 f''(1) D_f/n_e`, so that D_f/SE tends to :math:`\tfrac12\sqrt{\chi^2_{B-1}}` for every f.

    References
    ----------
    Pardo (2006), chapter 3; Yurdakul and Naranjo (2020) for the Jeffreys divergence.
    """
    pi, u, v = (sp.IndexedBase(name)[i] for name in ("pi", "u", "v"))
    quadratic = over_bins((u - v) ** 2 / pi)
    lower = [reduced(over_bins(near_null(q * TAYLOR, k)), NEAR_NULL) for k in (0, 1)]
    divergence, squared = null_coefficients()
    D, chi2 = sp.symbols("D chi2", positive=True)
    curvature = sp.Symbol("c", positive=True)
    z = D / sp.sqrt(2 * curvature * D / n_e)
    return Derivation(
        lhs=2 / _c2 * divergence,
        rhs=quadratic,
        residuals=(
            *lower,
            reduced(2 * divergence - _c2 * quadratic, NEAR_NULL),
            reduced(n_e * squared - 2 * _c2 * divergence, NEAR_NULL),
            sp.simplify(z.subs(D, curvature * chi2 / (2 * n_e)) - sp.sqrt(chi2) / 2),
        ),
    )


def generators() -> Derivation:
    r"""Derive that every listed generator gives the divergence of its name, with f(1) = 0 and the stated f''(1).

    References
    ----------
    Csiszar (1967); Cressie and Read (1984) for the power family; Lin (1991) for Jensen-Shannon.
    """
    residuals: list[Any] = []
    for kind, generator in GENERATORS.items():
        residuals.append(generator.subs(r, 1))
        residuals.append(sp.simplify(sp.diff(generator, r, 2).subs(r, 1) - CURVATURES[kind]))
        # the constant denominator of the power family is taken out of the sum
        factor = alpha * (alpha - 1) if kind == "alpha" else sp.Integer(1)
        term = sp.powsimp(sp.expand(q * sp.expand(factor * generator).subs(r, p / q)), force=True)
        gap = over_bins(term) - sp.expand(factor * SUMS[kind])
        residuals.append(reduced(gap.xreplace({item: _powers(item) for item in gap.atoms(sp.Sum)})))
    kinds = list(GENERATORS)
    return Derivation(
        lhs=sp.Tuple(*(sp.Symbol(rf"f''_{{\mathrm{{{kind}}}}}(1)") for kind in kinds)),
        rhs=sp.Tuple(*(sp.sympify(CURVATURES[kind]) for kind in kinds)),
        residuals=tuple(residuals),
    )


def _powers(item: Any) -> Any:
    """Return a sum over bins whose term has powers and logarithms of products taken apart."""
    term = sp.expand_power_base(sp.together(item.function), force=True)
    term = sp.expand_log(sp.expand(term), force=True).replace(
        lambda part: isinstance(part, sp.log), lambda part: sp.expand_log(sp.log(sp.factor(part.args[0])), force=True)
    )
    return over_bins(sp.powsimp(sp.expand_power_base(sp.expand(term), force=True)))


def alpha_limits() -> Derivation:
    r"""Derive the members of the power family: KL at 1, reverse KL at 0, four times 1 - BC at 1/2, chi-square at 2.

    .. math:: f_a(r) = \frac{r^a - a r - (1 - a)}{a(a - 1)}

    A multiple of r - 1 may be added, which does not change the sum over bins. The adjoint r f_a(1/r) is
    f_{1-a}.

    References
    ----------
    Cressie and Read (1984).
    """
    family = GENERATORS["alpha"]
    at_one, at_zero = sp.limit(family, alpha, 1), sp.limit(family, alpha, 0)
    residuals = (
        sp.expand(at_one - GENERATORS["kl"] + (r - 1)),
        sp.expand(at_zero - GENERATORS["reverse-kl"] - (r - 1)),
        sp.expand(family.subs(alpha, _half) - 4 * GENERATORS["hellinger"]),
        sp.expand(2 * family.subs(alpha, 2) - GENERATORS["pearson"]),
        sp.simplify(2 * family.subs(alpha, -1) - GENERATORS["neyman"]),
        sp.simplify(r * family.subs(r, 1 / r) - family.subs(alpha, 1 - alpha)),
    )
    return Derivation(
        lhs=sp.Tuple(sp.Limit(family, alpha, 1), sp.Limit(family, alpha, 0)),
        rhs=sp.Tuple(at_one, at_zero),
        residuals=residuals,
    )


def jeffreys_special_case() -> Derivation:
    r"""Derive that the general variance, bias and null scale give those of Information Value for f = (r - 1) log r."""
    ratio = p / q
    u, v = (sp.expand_log(item, force=True) for item in first_derivatives(GENERATORS["jeffreys"], ratio))
    curvature = sp.diff(GENERATORS["jeffreys"], r, 2).subs(r, ratio)
    lhs = quadratic_form(u, p) / n + quadratic_form(v, q) / m
    rhs = iv_variance().rhs
    first, second = f_bias_terms(curvature)
    return Derivation(
        lhs=lhs,
        rhs=rhs,
        residuals=(
            reduced(lhs - rhs),
            reduced(first / n + second / m - bias().rhs),
            reduced(over_bins(q * GENERATORS["jeffreys"].subs(r, ratio)) - jeffreys),
            reduced(over_bins(u - (log_ratio + 1 - q / p))),
        ),
    )


def zero_cells() -> Derivation:
    r"""Derive what Jensen-Shannon and Hellinger terms become where a share is 0: both stay finite.

    At p = 0 the term is q f(0) with f(0) = log(2)/2 and 1/2; in the variance :math:`p u^2` tends to 0 and to q/4. The
    mirror holds at q = 0, where the term tends to p times the limit of f(r)/r.
    """
    b = sp.Symbol("q", positive=True)
    found, wanted = [], []
    for kind, level, square in (("js", sp.log(2) / 2, sp.Integer(0)), ("hellinger", _half, b / 4)):
        generator = GENERATORS[kind]
        slope, other = first_derivatives(generator, r)
        found += [
            sp.limit(sp.expand_log(generator, force=True), r, 0, "+"),
            sp.limit(b * r * sp.expand_log(sp.simplify(slope), force=True) ** 2, r, 0, "+"),
            sp.limit(sp.simplify(r * generator.subs(r, 1 / r)), r, 0, "+"),
            # q v^2 at fixed p = b and q = b r
            sp.limit(b * r * sp.expand_log(sp.simplify(other.subs(r, 1 / r)), force=True) ** 2, r, 0, "+"),
        ]
        wanted += [level, square, level, square]
    return Derivation(
        lhs=sp.Tuple(*found),
        rhs=sp.Tuple(*wanted),
        residuals=tuple(sp.simplify(a - c) for a, c in zip(found, wanted, strict=True)),
    )
