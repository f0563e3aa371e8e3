r"""Symbolic proofs about the risk of the maximum likelihood estimator: the expansion, its companions, its contractions.

The mean parameter is eta, the natural one theta, Psi the log-partition and Phi its convex conjugate; eps is the mean of
n statistics less its expectation. k2, k3, ... are cumulants of the statistic under the model, s2, s3, ... under the
truth. General numbers of parameters are in `symbolic_trees`, families in `symbolic_tables`, estimated contractions in
`symbolic_bias`, bounds in `symbolic_bounds`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import combinations_with_replacement, product
from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.projection import symbolic_trees as trees
from asymptopia.theory.projection.symbolic_trees import B, F, K, contraction, named, p, t0, t1, t21, t22, t31, terms

n = sp.Symbol("n", positive=True)
theta, eta = sp.symbols("theta eta", real=True)
k2, s2 = sp.symbols("k2 s2", positive=True)
k3, k4, k5, k6, s3, s4 = sp.symbols("k3:7 s3:5", real=True)
MODEL = {2: k2, 3: k3, 4: k4, 5: k5, 6: k6}
TRUTH = {2: s2, 3: s3, 4: s4}

WEIGHTS: Mapping[str, Callable[[int], Any]] = {
    "forward": lambda k: sp.Rational(k - 1, sp.factorial(k)),
    "reverse": lambda k: sp.Rational(1, sp.factorial(k)),
    "optimism": lambda k: sp.Rational(1, sp.factorial(k - 1)),
}
"""Factor of the k-th derivative of Phi in each divergence between the projection and the estimate."""

A: Mapping[tuple[int, ...], Any] = {
    (2,): sp.Symbol("A2"),
    (3,): sp.Symbol("A3"),
    (2, 2): sp.Symbol("A4"),
    (4,): sp.Symbol(r"A_{4\kappa}"),
    (2, 3): sp.Symbol("A5"),
    (2, 2, 2): sp.Symbol("A6"),
}
"""Derivatives of Phi contracted with truth cumulants of these orders."""


def coefficient(kind: str, order: int, values: Mapping[tuple[int, ...], Any] = A) -> Any:
    """Return the coefficient of n^-order of a mean divergence from the contractions."""
    weight = WEIGHTS[kind]
    return sum((weight(sum(sizes)) * often * values[sizes] for sizes, often in terms(order).items()), sp.S.Zero)


@cache
def dual_of_one() -> dict[int, Any]:
    """Return the derivatives of Phi of orders 2 to 6 for one parameter, from d theta/d eta = 1/k2."""
    found = {2: 1 / k2}
    for order in range(3, 7):
        slope = sum(sp.diff(found[order - 1], MODEL[k]) * MODEL[k + 1] for k in range(2, order))
        found[order] = sp.expand(slope / k2)
    return found


def one_parameter(model: Mapping[int, Any], truth: Mapping[int, Any]) -> dict[tuple[int, ...], Any]:
    """Return the contractions for one parameter with these cumulants of model and truth, by order."""
    place = {MODEL[k]: model[k] for k in MODEL}
    dual = {k: sp.cancel(item.subs(place)) for k, item in dual_of_one().items()}
    return {sizes: sp.cancel(dual[sum(sizes)] * sp.prod([truth[size] for size in sizes])) for sizes in A}


@cache
def divergences() -> Derivation:
    r"""Derive the divergence between projection and estimate as a Taylor series of the dual potential.

    .. math:: D(\theta^*\|\hat\theta) = \Phi(\eta^*) - \Phi(\bar x) - \nabla\Phi(\bar x)(\eta^* - \bar x)
              = \sum_{k\ge2}\frac{k-1}{k!}\Phi^{(k)}[\varepsilon^k]

    With the arguments exchanged the factor is 1/k!; their sum, whose mean is the optimism, has 1/(k-1)!. The excess
    log loss of the estimate over the projection is D for every truth and every n, since the mean statistic of the
    projection is that of the truth.

    References
    ----------
    Sheena (2021), abstract, for the risk; the route by the dual potential is ours.
    """
    h, k = sp.Symbol("h"), sp.Symbol("k", integer=True, positive=True)
    Phi, Psi = sp.Function("Phi"), sp.Function("Psi")
    projection, estimate, mean, observed = sp.symbols("theta^* thetahat eta^* xbar", real=True)
    # log densities less their common part; the truth has the mean statistic of the projection
    forward = (projection - estimate) * mean - Psi(projection) + Psi(estimate)
    reverse = (estimate - projection) * observed - Psi(estimate) + Psi(projection)
    inside = estimate * observed - Psi(estimate)
    outside = estimate * mean - Psi(estimate)
    legendre = {Psi(projection): projection * mean - Phi(mean), Psi(estimate): estimate * observed - Phi(observed)}
    bregman = Phi(mean) - Phi(observed) - estimate * (mean - observed)
    back = Phi(observed) - Phi(mean) - projection * (observed - mean)
    # Taylor with Phi^(j) as symbols f_j
    f = sp.symbols("f0:8")
    value = sum(f[j] * h**j / sp.factorial(j) for j in range(8))
    at = {
        "forward": f[0] - value + h * sp.diff(value, h),
        "reverse": value - f[0] - f[1] * h,
        "optimism": h * (sp.diff(value, h) - f[1]),
    }
    series = [
        sp.expand(at[kind]).coeff(h, j) - weight(j) * f[j] for kind, weight in WEIGHTS.items() for j in range(2, 8)
    ]
    general = 1 / sp.factorial(k - 1) - 1 / sp.factorial(k) - (k - 1) / sp.factorial(k)
    return Derivation(
        lhs=sp.Symbol(r"D(\theta^{*}\|\hat\theta)"),
        rhs=sp.Sum((k - 1) / sp.factorial(k) * sp.Symbol(r"\Phi^{(k)}[\varepsilon^k]"), (k, 2, sp.oo)),
        residuals=(
            sp.expand(forward.subs(legendre) - bregman),
            sp.expand(reverse.subs(legendre) - back),
            # the mean of theta^* eps is 0
            sp.expand(inside - outside - projection * (observed - mean) - forward - reverse),
            *series,
            sp.simplify(sp.expand_func(general)),
        ),
    )


@cache
def dual_potential() -> Derivation:
    r"""Derive the derivatives of the dual potential to order 6 from the cumulants of the model.

    .. math:: \Phi^{(3)} = -T, \qquad \Phi^{(4)} = -Q + T{\cdot}T\;(3), \qquad
              \Phi^{(5)} = -P + T{\cdot}Q\;(10) - T{\cdot}T{\cdot}T\;(15)

    with raised indices: a sum over the trees with k leaves, 1, 4, 26 and 236 of them, with the sign of the number of
    vertices. For one parameter the trees give what repeated division by k2 of the slope gives.

    References
    ----------
    McCullagh (1987), chapter 5, for index notation; the trees are derived here.
    """
    counts = {2: 1, 3: 1, 4: 4, 5: 26, 6: 236}
    residuals: list[Any] = [len(trees.dual_derivative(k)) - count for k, count in counts.items()]
    for order, value in dual_of_one().items():
        one = trees.evaluated(
            trees.closed(order, (tuple(range(order)),)), [1 / k2], lambda key: MODEL[len(key)], lambda _: sp.S.One
        )
        residuals.append(sp.expand(one - value))
    stated = -k4 / k2**4 + 3 * k3**2 / k2**5
    fifth = -k5 / k2**5 + 10 * k3 * k4 / k2**6 - 15 * k3**3 / k2**7
    residuals += [sp.expand(dual_of_one()[4] - stated), sp.expand(dual_of_one()[5] - fifth)]
    return Derivation(lhs=sp.Symbol(r"\Phi^{(4)}"), rhs=stated, residuals=tuple(map(sp.sympify, residuals)))


@cache
def mean_moments() -> Derivation:
    r"""Derive the moments of a mean of n draws to the order n^-3.

    .. math:: E\varepsilon^2 = \frac{\Sigma}n, \; E\varepsilon^3 = \frac{\kappa}{n^2}, \;
              E\varepsilon^4 = \frac{3\Sigma\Sigma}{n^2} + \frac{\kappa_4}{n^3}, \;
              E\varepsilon^5 \sim \frac{10\Sigma\kappa}{n^3}, \; E\varepsilon^6 \sim \frac{15\Sigma^3}{n^3}

    The numbers count the partitions of the indices into blocks of two or more. Moments of order 7 and more are
    smaller.

    References
    ----------
    McCullagh (1987), chapter 2, moments from cumulants.
    """
    x = sp.Symbol("x")
    cumulants = {2: s2, 3: s3, 4: s4, 5: sp.Symbol("s5"), 6: sp.Symbol("s6"), 7: sp.Symbol("s7"), 8: sp.Symbol("s8")}
    log_mgf = sum(value * x**j / (sp.factorial(j) * n ** (j - 1)) for j, value in cumulants.items())
    mgf = sp.expand(sum(log_mgf**j / sp.factorial(j) for j in range(1, 5)))
    residuals = []
    for order in range(2, 9):
        moment = sp.expand(mgf.coeff(x, order) * sp.factorial(order))
        for power in (1, 2, 3):
            counted = sum(
                often * sp.prod([cumulants[size] for size in sizes])
                for sizes, often in terms(power).items()
                if sum(sizes) == order
            )
            residuals.append(sp.expand(moment.coeff(n, -power) - counted))
    fourth = 3 * s2**2 / n**2 + s4 / n**3
    residuals.append(sp.expand(mgf.coeff(x, 4) * 24 - fourth))
    return Derivation(lhs=sp.Symbol(r"E\varepsilon^4"), rhs=fourth, residuals=tuple(residuals))


def truncated(expression: Any, variables: Sequence[Any], degree: int) -> Any:
    """Return a polynomial without its terms above a degree in the variables."""
    found = sp.Poly(expression, *variables)
    return sum(
        value * sp.prod([v**k for v, k in zip(variables, powers, strict=True)])
        for powers, value in found.terms()
        if sum(powers) <= degree
    )


def closed_by(potential: Any, variables: Sequence[Any], cumulants: Sequence[Mapping[Any, Any]]) -> Any:
    """Return derivatives of a polynomial contracted with cumulants, given by sorted indices, at the origin."""
    found = sp.Poly(potential, *variables)
    for tensor in cumulants:
        order = len(next(iter(tensor)))
        total = sp.Poly(0, *variables)
        for key in combinations_with_replacement(range(len(variables)), order):
            often = sp.factorial(order) / sp.prod([sp.factorial(key.count(k)) for k in range(len(variables))])
            if tensor[key] != 0:
                derivative = found
                for index in key:
                    derivative = derivative.diff(variables[index])
                total += derivative * (often * tensor[key])
        found = total
    return found.eval(dict.fromkeys(variables, 0)) if variables else found


def tensor(name: str, order: int) -> dict[tuple[int, ...], Any]:
    """Return a generic symmetric tensor of two dimensions by sorted indices."""
    return {
        key: sp.Symbol(name + "".join(str(k + 1) for k in key)) for key in combinations_with_replacement((0, 1), order)
    }


def at(values: Mapping[tuple[int, ...], Any], *key: int) -> Any:
    """Return an entry of a symmetric tensor."""
    return values[tuple(sorted(key))]


@cache
def explicit() -> tuple[Any, Any]:
    """Return A3 - (-t1) and A4 - (-t31 + t21 + 2 t22) for two parameters, G the identity, everything else free."""
    T, Q, S, kappa = tensor("T", 3), tensor("Q", 4), tensor("S", 2), tensor("c", 3)
    x = sp.symbols("x1:3")
    a = sp.symbols("a1:3")
    pair = (0, 1)
    higher = sum(at(T, *key) * sp.prod([a[k] for k in key]) for key in product(pair, repeat=3)) / 6
    higher += sum(at(Q, *key) * sp.prod([a[k] for k in key]) for key in product(pair, repeat=4)) / 24
    # theta to second order is enough: Phi is a maximum over theta
    slope = [truncated(sp.diff(higher, v), a, 2) for v in a]
    place = {a[k]: x[k] - slope[k].subs(dict(zip(a, x, strict=True)), simultaneous=True) for k in pair}
    potential = sum(place[a[k]] * x[k] for k in pair)
    potential -= (sum(v**2 for v in a) / 2 + higher).subs(place, simultaneous=True)
    potential = truncated(sp.expand(potential), x, 4)
    A3 = closed_by(potential, x, [kappa])
    A4 = closed_by(potential, x, [S, S])
    v = [sum(at(T, i, k, u) * at(S, i, k) for i, k in product(pair, repeat=2)) for u in pair]
    values = {
        t1: sum(at(T, *key) * at(kappa, *key) for key in product(pair, repeat=3)),
        t21: sum(item**2 for item in v),
        t22: sum(
            at(T, i, k, u) * at(T, m, o, u) * at(S, i, m) * at(S, k, o) for i, k, m, o, u in product(pair, repeat=5)
        ),
        t31: sum(at(Q, i, k, m, o) * at(S, i, k) * at(S, m, o) for i, k, m, o in product(pair, repeat=4)),
    }
    return sp.expand(A3 + t1.subs(values)), sp.expand(A4 - (t21 + 2 * t22 - t31).subs(values))


@cache
def expansion() -> Derivation:
    r"""Derive the risk of the maximum likelihood estimator to the order n^-2, for any truth and number of parameters.

    .. math:: E D = \frac{t_0}{2n} + \frac1{24n^2}\bigl[-8t_1 + 9(t_{21} + 2t_{22}) - 9t_{31}\bigr] + O(n^{-3})

    From :math:`A_2 = t_0`, :math:`A_3 = -t_1`, :math:`A_4 = -t_{31} + t_{21} + 2t_{22}` and
    :math:`E D = A_2/(2n) + (A_3/3 + 3A_4/8)/n^2`. The sums over trees hold for every p; for p = 2 the conjugate of a
    generic log-partition, with every cumulant a symbol, gives the same.

    References
    ----------
    Sheena (2021), the risk to the order n^-2, derived here; the formula coded in the author's program is the same.
    """
    first = coefficient("forward", 1).subs(A[2,], named(contraction(2)))
    stated = (-8 * t1 + 9 * (t21 + 2 * t22) - 9 * t31) / 24
    by_trees = {A[3,]: named(contraction(3)), A[2, 2]: named(contraction(2, 2))}
    second = coefficient("forward", 2)
    # every placing of the pairs on the leaves of Phi^(4) gives the same sum
    placings = [named(trees.closed(4, blocks)) for blocks in trees.partitions(range(4)) if len(blocks) == 2]
    # the program contracts three times what is once t31, and t22 twice
    author = (-8 * t1 + 9 * (t21 + t22 + t22) - 3 * (t31 + t31 + t31)) / 24
    return Derivation(
        lhs=sp.Symbol("E D"),
        rhs=t0 / (2 * n) + stated / n**2,
        residuals=(
            first - t0 / 2,
            sp.expand(second - (A[3,] / 3 + 3 * A[2, 2] / 8)),
            sp.expand(second.subs(by_trees) - stated),
            *(sp.expand(item - (t21 + 2 * t22 - t31)) for item in placings),
            sp.Integer(len(placings) - 3),
            *explicit(),
            sp.expand(author - stated),
        ),
    )


@cache
def well_specified() -> Derivation:
    r"""Derive the expansion if the truth is in the model, and its form for one parameter.

    .. math:: E D = \frac p{2n} + \frac{10F + 9B - 9K}{24n^2}, \qquad
              p = 1:\; c_2 = \frac1{24}\Bigl[\frac{19k_3^2}{k_2^3} - \frac{9k_4}{k_2^2}\Bigr]

    with :math:`F = T_{ijk}T^{ijk}`, :math:`B = |T_{ij}{}^j|^2`, :math:`K = Q_{ij}{}^{ij}`: covariances of the truth
    become edges and its third cumulant a vertex, so that t1 and t22 are F, t21 is B and t31 is K.

    References
    ----------
    Sheena (2021); Lawley (1956) and McCullagh (1987) for the invariants.
    """
    stated = (10 * F + 9 * B - 9 * K) / 24
    own: dict[tuple[int, ...], Any] = {
        sizes: trees.well_specified(contraction(*sizes)) for sizes in ((2,), (3,), (2, 2))
    }
    one = one_parameter(MODEL, {k: MODEL[k] for k in TRUTH})
    invariants = {F: k3**2 / k2**3, B: k3**2 / k2**3, K: k4 / k2**2}
    single = (19 * k3**2 / k2**3 - 9 * k4 / k2**2) / 24
    return Derivation(
        lhs=sp.Symbol("E D"),
        rhs=p / (2 * n) + stated / n**2,
        residuals=(
            sp.expand(coefficient("forward", 1, own) - p / 2),
            sp.expand(coefficient("forward", 2, own) - stated),
            sp.expand(coefficient("forward", 2, one) - single),
            sp.expand(stated.subs(invariants) - single),
            sp.expand(coefficient("forward", 1, one) - sp.Rational(1, 2)),
        ),
    )


@cache
def companions() -> Derivation:
    r"""Derive the reverse risk, the optimism and the terms of order n^-3 from the same contractions.

    .. math:: E D(\hat\theta\|\theta^*) = \frac{A_2}{2n} + \frac{A_3/6 + A_4/8}{n^2}, \qquad
              \text{optimism} = \frac{A_2}n + \frac{A_3 + A_4}{2n^2}, \qquad
              c_3 = \frac{A_{4\kappa}}8 + \frac{A_5}3 + \frac{5A_6}{48}

    The optimism, the mean log likelihood per observation in the sample less that outside, is the sum of both risks.
    For the exponential law the exact values are :math:`\psi(n) - \log n + 1/(n-1)`, :math:`\log n - \psi(n)` and
    :math:`1/(n - 1)`.

    References
    ----------
    Derived here; Takeuchi (1976) for the first order of the optimism.
    """
    A4k, A5, A6 = A[4,], A[2, 3], A[2, 2, 2]
    stated = {
        ("forward", 3): A4k / 8 + A5 / 3 + 5 * A6 / 48,
        ("reverse", 2): A[3,] / 6 + A[2, 2] / 8,
        ("reverse", 3): A4k / 24 + A5 / 12 + A6 / 48,
        ("optimism", 1): A[2,],
        ("optimism", 2): (A[3,] + A[2, 2]) / 2,
        ("optimism", 3): A4k / 6 + 5 * A5 / 12 + A6 / 8,
    }
    sums = [
        coefficient("optimism", order) - coefficient("forward", order) - coefficient("reverse", order)
        for order in (1, 2, 3)
    ]
    # trees and the chain rule of one parameter agree on every contraction
    one = one_parameter(MODEL, TRUTH)
    by_trees = [
        trees.evaluated(contraction(*sizes), [1 / k2], lambda key: MODEL[len(key)], lambda key: TRUTH[len(key)]) - value
        for sizes, value in one.items()
    ]
    gammas = {k: sp.factorial(k - 1) for k in MODEL}
    law = one_parameter(gammas, gammas)
    x = sp.Symbol("x", positive=True)
    digamma = -x / 2 - x**2 / 12
    inverse = x + x**2 + x**3
    exact = {"forward": digamma + inverse, "reverse": -digamma, "optimism": inverse}
    return Derivation(
        lhs=sp.Symbol("c_3"),
        rhs=stated["forward", 3],
        residuals=(
            *(sp.expand(coefficient(*place) - value) for place, value in stated.items()),
            *(sp.expand(item) for item in sums),
            *(sp.expand(item) for item in by_trees),
            *(
                coefficient(kind, order, law) - value.coeff(x, order)
                for kind, value in exact.items()
                for order in (1, 2, 3)
            ),
        ),
    )


@cache
def contractions() -> Derivation:
    r"""Derive the contractions as moments of the whitened statistic, without a tensor of the fourth order.

    .. math:: t_{31} = \mathrm{Var}(y^TSy) - 2\,\mathrm{tr}\,S^2, \quad v = E[(y^TSy)y], \; t_{21} = |v|^2, \quad
              t_1 = E(y\cdot z)^3, \quad t_{22} = E[(y_a^TSy_b)^2\,y_a\cdot y_b]

    with y whitened under the model, z the statistic of the truth in the same coordinates, and a and b independent
    draws. The mean of such a square over all pairs of N draws contains the pairs a = b: its expectation is that over
    distinct pairs times (N - 1)/N, plus the diagonal over N.

    References
    ----------
    McCullagh (1987), chapter 2, for cumulants; the contractions are derived here.
    """
    pair = (0, 1)
    T, Q, S, kappa = tensor("T", 3), tensor("Q", 4), tensor("S", 2), tensor("c", 3)
    same = sp.eye(2)

    def fourth(i: int, k: int, m: int, o: int) -> Any:
        # moment from cumulants with the identity as covariance
        return at(Q, i, k, m, o) + same[i, k] * same[m, o] + same[i, m] * same[k, o] + same[i, o] * same[k, m]

    indices = list(product(pair, repeat=4))
    square = sum(fourth(i, k, m, o) * at(S, i, k) * at(S, m, o) for i, k, m, o in indices)
    trace = S[0, 0] + S[1, 1]
    of_square = S[0, 0] ** 2 + 2 * S[0, 1] ** 2 + S[1, 1] ** 2
    direct = sum(at(Q, i, k, m, o) * at(S, i, k) * at(S, m, o) for i, k, m, o in indices)
    # moments over two independent draws, as polynomials in their coordinates
    a, b = sp.symbols("a1:3"), sp.symbols("b1:3")

    def mean(expression: Any, left: Mapping[Any, Any], right: Mapping[Any, Any]) -> Any:
        total = sp.S.Zero
        for powers, value in sp.Poly(expression, *a, *b).terms():
            first = (0,) * powers[0] + (1,) * powers[1]
            second = (0,) * powers[2] + (1,) * powers[3]
            total += value * left[first] * right[second]
        return total

    dot = sum(x * y for x, y in zip(a, b, strict=True))
    form = sum(at(S, i, k) * a[i] * b[k] for i, k in product(pair, repeat=2))
    crossed = sum(at(T, *key) * at(kappa, *key) for key in product(pair, repeat=3))
    twice = sum(
        at(T, i, k, u) * at(T, m, o, u) * at(S, i, m) * at(S, k, o) for i, k, m, o, u in product(pair, repeat=5)
    )
    N, diagonal, distinct = sp.symbols("N D U", positive=True)
    over_all = (N * diagonal + N * (N - 1) * distinct) / N**2
    return Derivation(
        lhs=t31,
        rhs=sp.Symbol(r"\mathrm{Var}(y^TSy)") - 2 * sp.Symbol(r"\mathrm{tr}\,S^2"),
        residuals=(
            sp.expand(square - trace**2 - 2 * of_square - direct),
            sp.expand(mean(sp.expand(dot**3), T, kappa) - crossed),
            sp.expand(mean(sp.expand(form**2 * dot), T, T) - twice),
            sp.simplify((over_all - diagonal / N) * N / (N - 1) - distinct),
        ),
    )
