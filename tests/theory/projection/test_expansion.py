"""The expansion: numbers of the specification, companion risks, sample sizes, projections, bad input."""

import math
from fractions import Fraction

import numpy as np
import pytest

from asymptopia.theory._core.result import Result
from asymptopia.theory.projection import families
from asymptopia.theory.projection.closed_forms import closed_form
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.risk_result import RiskExpansion
from asymptopia.theory.projection.status import ProjectionStatus


def quadratic():
    x = np.arange(4.0)
    return families.FiniteSupport(np.column_stack([x, x * x]))


TRUTH = np.array([0.2, 0.35, 0.15, 0.3])


def test_misspecified_finite_support():
    found = kl_risk_expansion(quadratic(), truth=TRUTH)
    assert found.theta_star == pytest.approx([0.042447469837228505866, -0.00080121839278903282533], rel=1e-9)
    assert found.c1 == pytest.approx(1.9865184044058488829 / 2, rel=1e-11)
    assert found.c2 == pytest.approx(2.2915241766425125759, rel=1e-10)
    assert found.optimism2 == pytest.approx(2.9511472986141844497, rel=1e-10)
    assert found.reverse2 == pytest.approx(found.optimism2 - found.c2, rel=1e-12)
    assert (found.c3, found.optimism3, found.well_specified, found.n) == (None, None, False, None)
    assert found.status is ProjectionStatus.CONDITIONAL
    # the same truth as moments, and with the projection given
    rows = quadratic().support().statistic
    mean = TRUTH @ rows
    x = rows - mean
    moments = {
        "mean": mean,
        "cov": (x.T * TRUTH) @ x,
        "third": np.einsum("a,ai,aj,ak->ijk", TRUTH, x, x, x),
    }
    other = kl_risk_expansion(quadratic(), found.theta_star, truth=moments)
    assert other.c2 == pytest.approx(found.c2, rel=1e-9)
    del moments["mean"]
    assert kl_risk_expansion(quadratic(), found.theta_star, truth=moments).c2 == pytest.approx(found.c2, rel=1e-9)
    with pytest.raises(ValueError, match="mean"):
        kl_risk_expansion(quadratic(), truth=moments)


def test_truth_in_the_model_given_from_outside():
    family, theta = quadratic(), np.array([0.3, -0.2])
    inside = kl_risk_expansion(family, theta)
    outside = kl_risk_expansion(family, truth=family.probabilities(theta))
    assert outside.c2 == pytest.approx(inside.c2, rel=1e-9)
    assert outside.optimism2 == pytest.approx(inside.optimism2, rel=1e-9)
    assert outside.theta_star == pytest.approx(theta, rel=1e-8)


def test_theta_must_be_the_projection():
    with pytest.raises(ValueError, match="not the projection of truth"):
        kl_risk_expansion(quadratic(), [0.1, 0.0], truth=TRUTH)
    found = kl_risk_expansion(quadratic(), truth=TRUTH)
    with pytest.raises(ValueError, match="leave theta out"):
        kl_risk_expansion(quadratic(), found.theta_star + np.array([1e-4, 0.0]), truth=TRUTH)


def test_series_of_iris_and_required_sizes():
    # iris, one species: d = 4, n = 50; the exact risk is 0.172616434804568
    family = families.MultivariateNormal(4)
    found = kl_risk_expansion(family, family.natural(np.zeros(4), np.eye(4)), order=3)
    assert (found.c1, found.c2, found.c3) == pytest.approx((7.0, 70.8333333333, 469.0))
    assert found.risk(50) == pytest.approx(0.172085, abs=5e-7)
    assert found.status_at(50) is ProjectionStatus.OK
    assert found.status_at(30) is ProjectionStatus.SMALL_SAMPLE
    family = families.MultivariateNormal(7)
    found = kl_risk_expansion(family, family.natural(np.zeros(7), np.eye(7)))
    assert found.required_n(0.02, order=1) == 875
    assert found.required_n(0.02) == 890
    assert found.required_n(0.0200446831579529501) == 888
    assert found.required_n(0.02, order=3) == 891


def test_required_size_is_the_smallest():
    family = families.Poisson()
    for order, tol in [(1, 0.01), (2, 0.013), (3, 0.2), (3, 3.0), (2, 1e-9), (1, 1e-14)]:
        found = kl_risk_expansion(family, family.natural(0.7), order=order)
        n = found.required_n(tol)
        assert found.risk(n) <= tol * (1 + 1e-15)
        if n > 1:
            # the size is that of the rational numbers; the series rounds
            terms = [found.c1, found.c2, found.c3][:order]
            assert sum(Fraction(c) / (n - 1) ** k for k, c in enumerate(terms, 1)) > Fraction(tol)


def test_required_sizes_beyond_floats():
    family = families.Poisson()
    found = kl_risk_expansion(family, family.natural(0.7))
    for tol in (1e-25, 1.3e-33, 1e-199):
        # a search by steps of 1 never ends where n + 1 is n
        n = found.required_n(tol)
        assert Fraction(found.c1) / n + Fraction(found.c2) / n**2 <= Fraction(tol)
        assert Fraction(found.c1) / (n - 1) + Fraction(found.c2) / (n - 1) ** 2 > Fraction(tol)
    with pytest.raises(ValueError, match="tol is 1e-201"):
        found.required_n(1e-201)


def test_no_root_and_negative_risk():
    # heavy sixth moment: c2 far below zero
    family = families.Normal()
    found = kl_risk_expansion(family, truth={-9.0: 0.0005, -1.0: 0.4995, 1.0: 0.4995, 9.0: 0.0005})
    assert found.c2 < 0
    # a law with atoms leaves samples of one value, which have no estimate
    assert found.status is ProjectionStatus.CONDITIONAL
    assert found.required_n(-(found.c1**2) / (4 * found.c2) * 1.01) is None
    small = found.required_n(1e-3)
    assert found.risk(small) <= 1e-3 < found.risk(small - 1)
    assert found.risk(1) < 0
    assert found.status_at(1) is ProjectionStatus.NEGATIVE_RISK
    assert found.status_at(10**6) is ProjectionStatus.CONDITIONAL


def test_series_are_vectorised_and_checked():
    family = families.Normal()
    found = kl_risk_expansion(family, family.natural(0.0, 1.0), order=3)
    sizes = np.array([50, 100])
    assert found.risk(sizes) == pytest.approx(1 / sizes + 61 / 12 / sizes**2 + 17 / sizes**3)
    assert found.risk(100, order=1) == 0.01
    assert found.optimism(sizes) == pytest.approx(2 / sizes + 6 / sizes**2 + 18 / sizes**3)
    assert found.reverse(100) == pytest.approx(0.01 + 11 / 12e4 + 1e-6)
    assert found.optimism(100) == pytest.approx(2 / 97, rel=1e-4)
    assert isinstance(found.risk(100), float)
    for bad in (0, 2.5, -3, [10, 0]):
        with pytest.raises(ValueError, match="n is"):
            found.risk(bad)
    with pytest.raises(ValueError, match="order"):
        found.risk(10, order=4)
    with pytest.raises(ValueError, match="tol"):
        found.required_n(0.0)
    with pytest.raises(ValueError, match="n is 0"):
        found.status_at(0)
    two = kl_risk_expansion(families.Beta(), families.Beta().natural(2.0, 3.0))
    with pytest.raises(ValueError, match="third coefficient"):
        two.risk(10, order=3)


def test_data_as_the_truth():
    rng = np.random.default_rng(3)
    family = families.Normal()
    data = rng.normal(size=4000)
    found = kl_risk_expansion(family, truth=data)
    assert found.n == 4000
    assert found.status is ProjectionStatus.OK
    assert abs(found.contractions.F - 14.0) < 1e-9
    assert abs(found.c1 - 1.0) < 0.2
    assert kl_risk_expansion(family, truth=data[:20]).status is ProjectionStatus.UNSTABLE_MOMENTS
    outlier = kl_risk_expansion(family, truth=np.append(data, 60.0))
    assert outlier.status is ProjectionStatus.UNSTABLE_MOMENTS


def sampled_poisson(draws, seed=0):
    return families.SampledFamily(
        lambda x: np.asarray(x, dtype=float)[:, None],
        lambda theta, size, rng: rng.poisson(np.exp(theta[0]), size),
        dim=1,
        draws=draws,
        seed=seed,
    )


def test_sampled_family():
    # statistic x, truth NB of mean 2 and size 4: c2 = 2/(12 * 16) + 1/8 + 5/24
    v = 3.0
    truth = {"mean": [2.0], "cov": [[v]], "third": [[[v * 2.0]]]}
    family = sampled_poisson(100_000)
    found = kl_risk_expansion(family, truth=truth)
    assert abs(found.c1 - 0.75) < 0.03
    assert abs(found.c2 - (2 / 192 + 1 / 8 + 5 / 24)) < 0.15
    assert found.status is ProjectionStatus.OK
    again = kl_risk_expansion(family, found.theta_star, truth=truth)
    assert abs(again.c1 - found.c1) < 1e-12
    with pytest.raises(ValueError, match="not the projection"):
        kl_risk_expansion(family, found.theta_star + 0.2, truth=truth)
    few = sampled_poisson(40)
    assert kl_risk_expansion(few, [math.log(2.0)], truth={**truth, "mean": None}).status is ProjectionStatus.NOISY


def test_monte_carlo_errors_of_the_coefficients():
    """They are the spread over seeds; c2 that is noise makes the status NOISY, though c1 is p/2 exactly."""
    truth = {"mean": [2.0], "cov": [[3.0]], "third": [[[6.0]]]}
    for given in ({"truth": truth}, {"theta": [math.log(2.0)]}):
        found = [kl_risk_expansion(sampled_poisson(20_000, seed), **given) for seed in range(60)]
        for name in ("c1", "c2"):
            values = np.array([getattr(one, name) for one in found])
            stated = np.sqrt(np.mean([getattr(one, name + "_error") ** 2 for one in found]))
            if name == "c1" and "theta" in given:
                assert values == pytest.approx(0.5, abs=1e-12)
                assert stated < 1e-12
            else:
                # standard errors: 9 % of the spread of 60, 4 % of the stated; batches overstate what goes with 1/N
                assert stated == pytest.approx(values.std(ddof=1), rel=0.35)
        assert "Monte Carlo error" in found[0].summary()
        assert Result.from_json(found[0].to_json()) == found[0]
        assert found[0].to_frame()["c2_error"].iloc[0] == found[0].c2_error
    # c2 is 5/24: at n = 1, from which on it is below 0.3 of c1, its error must be below a tenth of 0.7
    assert kl_risk_expansion(sampled_poisson(4000), [math.log(2.0)]).status is ProjectionStatus.OK
    few = kl_risk_expansion(sampled_poisson(80), [math.log(2.0)])
    assert few.c2_error > 0.1
    assert few.status is ProjectionStatus.NOISY
    exact = kl_risk_expansion(families.Poisson(), [math.log(2.0)])
    assert (exact.c1_error, exact.c2_error) == (None, None)
    assert "Monte Carlo" not in exact.summary()


def test_no_minus_zero_in_the_summary():
    found = kl_risk_expansion(families.Normal(), families.Normal().natural(-0.0, 1.0))
    assert "theta*        0 -0.5\n" in found.summary()


def test_errors():
    family = families.Normal()
    theta = family.natural(0.0, 1.0)
    with pytest.raises(TypeError, match="ExponentialFamily"):
        kl_risk_expansion("normal", theta)
    with pytest.raises(TypeError, match="is the class Normal"):
        kl_risk_expansion(families.Normal, theta)
    with pytest.raises(TypeError, match="is of type str"):
        closed_form("normal", theta)
    with pytest.raises(ValueError, match="both None"):
        kl_risk_expansion(family)
    with pytest.raises(ValueError, match="order"):
        kl_risk_expansion(family, theta, order=4)
    with pytest.raises(ValueError, match="third coefficient"):
        kl_risk_expansion(families.Gamma(), families.Gamma().natural(2.0, 1.0), order=3)
    with pytest.raises(ValueError, match="truth is given"):
        kl_risk_expansion(family, truth=np.arange(30.0), order=3)
    with pytest.raises(ValueError, match="theta"):
        kl_risk_expansion(family, [0.0, 1.0])
    with pytest.raises(MLEDoesNotExistError):
        kl_risk_expansion(families.Poisson(), truth={0: 1.0})


def test_result_faces():
    family = families.Poisson()
    found = kl_risk_expansion(family, family.natural(2.0), order=3)
    text = found.summary()
    assert "CONDITIONAL" in text
    assert "0.5/n + 0.208333/n^2 + 0.1875/n^3" in text
    assert Result.from_json(found.to_json()) == found
    assert isinstance(Result.from_json(found.to_json()), RiskExpansion)
    frame = found.to_frame()
    assert frame["c2"].iloc[0] == found.c2
    assert frame["t31"].iloc[0] == found.contractions.t31
    with pytest.raises(ValueError, match="read-only"):
        found.theta_star[0] = 1.0
    assert math.isclose(found.contractions.t0, 1.0)
