"""The drawings of the explorer: parameters in, a figure and a sentence out. Nothing here needs marimo."""

from __future__ import annotations

from typing import Any

from asymptopia._app import alignment, kde, projection, scaling, scorecard, softmax
from asymptopia._app.base import Drawing, Tab, style, svg

__all__ = ["TABS", "Drawing", "Tab", "draw", "style", "svg"]

TABS: dict[str, Tab] = {
    module.TAB.title: module.TAB for module in (projection, kde, scorecard, alignment, scaling, softmax)
}
"""The pages of the explorer by title, in the order shown."""


def draw(title: str, **values: Any) -> Drawing:
    """Return the drawing of a tab; what is left out keeps its start value."""
    tab = TABS[title]
    return tab.draw(**tab.start | values)
