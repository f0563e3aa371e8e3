"""The numeric modules against the oracle tables."""

import functools

import mpmath as mp
import numpy as np
import pytest
from accuracy import relative_error, table
from finite_sample import exact_smoothed_mean, exact_woe_covariance, exact_woe_moments
from scipy.stats import ncx2

from asymptopia.theory import scorecard
from asymptopia.theory.scorecard import reference, reference_laws
from asymptopia.theory.scorecard.cumulants import second_order_cumulants
from asymptopia.theory.scorecard.exact import exact_log_count, exact_log_count_covariance, exact_mean
from asymptopia.theory.scorecard.laws import chi2_tails, noncentral_chi2_tails, noncentrality_at, weighted_chi2_sf
from asymptopia.theory.scorecard.shares import two_samples

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning:asymptopia")
rows = functools.cache(table)
NONCENTRAL = "scorecard/noncentral_chi2.json"


RECORDED = {
    "divergence": 6.8e-16,
    "se": 4.3e-16,
    "bias": 9.6e-16,
    "woe": 8.6e-16,
    "interval": 1.5e-14,
    "chi2": 5.6e-14,
    "noncentral": 8.2e-15,
    "noncentrality": 5.5e-15,
    "critical_value": 2.2e-15,
    "test_power": 1.7e-14,
    "n_eff": 2.0e-15,
    "false_alarm": 9.1e-14,
    "weighted": 3.7e-15,
}
"""Largest errors found; four times them, or four units in the last place, is the bound."""


def hold(name, errors):
    """Assert that no error exceeds the bound of `name`; the message says where the largest is."""
    largest = max(errors, key=lambda pair: pair[0])
    assert largest[0] <= 4 * max(2.0**-52, RECORDED[name]), (name, largest)


def scaled_error(actual, desired, scale):
    """Return the error relative to what cancels in the desired value."""
    return float(abs(mp.mpf(float(actual)) - mp.mpf(desired)) / mp.mpf(scale))


def test_divergence():
    errors = [
        (relative_error(scorecard.jeffreys(row["x"], row["y"], smoothing=row["smoothing"]), row["estimate"]), row)
        for row in rows("scorecard/iv_moments.json")
    ]
    hold("divergence", errors)


@functools.cache
def moments():
    return [
        (row, scorecard.information_value(row["x"], row["y"], smoothing=row["smoothing"]))
        for row in rows("scorecard/iv_moments.json")
    ]


def test_information_value_standard_error():
    errors = [(relative_error(value.se, row["se"]), row) for row, value in moments()]
    hold("se", errors)


def test_information_value_bias():
    errors = [(scaled_error(value.bias, row["bias"], row["bias_scale"]), row) for row, value in moments()]
    hold("bias", errors)


def estimate(value):
    """Return the estimate that `se` and `bias` of the result describe; `estimate` itself is the plug-in."""
    return value.estimate_smoothed if value.smoothing > 0 else value.estimate


def test_information_value_estimate():
    errors = [(relative_error(estimate(value), row["estimate"]), row) for row, value in moments()]
    hold("divergence", errors)


def test_psi_against_known_shares():
    for name in ("estimate", "se", "bias"):
        errors = []
        for row in rows("scorecard/psi_fixed.json"):
            value = scorecard.psi(row["x"], row["q"], baseline="fixed", smoothing=row["smoothing"])
            if name == "bias":
                error = scaled_error(value.bias, row["bias"], row["bias_scale"])
            else:
                error = relative_error(value.se if name == "se" else estimate(value), row[name])
            errors.append((error, row))
        hold({"estimate": "divergence"}.get(name, name), errors)


def test_weight_of_evidence():
    errors = {"woe": [], "woe_se": [], "cov": [], "contrast": []}
    for row in rows("scorecard/woe.json"):
        value = scorecard.woe_table(row["x"], row["y"])
        for name in ("woe", "woe_se"):
            errors[name] += [
                (relative_error(a, b), row) for a, b in zip(getattr(value, name)[:5], row[name], strict=True)
            ]
        cov = value.cov
        errors["cov"].append((relative_error(cov[0, 1], row["cov01"]), row))
        contrast = cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]
        errors["contrast"].append((relative_error(contrast, row["contrast"]), row))
    for pairs in errors.values():
        hold("woe", pairs)


@functools.cache
def intervals():
    found = []
    for row in rows("scorecard/snc_interval.json"):
        if row["baseline"] == "fixed":
            value = scorecard.psi(row["x"], row["y"], baseline="fixed")
        else:
            value = scorecard.information_value(row["x"], row["y"])
        found.append((row, value, value.confidence_interval(row["level"], method="snc", floor=0.0)))
    return found


def test_intervals():
    # an end is conditioned like the statistic: next to 0 its error is measured against the other end
    errors = []
    for row, _, interval in intervals():
        for name in ("low", "high"):
            scale = max(mp.mpf(row[name]), mp.mpf(row["high"]) * mp.mpf(10) ** -3, mp.mpf(10) ** -300)
            errors.append((scaled_error(getattr(interval, name), row[name], scale), name, row))
    hold("interval", errors)


def test_smoothed_estimate_of_the_intervals():
    errors = [(relative_error(value.estimate_smoothed, row["estimate"]), row) for row, value, _ in intervals()]
    hold("divergence", errors)


def test_chi_square_logarithms():
    errors = [
        (relative_error(chi2_tails(r["t"], r["dof"])[1], r["log_sf"]), r) for r in rows("scorecard/chi2_logsf.json")
    ]
    hold("chi2", errors)


def test_noncentral_chi_square_logarithms():
    errors = []
    for row in rows(NONCENTRAL):
        tails = noncentral_chi2_tails(row["x"], row["dof"], row["noncentrality"])
        for value, name in zip(tails, ("log_cdf", "log_sf"), strict=True):
            # a logarithm near 0 has the digits of the tail, one far from 0 its own
            errors.append((min(relative_error(value, row[name]), scaled_error(value, row[name], 1)), name, row))
    hold("noncentral", errors)


def test_noncentrality_is_the_inverse():
    errors = []
    for row in rows(NONCENTRAL):
        if 1e-6 < float(row["cdf"]) < 1 - 1e-6 and row["noncentrality"] > 1e-2:
            found = noncentrality_at(row["x"], row["dof"], float(row["log_cdf"]), float(row["log_sf"]))
            errors.append((scaled_error(found, row["noncentrality"], row["noncentrality"] + 1), row))
    assert len(errors) > 80
    hold("noncentrality", errors)


def test_design():
    errors = {"critical_value": [], "test_power": [], "n_eff": [], "false_alarm": []}
    for row in rows("scorecard/design.json"):
        n, m, bins, alpha, psi = (row[name] for name in ("n", "m", "bins", "alpha", "psi"))
        values = {
            "critical_value": scorecard.psi_critical_value(n, m, bins, alpha),
            "test_power": scorecard.psi_power(n, m, bins, psi, alpha),
            "n_eff": scorecard.psi_sample_size(bins=bins, alpha=alpha, power=row["power"], psi=psi).n_eff,
            "false_alarm": scorecard.threshold_false_alarm(row["threshold"], n, m, bins),
        }
        for name, value in values.items():
            errors[name].append((relative_error(value, row[name]), row))
    for name, pairs in errors.items():
        hold(name, pairs)


def test_weighted_chi_squares():
    errors = []
    for row in rows("scorecard/weighted_chi2.json"):
        value = weighted_chi2_sf(row["x"], row["weights"])
        errors.append((relative_error(value, row["sf"]), value, row))
    hold("weighted", errors)


TRANSITIONS = [
    [[90, 12, 0], [10, 80, 15], [0, 8, 85]],
    [[500, 40, 3, 1], [35, 700, 50, 2], [4, 60, 900, 70], [1, 5, 80, 450]],
    [[20, 10], [5, 65]],
]


@pytest.mark.parametrize("T", TRANSITIONS, ids=len)
def test_paired_moments(T):
    value = scorecard.psi(np.array(T), baseline="paired")
    assert relative_error(value.se**2, reference.paired_variance(T)) < 1e-12
    assert relative_error(value.bias, reference.paired_bias(T)) < 1e-12
    # the law of n_eff J, n_eff = n / 2
    desired = [float(weight) * value.n_eff for weight in reference.paired_null_eigenvalues(T)[1:]]
    assert np.allclose(np.sort(value.null_weights), desired, rtol=1e-11, atol=0)


def test_second_order_cumulants():
    for x, y in (([139, 49, 164, 348], [135, 14, 105, 46]), ([10, 20, 30], [30, 20, 10]), ([5, 7], [6, 5])):
        n, m = sum(x), sum(y)
        desired = reference.cumulants(reference.shares(x), reference.shares(y), n, m)
        found = second_order_cumulants(two_samples(np.array(x, dtype=float), np.array(y, dtype=float), 0.0), n, m)
        for value, wanted in zip(found, desired, strict=True):
            assert relative_error(value, wanted) < 1e-11


P = np.array([0.4, 0.3, 0.2, 0.1])
Q = np.array([0.25, 0.25, 0.25, 0.25])


@pytest.mark.parametrize(("n", "m", "a"), [(50, 30, 0.5), (1900, 100, 0.5), (9000, 1000, 1.0), (90000, 10000, 0.5)])
def test_exact_mean(n, m, a):
    assert relative_error(exact_mean(P, Q, n, m, a), exact_smoothed_mean(P, Q, n, m, a)) < 1e-12


@pytest.mark.parametrize(("n", "m"), [(100, 50), (9000, 1000)])
def test_exact_weight_of_evidence(n, m):
    first, second = exact_log_count(n, P[0], 0.5), exact_log_count(m, Q[0], 0.5)
    mean, variance = exact_woe_moments(P[0], Q[0], n, m, bins=4)
    assert abs(first[0] - np.log(n + 2) - second[0] + np.log(m + 2) - mean) < 1e-13
    assert relative_error(first[1] + second[1], variance) < 1e-11
    covariance = exact_log_count_covariance(n, P[0], P[1], 0.5) + exact_log_count_covariance(m, Q[0], Q[1], 0.5)
    assert relative_error(covariance, exact_woe_covariance(P, Q, n, m, 0, 1)) < 1e-9


def test_statistic_and_logarithm_of_its_pvalue():
    for x, y in (([139, 49, 164, 348], [135, 14, 105, 46]), ([10**6, 10**6], [10**6, 2 * 10**6])):
        value = scorecard.information_value(x, y)
        log_p = reference_laws.chi2_log_sf(value.statistic, len(x) - 1)
        assert relative_error(value.log_pvalue, log_p) < 1e-13


def test_tables_refute_the_shortcuts():
    """The textbook forms miss the tables by far more than the bounds allow."""
    naive, moment, logit = [], [], []
    for row in rows("scorecard/iv_moments.json"):
        if row["smoothing"] == 0:
            x, y = np.array(row["x"], dtype=float), np.array(row["y"], dtype=float)
            p, q = x / x.sum(), y / y.sum()
            naive.append(relative_error(((p - q) * (np.log(p) - np.log(q))).sum(), row["estimate"]))
            a, c = np.log(p / q) - q / p, np.log(p / q) + p / q
            variance = (p @ a**2 - (p @ a) ** 2) / x.sum() + (q @ c**2 - (q @ c) ** 2) / y.sum()
            moment.append(relative_error(variance, mp.mpf(row["se"]) ** 2))
    for row in rows("scorecard/woe.json"):
        with np.errstate(all="ignore"):
            value = scorecard.woe_table(row["x"], row["y"], kind="logit")
        logit.append(relative_error(value.woe_se[0], row["woe_se"][0]))
    assert max(naive) > 1e-9
    assert max(moment) > 1e-6
    assert max(logit) > 0.1
    laws = [(r["x"], r["dof"], r["noncentrality"]) for r in rows(NONCENTRAL)]
    assert sum(np.isneginf(ncx2.logsf(*law)) for law in laws) > 5
    assert sum(np.isneginf(ncx2.logcdf(*law)) for law in laws) > 5
