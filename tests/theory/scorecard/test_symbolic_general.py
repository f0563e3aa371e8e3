"""The derivations for general divergences, designs, binning and discrimination hold; a changed constant does not."""

import pytest
import sympy as sp

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.scorecard import symbolic_binning as sb
from asymptopia.theory.scorecard import symbolic_designs as sg
from asymptopia.theory.scorecard import symbolic_discrimination as sd
from asymptopia.theory.scorecard import symbolic_divergence as sv
from asymptopia.theory.scorecard.binsums import m, multinomial_covariance, n, n_e, over_bins, p, q, reduced
from asymptopia.theory.scorecard.symbolic import iv_variance, quadratic_form
from asymptopia.theory.scorecard.symbolic_moments import NEAR_NULL, bias, smoothed_bias

DERIVATIONS = [
    sv.f_derivatives,
    sv.f_variance,
    sv.f_bias,
    sv.f_smoothed_bias,
    sv.f_null_scale,
    sv.generators,
    sv.alpha_limits,
    sv.jeffreys_special_case,
    sv.zero_cells,
    sg.fixed_bins,
    sg.fixed_bins_null,
    sg.fixed_bins_bias,
    sg.paired,
    sg.survey,
    sg.second_order,
    sg.posterior_mean,
    sd.auc_variance,
    sd.gini_bounds,
    sd.ks_bound,
    sd.binormal,
    sd.logistic,
    sd.conditional,
    sd.conditional_null,
    sb.segment_gain,
    sb.hull_maximality,
    sb.limited_bins,
    sb.permutation,
]
HALF = sp.Rational(1, 2)


def vanishes(expression):
    return Derivation(lhs=expression, rhs=sp.Integer(0), residuals=(expression,)).proved()


@pytest.mark.parametrize("derive", DERIVATIONS, ids=lambda f: f.__name__)
def test_derivation_is_proved_and_prints(derive):
    derivation = derive()
    assert isinstance(derivation, Derivation)
    assert derivation.proved()
    assert " = " in derivation.latex()
    assert derive.__doc__.startswith("Derive")


def slopes(kind):
    u, v = sv.first_derivatives(sv.GENERATORS[kind], p / q)
    return sp.expand_log(u, force=True), sp.expand_log(v, force=True)


def test_variance_mutants_leave_a_residual():
    u, v = slopes("jeffreys")
    truth = iv_variance().rhs
    assert reduced(quadratic_form(u, p) / n + quadratic_form(v, q) / m - truth) == 0
    mutants = {
        "f for f - r f'": sv.GENERATORS["jeffreys"].subs(sv.r, p / q),
        "no f": v - sp.expand_log(sv.GENERATORS["jeffreys"].subs(sv.r, p / q), force=True),
        "one sample": sp.Integer(0),
    }
    for wrong in mutants.values():
        assert not vanishes(reduced(quadratic_form(u, p) / n + quadratic_form(wrong, q) / m - truth))
    kl = slopes("kl")
    assert not vanishes(reduced(quadratic_form(kl[0], p) / n + quadratic_form(kl[1], q) / m - truth))


def test_bias_mutants_leave_a_residual():
    curvature = sp.diff(sv.GENERATORS["jeffreys"], sv.r, 2).subs(sv.r, p / q)
    first, second = sv.f_bias_terms(curvature)
    assert reduced(first / n + second / m - bias().rhs) == 0
    assert not vanishes(reduced(2 * first / n + second / m - bias().rhs))
    assert not vanishes(reduced(second / n + first / m - bias().rhs))
    unsquared = over_bins(q * (1 - q) * (p / q) * curvature / q) / 2
    assert not vanishes(reduced(first / n + unsquared / m - bias().rhs))
    a = sp.Symbol("a", nonnegative=True)
    u, v = slopes("jeffreys")
    for wrong_a in (2 * a, -a):
        wrong = sv.f_smoothed_bias_terms(u, v, curvature, wrong_a)
        assert not vanishes(reduced(wrong[0] / n + wrong[1] / m - smoothed_bias().rhs))


def test_null_scale_mutants_leave_a_residual():
    divergence, squared = sv.null_coefficients()
    curvature = sp.Symbol("c_2", real=True)
    pi, u, v = (sp.IndexedBase(name)[sp.Symbol("i", integer=True)] for name in ("pi", "u", "v"))
    quadratic = over_bins((u - v) ** 2 / pi)
    assert reduced(2 * divergence - curvature * quadratic, NEAR_NULL) == 0
    for factor in (1, 4):
        assert reduced(factor * divergence - curvature * quadratic, NEAR_NULL) != 0
        assert reduced(n_e * squared - factor * curvature * divergence, NEAR_NULL) != 0
    assert reduced(n * squared - 2 * curvature * divergence, NEAR_NULL) != 0


@pytest.mark.parametrize("kind", sv.GENERATORS)
def test_curvatures_and_names_are_told_apart(kind, monkeypatch):
    monkeypatch.setitem(sv.CURVATURES, kind, 2 * sv.CURVATURES[kind])
    assert not sv.generators().proved()
    monkeypatch.undo()
    monkeypatch.setitem(sv.GENERATORS, kind, 2 * sv.GENERATORS[kind])
    assert not sv.generators().proved()


def test_power_family_has_no_other_limits(monkeypatch):
    monkeypatch.setitem(sv.GENERATORS, "alpha", sv.GENERATORS["alpha"] * sv.alpha)
    assert not sv.alpha_limits().proved()


X, Y = (1, 4, 2), (3, 5, 7)


def numbers(expression):
    sizes, rates = sg._sizes(3)
    place = {N: x + y for N, x, y in zip(sizes, X, Y, strict=True)}
    place |= {e: sp.Rational(y, x + y) for e, x, y in zip(rates, X, Y, strict=True)}
    return sp.sympify(expression).subs(place)


def test_fixed_bins_mutants_leave_a_residual():
    good, bad = sum(X), sum(Y)
    squares = [good**2] * 3 + [bad**2] * 3
    cleared = sg.fixed_bins_covariance(3)
    fixed = sp.Matrix(6, 6, lambda j, k: numbers(cleared[j, k]) / squares[j] / squares[k])
    two = sp.diag(
        multinomial_covariance([sp.Rational(a, good) for a in X], good),
        multinomial_covariance([sp.Rational(b, bad) for b in Y], bad),
    )
    for j, k in ((0, 0), (0, 1), (3, 3), (0, 3), (1, 5)):
        assert fixed[j, k] == numbers(sg.fixed_bins_entry(3, j, k))
        assert fixed[j, k] != two[j, k]
        assert fixed[j, k] != -numbers(sg.fixed_bins_entry(3, j, k))
    # what is left out is a covariance: no direction has a negative variance
    gap = two - fixed
    assert all(sp.re(sp.N(root)) >= -1e-12 for root in gap.eigenvals(multiple=True))


def test_paired_and_fixed_null_covariances_are_told_apart():
    T, _, _, margins = sg._pairs(2)
    values = dict(
        zip(
            sp.symbols("t1:4", positive=True), (sp.Rational(4, 10), sp.Rational(1, 10), sp.Rational(1, 10)), strict=True
        )
    )
    difference = sp.Matrix.hstack(sp.eye(2), -sp.eye(2))
    covariance = (margins * multinomial_covariance(list(T), 1) * margins.T).subs(values)
    moved = difference * covariance * difference.T
    out = sp.diag(HALF, HALF)
    table = T.subs(values)
    assert moved == 2 * out - table - table.T
    assert moved != 2 * out
    assert moved != 2 * (out - sp.Matrix([HALF, HALF]) * sp.Matrix([[HALF, HALF]]))


def test_cumulant_mutants_leave_a_residual():
    g, h, s = sp.symbols("g h s", positive=True)
    cgf = sg.quadratic_cgf(sp.Matrix([g]), sp.Matrix([[h]]), sp.Matrix([[s]]))
    found = [sp.simplify(sp.diff(cgf, sg.t, k).subs(sg.t, 0)) for k in (1, 2, 3)]
    right = [h * s / 2, g**2 * s + (h * s) ** 2 / 2, 3 * g**2 * s**2 * h + (h * s) ** 3]
    wrong = [h * s, g**2 * s + (h * s) ** 2, g**2 * s**2 * h + (h * s) ** 3]
    for value, one, other in zip(found, right, wrong, strict=True):
        assert vanishes(value - one)
        assert not vanishes(value - other)


def test_posterior_mutants_leave_a_residual():
    a, total = sp.symbols("a A", positive=True)
    entropy, level, _ = sg.dirichlet_log_moments()
    psi = sp.digamma
    assert vanishes(sp.expand_func(entropy - a / total * (psi(a + 1) - psi(total + 1))))
    assert not vanishes(sp.expand_func(entropy - a / total * (psi(a) - psi(total))))
    assert not vanishes(sp.expand_func(level - (psi(a + 1) - psi(total + 1))))


def test_discrimination_mutants_leave_a_residual():
    first, second = sp.symbols("p q", positive=True)
    area = sd.auc([first, 1 - first], [second, 1 - second])
    assert vanishes(2 * area - 1 - (first - second))
    # without the half for ties, and with bins the wrong way round
    assert not vanishes(2 * (area - second * first / 2) - 1 - (first - second))
    assert not vanishes(2 * area - 1 + (first - second))
    K = sd.K
    low = sd.jeffreys_of_two((1 + K) / 2, (1 - K) / 2)
    assert abs(sp.N((low - 2 * K * sp.log((1 + K) / (1 - K))).subs(K, sp.Rational(1, 3)), 30)) < 1e-25
    assert abs(sp.N((low - K * sp.log((1 + K) / (1 - K))).subs(K, sp.Rational(1, 3)), 30)) > 0.1


def test_conditional_mutants_leave_a_residual():
    shares, others = [[sp.Rational(1, 8), sp.Rational(3, 8)], [sp.Rational(1, 4)] * 2], [[sp.Rational(1, 4)] * 2] * 2

    def J(first, second):
        return sum((s - t) * sp.log(s / t) for s, t in zip(first, second, strict=True))

    flat = [[value for row in table for value in row] for table in (shares, others)]
    rows = [[sum(row) for row in table] for table in (shares, others)]
    columns = [[sum(column) for column in zip(*table, strict=True)] for table in (shares, others)]
    value = sd.conditional_iv(shares, others)
    assert abs(sp.N(value - (J(*flat) - J(*rows)), 40)) < 1e-35
    # information does not add: the second feature alone is something else
    assert abs(sp.N(value - J(*columns), 40)) > 1e-3


def test_binning_mutants_leave_a_residual():
    before, after = sp.Integer(5), sp.Integer(2)
    for kind, generator in sv.GENERATORS.items():
        order = sp.Rational(1, 2) if kind == "alpha" else sv.alpha
        slope = sb.lowering_slope(generator.subs(sv.alpha, order), before, after)
        # ratios that fall: raising the node's bads lowers the divergence
        assert sp.N(slope) < 0
        assert sp.N(sb.lowering_slope(generator.subs(sv.alpha, order), after, before)) > 0
    assert not vanishes(
        sp.diff(sb.f(sb.r) - sb.r * sp.diff(sb.f(sb.r), sb.r), sb.r) - sb.r * sp.diff(sb.f(sb.r), sb.r, 2)
    )
