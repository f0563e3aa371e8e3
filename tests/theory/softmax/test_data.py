"""The report of a batch: which samples bind, what is said of the series and what of descent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from asymptopia.theory.softmax.arguments import rows_of
from asymptopia.theory.softmax.bounds import lower_bounds
from asymptopia.theory.softmax.data import RadiusReport, digits_step, nearest_rows, radius_report, simulated_step
from asymptopia.theory.softmax.exact import exact_radius
from asymptopia.theory.softmax.status import SoftmaxStatus

BREAK_EVEN = 0.8221632343073730395404


@pytest.fixture(scope="module")
def report() -> RadiusReport:
    return radius_report(*simulated_step(400, 6, rng=1), nearest=7)


def test_the_counter_example_within_the_radius() -> None:
    """l(t) = log(1 + exp t) - 0.6 t rises from 0.26 of its radius on."""
    found = radius_report([0.0, 0.0], [0.0, 1.0], y=[0.4, 0.6], tau=math.pi - 1e-9)
    assert found.line is not None
    assert found.inside
    assert found.exact.radius == pytest.approx(math.pi, rel=1e-13)
    assert found.line.break_even == pytest.approx(BREAK_EVEN, rel=1e-12)
    assert found.line.tau_opt == pytest.approx(math.log(1.5), rel=1e-12)
    assert found.loss_tau is not None
    assert found.loss_tau / found.line.loss0 == pytest.approx(1.874, abs=5e-4)
    assert found.notes[-1] == "The step is within the radius and raises the loss all the same."
    assert found.status.ok
    assert found.descent is not None
    np.testing.assert_allclose(found.descent.limit[0], 0.8, rtol=1e-12)
    assert (found.descent.limit <= found.line.break_even * (1 + 1e-9)).all()


def test_beyond_the_radius_the_loss_can_fall() -> None:
    # one sample, slopes along its own gradient: the label's slope is the largest
    found = radius_report([[0.0, 1.0]], [[1.0, -1.0]], y=[0], tau=10.0)
    assert not found.inside
    assert found.status is SoftmaxStatus.UNBOUNDED
    assert found.notes[-1] == "The step is beyond the radius and lowers the loss all the same."
    assert radius_report([[0.0, 1.0]], [[1.0, -1.0]], tau=10.0).status is SoftmaxStatus.BEYOND_RADIUS


def test_nearest_samples_are_the_least_exact_radii(report: RadiusReport) -> None:
    step = simulated_step(400, 6, rng=1)
    every = exact_radius(rows_of(step.z, step.a)).radius
    order = np.argsort(every, kind="stable")[:7]
    np.testing.assert_array_equal(report.rows, order)
    np.testing.assert_allclose(report.row_radius, every[order], rtol=1e-12)
    assert report.exact.radius == pytest.approx(every.min(), rel=1e-12)
    assert report.nearest.radius == pytest.approx(every.min(), rel=1e-12)
    assert (report.row_pi <= report.row_bound * (1 + 1e-12)).all()
    assert (report.row_bound <= report.row_radius * (1 + 1e-9)).all()
    assert report.exact.argmin == order[0]


def test_few_rows_are_solved_for_the_nearest() -> None:
    step = simulated_step(3000, 6, rng=2)
    rows = rows_of(step.z, step.a)
    bound = lower_bounds(rows, "hyperbola").radius
    found, radii = nearest_rows(rows, bound, 3000)
    assert sorted(found.tolist()) == list(range(3000))
    assert (np.diff(radii) >= 0).all()


def test_quantiles_and_shares(report: RadiusReport) -> None:
    step = simulated_step(400, 6, rng=1)
    r = (step.a.max(axis=1) - step.a.min(axis=1)) / math.pi
    np.testing.assert_allclose(report.r, np.quantile(r, report.levels), rtol=1e-12)
    assert report.share_pi == np.mean(r < 1)
    assert (report.r_bound <= report.r * (1 + 1e-12)).all()
    assert report.share_bound >= report.share_pi
    assert report.pi_radius == pytest.approx(1 / r.max(), rel=1e-12)


def test_taylor_errors_shrink_within_and_are_infinite_beyond(report: RadiusReport) -> None:
    step = simulated_step(400, 6, rng=1)
    inside = radius_report(*step, tau=0.5 * report.exact.radius)
    assert (np.diff(inside.taylor_error) < 0).all()
    assert np.isinf(radius_report(*step, tau=1.01 * report.exact.radius).taylor_error).all()


def test_leading_axes_are_samples() -> None:
    step = simulated_step(60, 4, rng=5)
    flat = radius_report(*step)
    shaped = radius_report(step.z.reshape(5, 12, 4), step.a.reshape(5, 12, 4), step.y.reshape(5, 12))
    moved = radius_report(step.z.T, step.a.T, step.y, axis=0)
    assert flat.rows.tolist() == shaped.rows.tolist() == moved.rows.tolist()
    assert flat.loss_tau == pytest.approx(shaped.loss_tau, rel=1e-14)
    assert flat.loss_tau == pytest.approx(moved.loss_tau, rel=1e-14)


def test_without_labels_nothing_is_said_of_descent() -> None:
    found = radius_report([[0.0, 0.0]], [[0.0, 1.0]])
    assert (found.line, found.loss_tau, found.descent) == (None, None, None)
    assert found.notes[-1] == "Descent: unknown without labels y."


def test_equal_slopes() -> None:
    found = radius_report(np.zeros((3, 4)), np.ones((3, 4)), y=[0, 1, 2])
    assert found.status is SoftmaxStatus.ENTIRE
    assert found.inside
    assert found.exact.radius == found.pi_radius == math.inf
    assert found.r.tolist() == [0.0] * found.levels.size
    assert "nan" not in found.summary()


def test_json_frame_summary_and_html(report: RadiusReport) -> None:
    assert RadiusReport.from_json(report.to_json()) == report
    assert report.to_frame()["sample"].tolist() == report.rows.tolist()
    assert "no statement about descent" in report.summary()
    assert "<table" in report._repr_html_()
    with pytest.raises(ValueError, match="read-only"):
        report.r[0] = 0.0


def test_digits_have_linear_logits() -> None:
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    before, after = digits_step(steps=9, rate=0.4, rng=0), digits_step(steps=10, rate=0.4, rng=0)
    np.testing.assert_allclose(before.z + before.a, after.z, atol=1e-12)
    found = radius_report(*before)
    assert found.line is not None
    assert found.loss_tau is not None
    assert found.loss_tau < found.line.loss0


def test_simulated_labels_come_from_the_logits() -> None:
    step = simulated_step(20_000, 3, rng=0)
    p = np.exp(step.z - step.z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    for k in range(3):
        expected, got = p[:, k].mean(), np.mean(step.y == k)
        # six standard errors: wrong once in 5e8 where the law is right
        assert abs(expected - got) < 6 * math.sqrt(expected * (1 - expected) / 20_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau": 0.0}, "tau is 0"),
        ({"tau": math.nan}, "tau is nan"),
        ({"nearest": 0}, "nearest is 0"),
        ({"y": [5]}, "y is 5"),
        ({"y": [0, 1]}, "y has shape"),
        ({"a": [[0.0, math.nan]]}, "nan"),
        ({"z": [[-math.inf, -math.inf]]}, "no finite logit"),
    ],
)
def test_mistakes(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        radius_report(**({"z": [[0.0, 0.0]], "a": [[0.0, 1.0]]} | options))
