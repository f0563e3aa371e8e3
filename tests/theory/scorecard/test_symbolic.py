"""The derivations hold, and a formula changed in one place does not."""

import pytest
import sympy as sp

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.scorecard import symbolic as s
from asymptopia.theory.scorecard import symbolic_moments as sm
from asymptopia.theory.scorecard.binsums import B, i, log_ratio, m, n, n_e, over_bins, p, q, reduced

DERIVATIONS = [
    s.identity,
    s.merging,
    s.derivatives,
    s.iv_variance,
    s.dropped_cross_covariance,
    s.fixed_bin_size_variance,
    s.woe_covariance,
    s.woe_contrast,
    s.woe_fixed_bin_sizes,
    sm.bias,
    sm.smoothed_bias,
    sm.half_smoothed_bias,
    sm.null_scale,
    sm.null_z_ratios,
    sm.snc_moments,
]
IN_SHARES = [s.identity, s.iv_variance, s.dropped_cross_covariance, sm.bias, sm.smoothed_bias, sm.half_smoothed_bias]


@pytest.mark.parametrize("derive", DERIVATIONS, ids=lambda f: f.__name__)
def test_derivation_is_proved_and_prints(derive):
    derivation = derive()
    assert isinstance(derivation, Derivation)
    assert derivation.proved()
    assert " = " in derivation.latex()
    assert derive.__doc__.startswith("Derive")


@pytest.mark.parametrize("derive", IN_SHARES, ids=lambda f: f.__name__)
@pytest.mark.parametrize("bins", [2, 3, 5])
def test_both_sides_agree_in_numbers(derive, bins):
    # `reduced` is left out here: if it lost a term, the sides would differ
    derivation = derive()
    weights = [sp.Rational(k + 1, bins * (bins + 1) // 2) for k in range(bins)]
    base_p, base_q = p.base, q.base
    values = {base_p[k + 1]: weights[k] for k in range(bins)}
    values |= {base_q[k + 1]: weights[(k + 1) % bins] for k in range(bins)}
    values |= {n: 70, m: 30, sp.Symbol("a", nonnegative=True): sp.Rational(1, 3)}
    left, right = (side.subs(B, bins).doit().subs(values) for side in (derivation.lhs, derivation.rhs))
    assert left.free_symbols <= set()
    assert abs(sp.N(left, 40)) > 1e-6
    assert abs(sp.N(left - right, 40)) < 1e-35


J = s.jeffreys
EXCESS = over_bins(q**2 / p) - 1
VARIANCE_MUTANTS = {
    "2J dropped": s.positive_form_p() - 2 * J,
    "J for 2J": s.positive_form_p() - J,
    "chi-square the wrong way round": s.positive_form_p() - EXCESS + over_bins(p**2 / q) - 1,
    "-1 dropped": s.positive_form_p() + 1,
    "variance of L under Q": s.positive_form_p() - s.quadratic_form(log_ratio, p) + s.quadratic_form(log_ratio, q),
    "mean of L not subtracted": s.positive_form_p() + over_bins(p * log_ratio) ** 2,
}


@pytest.mark.parametrize("mutant", VARIANCE_MUTANTS.values(), ids=VARIANCE_MUTANTS)
def test_mutated_variance_leaves_a_residual(mutant):
    residual = reduced(s.delta_variance() - mutant / n - s.positive_form_q() / m)
    assert not Derivation(lhs=J, rhs=J, residuals=(residual,)).proved()


def test_mutated_identity_leaves_a_residual():
    assert reduced(J - 2 * s.kl_pq) != 0
    assert reduced(J - s.kl_pq) != 0
    assert reduced(J - s.kl_pq + s.kl_qp) != 0


def test_weights_held_fixed_is_not_the_variance():
    fixed = over_bins((p - q) ** 2 / p) / n + over_bins((p - q) ** 2 / q) / m
    assert reduced(s.delta_variance() - fixed) != 0


PLAIN = (B - 2 + over_bins(q / p)) / 2
BIAS_MUTANTS = {
    "B-1 for B-2": PLAIN + sp.Rational(1, 2),
    "B for B-1": PLAIN + 1,
    "p/q for q/p": PLAIN - over_bins(q / p) / 2 + over_bins(p / q) / 2,
    "chi-square plus 1": PLAIN - over_bins(q / p) / 2 + over_bins(q**2 / p) / 2,
    "no half": 2 * PLAIN,
}


@pytest.mark.parametrize("mutant", BIAS_MUTANTS.values(), ids=BIAS_MUTANTS)
def test_mutated_bias_leaves_a_residual(mutant):
    first, _ = sm.plain_bias_terms()
    assert reduced(first - PLAIN) == 0
    assert reduced(first - mutant) != 0


@pytest.mark.parametrize("a", [0, sp.Rational(1, 4), 1])
def test_no_other_smoothing_cancels_the_sums_of_ratios(a):
    ratios = sp.Function("Sigma")(q / p)
    assert reduced(sm.smoothed_bias_terms(a)[0]).coeff(ratios) != 0
    assert reduced(sm.smoothed_bias_terms(sp.Rational(1, 2))[0]).coeff(ratios) == 0


HALF = B - 1 + sm.S / 2 - B * s.kl_pq / 2
HALF_MUTANTS = {
    "B for B-1": HALF + 1,
    "sign of S": HALF - sm.S,
    "S dropped": HALF - sm.S / 2,
    "divergence the wrong way round": HALF + B * s.kl_pq / 2 - B * s.kl_qp / 2,
    "shift a/n without -aBp/n": sm.plain_bias_terms()[0] + over_bins(s.gradient_p) / 2,
}


@pytest.mark.parametrize("mutant", HALF_MUTANTS.values(), ids=HALF_MUTANTS)
def test_mutated_smoothed_bias_leaves_a_residual(mutant):
    first, _ = sm.smoothed_bias_terms(sp.Rational(1, 2))
    assert reduced(first - HALF) == 0
    assert reduced(first - mutant) != 0


def test_woe_mutants_leave_a_residual():
    covariance = s.woe_covariance_matrix()
    logit = s.woe_covariance().rhs[0, 0] + 1 / n + 1 / m
    assert sp.simplify(covariance[0, 0] - logit) == sp.simplify(-1 / n - 1 / m)
    assert sp.simplify(covariance[0, 1]) != 0
    assert sp.simplify(s.woe_contrast().lhs - (covariance[0, 0] + covariance[1, 1])) != 0


def test_fixed_bin_sizes_mutants_leave_a_residual():
    derivation = s.woe_fixed_bin_sizes()
    two_samples = s.woe_covariance().rhs[0, 1]
    x, y = sp.symbols("x1:4", positive=True), sp.symbols("y1:4", positive=True)
    c = 1 / sum(x) + 1 / sum(y)
    values = {**{x[k]: 3 + k for k in range(3)}, **{y[k]: 5 - k for k in range(3)}}
    assert derivation.lhs[0, 1].subs(values) == derivation.rhs[0, 1].subs(values)
    # without c**2 S, with c for 2c, and with the covariance of two multinomial samples
    assert derivation.lhs[0, 1].subs(values) != (-2 * c).subs(values)
    assert derivation.lhs[0, 1].subs(values) != (derivation.rhs[0, 1] + c).subs(values)
    assert derivation.lhs[0, 1].subs(values) != two_samples.subs({n: sum(x), m: sum(y)}).subs(values)


def test_null_law_mutants_leave_a_residual():
    divergence, full, weights_fixed, no_cross = sm.null_variances()
    right = {4: full, 1: weights_fixed, 2: no_cross}
    for factor, squared in right.items():
        for wrong in {1, 2, 4} - {factor}:
            assert reduced(n_e * squared - wrong * divergence, sm.NEAR_NULL) != 0
        # n in place of n_e
        assert reduced(n * squared - factor * divergence, sm.NEAR_NULL) != 0
    # the trace of the projection is B - 1, not B
    assert reduced(over_bins(1 - p) - B) != 0


def test_interval_moments_mutants_leave_a_residual():
    size, J_, V, b = sp.symbols("n_e J V b", positive=True)
    rho = size * V / (4 * J_)

    def law(nu, noncentrality):
        mean, variance = sm.noncentral_moments(nu, noncentrality)
        return sp.simplify(rho / size * mean - (J_ + b)), sp.simplify(
            (rho / size) ** 2 * variance - (V + 2 * rho * b / size)
        )

    assert law(size * b / rho, size * J_ / rho) == (0, 0)
    assert 0 not in law(size * b, size * J_ / rho)
    assert 0 not in law(size * b / rho, size * J_)
    assert law(size * J_ / rho, size * b / rho)[1] != 0


def test_sums_over_bins_know_only_the_constraints():
    assert reduced(over_bins(p) - 1) == 0
    assert reduced(over_bins(sp.Integer(1)) - B) == 0
    assert reduced(over_bins(p * q) - 1) != 0
    assert reduced(over_bins(p) ** 2 - over_bins(p**2)) != 0
    assert reduced(over_bins(q**2 / p)) != 1
    assert reduced(over_bins(p**2) - over_bins(q**2)) != 0
    assert reduced(over_bins(sp.log(p / q)) + over_bins(sp.log(q / p))) == 0
    assert i in p.free_symbols
