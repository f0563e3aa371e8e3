"""Closed forms: the specification's numbers, the dual potential in mpmath, exact risks, the families' contractions."""

import json
import math

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error

from asymptopia.theory.projection import closed_forms as forms
from asymptopia.theory.projection import families
from asymptopia.theory.projection.coefficients import ClosedForm
from asymptopia.theory.projection.expansion import coefficients, kl_risk_expansion

GAMMA = {0.5: "5.8478536580853554", 1.0: "5.4090594615928309", 5.0: "5.1497703592890453", 2.0: "5.2464651056203358896"}


def reference_gamma(a):
    """The plain polygamma formulas at 120 digits."""
    with mp.workdps(120):
        a = mp.mpf(float(a))
        p1, p2, p3 = (mp.psi(k, a) for k in (1, 2, 3))
        risk = -9 * a**3 * p1 * p3 + 19 * a**3 * p2**2 + 22 * a**2 * p1**3 - 18 * a**2 * p1 * p2 + 9 * a**2 * p3
        risk = (risk - 63 * a * p1**2 + 56 * a * p2 + 60 * p1) / (24 * (a * p1 - 1) ** 3)
        optimism = -(a**3) * p1 * p3 / 2 + a**3 * p2**2 + a**2 * p1**3 - a**2 * p1 * p2 + a**2 * p3 / 2
        optimism = (optimism - 3 * a * p1**2 + 3 * a * p2 + 3 * p1) / (a * p1 - 1) ** 3
        return risk, optimism


def from_potential(dual, mean, cumulants):
    """The three risks to order n^-3 of one parameter, from derivatives of the dual potential and cumulants."""
    with mp.workdps(40):
        series = mp.taylor(dual, mean, 6)
        phi = [c * mp.factorial(k) for k, c in enumerate(series)]
        v, k3, k4 = cumulants
        a3, a4, a4k, a5, a6 = phi[3] * k3, phi[4] * v**2, phi[4] * k4, phi[5] * v * k3, phi[6] * v**3
        weights = {"risk": lambda k: mp.mpf(k - 1) / mp.factorial(k), "reverse": lambda k: 1 / mp.factorial(k)}
        found = {}
        for name, w in weights.items():
            last = w(4) * a4k + 10 * w(5) * a5 + 15 * w(6) * a6
            found[name] = (w(2) * phi[2] * v, w(3) * a3 + 3 * w(4) * a4, last)
        return found["risk"], found["reverse"]


def agree(form, risk, reverse, tolerance=1e-13):
    for order in range(3):
        assert relative_error(form[order], risk[order]) < tolerance
        assert relative_error(form[3 + order], risk[order] + reverse[order]) < tolerance
        if abs(reverse[order]) > 1e-30:
            assert relative_error(form[6 + order], reverse[order]) < tolerance
        else:
            assert form[6 + order] == 0.0


@pytest.mark.parametrize("q", [0.5, 0.03, 0.9])
def test_bernoulli(q):
    with mp.workdps(40):
        x = mp.mpf(q)
        v = x * (1 - x)
        cumulants = (v, v * (1 - 2 * x), v * (1 - 6 * v))
    agree(forms.bernoulli(q), *from_potential(lambda e: e * mp.log(e) + (1 - e) * mp.log(1 - e), x, cumulants))
    agree(
        forms.multinomial([q, 1 - q]), *from_potential(lambda e: e * mp.log(e) + (1 - e) * mp.log(1 - e), x, cumulants)
    )


@pytest.mark.parametrize("mean", [0.01, 2.0, 300.0])
def test_poisson(mean):
    x = mp.mpf(mean)
    agree(forms.poisson(mean), *from_potential(lambda e: e * mp.log(e) - e, x, (x, x, x)))


@pytest.mark.parametrize(("size", "q"), [(2.0, 0.4), (1.5, 0.3), (0.1, 0.99)])
def test_negative_binomial(size, q):
    with mp.workdps(40):
        r, q_ = mp.mpf(size), mp.mpf(q)
        mean = r * q_ / (1 - q_)
        v = mean + mean**2 / r
        slope, bend = 1 + 2 * mean / r, 2 / r
        cumulants = (v, v * slope, v * (slope**2 + v * bend))

        def dual(e):
            return e * mp.log(e / (e + r)) - r * mp.log(1 + e / r)

    agree(forms.negative_binomial(size, q), *from_potential(dual, mean, cumulants), tolerance=1e-12)
    assert forms.negative_binomial(2.0, 0.4).c3 == pytest.approx(1.020625, rel=1e-13)
    assert forms.negative_binomial(1.5, 0.3).c2 == pytest.approx(1.0648148148148148148, rel=1e-14)


@pytest.mark.parametrize("shape", [0.2, 1.0, 7.5])
def test_gamma_of_known_shape(shape):
    with mp.workdps(60):
        a = mp.mpf(shape)
        risk, reverse = from_potential(lambda e: -a * mp.log(e), a, (a, 2 * a, 6 * a))
    agree(forms.gamma_known_shape(shape), risk, [0 if abs(x) < 1e-25 else x for x in reverse])
    if shape == 1.0:
        assert forms.exponential() == forms.gamma_known_shape(1.0)


def third_coefficients(exact):
    """Coefficients of 1/n to 1/n^3 of a function of n that mpmath evaluates, by a fit at large n."""
    with mp.workdps(80):
        sizes = [mp.mpf(10) ** 8 * k for k in range(1, 7)]
        matrix = mp.matrix([[n**-k for k in range(1, 7)] for n in sizes])
        found = mp.lu_solve(matrix, mp.matrix([exact(n) for n in sizes]))
        return [found[k] for k in range(3)]


def matrix_part(n, d, lost):
    """E of half log |S|/|Sigma| with n - lost degrees of freedom, S the maximum likelihood estimate."""
    return (sum(mp.psi(0, (n - lost - i) / 2) for i in range(d)) + d * mp.log(2 / n)) / 2


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_normal_vectors_against_exact_risks(d):
    with mp.workdps(80):
        full = third_coefficients(lambda n: matrix_part(n, d, 1) + (d * (n + 1) / (n - d - 2) - d) / 2)
        back = third_coefficients(lambda n: -matrix_part(n, d, 1))
        form = forms.multivariate_normal(d)
        agree(form, full, back, 1e-12)
        assert form[3:6] == (2 * form.c1, form.optimism1 * (d + 2), form.optimism1 * (d + 2) ** 2)
        full = third_coefficients(lambda n: matrix_part(n, d, 0) + (d * n / (n - d - 1) - d) / 2)
        back = third_coefficients(lambda n: -matrix_part(n, d, 0))
        agree(forms.multivariate_normal_known_mean(d), full, [0 if abs(x) < 1e-30 else x for x in back], 1e-12)
    if d == 1:
        assert forms.multivariate_normal(1) == pytest.approx(forms.normal(), rel=1e-15)
        assert forms.normal()[:6] == (1.0, 61 / 12, 17.0, 2.0, 6.0, 18.0)
    assert forms.multivariate_normal(7).c2 == pytest.approx(7 * (490 + 357 + 61) / 24, rel=1e-15)


@pytest.mark.parametrize(("mu", "lam"), [(1.0, 2.0), (3.0, 0.5)])
def test_inverse_gaussian_against_exact_risks(mu, lam):
    phi = mp.mpf(mu) / mp.mpf(lam)
    with mp.workdps(80):

        def risk(n):
            return matrix_part(n, 1, 1) - mp.mpf(1) / 2 + n / (2 * (n - 3)) * (1 + 1 / n + 3 * phi / n**2)

        agree(
            forms.inverse_gaussian(mu, lam),
            third_coefficients(risk),
            third_coefficients(lambda n: -matrix_part(n, 1, 1)),
            1e-12,
        )


def test_gamma_over_its_domain():
    shapes = np.concatenate([np.geomspace(1e-3, 1e6, 250), np.linspace(8.0, 13.0, 60), [1e-300, 1e-8, 1e12]])
    found = forms.gamma(shapes)
    for i, a in enumerate(shapes):
        risk, optimism = (11 / mp.mpf(12) / float(a), 1 / mp.mpf(float(a))) if a < 1e-200 else reference_gamma(a)
        assert relative_error(found.c2[i], risk) < 1e-12
        assert relative_error(found.optimism2[i], optimism) < 1e-12
        with mp.workdps(50):
            assert relative_error(found.reverse2[i], optimism - risk) < 1e-12
    for a, expected in GAMMA.items():
        assert relative_error(forms.gamma(a).c2, expected) < 1e-13
    assert forms.gamma(1e5).c2 == pytest.approx(61 / 12 + 1e-5 / 3, rel=1e-15)
    assert isinstance(forms.gamma(2.0).c2, float)


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        ((1.0, 1.0), "5.3975221012223962"),
        ((0.5, 0.5), "5.3792450014697615"),
        ((2.0, 3.0), "5.2721289170160891637"),
    ],
)
def test_beta(alpha, expected):
    assert relative_error(forms.dirichlet(alpha).c2, expected) < 1e-14
    assert forms.dirichlet(alpha).c3 is None


@pytest.mark.parametrize("alpha", [(0.5, 2.0, 3.0), (0.1, 0.1, 0.1, 5.0), (1e4, 3e4, 2e4), (1e-3, 1e3)])
def test_dirichlet_against_the_definitions(alpha):
    k = len(alpha)
    with mp.workdps(100):
        a, total = [mp.mpf(x) for x in alpha], mp.fsum(mp.mpf(x) for x in alpha)

        def cumulant(*index):
            m = len(index) - 1
            return (mp.psi(m, a[index[0]]) if len(set(index)) == 1 else 0) - mp.psi(m, total)

        every = range(k)
        h = mp.matrix(k, k)
        for i in every:
            for j in every:
                h[i, j] = cumulant(i, j)
        h = h**-1
        t = {(i, j, u): cumulant(i, j, u) for i in every for j in every for u in every}
        raised = {
            (i, j, u): mp.fsum(t[x, y, z] * h[x, i] * h[y, j] * h[z, u] for x in every for y in every for z in every)
            for i, j, u in t
        }
        f = mp.fsum(t[x] * raised[x] for x in t)
        v = [mp.fsum(t[i, j, u] * h[i, j] for i in every for j in every) for u in every]
        b = mp.fsum(v[i] * v[j] * h[i, j] for i in every for j in every)
        q = mp.fsum(
            cumulant(i, j, u, w) * h[i, j] * h[u, w] for i in every for j in every for u in every for w in every
        )
        found = forms.dirichlet(alpha)
        assert relative_error(found.c2, (10 * f + 9 * b - 9 * q) / 24) < 1e-14
        assert relative_error(found.optimism2, (f + b - q) / 2) < 1e-14
        assert relative_error(found.reverse2, (2 * f + 3 * b - 3 * q) / 24) < 1e-14


def test_multinomial_is_bernoulli_for_two_cells_and_vectorised():
    probs = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
    found = forms.multinomial(probs)
    assert found.c2 == pytest.approx([forms.multinomial(row).c2 for row in probs])
    s1 = (1 / probs).sum(axis=1)
    assert found.c1.tolist() == [1.0, 1.0]
    assert found.c2 == pytest.approx(5 / 12 * s1 - 3 / 2 + 1 / 12)
    assert found.optimism2 == pytest.approx((s1 - 3) / 2)
    assert found.c3 == pytest.approx((0.75 / probs**2 - 1.25 / probs + 0.5).sum(axis=1))
    assert forms.poisson([1.0, 2.0]).c2 == pytest.approx([5 / 12, 5 / 24])
    assert forms.negative_binomial(2.0, [0.1, 0.2]).c2.shape == (2,)


FAMILIES = [
    (families.Bernoulli(), (0.3,), True),
    (families.Multinomial(4), ([0.1, 0.2, 0.3, 0.4],), True),
    (families.Poisson(), (2.5,), True),
    (families.NegativeBinomial(1.5), (0.3,), True),
    (families.Exponential(), (3.0,), True),
    (families.Gamma(), (2.0, 5.0), False),
    (families.Gamma(), (40.0, 5.0), False),
    (families.Gamma(known_shape=3.0), (2.0,), True),
    (families.Normal(), (1.0, 4.0), True),
    (families.MultivariateNormal(3), ([1.0, 0.0, -1.0], np.diag([1.0, 2.0, 3.0]) + 0.4), True),
    (families.InverseGaussian(), (1.5, 2.0), True),
    (families.Beta(), (2.0, 3.0), False),
    (families.Dirichlet(3), ([0.7, 2.0, 4.0],), False),
]


@pytest.mark.parametrize(("family", "usual", "third"), FAMILIES, ids=lambda x: getattr(x, "name", None))
def test_against_the_contractions_of_the_family(family, usual, third):
    theta = family.natural(*usual)
    form = forms.closed_form(family, theta)
    found = coefficients(family.contractions(theta))
    for name in ("c1", "c2", "optimism1", "optimism2", "reverse1", "reverse2"):
        assert getattr(form, name) == pytest.approx(getattr(found, name), rel=1e-9), name
    assert (form.c3 is not None) == third
    expansion = kl_risk_expansion(family, theta, order=3 if third else 2)
    assert (expansion.c2, expansion.c3) == (form.c2, form.c3)
    assert json.loads(expansion.to_json())["c2"] == form.c2


def test_known_mean_and_families_without_a_form():
    for known in (True, [1.0, 2.0]):
        family = families.MultivariateNormal(2, known_mean=known)
        theta = family.natural(np.array([[2.0, 0.5], [0.5, 1.0]]))
        assert forms.closed_form(family, theta) == forms.multivariate_normal_known_mean(2)
    plain = families.FiniteSupport(np.arange(3.0)[:, None])
    assert forms.closed_form(plain, np.zeros(1)) is None

    class Poisson(families.FiniteSupport):
        """A class of the user with the name of another family."""

    assert forms.closed_form(Poisson(np.arange(3.0)[:, None]), np.zeros(1)) is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: forms.bernoulli(1.0), "p is 1.0"),
        (lambda: forms.poisson([1.0, -2.0]), "lam is -2.0"),
        (lambda: forms.negative_binomial(1.0, 0.0), "q is 0.0"),
        (lambda: forms.multinomial([0.5, 0.6]), "sum"),
        (lambda: forms.multinomial([1.0]), "at least 2 cells"),
        (lambda: forms.multinomial([1.0, 0.0]), "drop empty cells"),
        (lambda: forms.gamma(0.0), "shape is 0.0"),
        (lambda: forms.gamma(math.nan), "shape"),
        (lambda: forms.dirichlet([1.0]), "k >= 2"),
        (lambda: forms.dirichlet([1.0, 0.0]), "alpha"),
        (lambda: forms.multivariate_normal(0), "d is 0"),
        (lambda: forms.inverse_gaussian(1.0, math.inf), "lam"),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_closed_form_of():
    form = ClosedForm.of((1.0, 2.0, None), (1.0, 0.5, None))
    assert form == (1.0, 2.0, None, 2.0, 2.5, None, 1.0, 0.5, None)
