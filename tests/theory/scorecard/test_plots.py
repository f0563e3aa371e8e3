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


def test_axes_are_made_where_none_is_given() -> None:
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    made = scorecard.psi([30, 70], [50, 50]).plot()
    assert isinstance(made, Axes)
    plt.close(made.figure)
