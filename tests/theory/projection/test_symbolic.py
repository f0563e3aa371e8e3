"""The derivations of the projection's risk hold, a changed formula does not, and numbers agree with them."""

import math
from fractions import Fraction

import mpmath as mp
import pytest
import sympy as sp
from accuracy import table
from mutation import mutated

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.projection import symbolic as s
from asymptopia.theory.projection import symbolic_bias as sb
from asymptopia.theory.projection import symbolic_bounds as bounds
from asymptopia.theory.projection import symbolic_exact as se
from asymptopia.theory.projection import symbolic_tables as st
from asymptopia.theory.projection import symbolic_trees as trees

DERIVATIONS = [
    s.divergences,
    s.dual_potential,
    s.mean_moments,
    s.expansion,
    s.well_specified,
    s.companions,
    s.contractions,
    st.closed_forms,
    st.normal_forms,
    st.gamma_law,
    st.multivariate,
    st.misspecified,
    se.exact,
    se.exact_multivariate,
    se.exact_gamma,
    se.existence,
    sb.plug_in_bias,
    sb.information_criteria,
    bounds.bayes_bound,
    bounds.unequal_prior,
    bounds.local_bound,
    bounds.required_size,
]


@pytest.mark.parametrize("derive", DERIVATIONS, ids=lambda f: f.__name__)
def test_derivation_is_proved_and_prints(derive):
    derivation = derive()
    assert isinstance(derivation, Derivation)
    assert derivation.proved()
    assert " = " in derivation.latex()
    assert derive.__doc__.startswith("Derive")


@pytest.mark.parametrize(
    ("module", "name", "old", "new"),
    [
        # the arguments of the divergence exchanged
        (s, "divergences", "bregman = Phi(mean) - Phi(observed)", "bregman = Phi(observed) - Phi(mean)"),
        (s, "divergences", '"optimism": h *', '"optimism": 2 * h *'),
        (s, "divergences", "outside = estimate * mean", "outside = projection * mean"),
        (s, "dual_potential", "3 * k3**2 / k2**5", "k3**2 / k2**5"),
        (s, "dual_potential", "5: 26", "5: 25"),
        (s, "mean_moments", "3 * s2**2 / n**2", "s2**2 / n**2"),
        (s, "mean_moments", "n ** (j - 1)", "n ** j"),
        (s, "expansion", "stated = (-8 * t1", "stated = (8 * t1"),
        (s, "expansion", "9 * (t21 + 2 * t22)", "9 * (t21 + t22)"),
        (s, "expansion", "first - t0 / 2", "first - t0"),
        (s, "well_specified", "(10 * F + 9 * B", "(9 * F + 10 * B"),
        (s, "well_specified", "19 * k3**2", "10 * k3**2"),
        (s, "companions", "5 * A6 / 48", "5 * A6 / 24"),
        (s, "companions", "A[3,] / 6 + A[2, 2] / 8", "A[3,] / 3 + A[2, 2] / 8"),
        (s, "companions", "-x / 2 - x**2 / 12", "-x / 2 + x**2 / 12"),
        # a fourth moment in place of the cumulant
        (s, "contractions", "- 2 * of_square", "- of_square"),
        (s, "contractions", "at(S, i, m) * at(S, k, o)", "at(S, i, k) * at(S, m, o)"),
        (s, "contractions", "- diagonal / N)", "- diagonal)"),
        (st, "closed_forms", "- R(11, 12),\n", "- R(10, 12),\n"),
        (st, "closed_forms", "- half + q / 12", "+ half + q / 12"),
        (st, "normal_forms", "17 + 9 * phi / 2", "17 + 3 * phi / 2"),
        (st, "gamma_law", "- 63 * a * psi1**2", "- 36 * a * psi1**2"),
        (st, "gamma_law", "82651 * x**7", "82650 * x**7"),
        (st, "multivariate", "51 * d", "50 * d"),
        (st, "multivariate", "size * (d + 2)", "size * (d + 1)"),
        (st, "misspecified", "- m6 / 3", "- m6 / 4"),
        (st, "misspecified", "5 / (4 * lam * r)", "5 / (2 * lam * r)"),
        (se, "exact", "3 / (mu * shape)", "1 / (mu * shape)"),
        (se, "exact", "R(6353, 120)", "R(6353, 60)"),
        (se, "exact", "(n + 1) / (2 * (n - 3))", "(n + 1) / (2 * (n - 2))"),
        (se, "exact_multivariate", "(11 * size + 23)", "(11 * size + 24)"),
        (se, "exact_multivariate", "/ 2 / (n - d - 2)", "/ 2 / (n - d - 1)"),
        (se, "exact_gamma", "/ size**s\n", "/ size ** (2 * s)\n"),
        (se, "exact_gamma", "excess / 2 + remainder(hat)", "excess + remainder(hat)"),
        (se, "exact_gamma", "n * a / (n * a - 1)\n", "n * a / (n * a - 2)\n"),
        (se, "exact_gamma", "path = n * bregman(t, tau)", "path = bregman(t, tau)"),
        (se, "existence", "(-1) ** len(some)", "1"),
        (se, "existence", "stated = (R(5, 12) - c +", "stated = (R(5, 12) +"),
        # the divisor of the covariance
        (sb, "plug_in_bias", "sp.Rational(1, 2), A4", "sp.Rational(1), A4"),
        (sb, "plug_in_bias", "t1 / 6 +", "t1 / 3 +"),
        (sb, "information_criteria", "- t1 / 2)", "- t1)"),
        (sb, "information_criteria", "(F + B - K) / 2", "(F + B + K) / 2"),
        (bounds, "bayes_bound", "R(32, 135)", "R(32, 125)"),
        (bounds, "bayes_bound", "lean = coth - 1 / t", "lean = coth - 2 / t"),
        (bounds, "unequal_prior", "s = (1 - prior) / prior", "s = prior / (1 - prior)"),
        (bounds, "local_bound", "4 * sp.pi * alpha**2", "8 * alpha**2"),
        (bounds, "required_size", "4 * C * c2)) / (2 * C)", "2 * C * c2)) / (2 * C)"),
        (bounds, "required_size", "peak = -2", "peak = -1"),
    ],
)
def test_a_changed_formula_leaves_a_residual(module, name, old, new):
    assert not mutated(module, name, old, new).proved()


@pytest.fixture
def forgetful():
    """Forget the trees before and after."""
    kept = (trees.dual_derivative, trees.closed, trees.contraction)
    for item in kept:
        item.cache_clear()
    yield
    for item in kept:
        item.cache_clear()


@pytest.mark.parametrize("derive", [s.dual_potential, s.expansion, s.well_specified, s.companions])
def test_a_wrong_rule_for_trees_is_found(derive, forgetful, monkeypatch):
    grown = trees.grown

    def wrong(tree, leaf):
        # the derivative of the inverse without its sign
        return {new: abs(sign) for new, sign in grown(tree, leaf).items()}

    monkeypatch.setattr(trees, "grown", wrong)
    assert not derive.__wrapped__().proved()


def test_trees_are_counted():
    # phylogenetic trees with k labelled leaves
    assert [len(trees.dual_derivative(k)) for k in range(2, 7)] == [1, 1, 4, 26, 236]
    assert sum(len(list(trees.partitions(range(k)))) for k in (2, 3, 4, 5, 6)) == 1 + 1 + 4 + 11 + 41
    assert trees.terms(2) == {(3,): 1, (2, 2): 3}
    assert trees.terms(3) == {(4,): 1, (2, 3): 10, (2, 2, 2): 15}


def test_graphs_of_the_next_order_give_the_normal_law():
    """The mean and variance of a normal law: G is diagonal with 1 and 2, and the risk 1, 61/12, 17 in powers of 1/n."""
    own = st.own_normal()
    fifth = {(0, 0, 1, 1, 1): 48, (0, 0, 0, 0, 1): 0, (1, 1, 1, 1, 1): 384}
    # joint cumulants of (X, X^2) with r squares: 2^(r-1) (r-1)! alone, 2^r r! with two X, else 0

    def cumulant(key):
        squares = sum(key)
        if squares == len(key):
            return Fraction(2 ** (squares - 1) * math.factorial(squares - 1))
        return Fraction(2**squares * math.factorial(squares)) if len(key) - squares == 2 else Fraction(0)

    assert all(cumulant(key) == value for order in (2, 3, 4) for key, value in own[order].items())
    assert all(cumulant(key) == value for key, value in fifth.items())
    inverse = [Fraction(1), Fraction(1, 2)]
    found = {sizes: trees.evaluated(trees.contraction(*sizes), inverse, cumulant, cumulant) for sizes in s.A}
    wanted = {"forward": (1, Fraction(61, 12), 17), "reverse": (1, Fraction(11, 12), 1), "optimism": (2, 6, 18)}
    for kind, values in wanted.items():
        assert [s.coefficient(kind, order, found) for order in (1, 2, 3)] == [sp.sympify(item) for item in values]
    for sizes, value in st.two_parameters(st.normal_dual(), own).items():
        assert found[sizes] == value


def test_the_expansion_is_that_of_exact_tensors():
    stated = sp.expand(s.expansion().rhs)
    second = sp.lambdify((trees.t1, trees.t21, trees.t22, trees.t31), stated.coeff(s.n, -2), "mpmath")
    own = sp.lambdify((trees.F, trees.B, trees.K), sb.OWN[sb.A3] + sb.OWN[sb.A4], "mpmath")
    rows = table("projection/contractions.json")
    assert len(rows) >= 200
    with mp.workdps(30):
        for row in rows:
            values = {name: mp.mpf(row[name]) for name in ("t0", "t1", "t21", "t22", "t31", "F", "B", "K", "c1", "c2")}
            found = second(*(values[name] for name in ("t1", "t21", "t22", "t31")))
            scale = abs(values["c2"]) + max(abs(values[name]) for name in ("t1", "t21", "t22", "t31"))
            assert abs(found - values["c2"]) < scale * mp.mpf("1e-26")
            assert abs(values["t0"] / 2 - values["c1"]) < mp.mpf("1e-26")
            assert own(*(values[name] for name in "FBK")) == values["F"] + values["B"] - values["K"]


def test_numbers_of_the_gamma_law():
    stated = st.gamma_law().rhs
    known = {
        "0.5": "5.8478536580853554",
        "1": "5.4090594615928309",
        "2": "5.2464651056203358896",
        "5": "5.1497703592890453",
    }
    function = sp.lambdify((st.a, st.psi1, st.psi2, st.psi3), stated, "mpmath")
    with mp.workdps(40):
        for shape, value in known.items():
            a = mp.mpf(shape)
            assert abs(function(a, *(mp.polygamma(k, a) for k in (1, 2, 3))) - mp.mpf(value)) < mp.mpf("1e-15")


@pytest.mark.parametrize(
    ("first", "second", "value"), [(1, 1, "5.3975221012223962"), (0.5, 0.5, "5.3792450014697615"), (2, 3, None)]
)
def test_numbers_of_the_beta_law(first, second, value):
    with mp.workdps(30):
        p = [[mp.polygamma(k, x) for x in (first, second, mp.mpf(first) + second)] for k in (1, 2, 3)]
        G = sp.Matrix([[p[0][0] - p[0][2], -p[0][2]], [-p[0][2], p[0][1] - p[0][2]]])
        T = dict.fromkeys(s.tensor("T", 3), -p[1][2]) | {(k, k, k): p[1][k] - p[1][2] for k in (0, 1)}
        Q = dict.fromkeys(s.tensor("Q", 4), -p[2][2]) | {(k, k, k, k): p[2][k] - p[2][2] for k in (0, 1)}
        F, B, K = st.invariants(G, T, Q)
        found = (10 * F + 9 * B - 9 * K) / 24
        assert abs(found - mp.mpf(value or "5.2721289170160891637")) < mp.mpf("1e-15")


def test_numbers_of_exact_risks():
    n = se.exact().rhs
    with mp.workdps(30):
        found = sp.lambdify(se.n, n, "mpmath")(mp.mpf(10))
        assert abs(found - mp.mpf("0.17543079267699997774")) < mp.mpf("1e-19")
    # four irises a flower: the third order is 469 and the three terms 0.172085
    d = next(iter(se.exact_multivariate().rhs.free_symbols - {se.n}))
    series = se.exact_multivariate().rhs.subs(d, 4)
    assert sp.expand(series).coeff(se.n, -3) == 469
    assert float(series.subs(se.n, 50)) == pytest.approx(0.172085, abs=5e-7)


def test_the_bias_of_three_points():
    values = {trees.t1: 3.69855667134579, trees.t21: 10.1187879535790, trees.t22: 8.90401633064412}
    values |= {trees.t31: 10.9634103074336}
    bias = (sb.BY_TREES[sb.A3] + sb.BY_TREES[sb.A4] / 2).subs(values)
    assert float(bias) == pytest.approx(4.7831, abs=5e-5)
    # divisor n - 1, normal law: F, B, K are 14, 18, 20
    own = {trees.F: 14, trees.B: 18, trees.K: 20}
    assert (sb.OWN[sb.A3] + sb.OWN[sb.A4] / 2).subs(own) == -1


def test_numbers_of_the_sharp_bound():
    stated = bounds.bayes_bound().rhs
    assert float(stated.subs(bounds.V, 0.1)) == pytest.approx(0.020044683157952950097, abs=2e-11)
    with mp.workdps(30):

        def curve(t):
            lean = mp.coth(t) - 1 / t
            return t / 2 * (1 - lean**2), mp.log(t / mp.sinh(t)) + t * mp.coth(t) - t**2 / mp.sinh(t) ** 2

        t = mp.findroot(lambda t: curve(t)[0] - mp.mpf("0.5"), mp.mpf(1))
        assert abs(curve(t)[1] - mp.mpf("0.53229790889199995063")) < mp.mpf("1e-19")


@pytest.mark.parametrize(("prior", "value"), [("0.3", "0.66094637881770855494"), ("0.7", "0.389514363516719")])
def test_numbers_of_unequal_priors(prior, value):
    with mp.workdps(30):
        pi, e = mp.mpf(prior), mp.mpf("0.2")

        def p(q):
            return 1 - (e - (1 - pi) * q) / pi

        def divergence(q):
            return p(q) * mp.log(p(q) / q) + (1 - p(q)) * mp.log((1 - p(q)) / (1 - q))

        def slope(q):
            return (1 - pi) / pi * mp.log(p(q) * (1 - q) / q / (1 - p(q))) - (p(q) - q) / q / (1 - q)

        # between p = q and p = 0 or 1
        low, high = max(mp.mpf(0), (e - pi) / (1 - pi)), e / (1 - pi)
        grid = [low + (high - low) * k / 400 for k in range(1, 400)]
        best = min(grid, key=divergence)
        step = (high - low) / 400
        q = mp.findroot(slope, (best - step, best + step), solver="ridder")
        assert abs(divergence(q) - mp.mpf(value)) < mp.mpf("2e-15")
        assert divergence(q) <= divergence(best)


def test_numbers_of_the_required_size():
    """Seven normal coordinates at alpha = 0.05: 875 to the first order, 890 to the second, 888 with the sharp bound."""
    stated = bounds.required_size().rhs
    c1, c2 = sp.Rational(7 * 10, 4), sp.Rational(7 * (490 + 357 + 61), 24)
    names = {str(item): item for item in stated.free_symbols}

    def required(threshold, second):
        return math.ceil(float(stated.subs({names["c1"]: c1, names["c2"]: second, names["C"]: threshold})))

    assert required(sp.Rational(1, 50), 0) == 875
    assert required(sp.Rational(1, 50), c2) == 890
    assert required(0.0200446831579529501, c2) == 888
