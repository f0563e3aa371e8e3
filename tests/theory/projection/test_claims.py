"""The claims of the projection: their names, and that the printed corrections are true of the numbers."""

import inspect
import math
from importlib import import_module
from itertools import product

import mpmath as mp
import numpy as np
import pytest
from accuracy import ORACLES, table

from asymptopia.theory._core.citations import bibliography
from asymptopia.theory._core.registry import claims
from asymptopia.verify.checks.projection import CHECKS

NAMES = {
    "projection.expansion",
    "projection.well_specified",
    "projection.companions",
    "projection.contractions",
    "projection.closed_forms",
    "projection.gamma",
    "projection.multivariate",
    "projection.exact",
    "projection.shape",
    "projection.existence",
    "projection.misspecified",
    "projection.plug_in_bias",
    "projection.criterion",
    "projection.bayes_bound",
    "projection.unequal_prior",
    "projection.local_bound",
    "projection.information_criteria",
}
TABLES = {
    "bayes",
    "closed_forms",
    "contractions",
    "criterion",
    "discrete",
    "exact",
    "information",
    "misspecified",
    "prior",
}


def correction(name, words):
    """Return the correction of a claim that has all the words."""
    (claim,) = (claim for claim in claims("projection") if claim.id == f"projection.{name}")
    (found,) = (text for text in claim.corrections if all(word in text for word in words))
    return found


def test_names_proofs_tables_and_sources():
    found = claims("projection")
    assert {claim.id for claim in found} == NAMES
    assert {name for claim in found for name in claim.checks} == {check.id for check in CHECKS}
    assert {claim.oracle for claim in found} == {f"projection/{name}.json" for name in TABLES}
    for claim in found:
        module, _, function = claim.proof.partition(":")
        assert inspect.getdoc(getattr(import_module(module), function)).startswith("Derive")
        assert (ORACLES / claim.oracle).is_file()
        assert all(source.key in bibliography() for source in claim.sources)


def test_only_what_was_read_is_cited():
    cited = [source for claim in claims("projection") for source in claim.sources if source.key == "sheena2021"]
    assert len(cited) >= 6
    assert all("abstract" in source.where for source in cited)


def test_redundant_contractions():
    assert correction("expansion", ["term31 = term32 = term33", "term22 = term23"])
    rng = np.random.default_rng(0)
    W = rng.normal(size=(3, 3))
    W += W.T
    third, fourth = np.zeros((3,) * 3), np.zeros((3,) * 4)
    for _ in range(4):
        v = rng.normal(size=3)
        third += np.einsum("i,j,k->ijk", v, v, v)
        fourth += np.einsum("i,j,k,l->ijkl", v, v, v, v)
    around = [np.einsum(f"ikmo,{pairs}->", fourth, W, W) for pairs in ("ik,mo", "im,ko", "io,km")]
    assert np.allclose(around, around[0], rtol=1e-12)
    crossed = [np.einsum(f"iku,mou,{pairs}->", third, third, W, W) for pairs in ("im,ko", "io,km")]
    assert crossed[0] == pytest.approx(crossed[1], rel=1e-12)


def test_a_third_cumulant_from_moments_is_biased():
    assert correction("contractions", ["biased third"])
    # three draws of a law on 0 and 1, over all samples
    q, n = 0.3, 3
    mean = 0.0
    for sample in product((0, 1), repeat=n):
        x = np.array(sample)
        mean += q ** x.sum() * (1 - q) ** (n - x.sum()) * ((x - x.mean()) ** 3).mean()
    third = q * (1 - q) * (1 - 2 * q)
    assert mean == pytest.approx(third * (n - 1) * (n - 2) / n**2, rel=1e-12)


def test_the_plain_risk_of_a_discrete_family_is_infinite():
    assert correction("existence", ["infinite at every n"])
    rows = [row for row in table("projection/discrete.json") if row["family"] in {"Bernoulli", "Multinomial"}]
    assert len(rows) > 50
    with mp.workdps(60):
        for row in rows:
            cells = row["parameters"].get("probs") or [row["parameters"]["p"], 1 - mp.mpf(row["parameters"]["p"])]
            if len(cells) > 8:
                continue
            missed = mp.mpf(0)
            for some in product((0, 1), repeat=len(cells)):
                left = 1 - mp.fsum(mp.mpf(p) for p, taken in zip(cells, some, strict=True) if taken)
                if any(some) and left > 0:
                    missed -= (-1) ** sum(some) * left ** row["n"]
            assert missed > 0
            assert mp.almosteq(missed, mp.mpf(row["prob_no_mle"]), mp.mpf("1e-20"))


def test_the_bias_of_the_leading_term_changes_the_coefficient():
    assert correction("plug_in_bias", ["67/12, not 61/12"])
    # the normal law
    t1, t21, t22, t31 = 14, 18, 14, 20
    plain = (-8 * t1 + 9 * (t21 + 2 * t22) - 9 * t31) / 24
    corrected = t1 / 6 + (t21 + 2 * t22 - t31) / 8
    assert plain == pytest.approx(61 / 12)
    assert corrected == pytest.approx(67 / 12)
    # red wine, 66 products of columns
    t1, t21, t22, t31 = 2418, 2091, 1761, 4107
    assert -8 * t1 + 9 * (t21 + 2 * t22) - 9 * t31 < 0 < t1 / 6 + (t21 + 2 * t22 - t31) / 8


def test_the_bias_of_the_normal_law_exactly():
    """The trace is n/(n-1) [1 + (b - 1)/2] with the sample kurtosis b, whose mean is 3 (n - 1)/(n + 1)."""
    for n in (50, 500, 5000):
        mean = n / (n - 1) * (1 + (3 * (n - 1) / (n + 1) - 1) / 2)
        assert n * (mean - 2) == pytest.approx(-1, abs=5 / n)


def test_a_large_divergence_does_not_tell_laws_apart():
    assert correction("criterion", ["sufficient, not necessary"])
    with mp.workdps(60):
        for divergence in (mp.mpf(1), mp.mpf(50)):
            mass = mp.mpf("1e-6")
            other = mass * mp.exp(-divergence / mass)
            kl = mass * divergence / mass + (1 - mass) * mp.log((1 - mass) / (1 - other))
            error = (1 - (mass - other)) / 2
            assert abs(kl - divergence) < 2e-6
            assert error > mp.mpf("0.499999")


def test_the_threshold_is_not_sharp():
    assert correction("bayes_bound", ["0.02004468", "0.5323"])
    assert correction("bayes_bound", ["at least 1/2 - alpha", "lower than a value"])
    for alpha, digits in ((0.05, "0.02004468"), (0.25, "0.5323")):
        # least divergence of two laws on two points at the distance 2 alpha, by a fine grid
        v = 2 * alpha
        b = np.linspace(0, 1 - v, 200_001)[1:-1]
        kl = (b + v) * np.log((b + v) / b) + (1 - b - v) * np.log((1 - b - v) / (1 - b))
        assert float(digits) == pytest.approx(kl.min(), abs=6e-9 if alpha < 0.1 else 6e-5)
        assert kl.min() > 8 * alpha**2


def test_the_small_sample_form_is_that_of_the_normal_law():
    assert correction("information_criteria", ["p/(n - p - 1)", "1/(2l)"])
    rows = {(row["family"], str(row["parameters"])): row for row in table("projection/closed_forms.json")}
    normal = [row for (family, _), row in rows.items() if family == "Normal"]
    assert normal
    assert all(float(row["o2"]) == 2 * (2 + 1) for row in normal)
    for (family, _), row in rows.items():
        if family == "Exponential":
            assert float(row["o2"]) == 1
        if family == "Poisson":
            assert float(row["o2"]) == pytest.approx(1 / (2 * row["parameters"]["lam"]), rel=1e-14)
    # several dimensions: p (d + 2), not p (p + 1)
    for family, structure, o2 in {
        (row["family"], str(row["structure"]), row["o2"]) for row in rows.values() if "Multivariate" in row["family"]
    }:
        d = int("".join(filter(str.isdigit, structure)))
        if "True" not in structure and d > 1:
            p = d * (d + 3) // 2
            assert family == "MultivariateNormal"
            assert float(o2) == p * (d + 2) != p * (p + 1)


def test_the_gamma_formula_loses_digits():
    (claim,) = (claim for claim in claims("projection") if claim.id == "projection.gamma")
    assert "2.8e-6 at a = 1e5" in claim.validity
    from scipy.special import polygamma

    a = 1e5
    p1, p2, p3 = (float(polygamma(k, a)) for k in (1, 2, 3))
    top = -9 * a**3 * p1 * p3 + 19 * a**3 * p2**2 + 22 * a**2 * p1**3 - 18 * a**2 * p1 * p2
    top += 9 * a**2 * p3 - 63 * a * p1**2 + 56 * a * p2 + 60 * p1
    plain = top / (24 * (a * p1 - 1) ** 3)
    assert 1e-8 < abs(plain - (61 / 12 + 1 / (3 * a))) < 1e-4


def test_heavy_tails_make_the_second_term_negative():
    (claim,) = (claim for claim in claims("projection") if claim.id == "projection.misspecified")
    assert "negative" in claim.validity
    # t with 6.5 degrees of freedom: even moments of the standardised law
    nu = 6.5
    g2 = 6 / (nu - 4)
    m6 = 15 * (nu - 2) ** 2 / ((nu - 4) * (nu - 6))
    assert 121 / 12 - m6 / 3 + 9 / 8 * g2**2 + 6 * g2 < 0
    assert math.isclose(1 + g2 / 4, 1.6)
