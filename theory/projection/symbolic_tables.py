"""Symbolic proofs about families: closed coefficients if the model is right and if it is wrong.

Each is derived from the log-partition or from the dual potential of the family. Exact risks at finite n are in
`symbolic_exact`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations_with_replacement, product
from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.projection.symbolic import MODEL, TRUTH, A, at, closed_by, coefficient, one_parameter, theta

q, a, r, lam, phi = sp.symbols("q a r lambda phi", positive=True)
d, x = sp.symbols("d x", positive=True)
y = sp.symbols("y1:3", real=True)
psi1, psi2, psi3 = sp.symbols("psi1:4", real=True)
R = sp.Rational

Values = Mapping[tuple[int, ...], Any]


def cumulants_of(log_partition: Any, place: Any) -> dict[int, Any]:
    """Return the cumulants of orders 2 to 6 of a family with one parameter, at a value of theta."""
    return {k: sp.cancel(sp.diff(log_partition, theta, k).subs(theta, place)) for k in MODEL}


def joint(cgf: Any, order: int) -> dict[tuple[int, ...], Any]:
    """Return the joint cumulants of an order from a cumulant generating function of y1, y2."""
    origin = dict.fromkeys(y, 0)
    return {
        key: sp.simplify(sp.diff(cgf, *(y[k] for k in key)).subs(origin))
        for key in combinations_with_replacement((0, 1), order)
    }


def two_parameters(dual: Any, truth: Mapping[int, Values]) -> dict[tuple[int, ...], Any]:
    """Return the contractions for two parameters from the Taylor polynomial of the dual potential in y1, y2."""
    return {
        sizes: closed_by(dual, y, [truth[size] for size in sizes])
        for sizes in A
        if all(size in truth for size in sizes)
    }


def log_series(inner: Any, degree: int = 6) -> Any:
    """Return -log(1 + inner)/2 to a total degree in y1, y2; `inner` has no constant."""
    t = sp.Symbol("t")
    scaled = sp.expand(inner.subs({item: t * item for item in y}, simultaneous=True))
    found = sum((-1) ** j * scaled**j / (2 * j) for j in range(1, degree + 1))
    expanded = sp.expand(found)
    return sum(expanded.coeff(t, j) for j in range(1, degree + 1))


@cache
def normal_dual() -> Any:
    """Return -log(eta2 - eta1^2)/2 about mean 0 and variance 1."""
    return log_series(y[1] - y[0] ** 2)


NORMAL_CGF = y[0] ** 2 / (2 * (1 - 2 * y[1])) - sp.log(1 - 2 * y[1]) / 2
"""Of (X, X^2), X standard normal."""


@cache
def own_normal() -> dict[int, dict[tuple[int, ...], Any]]:
    """Return the cumulants of (X, X^2), X standard normal."""
    return {k: joint(NORMAL_CGF, k) for k in (2, 3, 4)}


@cache
def closed_forms() -> Derivation:
    r"""Derive the coefficients of Bernoulli, multinomial, Poisson, negative binomial, exponential and gamma families.

    .. math:: c_2 = \frac5{12q(1-q)} - \frac{11}{12}, \quad \frac5{12}S_1 - \frac k2 + \frac1{12}, \quad
              \frac5{12\lambda}, \quad \frac{5q^2 + q + 5}{12qr}, \quad \frac{11}{12}, \quad \frac{11}{12a}

    with :math:`S_1 = \sum 1/p_i`. The divergence of two multinomial laws is a sum over cells of that of two Poisson
    means, each with a binomial count, thus one formula serves every number of cells. The next coefficient is
    :math:`\sum[3/(4p_i^2) - 5/(4p_i) + 1/2]` and the optimism :math:`(S_1 - k)/2`.

    References
    ----------
    Sheena (2021), the expansion; the closed forms are derived here.
    """
    logs = {
        "bernoulli": (sp.log(1 + sp.exp(theta)), sp.log(q / (1 - q))),
        "poisson": (sp.exp(theta), sp.log(lam)),
        "negative binomial": (-r * sp.log(1 - sp.exp(theta)), sp.log(q)),
        "exponential": (-sp.log(-theta), -lam),
        "gamma": (-a * sp.log(-theta), -lam),
    }
    found = {name: cumulants_of(*law) for name, law in logs.items()}
    half = R(1, 2)
    # c2, c3 and the second coefficient of the optimism
    both = 1 / q + 1 / (1 - q)
    stated = {
        "bernoulli": (
            R(5, 12) / (q * (1 - q)) - R(11, 12),
            3 * (1 / q**2 + 1 / (1 - q) ** 2) / 4 - 5 * both / 4 + 1,
            both / 2 - 1,
        ),
        "poisson": (R(5, 12) / lam, R(3, 4) / lam**2, half / lam),
        "negative binomial": ((5 * q**2 + q + 5) / (12 * q * r), None, (1 + q**2) / (2 * q * r)),
        "exponential": (R(11, 12), sp.S.One, sp.S.One),
        "gamma": (R(11, 12) / a, 1 / a**2, 1 / a),
    }
    residuals = []
    for name, (second, third, optimism) in stated.items():
        values = one_parameter(found[name], found[name])
        residuals += [coefficient("forward", 1, values) - half, coefficient("forward", 2, values) - second]
        residuals += [coefficient("optimism", 2, values) - optimism]
        if third is not None:
            residuals.append(coefficient("forward", 3, values) - third)
    # one cell: a Poisson divergence with a binomial count; the probabilities sum to 1
    cell = one_parameter(dict.fromkeys(MODEL, q), {k: found["bernoulli"][k] for k in TRUTH})
    cells = {
        ("forward", 1): half - q / 2,
        ("forward", 2): R(5, 12) / q - half + q / 12,
        ("forward", 3): R(3, 4) / q**2 - R(5, 4) / q + half,
        ("optimism", 2): half / q - half,
    }
    residuals += [coefficient(*place, cell) - value for place, value in cells.items()]
    s1, k = sp.symbols("S_1 k", positive=True)
    return Derivation(
        lhs=sp.Symbol("c_2"),
        rhs=R(5, 12) * s1 - k / 2 + R(1, 12),
        residuals=tuple(sp.cancel(item) for item in residuals),
    )


@cache
def normal_forms() -> Derivation:
    r"""Derive the coefficients of the normal and the inverse Gaussian law, both parameters unknown.

    .. math:: \text{normal: } 1,\; \tfrac{61}{12},\; 17; \qquad
              \text{inverse Gaussian: } 1,\; \tfrac{61}{12} + \tfrac{3\phi}2,\; 17 + \tfrac{9\phi}2, \quad
              \phi = \mu/\lambda

    The reverse risk is 1, 11/12, 1 for both, the optimism of the normal law 2, 6, 18.

    References
    ----------
    Derived here from the dual potentials -log(eta2 - eta1^2)/2 and -log(eta2 - 1/eta1)/2.
    """
    third = sum(-((-y[0]) ** k) for k in range(1, 7))  # 1 - 1/(1 + y1)
    gaussian = two_parameters(normal_dual(), own_normal())
    # mean 1, lambda = 1/phi: (eta2 - 1/eta1) = phi + y2 + 1 - 1/(1 + y1)
    dual = log_series((y[1] + third) / phi)
    cgf = 1 / phi - sp.log(1 - 2 * phi * y[1]) / 2
    cgf -= sp.sqrt((1 / phi - 2 * y[1]) * (1 / phi - 2 * y[0]))
    inverse = two_parameters(dual, {k: joint(cgf, k) for k in (2, 3, 4)})
    stated = {
        "forward": (1, R(61, 12) + 3 * phi / 2, 17 + 9 * phi / 2),
        "reverse": (1, R(11, 12), 1),
        "optimism": (2, 6 + 3 * phi / 2, 18 + 9 * phi / 2),
    }
    return Derivation(
        lhs=sp.Symbol("c_2"),
        rhs=stated["forward"][1],
        residuals=(
            *(
                sp.simplify(coefficient(kind, order, inverse) - values[order - 1])
                for kind, values in stated.items()
                for order in (1, 2, 3)
            ),
            *(
                sp.simplify(coefficient(kind, order, gaussian) - sp.sympify(values[order - 1]).subs(phi, 0))
                for kind, values in stated.items()
                for order in (1, 2, 3)
            ),
        ),
    )


def invariants(G: Any, T: Values, Q: Values) -> tuple[Any, Any, Any]:
    """Return F, B and K of a family with two parameters."""
    up = G.inv()
    pair = (0, 1)
    raised: dict[tuple[int, ...], Any] = {
        (i, j, k): sum(at(T, s, m, o) * up[i, s] * up[j, m] * up[k, o] for s, m, o in product(pair, repeat=3))
        for i, j, k in combinations_with_replacement(pair, 3)
    }
    F = sum(at(T, *key) * at(raised, *key) for key in product(pair, repeat=3))
    v = [sum(at(T, i, j, k) * up[i, j] for i, j in product(pair, repeat=2)) for k in pair]
    B = sum(v[i] * v[j] * up[i, j] for i, j in product(pair, repeat=2))
    K = sum(at(Q, *key) * up[key[0], key[1]] * up[key[2], key[3]] for key in product(pair, repeat=4))
    return F, B, K


def trigammas(order: int) -> tuple[Any, Any, Any]:
    """Return the asymptotic series of psi', psi'', psi''' in x = 1/a, to a power of x."""
    first = x + x**2 / 2 + sum(sp.bernoulli(2 * j) * x ** (2 * j + 1) for j in range(1, order // 2 + 1))
    second = sp.expand(-(x**2) * sp.diff(first, x))
    return first, second, sp.expand(-(x**2) * sp.diff(second, x))


@cache
def gamma_law() -> Derivation:
    r"""Derive the coefficients of the gamma law with both parameters unknown, and their series for large shape.

    .. math:: c_2 = \frac{-9a^3\psi_1\psi_3 + 19a^3\psi_2^2 + 22a^2\psi_1^3 - 18a^2\psi_1\psi_2 + 9a^2\psi_3
              - 63a\psi_1^2 + 56a\psi_2 + 60\psi_1}{24(a\psi_1 - 1)^3}

    with :math:`\psi_k = \psi^{(k)}(a)`. For large a it is
    :math:`61/12 + x/3 - 7x^3/324 - 47x^4/1620 - \dots`, x = 1/a, for small a :math:`11/(12a)`. The formula loses
    digits like the cube of a, the series does not.

    References
    ----------
    Derived here from the log-partition log Gamma(a) - a log b.
    """
    # derivatives by (a, -b) at b = 1; the law is a scale family
    G = sp.Matrix([[psi1, 1], [1, a]])
    T: Values = {(0, 0, 0): psi2, (0, 0, 1): sp.S.Zero, (0, 1, 1): sp.S.One, (1, 1, 1): 2 * a}
    Q: Values = {(0, 0, 0, 0): psi3, (0, 0, 0, 1): 0, (0, 0, 1, 1): 0, (0, 1, 1, 1): sp.Integer(2), (1, 1, 1, 1): 6 * a}
    rate = sp.Symbol("theta2", negative=True)
    log_partition = -a * sp.log(-rate)
    of_rate = [
        sp.diff(log_partition, rate, k).subs(rate, -1) - item
        for k, item in ((2, a), (3, T[1, 1, 1]), (4, Q[1, 1, 1, 1]))
    ]
    of_both = [
        sp.diff(log_partition, a, rate, k).subs(rate, -1) - item
        for k, item in ((1, 1), (2, T[0, 1, 1]), (3, Q[0, 1, 1, 1]))
    ]
    F, B, K = invariants(G, T, Q)
    top = -9 * a**3 * psi1 * psi3 + 19 * a**3 * psi2**2 + 22 * a**2 * psi1**3 - 18 * a**2 * psi1 * psi2
    top += 9 * a**2 * psi3 - 63 * a * psi1**2 + 56 * a * psi2 + 60 * psi1
    cube = (a * psi1 - 1) ** 3
    second = top / (24 * cube)
    half = -(a**3) * psi1 * psi3 / 2 + a**3 * psi2**2 + a**2 * psi1**3 - a**2 * psi1 * psi2 + a**2 * psi3 / 2
    half += -3 * a * psi1**2 + 3 * a * psi2 + 3 * psi1
    # numerator less series times denominator has no term up to x^(3 + 7)
    large = R(61, 12) + x / 3 - 7 * x**3 / 324 - 47 * x**4 / 1620 - 1553 * x**5 / 17010
    large += 33427 * x**6 / 153090 + 82651 * x**7 / 127575
    optimism = 6 + x / 3 - 26 * x**4 / 405 - 502 * x**5 / 2835
    place = dict(zip((psi1, psi2, psi3), trigammas(14), strict=True)) | {a: 1 / x}
    series = sp.expand(top.subs(place) - 24 * large * cube.subs(place))
    of_optimism = sp.expand(half.subs(place) - optimism * cube.subs(place))
    near = {psi1: a**-2 + sp.zeta(2), psi2: -2 * a**-3 - 2 * sp.Symbol("z3"), psi3: 6 * a**-4 + 6 * sp.zeta(4)}
    return Derivation(
        lhs=sp.Symbol("c_2"),
        rhs=second,
        residuals=(
            *of_rate,
            *of_both,
            sp.simplify((10 * F + 9 * B - 9 * K) / 24 - second),
            sp.simplify((F + B - K) / 2 - half / cube),
            *(series.coeff(x, j) for j in range(-4, 11)),
            *(of_optimism.coeff(x, j) for j in range(-4, 9)),
            sp.limit(sp.cancel(a * second.subs(near)), a, 0) - R(11, 12),
        ),
    )


def _normal_mean(polynomial: Any, along: Any, rest: Any, length: Any) -> Any:
    """Return the mean for u = length along, |b| = length, |a|^2 = along^2 + rest, of normal vectors a and b."""
    total = sp.S.Zero
    for (i, j, k), value in sp.Poly(sp.expand(polynomial), along, rest, length).terms():
        if i % 2 == 0:
            chi2 = sp.prod([d - 1 + 2 * m for m in range(j)]) * sp.prod([d + 2 * m for m in range(k // 2)])
            total += value * sp.factorial2(i - 1) * chi2
    return sp.factor(total)


@cache
def multivariate() -> Derivation:
    r"""Derive the second coefficient of the multivariate normal law, in every dimension d.

    .. math:: c_2 = \frac{d(10d^2 + 51d + 61)}{24}, \qquad \text{covariance only: } \frac{d(10d^2 + 21d + 13)}{24}

    In whitened coordinates :math:`y_a\cdot y_b = u + [u^2 - |a|^2 - |b|^2 + d]/2` with u = a.b, thus
    :math:`F = E(y_a\cdot y_b)^3`, :math:`B = E|y_a|^2|y_b|^2\,y_a\cdot y_b` and :math:`K = \mathrm{Var}|y|^2 - 2p` are
    moments of two normal vectors. The optimism is :math:`p/n + p(d + 2)/n^2`, as that of the exact
    :math:`p/(n - d - 2)`. For any truth :math:`t_0 = (\beta_2 + d)/2` with Mardia's kurtosis.

    References
    ----------
    Derived here.
    """
    along, rest, length = sp.symbols("g q l", positive=True)
    u = along * length
    norm, other = along**2 + rest, length**2
    residuals = []
    stated = {True: d * (10 * d**2 + 51 * d + 61) / 24, False: d * (10 * d**2 + 21 * d + 13) / 24}
    for with_mean, second in stated.items():
        inner = (u**2 - norm - other + d) / 2 + (u if with_mean else 0)
        size = d * (d + 3) / 2 if with_mean else d * (d + 1) / 2

        def square(value: Any, linear: bool = with_mean) -> Any:
            return (value**2 - 2 * value + d) / 2 + (value if linear else 0)

        places = (along, rest, length)
        F = _normal_mean(inner**3, *places)
        B = _normal_mean(inner * square(norm) * square(other), *places)
        trace = _normal_mean(square(norm), *places)
        K = _normal_mean(square(norm) ** 2, *places) - trace**2 - 2 * size
        optimism = size * (d + 2) if with_mean else size * (d + 1)
        residuals += [
            trace - size,
            (10 * F + 9 * B - 9 * K) / 24 - second,
            (F + B - K) / 2 - optimism,
            _normal_mean(inner**2, *places) - size,
        ]
    kurtosis = sp.Symbol("beta_2", positive=True)
    squared = sp.Symbol("w", positive=True)
    any_truth = sp.expand((squared**2 - 2 * squared + d) / 2 + squared)
    residuals.append(any_truth.subs(squared**2, kurtosis) - (kurtosis + d) / 2)
    return Derivation(
        lhs=sp.Symbol("c_2"), rhs=stated[True], residuals=tuple(sp.expand(sp.simplify(item)) for item in residuals)
    )


@cache
def misspecified() -> Derivation:
    r"""Derive the coefficients of wrong models from moments of the truth.

    .. math:: \text{normal: } c_1 = 1 + \frac{g_2}4, \qquad
              c_2 = \frac{121}{12} - \frac{m_6}3 + 3g_1^2 + \frac98g_2^2 + 6g_2

    with skewness g1, excess kurtosis g2 and standardised sixth moment m6; the fifth does not enter. For a Poisson
    model :math:`V/(2l)` and :math:`-m_3/(3l^2) + 3V^2/(4l^3)`, for an exponential one and gamma data
    :math:`1/(2a), 11/(12a^2), 1/a^3`. In a model of independent coordinates the correlations of the truth cancel.

    References
    ----------
    Sheena (2021), the expansion; the closed forms are derived here.
    """
    g1, g2, m5, m6, V, m3, m4 = sp.symbols("g1 g2 m5 m6 V m3 m4", real=True)
    kurtosis = g2 + 3
    # standardised truth, statistic (X, X^2)
    truth: dict[int, Values] = {
        2: {(0, 0): sp.S.One, (0, 1): g1, (1, 1): kurtosis - 1},
        3: {
            (0, 0, 0): g1,
            (0, 0, 1): kurtosis - 1,
            (0, 1, 1): m5 - 2 * g1,
            (1, 1, 1): m6 - 3 * kurtosis + 2,
        },
    }
    normal = two_parameters(normal_dual(), truth)
    second = R(121, 12) - m6 / 3 + 3 * g1**2 + R(9, 8) * g2**2 + 6 * g2
    residuals = [
        coefficient("forward", 1, normal) - (1 + g2 / 4),
        coefficient("forward", 2, normal) - second,
        coefficient("optimism", 1, normal) - (2 + g2 / 2),
        coefficient("optimism", 2, normal) - (R(27, 2) - m6 / 2 + 4 * g1**2 + R(3, 2) * g2**2 + 8 * g2),
        second.subs({g1: 0, g2: 0, m6: 15}) - R(61, 12),
        # exponential data
        second.subs({g1: 2, g2: 6, m6: 265}) - R(41, 4),
    ]
    counts = one_parameter(dict.fromkeys(MODEL, lam), {2: V, 3: m3, 4: m4})
    residuals += [
        coefficient("forward", 1, counts) - V / (2 * lam),
        coefficient("forward", 2, counts) - (-m3 / (3 * lam**2) + 3 * V**2 / (4 * lam**3)),
    ]
    negative = cumulants_of(-r * sp.log(1 - sp.exp(theta)), sp.log(lam / (lam + r)))
    overdispersed = one_parameter(dict.fromkeys(MODEL, lam), {k: negative[k] for k in TRUTH})
    waiting = {k: sp.factorial(k - 1) for k in MODEL}
    gamma = one_parameter(waiting, {k: waiting[k] / a ** (k - 1) for k in TRUTH})
    tables = (
        (overdispersed, (lam + r) / (2 * r), lam / (12 * r**2) + 1 / (2 * r) + 5 / (12 * lam)),
        (gamma, 1 / (2 * a), R(11, 12) / a**2),
    )
    for values, first, next_one in tables:
        residuals += [coefficient("forward", 1, values) - first, coefficient("forward", 2, values) - next_one]
    residuals += [
        coefficient("forward", 3, overdispersed) - (1 / (2 * r**2) + 5 / (4 * lam * r) + 3 / (4 * lam**2)),
        coefficient("forward", 3, gamma) - a**-3,
    ]
    # the dual potential of independent coordinates is a sum
    f = sp.symbols("f2:7"), sp.symbols("h2:7")
    apart = sum(item * y[i] ** k / sp.factorial(k) for i in (0, 1) for k, item in enumerate(f[i], 2))
    crossed = sp.symbols("s12 c112 c122")
    dependent = two_parameters(
        apart,
        {
            2: {(0, 0): sp.Symbol("s11"), (0, 1): crossed[0], (1, 1): sp.Symbol("s22")},
            3: {(0, 0, 0): sp.Symbol("c1"), (0, 0, 1): crossed[1], (0, 1, 1): crossed[2], (1, 1, 1): sp.Symbol("c2")},
        },
    )
    residuals += [sp.diff(coefficient("forward", order, dependent), symbol) for order in (1, 2) for symbol in crossed]
    return Derivation(
        lhs=sp.Symbol("c_2"), rhs=second, residuals=tuple(sp.simplify(sp.sympify(item)) for item in residuals)
    )
