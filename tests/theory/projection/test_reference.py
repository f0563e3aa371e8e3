"""The reference against the published values, against other algorithms, and against its own mutants."""

import itertools
import math
from fractions import Fraction

import mpmath as mp
import pytest

from asymptopia.theory.projection import reference as r
from asymptopia.theory.projection import reference_bayes as bayes
from asymptopia.theory.projection import reference_discrete as discrete
from asymptopia.theory.projection import reference_exact as exact
from asymptopia.theory.projection import reference_families as families
from asymptopia.theory.projection import reference_samples as samples
from asymptopia.theory.projection import reference_tensors as tensors


@pytest.fixture(autouse=True)
def _digits():
    with mp.workdps(50):
        yield


def same(actual, desired, digits=15):
    """Assert agreement to `digits` significant digits, which the typed value must have."""
    assert abs(mp.mpf(actual) - mp.mpf(desired)) <= abs(mp.mpf(desired)) * mp.mpf(10) ** -digits


def ratios(*pairs):
    return [mp.mpf(a) / b for a, b in pairs]


@pytest.mark.parametrize(
    ("family", "structure", "parameters", "n", "desired"),
    [
        ("Exponential", [], {}, 5, "0.14667975599770009813"),
        ("Normal", [], {}, 10, "0.17543079267699997774"),
        ("MultivariateNormal", [3], {}, 15, "0.56355213615170314215"),
        ("MultivariateNormal", [2, True], {}, 10, "0.26662781353299288395"),
        ("InverseGaussian", [], {"mu": 1, "lam": 2}, 20, "0.06742933288092251281"),
        ("Normal", [], {}, 50, "0.0221783522"),
        ("MultivariateNormal", [4], {}, 50, "0.172616434804568"),
        ("MultivariateNormal", [7], {}, 4175, "0.0042068"),
    ],
)
def test_exact_risks(family, structure, parameters, n, desired):
    digits = len(desired.split(".")[1].lstrip("0")) - 1
    same(exact.exact(family, structure, parameters, n, dps=25), desired, digits)


def test_risks_of_counts():
    half, fifth = mp.mpf(1) / 2, mp.mpf(1) / 5
    found = discrete.multinomial(["0.5", "0.5"], 10)
    same(found["value"], "0.058507296869105282988", 19)
    assert found["prob_no_mle"] == mp.mpf(1) / 512
    found = discrete.multinomial(["0.5", "0.3", "0.2"], 9)
    same(found["value"], "0.092913642113150313496", 19)
    same(
        found["prob_no_mle"],
        1 - (1 - half**9 - (7 * fifth / 2) ** 9 - (4 * fifth) ** 9 + fifth**9 + (3 * fifth / 2) ** 9 + half**9),
        45,
    )
    same(discrete.poisson(2, 5)["value"], "0.11030274396512657316", 19)
    same(discrete.poisson(2, 5)["prob_no_mle"], mp.exp(-10), 45)
    same(discrete.poisson_counts(2, 4, 30)["value"], "0.025396693697181633267", 19)


def test_coefficients_of_the_specification():
    def c(family, structure, parameters, order=3):
        return families.closed_form(family, structure, parameters, order, dps=25)

    same(c("Gamma", [], {"shape": 2, "rate": 1})["c2"], "5.2464651056203358896", 19)
    for shape, wanted in (("0.5", "5.8478536580853554"), (1, "5.4090594615928309"), (5, "5.1497703592890453")):
        same(c("Gamma", [], {"shape": shape, "rate": 1})["c2"], wanted, 16)
    for pair, wanted in (((2, 3), "5.2721289170160891637"), ((1, 1), "5.3975221012223962")):
        same(c("Beta", [], dict(zip("ab", pair, strict=True)))["c2"], wanted, 16)
    same(c("Beta", [], {"a": "0.5", "b": "0.5"})["c2"], "5.3792450014697615", 16)
    same(c("NegativeBinomial", ["1.5"], {"q": "0.3"})["c2"], "1.0648148148148148148", 19)
    found = c("Normal", [], {"mu": 1, "sigma2": 3})
    wanted = ratios((1, 1), (61, 12), (17, 1), (2, 1), (6, 1), (18, 1), (1, 1), (11, 12), (1, 1))
    for name, value in zip(("c1", "c2", "c3", "o1", "o2", "o3", "r1", "r2", "r3"), wanted, strict=True):
        same(found[name], value, 22)
    found = c("InverseGaussian", [], {"mu": 3, "lam": 2})
    for name, value in zip(("c2", "c3", "o2", "r2"), ratios((22, 3), (95, 4), (33, 4), (11, 12)), strict=True):
        same(found[name], value, 22)
    found = c("NegativeBinomial", [2], {"q": "0.4"})
    same(found["c3"], "1.020625", 22)
    found = c("Bernoulli", [], {"p": "0.25"})
    for name, value in zip(("c1", "c2", "c3", "o2"), ratios((1, 2), (47, 36), (23, 3), (5, 3)), strict=True):
        same(found[name], value, 22)


def test_gamma_of_large_and_small_shape():
    a = mp.mpf(10) ** 4
    x = 1 / a
    found = families.closed_form("Gamma", [], {"shape": a, "rate": 1}, 2, dps=35)
    terms = ((61, 12), (1, 3), (0, 1), (-7, 324), (-47, 1620), (-1553, 17010), (33427, 153090), (82651, 127575))
    series = mp.fsum(value * x**k for k, value in enumerate(ratios(*terms)))
    same(found["c2"], series, 30)
    terms = ((6, 1), (1, 3), (0, 1), (0, 1), (-26, 405), (-502, 2835))
    same(found["o2"], mp.fsum(value * x**k for k, value in enumerate(ratios(*terms))), 22)
    small = families.closed_form("Gamma", [], {"shape": mp.mpf(10) ** -9, "rate": 1}, 2, dps=35)
    same(small["c2"] / mp.mpf(10) ** 9, mp.mpf(11) / 12, 6)


@pytest.mark.parametrize("d", range(1, 7))
def test_normal_in_more_dimensions(d):
    found = families.closed_form("MultivariateNormal", [d], {})
    wanted = ratios((d * (d + 3), 4), (d * (10 * d * d + 51 * d + 61), 24))
    wanted += [mp.mpf(d * (d + 2) * (d + 3) * (11 * d + 23)) / 24, mp.mpf(d * (d + 3) * (d + 2)) / 2]
    for name, value in zip(("c1", "c2", "c3", "o2"), wanted, strict=True):
        same(found[name], value, 45)
    found = families.closed_form("MultivariateNormal", [d, True], {})
    wanted = ratios(
        (d * (d + 1), 4), (d * (10 * d * d + 21 * d + 13), 24), (d * (d + 1) * (11 * d * d + 23 * d + 14), 24)
    )
    for name, value in zip(("c1", "c2", "c3"), wanted, strict=True):
        same(found[name], value, 45)


def test_elimination_agrees_with_the_series():
    theta = [mp.mpf(x) / 4 for x in (1, -2, -3, 1, -5)]
    found = r.coefficients(families.bivariate_normal, theta)
    eliminated = families.closed_form("MultivariateNormal", [2], {})
    for name in ("c1", "c2", "o2", "r2"):
        same(found[name], eliminated[name], 40)


def test_cells_agree_with_the_joint_series():
    probs = [mp.mpf(k) / 10 for k in (5, 3, 2)]
    joint = r.coefficients(families.log_of_sum, [mp.log(p / probs[0]) for p in probs[1:]], order=3)
    for name, value in families.closed_form("Multinomial", [3], {"probs": probs}).items():
        same(joint[name], value, 40)


def test_integration_agrees_with_digammas():
    for d, n, known in ((1, 4, False), (1, 1000, False), (3, 6, False), (3, 10**6, True), (5, 12, True)):
        structure = [d, True] if known else [d]
        found = exact.exact("MultivariateNormal", structure, {}, n, dps=25)
        same(found, families.normal_risk(d, mp.mpf(n), known)[0], 20)
    for a, n in ((Fraction(1, 8), 9), (Fraction(5, 2), 3), (1, 10**8)):
        N = mp.mpf(Fraction(a).numerator) * n / Fraction(a).denominator
        with mp.workdps(80):
            wanted = N / n * (mp.digamma(N) - mp.log(N) + 1 / (N - 1))
        same(exact.exact("Gamma", [float(a)], {}, n), wanted, 20)
    # phi = 1/2
    n, phi = 20, mp.mpf(1) / 2
    wanted = (mp.digamma(mp.mpf(n - 1) / 2) + mp.log(mp.mpf(2) / n)) / 2 - mp.mpf(1) / 2
    wanted += mp.mpf(n) / (2 * (n - 3)) * (1 + mp.mpf(1) / n + 3 * phi / n**2)
    same(exact.exact("InverseGaussian", [], {"mu": 3, "lam": 6}, n), wanted, 22)


def test_infinite_risk():
    assert exact.exact("Normal", [], {}, 3) == mp.inf
    assert exact.exact("MultivariateNormal", [4], {}, 6) == mp.inf
    assert exact.exact("MultivariateNormal", [4], {}, 7, dps=15) < mp.inf
    assert exact.exact("MultivariateNormal", [4, True], {}, 5) == mp.inf
    assert exact.exact("Gamma", [0.125], {}, 8) == mp.inf
    assert exact.exact("InverseGaussian", [], {"mu": 1, "lam": 1}, 3) == mp.inf


THREE = {"points": [[-1], [0], [2]], "probs": ["0.3", "0.45", "0.25"]}


def test_normal_model_of_three_points():
    found = samples.misspecified("Normal", [], THREE)
    same(found["c1"], "0.76133786848072562358", 19)
    same(found["c2"], "5.1284266415056826459", 19)
    same(found["o2"], "6.6324268180439220284", 19)


def three_point_risk(n):
    """Return the risk of the normal model of the three points given that two of them occur, by compositions."""
    points, probs = (-1, 0, 2), [mp.mpf(p) for p in THREE["probs"]]
    mean = mp.fdot(points, probs)
    variance = mp.fdot([(x - mean) ** 2 for x in points], probs)
    logs = [mp.log(p) for p in probs]
    factorials = [mp.loggamma(k + 1) for k in range(n + 1)]
    total = mass = mp.mpf(0)
    for counts in discrete.compositions(n, 3):
        m = mp.mpf(sum(c * x for c, x in zip(counts, points, strict=True))) / n
        s = mp.mpf(sum(c * x * x for c, x in zip(counts, points, strict=True))) / n - m * m
        if max(counts) == n:
            continue
        weight = mp.exp(factorials[n] + sum(c * g - factorials[c] for c, g in zip(counts, logs, strict=True)))
        mass += weight
        total += weight * (mp.log(s / variance) + (variance + (mean - m) ** 2) / s - 1) / 2
    return total / mass


def test_series_is_that_of_the_enumerated_risk():
    with mp.workdps(20):
        risk = three_point_risk(100)
        same(risk, "0.008168183266472388", 14)
        found = samples.misspecified("Normal", [], THREE)
        half = three_point_risk(50)
        # what is left is of the order 1/n^2 after Richardson's step
        rough = [n * (n * value - found["c1"]) for n, value in ((50, half), (100, risk))]
        assert abs(2 * rough[1] - rough[0] - found["c2"]) < abs(rough[1] - found["c2"]) / 3


def test_contractions_of_the_specification():
    found = tensors.contractions([[0, 0], [1, 1], [2, 4], [3, 9]], ["0.2", "0.35", "0.15", "0.3"])
    for value, wanted in zip(
        found["theta_star"], ("0.042447469837228505866", "-0.00080121839278903682533"), strict=True
    ):
        same(value, wanted, 19)
    desired = {"t0": "1.9865184044058488829", "t1": "1.8759288643649817", "t21": "0.64627369294384795",
               "t22": "1.8619487319661729", "t31": "-3.4080523047171568", "c2": "2.2915241766425125759",
               "o2": "2.9511472986141844497"}  # fmt: skip
    for name, wanted in desired.items():
        same(found[name], wanted, 16)
    found = tensors.contractions([[-1, 1], [0, 0], [2, 4]], THREE["probs"])
    assert found["t0"] == pytest.approx(2)


def test_series_and_contractions_agree():
    for statistic, probs in (
        ([[0], [1], [3]], ["0.5", "0.125", "0.375"]),
        ([[0, 0, 1], [1, 2, 0], [3, -1, 0], [0, 2, 2], [1, 1, -1]], ["0.125", "0.25", "0.25", "0.125", "0.25"]),
    ):
        f = tensors.contractions(statistic, probs)
        a3, a4 = -f["t1"], f["t21"] + 2 * f["t22"] - f["t31"]
        same(f["c2"], a3 / 3 + 3 * a4 / 8, 40)
        same(f["r2"], a3 / 6 + a4 / 8, 40)
        same(f["o2"], (a3 + a4) / 2, 40)
        # the author's numbers of the three terms; with one of the equal three left out it is another
        same(f["c2"], (-8 * f["t1"] + 9 * (f["t21"] + 2 * f["t22"]) - 3 * 3 * f["t31"]) / 24, 40)
        assert abs(f["c2"] / ((-8 * f["t1"] + 9 * (f["t21"] + f["t22"]) - 9 * f["t31"]) / 24) - 1) > 1e-3


def test_moments_by_partitions():
    # E (mean - p)^6 of 5 indicators, by enumeration
    p, n = mp.mpf(1) / 3, 5
    f = r.Series({(6,): mp.mpf(1)}, 6, 1)
    law = r.lift(mp.log, r.lift(mp.exp, r.variables([0], 6)[0]) * p + (1 - p))
    found = mp.fsum(value / mp.mpf(n) ** k for k, value in enumerate(r.averaged(f, law, 5), start=1))
    wanted = mp.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) * (mp.mpf(k) / n - p) ** 6 for k in range(n + 1))
    same(found, wanted, 40)
    assert sum(1 for _ in r.partitions(range(6))) == 41


def test_inverted_series():
    x, y = r.variables([0, 0], 5)
    forward = [r.lift(mp.expm1, x) + y * x, y * 2 + x * x * 3 + x]
    back = r.inverted(forward, 5)
    for got, wanted in zip(r.substituted(forward, back, 5), (x, y), strict=True):
        assert all(abs(v) < 1e-40 for v in (got - wanted).terms.values())


def test_plug_in_bias():
    # -1 in the well-specified normal, and A3 + A4/2 elsewhere
    spread = [[mp.mpf(1), 0], [0, mp.mpf(2)]]
    third = [[[mp.mpf(0)] * 2 for _ in range(2)] for _ in range(2)]
    for i, j, k in itertools.product(range(2), repeat=3):
        third[i][j][k] = mp.mpf({1: 2, 3: 8}.get(i + j + k, 0))
    law = families.sampled_law(spread, third)
    theta = [mp.mpf(0), -mp.mpf(1) / 2]
    same(r.coefficients(families.normal, theta, law)["c2"], mp.mpf(61) / 12, 40)
    same(r.plug_in_bias(families.normal, theta, law), -1, 40)
    probs = [mp.mpf(p) for p in THREE["probs"]]
    log_partition, theta, rows = samples.fitted("Normal", [], THREE["points"], probs)
    same(r.plug_in_bias(log_partition, theta, families.discrete_law(rows, probs, 4)), "4.7831", 4)


def test_bounds():
    same(bayes.min_kl_given_tv("0.1"), "0.020044683157952950097", 19)
    same(bayes.min_kl_given_tv("0.5"), "0.53229790889199995063", 19)
    same((1 - bayes.max_tv_given_kl("0.02")["v"]) / 2, "0.45005563605092000969", 19)
    same((1 - bayes.max_tv_given_kl(1)["v"]) / 2, "0.16777774245480857125", 19)
    same(bayes.min_kl_given_bayes_error("0.2", "0.3"), "0.66094637881770855494", 19)
    same(bayes.min_kl_given_bayes_error("0.2", "0.7"), "0.389514363516719", 15)
    v = mp.mpf(1) / 1000
    series = mp.fsum(c * v ** (2 * k) for k, c in enumerate(ratios((2, 1), (4, 9), (32, 135), (7072, 42525)), start=1))
    same(bayes.min_kl_given_tv(v), series, 23)
    same(bayes.min_kl_given_tv(complement=mp.mpf(10) ** -50), 50 * mp.log(10), 45)


@pytest.mark.parametrize("t", ["0.1", "1", "3", "10"])
def test_the_curve_in_its_parameter(t):
    t = mp.mpf(t)
    v = t / 2 * (1 - (mp.coth(t) - 1 / t) ** 2)
    least = mp.log(t / mp.sinh(t)) + t * mp.coth(t) - (t / mp.sinh(t)) ** 2
    same(bayes.min_kl_given_tv(v), least, 40)
    same(bayes.max_tv_given_kl(least)["v"], v, 40)


def test_priors():
    same(bayes.min_kl_given_bayes_error("0.2", "0.5"), bayes.min_kl_given_tv("0.6"), 40)
    for prior in (mp.mpf(3) / 10, mp.mpf(7) / 10):
        e = bayes.min_bayes_error(mp.mpf(3) / 4, prior, dps=30)
        same(bayes.min_kl_given_bayes_error(e, prior), mp.mpf(3) / 4, 28)
        # no pair of laws on a grid of three points is closer
        with mp.workdps(15):
            least = min(
                mp.fsum(a * mp.log(a / b) for a, b in zip(p, q, strict=True))
                for p, q in itertools.product(grid(12), repeat=2)
                if mp.fsum(min(prior * a, (1 - prior) * b) for a, b in zip(p, q, strict=True)) <= e
            )
        assert mp.mpf(3) / 4 <= least < 1.2


def grid(n):
    """Return the laws on three points that are positive multiples of 1/n."""
    return [[mp.mpf(c) / n for c in counts] for counts in discrete.compositions(n, 3) if all(counts)]


def test_required_size():
    c1, c2, bar = mp.mpf(35) / 2, mp.mpf(7) * (490 + 357 + 61) / 24, mp.mpf(1) / 50
    assert samples.required(c1, mp.mpf(0), bar) == 875
    assert samples.required(c1, c2, bar) == 890
    assert samples.required(c1, c2, bayes.min_kl_given_tv("0.1")) == 888
    assert samples.required(mp.mpf(1), mp.mpf(-20), bar) is None
    risks = [exact.exact("MultivariateNormal", [7], {}, n, dps=20) for n in (890, 891)]
    assert risks[0] > bar >= risks[1]
    risks = [exact.exact("MultivariateNormal", [4], {}, n, dps=20) for n in (360, 361)]
    assert risks[0] > bar >= risks[1]
