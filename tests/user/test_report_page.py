"""The page of ``asymptopia verify --html``: one file, nothing from elsewhere, and shown by a browser."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from browser import colours, needs_browser, pixels, screenshot
from sample_report import sample

from asymptopia._cli import main
from asymptopia.verify.engine.overview import HEIGHT, WIDTH

CHECK = "engine.poisson_risk"
SIZE = (1200, 1500)
INKS = {"light": (255, 255, 255), "dark": (0x14, 0x18, 0x1D)}
"""The paper of the style sheet."""
CURVES = {"light": ((0x1F, 0x3A, 0x5F), (0xB8, 0x45, 0x2D)), "dark": ((0xB4, 0xCD, 0xEC), (0xF0, 0x8A, 0x70))}
"""Its ink of the running estimate, and of a mutant."""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    assert main(["verify", CHECK, "--profile", "quick", "--seed", "3", "--quiet", "--html", str(path)]) == 0
    return path


def test_nothing_comes_from_elsewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    # links of the page lead into it; an address of another host would stand behind two slashes
    places = re.findall(r"""(?:src|href|action|data|poster|srcset)\s*=\s*["']?([^"'\s>]+)""", text)
    assert places
    assert all(place.startswith("#") for place in places)
    assert not re.search(r"https?://|@import|url\(|<script|<link|<iframe|<object|<embed|<img", text)
    # the browser makes no request at all, for the file is whole
    assert not re.search(r"""["'(]//\w""", text)


def test_it_says_what_was_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert f"asymptopia verify {CHECK} --profile quick --seed 3" in text
    for fact in ("Verdicts", "tolerance δ", "mutants rejected", "2 % more", "2/2 rejected", "numpy", "numba"):
        assert fact in text
    assert text.count('<svg class="figure"') == 1


def test_a_check_of_several_targets_has_them_side_by_side() -> None:
    text = sample().to_html()
    figures = re.findall(r'<svg class="overview".*?</svg>', text, re.DOTALL)
    per_check = [sum(e.check == check for e in sample().entries) for check in sample().checks]
    assert len(figures) == sum(count > 1 for count in per_check)
    first, second = figures
    # of nine targets one has no look, one has an estimate without an interval
    assert first.count('class="run dot"') == 7
    assert first.count('class="run bar"') == 6
    assert first.count('class="mutant cross"') == sum(len(e.mutants) for e in sample().entries[:8])
    # a bound has a tolerance on one side: a band of its own
    assert (first.count('class="band"'), second.count('class="band"')) == (1, 2)
    for figure in figures:
        box = ET.fromstring(figure)
        assert "nan" not in figure
        for item in box:
            across = [float(value) for name, value in item.items() if name in {"x", "x1", "x2", "cx"}]
            down = [float(value) for name, value in item.items() if name in {"y", "y1", "y2", "cy", "height"}]
            assert all(0 <= value <= WIDTH for value in across)
            assert all(0 <= value <= HEIGHT for value in down)


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_it(page: Path, tmp_path: Path, scheme: str) -> None:
    picture = pixels(screenshot(page, tmp_path / f"{scheme}.png", size=SIZE, scheme=scheme))
    assert picture.shape == (SIZE[1], SIZE[0], 3)
    found = colours(picture)
    paper = next(iter(found))
    assert paper == INKS[scheme]
    assert found[paper] < 0.99
    assert len(found) > 50
    # the running estimate and the mutants are drawn
    for curve in CURVES[scheme]:
        near = np.abs(picture.astype(int) - curve).max(axis=2) <= 3
        assert near.sum() > 100
