"""Figures: drawn into the Axes that is passed, with the numbers of the result, touching no global state."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from asymptopia.theory._core.lazy import resolve
from asymptopia.theory._core.result import Result
from asymptopia.theory.projection import plots_data
from asymptopia.theory.projection.criterion import pn_criterion
from asymptopia.theory.projection.criterion_result import PNCriterion
from asymptopia.theory.projection.data import pn_report
from asymptopia.theory.projection.exact_risk import kl_risk_exact
from asymptopia.theory.projection.expansion import kl_risk_expansion
from asymptopia.theory.projection.families import MultivariateNormal, Normal, Poisson
from asymptopia.theory.projection.plots import plot_bayes_error, plot_criterion, plot_risk

RNG = np.random.default_rng(3)
X = RNG.standard_normal((120, 2))
THREE = {-1.0: 0.3, 0.0: 0.45, 2.0: 0.25}
SHARP = 0.0200446831579529501
"""Threshold of the sharp bound at alpha = 0.05."""


@pytest.fixture
def ax() -> Iterator[Axes]:
    before = dict(mpl.rcParams)
    yield Figure().add_subplot()
    assert dict(mpl.rcParams) == before


@pytest.fixture(scope="module")
def criterion() -> PNCriterion:
    return pn_criterion(X, MultivariateNormal(2), bootstrap=30, rng=1)


def labels(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def line(ax: Axes, label: str) -> np.ndarray:
    (found,) = (one for one in ax.lines if str(one.get_label()).startswith(label))
    return np.asarray(found.get_xydata(), dtype=float)


def test_series_of_the_normal_law(ax: Axes) -> None:
    family = Normal()
    found = kl_risk_expansion(family, family.natural(mu=0.0, sigma2=1.0), order=3)
    sizes = np.array([2, 5, 10, 100])
    assert found.plot(ax, n=[4, 400], exact=kl_risk_exact(family, n=sizes)) is ax
    # the coefficients of the specification
    for label, terms in (("first", [1.0]), ("second", [1.0, 61 / 12]), ("third", [1.0, 61 / 12, 17.0])):
        n, value = line(ax, label).T
        assert (n[0], n[-1]) == pytest.approx((4.0, 400.0))
        np.testing.assert_allclose(value, sum(c / n**k for k, c in enumerate(terms, 1)), rtol=1e-12)
    # at n = 2 there is no finite risk
    np.testing.assert_allclose(line(ax, "exact")[1:], [[10.0, 0.17543079267699997774], [100.0, 0.0105261]], rtol=1e-4)
    assert line(ax, "exact")[0, 0] == 5.0
    assert line(ax, "required n = 55, order 3")[0] == pytest.approx((55, SHARP), rel=1e-12)
    assert not any("if the model held" in label for label in labels(ax))
    low, high = ax.get_ylim()
    assert low < 1 / 400
    assert high > line(ax, "exact")[0, 1]
    # 61/12 / n > 0.3 up to n = 16.9
    shaded = [patch for patch in ax.patches if patch.get_label() == "second term > 0.3 first"]
    assert shaded[0].get_extents().x1 == pytest.approx(ax.transData.transform((61 / 3.6, 1.0))[0])


def test_misspecified_series_and_threshold(ax: Axes) -> None:
    found = kl_risk_expansion(Normal(), truth=THREE)
    plot_risk(found, ax, threshold=0.01)
    n, value = line(ax, "p/(2n)").T
    np.testing.assert_allclose(value, 1.0 / n)
    n, value = line(ax, "first order, t₀/(2n)").T
    np.testing.assert_allclose(value, 0.76133786848072562358 / n, rtol=1e-12)
    assert "threshold 0.01" in labels(ax)
    # the larger root of 0.01 n^2 - c1 n - c2
    root = (0.76133786848 + (0.76133786848**2 + 0.04 * 5.12842664155) ** 0.5) / 0.02
    assert f"required n = {int(np.ceil(root))}, order 2" in labels(ax)


def test_a_series_without_a_root_is_drawn_with_a_gap(ax: Axes) -> None:
    # rare large values: the sixth moment makes the second coefficient negative
    found = kl_risk_expansion(Normal(), truth={-8.0: 0.0005, -1.0: 0.4995, 1.0: 0.4995, 8.0: 0.0005})
    assert found.c2 < 0
    found.plot(ax, n=[1, 1000], threshold=5.0)
    value = line(ax, "second order")[:, 1]
    assert np.isnan(value[0])
    assert value[-1] > 0
    assert not any("required" in label for label in labels(ax))
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]


def test_one_size_of_the_exact_risk(ax: Axes) -> None:
    family = Normal()
    found = kl_risk_expansion(family, family.natural(mu=0.0, sigma2=1.0))
    found.plot(ax, exact=kl_risk_exact(family, n=50))
    assert line(ax, "exact") == pytest.approx(np.array([[50.0, 0.0221783522]]), rel=1e-8)


@pytest.mark.parametrize("n", [[5], [0.5, 10], [7, 7]])
def test_sizes_to_draw(ax: Axes, n: list[float]) -> None:
    family = Normal()
    with pytest.raises(ValueError, match="at least two different sizes"):
        kl_risk_expansion(family, family.natural(mu=0.0, sigma2=1.0)).plot(ax, n=n)


def test_criterion_marks_the_data(ax: Axes, criterion: PNCriterion) -> None:
    assert criterion.plot(ax) is ax
    t0 = criterion.t0
    assert line(ax, "these data, p/(2n)")[0] == pytest.approx((120, 5 / 240))
    assert line(ax, "these data, t₀/(2n)")[0] == pytest.approx((120, t0 / 240))
    assert line(ax, "these data, risk")[0] == pytest.approx((120, criterion.risk))
    n, value = line(ax, "second order").T
    np.testing.assert_allclose(value, criterion.c1 / n + criterion.c2 / n**2, rtol=1e-12)
    # the curve runs through the point of the data
    assert np.interp(np.log(120.0), np.log(n), np.log(value)) == pytest.approx(np.log(criterion.risk), abs=1e-3)
    assert criterion.bootstrap is not None
    interval = line(ax, "95% interval")
    assert interval[:, 1] == pytest.approx(np.array(criterion.bootstrap.risk_interval))
    required = line(ax, "required n")[0]
    assert required == pytest.approx((criterion.required_n, SHARP), rel=1e-12)
    assert ax.get_title() == "MultivariateNormal, n = 120, p = 5: not enough"
    low, high = ax.get_xlim()
    assert low < 120 < required[0] < high


def test_criterion_of_first_order_and_by_another_bound(ax: Axes) -> None:
    found = pn_criterion(X[:, 0], Normal(), order=1, bound="pinsker", alpha=0.1)
    plot_criterion(found, ax)
    assert not any(label.startswith("second") for label in labels(ax))
    assert "threshold 0.08" in labels(ax)
    assert ax.get_title().endswith(": enough")


def test_a_negative_series_says_so(ax: Axes) -> None:
    # no sample at hand makes it negative
    found = dataclasses.replace(pn_criterion(X[:, 0], Normal()), risk=-0.01, second=-0.02, c2=-200.0, passed=False)
    plot_criterion(found, ax)
    assert "no verdict, the series is negative" in ax.get_title()
    assert not any(label.startswith("these data, risk") for label in labels(ax))
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    plot_bayes_error(found, Figure().add_subplot())


def test_bayes_error_of_a_criterion(ax: Axes, criterion: PNCriterion) -> None:
    assert plot_bayes_error(criterion, ax) is ax
    kl, rate = line(ax, "Pinsker").T
    np.testing.assert_allclose(rate, 0.5 * (1 - np.sqrt(kl / 2)), rtol=1e-12)
    kl, rate = line(ax, "local").T
    np.testing.assert_allclose(rate, 0.5 * (1 - np.sqrt(kl / np.pi)), rtol=1e-12)
    kl, rate = line(ax, "sharp").T
    # at the threshold the sharp rate is 1/2 - alpha
    assert np.interp(np.log(SHARP), np.log(kl), rate) == pytest.approx(0.45, abs=2e-4)
    (point,) = line(ax, "these data")
    assert point[0] == criterion.risk


def test_groups_side_by_side(ax: Axes) -> None:
    table = {"x": X[:, 0], "y": X[:, 1], "kind": np.repeat(["a", "b", "c"], 40)}
    report = pn_report(table, "mvn", by="kind")
    assert report.plot(ax) is ax
    names = [text.get_text() for text in ax.get_yticklabels()]
    assert [name.split("\n")[0] for name in names] == ["a", "b", "c"]
    assert names[0].split("\n")[1] == f"p = 5, n = 40; {report['a'].required_n} required"
    np.testing.assert_allclose(line(ax, "p/(2n)")[:, 0], 5 / 80)
    np.testing.assert_allclose(line(ax, "t₀/(2n)")[:, 0], [one.t0 / 80 for one in report.criteria])
    np.testing.assert_allclose(line(ax, "risk, not enough")[:, 0], [one.risk for one in report.criteria])
    assert "risk, enough" not in labels(ax)
    assert f"threshold {SHARP:.4g}" in labels(ax)


def test_families_side_by_side_and_a_group_without_an_estimate(ax: Axes) -> None:
    table = {"u": [0.0, 1.0] * 20, "v": [0.0, 0.0, 1.0, 1.0] * 10, "kind": ["a"] * 36 + ["b"] * 4}
    table["u"][36:] = [1.0] * 4
    report = pn_report(table, ["ising", "loglinear"], columns=["u", "v"], by="kind", bootstrap=20, rng=0)
    assert [one.group for one in report.failures] == ["b", "b"]
    report.plot(ax)
    names = [text.get_text().split("\n") for text in ax.get_yticklabels()]
    assert [name[0] for name in names] == ["a, ising", "a, loglinear", "b, ising", "b, loglinear"]
    assert names[-1][1] == "no estimate"
    assert "95% interval by bootstrap" in labels(ax)


def test_one_criterion_is_drawn_against_n(ax: Axes) -> None:
    pn_report(X).plot(ax)
    assert ax.get_xlabel() == "sample size n"


def test_many_groups_are_cut_to_those_of_the_largest_risk(ax: Axes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots_data, "MOST_ROWS", 2)
    x = np.r_[RNG.exponential(size=30), RNG.gamma(40.0, size=30), RNG.exponential(size=20)]
    report = pn_report({"x": x, "kind": [*"a" * 30, *"b" * 30, *"c" * 20]}, "exponential", by="kind")
    report.plot(ax)
    assert [text.get_text()[0] for text in ax.get_yticklabels()] == ["a", "c"]
    assert ax.get_title() == "alpha = 0.05, the largest 2 of 3"


def test_no_parameters_no_figure(ax: Axes, criterion: PNCriterion) -> None:
    family = Normal()
    found = kl_risk_expansion(family, family.natural(mu=0.0, sigma2=1.0))
    for result in (dataclasses.replace(found, p=0), dataclasses.replace(criterion, p=0)):
        with pytest.raises(ValueError, match=r"result\.p is 0"):
            result.plot(ax)


@pytest.mark.parametrize(
    "module", ["risk_result", "criterion_result", "data", "exact_result", "information", "bootstrap"]
)
def test_every_plotter_named_is_there(module: str) -> None:
    held = vars(importlib.import_module(f"asymptopia.theory.projection.{module}")).values()
    for kind in held:
        if isinstance(kind, type) and issubclass(kind, Result) and kind.plotter:
            assert callable(resolve(kind.plotter))


def test_axes_are_made_where_none_are_given(criterion: PNCriterion) -> None:
    import matplotlib.pyplot as plt

    made = criterion.plot()
    assert isinstance(made, Axes)
    plt.close(made.figure)  # type: ignore[arg-type]


def test_data_of_one_value(ax: Axes) -> None:
    # a first term of 0 has no place on a logarithmic axis
    found = pn_criterion(np.full(20, 2), Poisson())
    low, _ = plot_criterion(found, ax).get_ylim()
    assert low > 0.0
