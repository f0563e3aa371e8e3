"""The numeric functions of the information projection against the tables of 50-digit references."""

import functools
import json

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error, table

from asymptopia.theory.projection import families
from asymptopia.theory.projection import misspecified as forms
from asymptopia.theory.projection.bayes import (
    bayes_error_bounds,
    kl_threshold,
    max_tv_given_kl,
    min_kl_given_bayes_error,
    min_kl_given_tv,
)
from asymptopia.theory.projection.closed_forms import closed_form
from asymptopia.theory.projection.contractions import from_support
from asymptopia.theory.projection.criterion import pn_criterion
from asymptopia.theory.projection.exact_risk import kl_risk_exact
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.information import second_order_aic, takeuchi_penalty

TABLES = (
    "bayes",
    "closed_forms",
    "contractions",
    "criterion",
    "discrete",
    "exact",
    "information",
    "misspecified",
    "prior",
)
NAMES = {"c1": "c1", "c2": "c2", "c3": "c3", "o2": "optimism2", "r2": "reverse2"}
RECORDED = {
    "closed c1": 0.0,
    "closed c2": 4.4e-14,
    "closed c3": 4.6e-15,
    "closed o2": 4.2e-14,
    "closed r2": 1.4e-13,
    "expansion": 3.1e-14,
    "contracted": 3e-14,
    "aic2 first": 0.0,
    "aic2 second": 4.7e-14,
    "exact": 3.7e-16,
    "exact, shape unknown": 4.3e-15,
    "discrete value": 2.3e-15,
    "discrete prob_no_mle": 5.1e-14,
    "discrete smooth": 3.7e-15,
    "contraction t0": 6e-14,
    "contraction t1": 3.1e-13,
    "contraction t21": 5.4e-13,
    "contraction t22": 5.6e-13,
    "contraction t31": 4.4e-13,
    "contraction F": 3.1e-13,
    "contraction B": 3e-13,
    "contraction K": 2e-13,
    "contraction theta_star": 3.9e-15,
    "contraction c1": 3.6e-15,
    "contraction c2": 3.6e-13,
    "contraction o2": 4.6e-13,
    "contraction r2": 1e-13,
    "support": 2.5e-13,
    "misspecified c1": 5.7e-15,
    "misspecified c2": 6e-15,
    "misspecified o2": 7.8e-15,
    "misspecified r2": 1.9e-15,
    "outside c1": 9.4e-17,
    "outside c2": 2.3e-16,
    "outside c3": 3.1e-16,
    "outside o2": 5.1e-14,
    "outside r2": 2.7e-16,
    "mardia": 4.1e-16,
    "min_kl": 6.5e-16,
    "complement": 3.9e-16,
    "max_tv": 3.2e-16,
    "rest": 1.9e-15,
    "threshold": 5.9e-16,
    "threshold bh": 5.1e-16,
    "prior min_kl": 7.4e-16,
    "prior threshold": 7e-16,
    "prior min_error": 4.4e-15,
    "criterion t0": 6.8e-15,
    "criterion first": 6.9e-15,
    "criterion second": 8.1e-15,
    "criterion threshold": 5e-16,
    "takeuchi first": 3.6e-15,
    "takeuchi second": 1.1e-14,
    "takeuchi loglik": 1.3e-15,
    "takeuchi value": 1.9e-15,
}
"""Largest errors found; four times them, or four units in the last place, is the bound."""


def hold(name, errors):
    """Assert that no error exceeds the bound of `name`; the message says where the largest is."""
    largest = max(errors, key=lambda pair: pair[0])
    assert largest[0] <= 4 * max(2.0**-52, RECORDED[name]), (name, largest)


def scaled(actual, desired, scale):
    """Return the error relative to the larger of the desired value and `scale`."""
    with mp.workdps(40):
        wanted = mp.mpf(desired)
        return float(abs(mp.mpf(float(actual)) - wanted) / max(abs(wanted), mp.mpf(scale), mp.mpf(10) ** -300))


@functools.cache
def built(name, structure):
    """Return the family of that name and structure, given as JSON."""
    arguments = json.loads(structure)
    if name == "MultivariateNormal" and len(arguments) > 1:
        return families.MultivariateNormal(arguments[0], known_mean=True)
    if name == "LogLinear":
        return families.LogLinear([2] * arguments[0], interactions=1)
    return getattr(families, name)(*map(np.array, arguments) if name == "FiniteSupport" else arguments)


def model(row):
    """Return family and natural parameter of a row."""
    family = built(row["family"], json.dumps(row["structure"]))
    return family, family.natural(**row["parameters"])


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_200_different_points(name):
    rows = table(f"projection/{name}.json")
    assert len({str(row) for row in rows}) == len(rows) >= 200


def test_closed_forms():
    errors = {name: [] for name in NAMES}
    for row in table("projection/closed_forms.json"):
        found = closed_form(*model(row))
        assert found is not None
        for name, pairs in errors.items():
            if getattr(found, NAMES[name]) is not None:
                pairs.append((relative_error(getattr(found, NAMES[name]), row[name]), row))
    for name, pairs in errors.items():
        assert len(pairs) > 100
        hold(f"closed {name}", pairs)


def test_expansion_takes_the_closed_forms():
    errors = []
    for row in table("projection/closed_forms.json")[::4]:
        found = kl_risk_expansion(*model(row))
        errors += [(relative_error(getattr(found, NAMES[name]), row[name]), row) for name in ("c1", "c2", "o2", "r2")]
    hold("expansion", errors)


def test_series_of_the_contractions_is_the_closed_form():
    errors = []
    for row in table("projection/closed_forms.json"):
        family, theta = model(row)
        found = family.contractions(theta)
        c2 = found.A3 / 3 + 3 * found.A4 / 8
        # what the terms cancel
        size = max(abs(found.A3), abs(found.t31), found.t21, found.t22)
        errors.append((scaled(c2, row["c2"], size), row))
    hold("contracted", errors)


def test_penalties_of_models_that_hold():
    first, second = [], []
    for row in table("projection/closed_forms.json")[::2]:
        found = second_order_aic(-12.5, *model(row), n=40)
        first.append((relative_error(found.first, 4 * mp.mpf(row["c1"])), row))
        second.append((scaled(found.second, mp.mpf(row["o2"]) / 20, max(found.rho23_sq, abs(found.rho4)) / 40), row))
    hold("aic2 first", first)
    hold("aic2 second", second)


def test_exact_risks():
    errors = {name: [] for name in ("exact", "exact, shape unknown")}
    for row in table("projection/exact.json"):
        found = kl_risk_exact(*model(row), row["n"])
        integral = row["family"] == "Gamma" and not row["structure"]
        name = "exact, shape unknown" if integral else "exact"
        errors[name].append((relative_error(found.value, row["value"]), row))
    for name, pairs in errors.items():
        hold(name, pairs)


def test_exact_risks_of_counts():
    errors = {name: [] for name in ("value", "prob_no_mle", "smooth")}
    for row in table("projection/discrete.json"):
        family, theta = model(row)
        found = kl_risk_exact(family, theta, row["n"])
        errors["value"].append((relative_error(found.value, row["value"]), row))
        errors["prob_no_mle"].append((relative_error(found.prob_no_mle, row["prob_no_mle"]), row))
        found = kl_risk_exact(family, theta, row["n"], nonexistence="smooth")
        errors["smooth"].append((relative_error(found.value, row["smooth"]), row))
        assert np.isinf(kl_risk_exact(family, theta, row["n"], nonexistence="inf").value)
    for name, pairs in errors.items():
        hold(f"discrete {name}", pairs)


def test_contractions():
    names = ("t0", "t1", "t21", "t22", "t31", "F", "B", "K")
    errors = {name: [] for name in (*names, "theta_star", "c1", "c2", "o2", "r2")}
    for row in table("projection/contractions.json"):
        family = families.FiniteSupport(np.array(row["statistic"], dtype=float))
        found = kl_risk_expansion(family, truth=np.array(row["probs"]))
        terms = found.contractions
        size = max(abs(getattr(terms, name)) for name in names[1:])
        for name in names:
            errors[name].append((scaled(getattr(terms, name), row[name], 1.0 if name == "t0" else size), row))
        for name in ("c1", "c2", "o2", "r2"):
            errors[name].append((scaled(getattr(found, NAMES[name]), row[name], size), row))
        pairs = zip(found.theta_star, row["theta_star"], strict=True)
        errors["theta_star"] += [(scaled(a, b, 1.0), row) for a, b in pairs]
    for name, pairs in errors.items():
        hold(f"contraction {name}", pairs)


def test_contractions_of_a_support():
    errors = []
    for row in table("projection/contractions.json"):
        xi = np.array(row["statistic"], dtype=float)
        weights = np.exp(xi @ np.array([float(t) for t in row["theta_star"]]))
        g = np.array(row["probs"])
        z = xi - g @ xi
        cov, third = np.einsum("a,ai,aj->ij", g, z, z), np.einsum("a,ai,aj,ak->ijk", g, z, z, z)
        found = from_support(xi, weights / weights.sum(), truth_cov=cov, truth_third=third)
        size = max(map(abs, found[1:]))
        errors += [(scaled(getattr(found, name), row[name], size), row) for name in found._fields]
    hold("support", errors)


def truth_of(row):
    """Return the truth of a row as a mapping of values to probabilities."""
    points = row["truth"]["points"]
    rows = len(points[0]) > 1 or row["family"] == "LogLinear"
    keys = [tuple(point) if rows else point[0] for point in points]
    return dict(zip(keys, row["truth"]["probs"], strict=True))


def test_models_of_another_law():
    errors = {name: [] for name in ("c1", "c2", "o2", "r2")}
    for row in table("projection/misspecified.json"):
        if "points" not in row["truth"]:
            continue
        found = kl_risk_expansion(built(row["family"], json.dumps(row["structure"])), truth=truth_of(row))
        terms = found.contractions
        size = max(abs(terms.t1), terms.t21, terms.t22, abs(terms.t31))
        for name, pairs in errors.items():
            pairs.append((scaled(getattr(found, NAMES[name]), row[name], 0.0 if name == "c1" else size), row))
    for name, pairs in errors.items():
        hold(f"misspecified {name}", pairs)


def closed(row):
    """Return the closed form of a misspecified model, with the size of what its terms cancel, or None."""
    truth = row["truth"]
    if "gamma" in truth:
        return forms.exponential_from_gamma(truth["gamma"][0]), 0.0
    if "negative_binomial" in truth:
        return forms.poisson_from_negative_binomial(*truth["negative_binomial"]), 0.0
    g, x = np.array(truth["probs"]), np.array(truth["points"], dtype=float)
    mean = g @ x
    if row["family"] == "LogLinear":
        return forms.independent_binary(mean), 1.0
    z = x[:, 0] - mean[0]
    var, third = g @ z**2, g @ z**3
    if row["family"] == "Poisson":
        return forms.poisson_from_counts(mean[0], var, third), abs(third) / mean[0] ** 2 + var**2 / mean[0] ** 3
    if row["family"] == "Normal":
        kurtosis, sixth = g @ z**4 / var**2 - 3, g @ z**6 / var**3
        return forms.normal_from_moments(third / var**1.5, kurtosis, sixth), 10 + sixth + kurtosis**2
    return None


def test_closed_forms_of_another_law():
    errors = {name: [] for name in NAMES}
    for row in table("projection/misspecified.json"):
        pair = closed(row)
        if pair is None:
            continue
        found, size = pair
        for name, pairs in errors.items():
            value = getattr(found, NAMES[name])
            if value is not None and row[name] is not None:
                pairs.append((scaled(value, row[name], size), row))
    for name, pairs in errors.items():
        assert len(pairs) >= 50
        hold(f"outside {name}", pairs)


def test_mardia_kurtosis():
    errors = []
    for row in table("projection/misspecified.json"):
        if row["family"] == "MultivariateNormal":
            g, x = np.array(row["truth"]["probs"]), np.array(row["truth"]["points"], dtype=float)
            z = x - g @ x
            forms_of = np.einsum("ai,ij,aj->a", z, np.linalg.inv((g * z.T) @ z), z)
            errors.append((relative_error(forms.mardia_trace(g @ forms_of**2, 2), 2 * mp.mpf(row["c1"])), row))
    hold("mardia", errors)


def test_divergence_and_total_variation():
    errors = {name: [] for name in ("min_kl", "complement", "max_tv", "rest", "threshold", "threshold bh")}
    for row in table("projection/bayes.json"):
        relation, x = row["relation"], row["x"]
        if relation == "min_kl_given_tv":
            # near 1 the rounding of v itself counts, which the table takes as exact
            errors["min_kl"].append((relative_error(min_kl_given_tv(x), row["value"]), row))
        elif relation == "complement":
            errors["complement"].append((relative_error(min_kl_given_tv(complement=x), row["value"]), row))
        elif relation == "max_tv_given_kl":
            errors["max_tv"].append((relative_error(max_tv_given_kl(x), row["value"]), row))
            errors["rest"].append((relative_error(max_tv_given_kl(x, complement=True), row["complement"]), row))
        else:
            found = kl_threshold(x, bound=relation.removeprefix("kl_threshold "))
            errors["threshold bh" if relation.endswith("bh") else "threshold"].append(
                (relative_error(found, row["value"]), row)
            )
    for name, pairs in errors.items():
        hold(name, pairs)


def columns(relation):
    """Return the rows of one relation between divergence, error rate and prior, and two columns of them."""
    rows = [row for row in table("projection/prior.json") if row["relation"] == relation]
    return rows, np.array([row["x"] for row in rows]), np.array([row["prior"] for row in rows])


def test_divergence_at_an_error_rate():
    rows, x, prior = columns("min_kl")
    found = min_kl_given_bayes_error(x, prior)
    hold("prior min_kl", [(relative_error(a, row["value"]), row) for a, row in zip(found, rows, strict=True)])
    most = np.minimum(prior, 1 - prior)
    # alpha is rounded as the difference
    inside = (most / 16 < x) & (x < most)
    found = kl_threshold((most - x)[inside], prior=prior[inside])
    pairs = zip(found, np.array(rows)[inside], strict=True)
    hold("prior threshold", [(relative_error(a, row["value"]), row) for a, row in pairs])


def test_least_error_rate_at_a_divergence():
    rows, x, prior = columns("min_error")
    found = bayes_error_bounds(x, prior)
    hold("prior min_error", [(relative_error(a, row["value"]), row) for a, row in zip(found.low, rows, strict=True)])
    np.testing.assert_array_equal(found.high, np.minimum(prior, 1 - prior))


def data_of(row):
    """Return the family and the data of a row as the family takes them."""
    family = built(row["family"], json.dumps(row["structure"]))
    data = np.array(row["data"])
    return family, data if data.shape[1] > 1 else data[:, 0]


@pytest.mark.parametrize("bias_correct", [True, False])
def test_criterion(bias_correct):
    errors = {name: [] for name in ("t0", "first", "second", "threshold")}
    for row in table("projection/criterion.json"):
        family, data = data_of(row)
        found = pn_criterion(data, family, alpha=row["alpha"], bound=row["bound"], bias_correct=bias_correct)
        terms = found.contractions
        size = max(abs(terms.t1), terms.t21, terms.t22, abs(terms.t31)) / found.n**2
        wanted = row["second"] if bias_correct else row["plain"]
        errors["second"].append((scaled(found.second, wanted, size), row))
        errors["t0"].append((relative_error(found.t0, row["t0"]), row))
        errors["first"].append((relative_error(found.first, row["first"]), row))
        errors["threshold"].append((relative_error(found.threshold, row["threshold"]), row))
        if bias_correct:
            assert found.passed == row["passed"], row
            assert found.required_n == row["required_n"], row
    for name, pairs in errors.items():
        hold(f"criterion {name}", pairs)


def test_criteria_pass_and_fail():
    rows = table("projection/criterion.json")
    assert 40 < sum(row["passed"] for row in rows) < len(rows) - 40
    assert any(row["required_n"] is None for row in rows) or min(row["required_n"] for row in rows) < 10


@pytest.mark.parametrize("bias_correct", [True, False])
def test_penalties_of_samples(bias_correct):
    errors = {name: [] for name in ("first", "second", "loglik", "value")}
    for row in table("projection/information.json"):
        family, data = data_of(row)
        found = takeuchi_penalty(data, family, bias_correct=bias_correct)
        wanted = row["optimism_second"] if bias_correct else row["optimism_plain"]
        errors["first"].append((relative_error(found.first, row["optimism"]), row))
        errors["second"].append((scaled(found.second, wanted, found.first / found.n), row))
        errors["loglik"].append((scaled(found.loglik, row["loglik"], found.n), row))
        total = -2 * mp.mpf(row["loglik"]) + 2 * found.n * (mp.mpf(row["optimism"]) + mp.mpf(wanted))
        errors["value"].append((scaled(found.value, total, found.n), row))
    for name, pairs in errors.items():
        hold(f"takeuchi {name}", pairs)
