"""Plots: drawn into the Axes that is passed, with the numbers of the result, touching no global state."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from statsmodels.datasets import fair

from asymptopia.theory import scorecard
from asymptopia.theory.scorecard.monitoring import drift_monitor
from asymptopia.theory.scorecard.screening import screen_table


@pytest.fixture
def ax() -> Iterator[Axes]:
    before = dict(mpl.rcParams)
    yield Figure().add_subplot()
    assert dict(mpl.rcParams) == before


def test_iv_bars_are_the_weights_of_evidence(ax: Axes) -> None:
    result = scorecard.information_value([139, 49, 164, 348], [135, 14, 105, 46])
    assert result.plot(ax, labels=["<0", ">=200", "0-200", "none"]) is ax
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == pytest.approx([-0.8180987, 0.4054651, -0.4013918, 1.1762632], abs=1e-6)
    assert "0.666" in ax.get_title()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["<0", ">=200", "0-200", "none"]
    with pytest.raises(ValueError, match="one for each of the 4 bins"):
        result.plot(ax, labels=["a"])


def test_zero_and_empty_cells_are_written_not_hidden(ax: Axes) -> None:
    result = scorecard.information_value([50, 30, 15, 0], [0, 20, 35, 0])
    result.plot(ax)
    assert sorted(text.get_text() for text in ax.texts) == ["+∞", "empty"]


def test_psi_bars_are_the_shares(ax: Axes) -> None:
    result = scorecard.psi([30, 70], [50, 50])
    result.plot(ax)
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0.5, 0.5, 0.3, 0.7])


def test_divergence_bars_are_the_shares(ax: Axes) -> None:
    result = scorecard.divergence("alpha", [30, 70], [50, 50], alpha=2)
    assert result.plot(ax) is ax
    assert [bar.get_height() for bar in ax.patches] == pytest.approx([0.5, 0.5, 0.3, 0.7])
    assert ax.get_title().startswith("alpha 2 ")


def test_woe_table(ax: Axes) -> None:
    table = scorecard.woe_table([30, 70], [50, 50])
    assert table.plot(ax) is ax
    assert [bar.get_height() for bar in ax.patches] == pytest.approx(np.log([0.6, 1.4]))


def test_screen_draws_each_column_and_its_noise(ax: Axes) -> None:
    screen = scorecard.iv_screen_frame(fair.load_pandas().data, "affairs", event="> 0")
    screen.plot(ax)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    assert names[-1] == "rate_marriage"
    widths = [bar.get_width() for bar in ax.patches]
    row = len(names) - 1
    result = screen["rate_marriage"]
    assert widths[row] == pytest.approx(scorecard.psi_critical_value(result.n, result.m, result.bins, 0.05))
    low, high = result.ci
    drawn = [line.get_xdata() for line in ax.lines if len(line.get_xdata()) == 2][row]
    assert list(drawn) == pytest.approx([low, high])


def test_noise_of_clustered_rows_is_that_of_their_law(ax: Axes) -> None:
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(60), 10)
    # rows of one cluster share the cell: ten times fewer independent rows
    data = {"y": cluster % 2, "x": rng.integers(0, 4, 60)[cluster], "c": cluster}
    screen = scorecard.iv_screen_frame(data, "y", clusters="c")
    screen.plot(ax)
    result = screen["x"]
    (bar,) = ax.patches
    weights = result._sampling().null_weights(0.5)
    draws = rng.chisquare(1.0, (200_000, weights.size)) @ weights / result.n_eff
    assert np.mean(draws > bar.get_width()) == pytest.approx(0.05, abs=0.003)


def test_screen_result_draws_its_level_and_margin(ax: Axes) -> None:
    tables = [[[40, 60], [60, 40]], [[500, 510], [500, 490]], [[9, 9], [0, 0]]]
    screen = screen_table(tables, names=["a", "b", "one cell"], level=0.8, margin=0.01)
    screen.plot(ax)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["one cell", "b", "a"]
    drawn = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert list(drawn[2].get_xdata()) == pytest.approx([screen.ci.low[0], screen.ci.high[0]])
    assert drawn[2].get_color() != drawn[1].get_color()
    assert list(drawn[3].get_xdata()) == [0.01, 0.01]
    # the single cell has no noise
    assert len(ax.patches) == 2
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend[0] == "80 % interval; holm p ≤ 0.05"


def test_monitor_draws_every_period(ax: Axes) -> None:
    reference = [1000, 2000, 4000, 2000, 1000]
    months = [[510, 980, 2020, 990, 500], [900, 1300, 1700, 700, 400], [2, 5, 9, 3, 0]]
    monitor = drift_monitor(reference, months, margin=0.05, names=["Jan", "Feb", "Mar"])
    assert monitor.plot(ax) is ax
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["Jan", "Feb", "Mar"]
    assert [bar.get_height() for bar in ax.patches] == pytest.approx(monitor.critical)
    bars = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_linewidth() == 2]
    for i, bar in enumerate(bars):
        assert list(bar.get_ydata()) == pytest.approx([monitor.ci.low[i], monitor.ci.high[i]])
    assert len({bar.get_color() for bar in bars}) == 3
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels[:3] == ["95 % interval: drift", "95 % interval: stable", "95 % interval: no evidence"]
    assert "margin 0.05" in labels


def test_monitor_of_many_periods_labels_some(ax: Axes) -> None:
    drift_monitor([50, 50], [[20, 30]] * 40).plot(ax)
    assert len(ax.get_xticks()) <= 16
    assert ax.get_xticklabels()[0].get_text() == "1"


def test_axes_are_made_where_none_is_given() -> None:
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    made = scorecard.psi([30, 70], [50, 50]).plot()
    assert isinstance(made, Axes)
    plt.close(made.figure)
