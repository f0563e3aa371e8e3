"""Symbolic proofs for optimal binning and for the p-value of binning chosen on the data.

The statements hold for every f-divergence. What is algebra is a residual; what is geometry of polygons, or an argument
by convexity from these residuals, is said in the docstring.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation

f = sp.Function("f")
r = sp.Symbol("r", positive=True)
g, b = sp.symbols("g b", positive=True)
"""Shares of goods and bads of a segment."""
gain = b * f(g / b)


def _at_ratio(expression: Any) -> Any:
    """Return the expression with g written as r b."""
    return expression.subs(g, r * b).doit()


def segment_gain() -> Derivation:
    r"""Derive that the gain :math:`c(g, b) = b f(g/b)` of a segment is jointly convex in its goods and bads.

    .. math:: (\delta_g, \delta_b)\, \nabla^2 c\, (\delta_g, \delta_b)' = \frac{f''(r)}{b} (\delta_g - r\,\delta_b)^2

    It is homogeneous of degree 1: a segment cut at a point of equal event rate keeps its gain. A segment's shares are
    differences of its end nodes, hence the gain is convex in the nodes, together and one by one.

    References
    ----------
    Csiszar (1967); for Jeffreys see `merging`.
    """
    dg, db = sp.symbols(r"\delta_g \delta_b", real=True)
    direction = sp.Matrix([dg, db])
    quadratic = _at_ratio((direction.T * sp.hessian(gain, (g, b)) * direction)[0, 0])
    claimed = sp.diff(f(r), r, 2) / b * (dg - r * db) ** 2
    euler = _at_ratio(g * sp.diff(gain, g) + b * sp.diff(gain, b) - gain)
    size = sp.Symbol("lambda", positive=True)
    cut = gain.subs({g: size * g, b: size * b}, simultaneous=True)
    cut += gain.subs({g: (1 - size) * g, b: (1 - size) * b}, simultaneous=True) - gain
    return Derivation(
        lhs=quadratic, rhs=claimed, residuals=(sp.expand(quadratic - claimed), sp.expand(euler), sp.simplify(cut))
    )


def lowering_slope(generator: Any, before: Any, after: Any) -> Any:
    """Return the derivative of the gains on both sides of a node by its cumulative bads.

    `before` and `after` are the ratios g/b of the two segments. The node's bads raise those of the segment before it
    and lower those of the segment after it.
    """
    by_bads = generator - r * sp.diff(generator, r)
    return by_bads.subs(r, before).doit() - by_bads.subs(r, after).doit()


def hull_maximality() -> Derivation:
    r"""Derive that lowering the nodes of a monotone binning to the hull does not lower any f-divergence (theorem A).

    Nodes are points (cumulative goods, cumulative bads); bins in ascending order of event rate form a convex polyline,
    with ratios r = g/b that fall from bin to bin. Let the polyline and the greatest convex minorant of all nodes have
    the same abscissae, by cutting segments at equal rate (see `segment_gain`), and lower every node at once by t times
    its height h over the minorant. Algebra: at t = 0 the divergence has slope

    .. math:: \sum_j h_j \bigl(\phi(r_{j+1}) - \phi(r_j)\bigr), \quad \phi(r) = f(r) - r f'(r), \; \phi' = -r f''(r)

    and phi falls in r, so that every term is non-negative; the divergence is convex in t by `segment_gain`, since
    nodes move on lines. Hence it does not fall on the way to t = 1, where the nodes lie on the minorant. Nodes there
    that are no vertices of it may be dropped at no cost: the blocks of isotonic regression are best for every f.

    References
    ----------
    Blackwell (1953) for the comparison of experiments; Barlow, Bartholomew, Bremner and Brunk (1972) for the greatest
    convex minorant.
    """
    by_bads = _at_ratio(sp.diff(gain, b))
    phi = f(r) - r * sp.diff(f(r), r)
    # one node between two segments, moved by t h
    t, h = sp.symbols("t h", positive=True)
    g1, b1, g2, b2 = sp.symbols("g1 b1 g2 b2", positive=True)
    r1, r2 = sp.symbols("r1 r2", positive=True)
    moved = gain.subs({g: g1, b: b1 - t * h}, simultaneous=True) + gain.subs({g: g2, b: b2 + t * h}, simultaneous=True)
    slope = sp.diff(moved, t).subs(t, 0).subs({g1: r1 * b1, g2: r2 * b2}, simultaneous=True).doit()
    claimed = -h * lowering_slope(f(r), r1, r2)
    return Derivation(
        lhs=sp.Derivative(sp.Function("phi")(r), r),
        rhs=-r * sp.diff(f(r), r, 2),
        residuals=(
            sp.expand(by_bads - phi),
            sp.expand(sp.diff(phi, r) + r * sp.diff(f(r), r, 2)),
            sp.simplify(slope - claimed),
        ),
    )


def limited_bins() -> Derivation:
    r"""Derive what makes an optimum with at most M bins use vertices of the hull alone (theorem B).

    Lower all nodes of an optimal monotone binning to the hull as in `hull_maximality`; the number of bins stays. Move
    one node along its edge of the hull: it runs on a line, so that the two gains beside it are convex in its position.
    Algebra: with direction (alpha, beta) the second derivative is

    .. math:: \frac{f''(r_1)}{b_1} (\alpha - r_1 \beta)^2 + \frac{f''(r_2)}{b_2} (\alpha - r_2 \beta)^2 \ge 0

    A convex function on an interval is largest at an end: a vertex, or a neighbouring node on the same edge, where a
    bin is saved. Any set of vertices of the hull is in convex position, hence monotone: the programme over the hull
    needs no constraint. The same holds for every f.

    References
    ----------
    Derived here.
    """
    s, alpha, beta = sp.symbols("s alpha beta", real=True)
    g1, b1, g2, b2 = sp.symbols("g1 b1 g2 b2", positive=True)
    r1, r2 = sp.symbols("r1 r2", positive=True)
    along = gain.subs({g: g1 + s * alpha, b: b1 + s * beta}, simultaneous=True)
    along += gain.subs({g: g2 - s * alpha, b: b2 - s * beta}, simultaneous=True)
    second = sp.diff(along, s, 2).subs(s, 0).doit().subs({g1: r1 * b1, g2: r2 * b2}, simultaneous=True).doit()
    curvature = sp.diff(f(r), r, 2)
    claimed = sum(
        curvature.subs(r, ratio).doit() / size * (alpha - ratio * beta) ** 2 for ratio, size in ((r1, b1), (r2, b2))
    )
    return Derivation(lhs=sp.Symbol(r"\partial_s^2 D_f"), rhs=claimed, residuals=(sp.simplify(second - claimed),))


def permutation() -> Derivation:
    r"""Derive the law behind the permutation p-value of bins that were chosen on the outcomes.

    Where outcome and prebin are independent, the bads of the prebins given all totals are multivariate hypergeometric,

    .. math:: \frac{\prod_i \binom{N_i}{y_i}}{\binom{N}{m}},

    free of the shares pi. Observed and R drawn tables are exchangeable, whatever is maximised over binnings; the rank
    of the observed maximum is uniform, and :math:`P\bigl((1 + \#)/(R + 1) \le k/(R + 1)\bigr) = k/(R + 1)`, at most
    that with ties. The exchangeability is the argument; the law of the tables and the sum are algebra.

    References
    ----------
    Phipson and Smyth (2010) for the 1 in numerator and denominator.
    """
    x, y, pi = (sp.symbols(f"{name}1:4", integer=True, positive=True) for name in ("x", "y", "pi"))

    def multinomial(counts: Any) -> Any:
        value = sp.factorial(sum(counts))
        for count, share in zip(counts, pi, strict=True):
            value *= share**count / sp.factorial(count)
        return value

    pooled = [a + c for a, c in zip(x, y, strict=True)]
    conditional = multinomial(x) * multinomial(y) / multinomial(pooled)
    hypergeometric = 1 / sp.binomial(sum(pooled), sum(y))
    for size, bads in zip(pooled, y, strict=True):
        hypergeometric *= sp.binomial(size, bads)
    ratio = (conditional / hypergeometric).rewrite(sp.factorial)
    j, k, repeats = sp.symbols("j k R", integer=True, positive=True)
    level = sp.summation(1 / (repeats + 1), (j, 1, k))
    return Derivation(
        lhs=sp.Symbol(r"P(\mathrm{p} \le k/(R+1))"),
        rhs=k / (repeats + 1),
        residuals=(sp.simplify(sp.powsimp(sp.expand(ratio))) - 1, sp.simplify(level - k / (repeats + 1))),
    )
