"""Symbolic proofs about divergence, total variation and the error of Bayes, and about the sample that is required."""

from __future__ import annotations

from functools import cache
from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation

b, t, n, C, alpha = sp.symbols("b t n C alpha", positive=True)
V = sp.Symbol("V", positive=True)
R = sp.Rational


def binary(first: Any, second: Any) -> Any:
    """Return the divergence of two laws on two points."""
    return first * sp.log(first / second) + (1 - first) * sp.log((1 - first) / (1 - second))


def holds(condition: Any) -> Any:
    """Return 0 if sympy knows the condition to be true, 1 otherwise: a residual that must vanish."""
    return sp.Integer(0 if condition is True or condition == sp.true else 1)


def by_t(expression: Any, e: Any) -> Any:
    """Return the derivative by t of an expression in t and e = exp(2 t)."""
    return sp.diff(expression, t) + 2 * e * sp.diff(expression, e)


def vanishing(expression: Any) -> Any:
    """Return a combination of logarithms with their powers expanded."""
    return sp.simplify(sp.expand_log(sp.simplify(expression), force=True))


@cache
def bayes_bound() -> Derivation:
    r"""Derive the least divergence at a total variation V, its curve in a parameter, its series and its ends.

    .. math:: V = \frac t2\Bigl[1 - \Bigl(\coth t - \frac1t\Bigr)^2\Bigr], \qquad
              L = \log\frac t{\sinh t} + t\coth t - \frac{t^2}{\sinh^2t}

    .. math:: L(V) = 2V^2 + \frac49V^4 + \frac{32}{135}V^6 + \frac{7072}{42525}V^8 + \dots, \qquad
              L \sim -\log(1 - V) \; (V \to 1)

    Grouping the points where one density is above the other keeps V and does not raise the divergence, so that the
    minimum is over laws on two points, of d(b + V || b) over b. It is convex in b, and stationary where
    :math:`\log\frac{(b+V)(1-b)}{b(1-b-V)} = \frac V{b(1-b)} = 2t`. The slope of L is 2t; L is convex, and Pinsker's
    bound 2V^2 is below it. With equal priors the error of Bayes is (1 - V)/2, thus at least :math:`1/2 - \alpha` if
    the divergence is at most :math:`L(2\alpha) > 8\alpha^2`.

    References
    ----------
    Fedotov, Harremoes and Topsoe (2003), the parametric curve; Bretagnolle and Huber (1979) for large divergences.
    """
    value = binary(b + V, b)
    odds = sp.log((b + V) * (1 - b) / (b * (1 - b - V)))
    slope = odds - V / (b * (1 - b))
    bend = V**2 * (1 / ((b + V) * b**2) + 1 / ((1 - b - V) * (1 - b) ** 2))
    # e is exp(2 t): everything is rational in t and e
    e = sp.Symbol("e", positive=True)
    coth, sinh2 = (e + 1) / (e - 1), (e - 1) ** 2 / (4 * e)
    lean = coth - 1 / t
    distance = t / 2 * (1 - lean**2)
    curve = t * coth - t**2 / sinh2  # L less log(t/sinh t)
    low = (1 - lean) / 2
    high = low + distance
    # log(high/low) is 2 t more than log((1 - high)/(1 - low)), which is log(t/sinh t) - t
    same_odds = high * (1 - low) - e * low * (1 - high)
    shrunk = (1 - high) / (1 - low) - 2 * t / (e - 1)
    log_sinh = sp.log(t) - sp.log(e - 1) + sp.log(e) / 2
    moves = by_t(log_sinh + curve, e) - 2 * t * by_t(distance, e)
    # in powers of t
    small = sum(4**k * sp.bernoulli(2 * k) * t ** (2 * k) / sp.factorial(2 * k) for k in range(6))
    whole = sp.expand(t / 2 * (1 - sp.expand((small - 1) / t) ** 2))
    near = sum(whole.coeff(t, k) * t**k for k in range(1, 10))
    level = sp.integrate(sp.expand(2 * t * sp.diff(near, t)), t)
    stated = 2 * V**2 + R(4, 9) * V**4 + R(32, 135) * V**6 + R(7072, 42525) * V**8
    expanded = sp.expand(level - stated.subs(V, near))
    # without exponentially small parts coth t is 1 and log(t/sinh t) is log(2 t) - t
    far = t / 2 * (1 - (1 - 1 / t) ** 2)
    far_level = sp.log(2 * t) - t + t
    excess = (1 - 2 * (b + V)) ** 2 / ((b + V) * (1 - b - V))
    # mass m where the other law has m exp(-D/m): V vanishes with m, the divergence is D
    D, m, w = sp.symbols("D m w", positive=True)
    spread = m * D / m + (1 - m) * sp.log((1 - m) / (1 - m * w))
    return Derivation(
        lhs=sp.Symbol("L(V)"),
        rhs=stated,
        residuals=(
            vanishing(sp.diff(value, b) - slope),
            sp.simplify(sp.diff(value, b, 2) - bend),
            vanishing(sp.diff(value, V) - odds),
            *(
                sp.cancel(item)
                for item in (same_odds, shrunk, distance / (low * (1 - low)) - 2 * t, 2 * t * high - t - curve, moves)
            ),
            *(expanded.coeff(t, k) for k in range(10)),
            vanishing(far_level + sp.log(1 - far)),
            sp.simplify(sp.diff(value, V, 2) - 4 - excess),
            sp.simplify(sp.diff(value, V).subs(V, 0)),
            sp.simplify(value.subs(V, 0)),
            (8 * alpha**2 - stated.subs(V, 2 * alpha)).expand().coeff(alpha, 2),
            sp.simplify(spread.subs(m, 0) - D),
        ),
    )


@cache
def unequal_prior() -> Derivation:
    r"""Derive the least divergence of two laws from the error of Bayes with any prior.

    .. math:: \min_q d(p\|q), \quad \pi(1 - p) + (1 - \pi)q = e; \qquad
              \frac{1-\pi}\pi\log\frac{p(1-q)}{q(1-p)} = \frac{p - q}{q(1 - q)}

    The program is convex in q. With equal priors it is that of `bayes_bound`, V = 1 - 2e. It is not symmetric in the
    prior. The error cannot exceed the smaller prior, where the least divergence is 0.

    References
    ----------
    Derived here, as Fedotov, Harremoes and Topsoe (2003) for equal priors.
    """
    prior, e, q = sp.symbols("pi e q", positive=True)
    p = 1 - (e - (1 - prior) * q) / prior
    value = binary(p, q)
    s = (1 - prior) / prior
    slope = s * sp.log(p * (1 - q) / (q * (1 - p))) - (p - q) / (q * (1 - q))
    bend = (s - p / q) ** 2 / p + (s - (1 - p) / (1 - q)) ** 2 / (1 - p)
    even = {prior: R(1, 2), e: (1 - V) / 2}
    back = {e: prior * (1 - sp.Symbol("p", positive=True)) + (1 - prior) * q}
    return Derivation(
        lhs=sp.Symbol("e"),
        rhs=prior * (1 - sp.Symbol("p")) + (1 - prior) * q,
        residuals=(
            sp.simplify(prior * (1 - p) + (1 - prior) * q - e),
            vanishing(sp.simplify((sp.diff(value, q) - slope).subs(back))),
            sp.simplify(sp.diff(value, q, 2) - bend),
            sp.simplify(p.subs(even) - (q + V)),
            # p = q = 0 at the smaller prior, p = q = 1 at the other end
            sp.simplify(p.subs({q: 0, e: prior})),
            sp.simplify(p.subs({q: 1, e: 1 - prior}) - 1),
        ),
    )


@cache
def local_bound() -> Derivation:
    r"""Derive total variation for laws close to each other, and where the bound for distant ones takes over.

    .. math:: V \sim \sqrt{D/\pi}, \qquad V \le \sqrt{D/2}, \qquad V \le \sqrt{1 - e^{-D}}

    For a small change the log ratio is a score s, V is E|s|/2 and D is E s^2/2: sqrt(D/2) by Cauchy and Schwarz, and
    :math:`\sqrt{D/\pi}` if the score is normal. V = 2 alpha is a divergence of :math:`4\pi\alpha^2` in place of
    :math:`8\alpha^2`. The third bound is weaker than the second below :math:`D = 2 + W(-2e^{-2}) = 1.594`.

    References
    ----------
    Bretagnolle and Huber (1979), the third bound; the local form is derived here.
    """
    shift = sp.Symbol("m", positive=True)
    z = sp.Symbol("z", real=True)
    density = sp.exp(-(z**2) / 2) / sp.sqrt(2 * sp.pi)
    absolute = 2 * sp.integrate(z * density, (z, 0, sp.oo))
    square = sp.integrate(z**2 * density, (z, -sp.oo, sp.oo))
    ratio = (shift * absolute / 2) / sp.sqrt(shift**2 * square / 2)
    # two normal laws of variance 1 at a distance m: P(|Z| < m/2) and m^2/2
    variation = sp.integrate(density, (z, -shift / 2, shift / 2))
    exactly = sp.limit(variation / sp.sqrt(shift**2 / 2), shift, 0)
    divergence = sp.Symbol("D", positive=True)
    threshold = sp.solve(sp.sqrt(divergence / sp.pi) - 2 * alpha, divergence)[0]
    pinsker = sp.solve(sp.sqrt(divergence / 2) - 2 * alpha, divergence)[0]
    cross = 2 + sp.LambertW(-2 * sp.exp(-2))
    # with W e^W = -2 e^-2, exp(-D) = -W/2
    w = sp.Symbol("w", negative=True)
    crossing = ((2 + w) / 2 - (1 - (-w / 2))).expand()
    return Derivation(
        lhs=sp.Symbol("C_{local}"),
        rhs=threshold,
        residuals=(
            sp.simplify(ratio - 1 / sp.sqrt(sp.pi)),
            sp.simplify(exactly - 1 / sp.sqrt(sp.pi)),
            sp.simplify(threshold - 4 * sp.pi * alpha**2),
            sp.simplify(pinsker - 8 * alpha**2),
            crossing,
            sp.Integer(0 if abs(sp.N(cross, 20) - R(15936242600400400923, 10**19)) < R(1, 10**18) else 1),
        ),
    )


@cache
def required_size() -> Derivation:
    r"""Derive the sample that brings the risk to a threshold, and where the series requires none.

    .. math:: n = \frac{c_1 + \sqrt{c_1^2 + 4Cc_2}}{2C}, \qquad
              \max_n\Bigl(\frac{c_1}n + \frac{c_2}{n^2}\Bigr) = \frac{c_1^2}{4|c_2|} \text{ at } n = -\frac{2c_2}{c_1}
              \text{ if } c_2 < 0

    Beyond this n the risk stays below C. For :math:`c_2 < -c_1^2/(4C)` it never reaches C and the series says nothing.
    The first order with a right model is :math:`n \ge p/(16\alpha^2)`: 25 p for alpha = 0.05, 625 p for 0.01.

    References
    ----------
    Sheena (2021), the criterion at C = 8 alpha^2; derived here.
    """
    c1, gap = sp.symbols("c1 g", positive=True)
    c2 = sp.Symbol("c2", real=True)
    p = sp.Symbol("p", positive=True)
    size = (c1 + sp.sqrt(c1**2 + 4 * C * c2)) / (2 * C)
    risk = c1 / n + c2 / n**2
    peak = -2 * c2 / c1
    first = sp.solve(p / (2 * n) - 8 * alpha**2, n)[0]
    # c2 = (g^2 - c1^2)/(4 C): the larger root is (c1 + g)/(2 C), past the peak
    place = {c2: (gap**2 - c1**2) / (4 * C)}
    larger = sp.simplify(size.subs(place))
    return Derivation(
        lhs=n,
        rhs=size,
        residuals=(
            sp.simplify(risk.subs(n, larger).subs(place) - C),
            sp.simplify(sp.diff(risk, n).subs(n, peak)),
            sp.simplify(risk.subs(n, peak) - c1**2 / (4 * -c2)),
            sp.simplify((c1**2 + 4 * C * c2).subs(c2, -(c1**2) / (4 * C))),
            # the slope there is negative
            holds(sp.factor(sp.simplify(-sp.diff(risk, n).subs(place).subs(n, larger))).is_positive),
            sp.simplify(first - p / (16 * alpha**2)),
            first.subs(alpha, R(1, 20)) - 25 * p,
            first.subs(alpha, R(1, 100)) - 625 * p,
        ),
    )
