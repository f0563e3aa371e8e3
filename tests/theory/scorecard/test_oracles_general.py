"""General divergences, designs, discrimination and optimal binning against the oracle tables."""

import functools

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error, table

from asymptopia.theory.scorecard import reference
from asymptopia.theory.scorecard.binning.optimal import optimal_bins
from asymptopia.theory.scorecard.conditional import conditional_iv
from asymptopia.theory.scorecard.cumulants import second_order_cumulants
from asymptopia.theory.scorecard.fdivergence import divergence
from asymptopia.theory.scorecard.inference import information_value, psi
from asymptopia.theory.scorecard.posterior import posterior_mean
from asymptopia.theory.scorecard.roc import discrimination
from asymptopia.theory.scorecard.secondorder import second_order_law
from asymptopia.theory.scorecard.shares import two_samples
from asymptopia.theory.scorecard.survey import survey_table

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:asymptopia")
rows = functools.cache(table)

RECORDED = {
    "estimate": 1.5e-15,
    "se": 7.8e-16,
    "bias": 4.1e-15,
    "design_estimate": 5.3e-16,
    "design_se": 4.9e-16,
    "design_bias": 1.4e-14,
    "null_weights": 9.2e-16,
    "k1": 4.9e-16,
    "k2": 8.2e-16,
    "k3": 1.2e-15,
    "posterior": 4.1e-16,
    "auc": 9.6e-17,
    "auc_se": 4.5e-16,
    "gini": 1.1e-16,
    "ks": 9.9e-17,
    "conditional": 3.6e-16,
    "conditional_se": 2.6e-16,
    "conditional_weights": 3.3e-16,
    "binning": 4.5e-16,
    "survey": 1.7e-14,
}
"""Largest errors found; four times them, or four units in the last place, is the bound."""


def hold(name, errors):
    """Assert that no error exceeds the bound of `name`; the message says where the largest is."""
    largest = max(errors, key=lambda pair: pair[0])
    assert largest[0] <= 4 * max(2.0**-52, RECORDED[name]), (name, largest)


def scaled_error(actual, desired, scale):
    """Return the error relative to what cancels in the desired value."""
    return float(abs(mp.mpf(float(actual)) - mp.mpf(desired)) / mp.mpf(scale))


@functools.cache
def divergences():
    return [
        (
            row,
            divergence(
                row["kind"], row["x"], row["y"], **{name: row[name] for name in ("alpha", "smoothing", "baseline")}
            ),
        )
        for row in rows("scorecard/divergences.json")
    ]


def test_f_divergence():
    errors = []
    for row, value in divergences():
        found = value.estimate_smoothed if row["smoothing"] > 0 else value.estimate
        errors.append((relative_error(found, row["estimate"]), row))
    hold("estimate", errors)


def test_f_divergence_standard_error():
    hold("se", [(relative_error(value.se, row["se"]), row) for row, value in divergences()])


def test_f_divergence_bias():
    hold("bias", [(scaled_error(value.bias, row["bias"], row["bias_scale"]), row) for row, value in divergences()])


@functools.cache
def designed():
    return [
        (row, divergence(row["kind"], row["x"], row["y"], alpha=row["alpha"], design=row["design"]))
        for row in rows("scorecard/designs.json")
    ]


def test_designs():
    errors = {name: [] for name in ("estimate", "se", "bias")}
    for row, value in designed():
        # half the trace and the bias of the shares can cancel where bin sizes are fixed
        scale = max(abs(mp.mpf(row["bias"])), abs(mp.mpf(row["half_trace"])))
        errors["estimate"].append((relative_error(value.estimate, row["estimate"]), row))
        errors["se"].append((relative_error(value.se, row["se"]), row))
        errors["bias"].append((scaled_error(value.bias, row["bias"], scale), row))
    for name, pairs in errors.items():
        hold(f"design_{name}", pairs)


def test_information_value_of_the_designs():
    errors = {name: [] for name in ("estimate", "se", "bias")}
    for row in rows("scorecard/designs.json"):
        if row["kind"] != "jeffreys":
            continue
        if row["design"] == "paired":
            value = psi(np.array(row["x"]), design="paired")
        else:
            value = information_value(row["x"], row["y"], design="fixed-bins")
        scale = max(abs(mp.mpf(row["bias"])), abs(mp.mpf(row["half_trace"])))
        errors["estimate"].append((relative_error(value.estimate, row["estimate"]), row))
        errors["se"].append((relative_error(value.se, row["se"]), row))
        errors["bias"].append((scaled_error(value.bias, row["bias"], scale), row))
    for name, pairs in errors.items():
        hold(f"design_{name}", pairs)


def test_null_weights_of_the_designs():
    errors = []
    for row, value in designed():
        found = np.sort(value.null_weights)[::-1]
        errors += [
            (scaled_error(a, b, row["null_weights"][0]), row) for a, b in zip(found, row["null_weights"], strict=True)
        ]
    hold("null_weights", errors)


def test_second_order_cumulants():
    errors = {name: [] for name in ("k1", "k2", "k3")}
    for row in rows("scorecard/second_order.json"):
        x = np.array(row["x"], dtype=float)
        law = second_order_law(row["x"], row["y"], baseline=row["baseline"])
        for name, found in zip(errors, (law.bias, law.variance, law.third), strict=True):
            errors[name].append((relative_error(found, row[name]), row))
        if row["baseline"] == "random":
            y = np.array(row["y"], dtype=float)
            values = second_order_cumulants(two_samples(x, y, 0.0), x.sum(), y.sum())
            for name, found in zip(errors, values, strict=True):
                errors[name].append((relative_error(found, row[name]), row))
    for name, pairs in errors.items():
        hold(name, pairs)


def test_posterior_mean():
    errors = [
        (relative_error(posterior_mean(row["x"], row["y"], smoothing=row["smoothing"]), row["mean"]), row)
        for row in rows("scorecard/posterior.json")
    ]
    hold("posterior", errors)


def test_discrimination():
    errors = {"auc": [], "auc_se": [], "gini": [], "ks": []}
    for row in rows("scorecard/discrimination.json"):
        value = discrimination(row["good"], row["bad"])
        errors["auc"].append((relative_error(value.auc, row["auc"]), row))
        errors["auc_se"].append((relative_error(value.auc_se, row["se_delong"]), row))
        # Gini is the distance of two areas, KS the largest distance of two sums of shares
        errors["gini"].append((relative_error(value.gini, row["gini"]), row))
        errors["ks"].append((relative_error(value.ks, row["ks"]), row))
    for name, pairs in errors.items():
        hold(name, pairs)


def test_conditional_information_value():
    errors = {"conditional": [], "conditional_se": [], "conditional_weights": []}
    for row in rows("scorecard/conditional.json"):
        value = conditional_iv(np.stack([row["good"], row["bad"]], axis=-1))
        errors["conditional"].append((relative_error(value.estimate, row["estimate"]), row))
        errors["conditional_se"].append((relative_error(value.se, row["se"]), row))
        for found, wanted in zip(np.sort(value.null_weights)[::-1], row["null_weights"], strict=True):
            errors["conditional_weights"].append((relative_error(found / value.n_eff, wanted), row))
    for name, pairs in errors.items():
        hold(name, pairs)


def test_optimal_bins():
    errors, certain = [], 0
    for row in rows("scorecard/binning.json"):
        options = {"max_bins": row["max_bins"], "trend": row["trend"], "min_share": row["min_share"]}
        value = optimal_bins(row["good"], row["bad"], divergence=row["kind"], **options)
        # splits are compared only where the next best value is further away than rounding
        errors.append((scaled_error(value.value, row["value"], max(mp.mpf(row["value"]), mp.mpf(10) ** -12)), row))
        if row["gap"] > 1e-12:
            certain += 1
            assert list(value.splits) == row["splits"], row
    assert certain > 200
    hold("binning", errors)


def test_survey():
    errors = []
    for row in rows("scorecard/survey.json"):
        found = psi(survey_table(row["codes"], row["sample"], weights=row["weights"], clusters=row["clusters"]))
        errors.append((relative_error(found.estimate, row["estimate"]), row))
        errors.append((relative_error(found.se, row["se"]), row))
    hold("survey", errors)


def test_tables_refute_the_shortcuts():
    """Mutants of each formula miss the tables by far more than the bounds allow."""
    trace, plugin, joint = [], [], []
    for row in rows("scorecard/designs.json"):
        if row["design"] == "fixed-bins":
            trace.append(relative_error(float(mp.mpf(row["half_trace"])), row["bias"]))
            if row["kind"] == "jeffreys":
                joint.append(relative_error(information_value(row["x"], row["y"]).se, row["se"]))
    plugin += [
        relative_error(float(mp.mpf(row["se_plugin"])), row["se_delong"])
        for row in rows("scorecard/discrimination.json")
    ]
    assert max(trace) > 0.05
    assert max(joint) > 0.01
    assert max(plugin) > 1e-3
    ones = [np.allclose([float(w) for w in r["null_weights"]], 1) for r in rows("scorecard/designs.json")]
    kinds = [r["design"] for r in rows("scorecard/designs.json")]
    assert all(one == (kind == "fixed-bins") for one, kind in zip(ones, kinds, strict=True))
    naive = [
        relative_error(reference.jeffreys(reference.shares(r["x"]), reference.shares(r["y"])), r["mean"])
        for r in rows("scorecard/posterior.json")[:20]
    ]
    assert max(naive) > 1e-2
