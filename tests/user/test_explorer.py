"""The explorer: each drawing over the ends of its sliders, the app as a whole, and the command."""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from browser import colours, needs_browser, pixels, screenshot

from asymptopia._app.base import ACCENT, INK, NIGHT, plain
from asymptopia._app.drawings import TABS, Drawing, draw, style, svg
from asymptopia._cli import UserError, explore

needs_marimo = pytest.mark.skipif(importlib.util.find_spec("marimo") is None, reason="marimo is not installed (app)")
LONGEST = 700
"""Characters of a verdict that fit beside the figure."""


def ends(title: str) -> list[dict[str, Any]]:
    """Return the start, each control at either end, and all of them at both."""
    controls = TABS[title].controls
    alone = [{c.name: value} for c in controls for value in ((*c.values,) if c.choice else (c.values[0], c.values[-1]))]
    return [{}, *alone, *({c.name: c.values[end] for c in controls} for end in (0, -1))]


@pytest.mark.parametrize(("title", "values"), [(title, values) for title in TABS for values in ends(title)], ids=str)
def test_drawing_at_the_ends_of_the_sliders(title: str, values: dict[str, Any]) -> None:
    found = draw(title, **values)
    assert isinstance(found, Drawing)
    assert len(found.figure.axes) == 2
    for ax in found.figure.axes:
        assert ax.get_legend() is not None
        low, high = (*ax.get_xlim(),)
        assert low < high
    assert 80 < len(found.sentence) < LONGEST
    assert not re.search(r"\b(nan|inf|None)\b", found.sentence)


@pytest.mark.parametrize("title", list(TABS))
def test_svg_is_well_formed_and_follows_the_page(title: str) -> None:
    text = svg(draw(title))
    root = ET.fromstring(text)
    assert root.get("aria-label")
    assert root.get("viewBox")
    assert "width" not in root.attrib
    # no colour is fixed, and nothing is fetched: names of elements are the only addresses
    assert not set(re.findall(r"#[0-9a-f]{6}\b", text)) - {name for name in NIGHT.values() if name[0] == "#"}
    assert set(re.findall(r"var\(--asy-(\w+)\)", text)) <= {name[1:] for name in NIGHT}
    assert not re.findall(r'https?://(?!www\.w3\.org/)[^"]*', text)
    assert len(text) < 150_000


def test_every_control_starts_from_one_of_its_values() -> None:
    for tab in TABS.values():
        for control in tab.controls:
            assert control.start in control.values
            assert len(set(control.values)) == len(control.values)
            if not control.choice:
                assert list(control.values) == sorted(control.values)


def test_sentences_hold_the_numbers_of_the_library() -> None:
    from asymptopia.theory.alignment import best_of_n_memoryless
    from asymptopia.theory.kde import optimal_bandwidth
    from asymptopia.theory.projection.exact_risk import kl_risk_exact
    from asymptopia.theory.projection.families import MultivariateNormal
    from asymptopia.theory.scaling import approach2_bias
    from asymptopia.theory.scorecard import psi_critical_value, threshold_false_alarm
    from asymptopia.theory.softmax import binary_radius

    risk = kl_risk_exact(MultivariateNormal(3), n=100).value
    assert f"{risk:.3g} nats exactly" in draw("n against p", size=3, n=100).sentence
    best = optimal_bandwidth(1000, 20)
    assert f"Least is {best.kl:.3g} at h = {best.h:.3g}" in draw("density estimate", n=1000, d=20).sentence
    said = draw("stability index", n=200, bins=10, threshold=0.1, alpha=0.05).sentence
    assert f"{100 * threshold_false_alarm(0.1, 200, 200, 10):.3g} % of stable" in said
    assert f"rejects above {psi_critical_value(200, 200, 10, 0.05):.3g}" in said
    found = best_of_n_memoryless([0.7, 0.3], [0, 1], m=100, delta=0.1)
    said = draw("best-of-N", letters="rewards 0, 1 (a lattice)", m=100, delta=0.1).sentence
    assert f"between the two is {found.kl_to_tilt:.3g} nats" in said
    bias = approach2_bias(0.34, 0.28, factor=16)
    assert f"{100 * (2.718281828459045**bias - 1):.3g} % above N*" in draw("isoFLOP parabola").sentence
    radius = binary_radius(3.0, 1.5)
    assert f"converges up to {radius:.3g};" in draw("softmax radius", gap=3.0, span=1.5, classes=2).sentence


def test_required_n_of_the_exact_risk_is_the_least() -> None:
    from asymptopia.theory.projection.bayes import kl_threshold
    from asymptopia.theory.projection.exact_risk import kl_risk_exact
    from asymptopia.theory.projection.families import MultivariateNormal

    found = re.search(r"That takes n = ([\d,]+);", draw("n against p", size=4, alpha=0.1).sentence)
    assert found is not None
    n, bound = int(found[1].replace(",", "")), kl_threshold(0.1)
    at, below = kl_risk_exact(MultivariateNormal(4), n=[n, n - 1]).value
    assert at <= bound < below


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (1.0, "1"),
        (0.001, "0.001"),
        (20_000.0, "20,000"),
        (1e5, "10⁵"),
        (2e-4, "2·10⁻⁴"),
        (5e12, "5·10¹²"),
        (0.05, "0.05"),
    ],
)
def test_labels_of_ticks(value: float, label: str) -> None:
    assert plain(value) == label


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_figures(tmp_path: Path, scheme: str) -> None:
    figures = "".join(svg(draw(title)) for title in TABS)
    paper = {"light": "#ffffff", "dark": "#181c1a"}[scheme]
    page = tmp_path / "page.html"
    head = f'<!DOCTYPE html><meta charset="utf-8"><style>{style()} body {{ background: {paper} }}</style>'
    page.write_text(f'{head}<body class="{scheme}">{figures}', encoding="utf-8")
    picture = pixels(screenshot(page, tmp_path / "page.png", size=(800, 2200)))
    found = colours(picture)
    assert next(iter(found)) == tuple(bytes.fromhex(paper[1:]))
    lines = [colour if scheme == "light" else NIGHT[colour] for colour in (INK, ACCENT)]
    assert {tuple(bytes.fromhex(line[1:])) for line in lines} <= set(found)


@needs_marimo
def test_the_app_runs_as_a_script() -> None:
    code = (
        "import runpy, sys\n"
        "app = runpy.run_path(sys.argv[1], run_name='explorer')['app']\n"
        "outputs, names = app.run()\n"
        "assert '<svg' in outputs[-1].text and 'asy-1f3a5f' in outputs[1].text, outputs\n"
        "assert set(names['controls'].value) == set(names['TABS'])\n"
    )
    command = [sys.executable, "-c", code, str(explore.notebook())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    explore.configure(parser)
    return parser.parse_args(words)


def test_the_command_serves_the_notebook_to_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def called(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        seen.append(command)
        return subprocess.CompletedProcess(command, 5)

    monkeypatch.setattr(explore, "find_spec", lambda _: object())
    monkeypatch.setattr(subprocess, "run", called)
    assert explore.run(options("--port", "2718", "--headless")) == 5
    assert explore.run(options()) == 5
    start = [sys.executable, "-m", "marimo", "run", str(explore.notebook()), "--host", "127.0.0.1"]
    assert seen == [[*start, "--port", "2718", "--headless"], start]
    assert explore.notebook().is_file()


def test_the_command_names_the_extra_where_marimo_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explore, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install 'asymptopia\[app\]'"):
        explore.run(options())


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(UserError, match="expected a number from 1 to 65535"):
        explore.run(options(f"--port={port}"))
