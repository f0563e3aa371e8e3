"""The HTML report: valid, self-contained, a figure for each target, whatever the entries hold."""

from __future__ import annotations

import itertools
import math
import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from sample_report import HOSTILE, entry, looks, mutant, sample

from asymptopia.verify.engine.html import HEADLINES, commands, compact
from asymptopia.verify.engine.picture import LIMIT, multiple, picture, spread
from asymptopia.verify.engine.report import Report
from asymptopia.verify.engine.rows import interval, number, tolerance
from asymptopia.verify.engine.svg import HEIGHT, WIDTH

VOID = {"meta", "br", "wbr"}
# elements of SVG that are written with a closing slash
EMPTY = {"rect", "line", "circle", "path", "polygon", "polyline"}


class Page(HTMLParser):
    """Reads a page and refuses what is not well nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.figures = 0
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in EMPTY, f"<{tag}> is not closed"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in EMPTY, f"<{tag}/> is not void"
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(name)) is not None]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(sample().to_html())


def test_every_target_has_a_figure_a_place_and_a_link(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    figures = [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("role") == "img"]
    assert len(figures) == len(sample().entries)
    assert all(name in ids for attrs in figures for name in str(attrs["aria-labelledby"]).split())
    links = [value.removeprefix("#") for value in page.values("href")]
    assert sorted(links) == sorted(attrs["id"] for tag, attrs in page.tags if tag == "article")


def test_what_a_reader_needs_is_there(page: Page) -> None:
    report = sample()
    assert report.summary() in page.text
    assert "FAIL A check fails" in page.text
    for item in report.entries[:-1]:
        for words in (item.statement, item.delta_reason, item.spec, item.digest, item.reason, item.label[1]):
            assert words in page.text
    for words in ("asymptopia verify made.up", "--profile quick --seed 7 --alpha 0.001", "asymptopia rerun", "ab" * 32):
        assert words in page.text
    assert "packages: numpy 2.4.6" in page.text
    assert "≤ 2.0000" in page.text


def test_names_are_escaped(page: Page) -> None:
    assert not [tag for tag, _ in page.tags if tag in {"script", "b"}]
    assert "<script>alert('x')</script>" in page.text
    assert "\x00" not in page.text
    assert "<script" not in compact(sample())
    assert "&lt;script&gt;" in compact(sample())


def test_nothing_is_fetched_and_nothing_runs(page: Page) -> None:
    for name in ("src", "srcset", "data", "action", "xlink:href"):
        assert not page.values(name)
    assert all(value.startswith("#") for value in page.values("href"))
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    text = sample().to_html()
    assert not re.search(r"https?:|url\(|@import", text)
    assert "default-src 'none'" in text


def test_coordinates_lie_within_the_figure(page: Page) -> None:
    for _, attrs in page.tags:
        assert "nan" not in " ".join(map(str, attrs.values()))
        points = (attrs.get("points") or "").replace(",", " ").split()
        assert all(-1 <= float(x) <= WIDTH for x in points[::2])
        assert all(0 <= float(y) <= HEIGHT for y in points[1::2])


def test_labels_do_not_overlap() -> None:
    text = sample().to_html()
    for figure in re.findall(r'<svg class="figure".*?</svg>', text, re.DOTALL):
        margin = sorted(float(y) for y in re.findall(r'<text class="mutant" x="[\d.]+" y="([\d.]+)"', figure))
        assert all(b - a > 14.9 for a, b in itertools.pairwise(margin))
        ticks = sorted(float(y) for y in re.findall(r'y="([\d.]+)" dy="4" text-anchor="end"', figure))
        assert all(b - a > 10 for a, b in itertools.pairwise(ticks))


def test_an_empty_report_and_every_headline() -> None:
    empty = replace(sample(), entries=())
    assert "Nothing was checked" in Page(empty.to_html()).text
    for code, (_, words) in HEADLINES.items():
        statuses = {0: ["pass"], 1: ["fail", "inconclusive"], 3: ["pass", "inconclusive"]}[code]
        report = replace(sample(), entries=tuple(e for e in sample().entries if e.status in statuses))
        assert words in Page(report.to_html()).text


def test_a_manifest_without_what_is_expected_renders() -> None:
    Page(replace(sample(), manifest={}).to_html())
    command, _ = commands(replace(sample(), manifest={"device": "cuda"}))
    assert command.startswith("asymptopia verify made.up made.control '<b>made</b>' ")
    assert command.endswith("--device cuda")


def test_many_targets_are_quick_and_small() -> None:
    path = looks(2.0, 0.04, 3_000_000)
    entries = tuple(
        entry(f"target {i}", "pass", path, tuple(mutant(f"mutant {j}", 2.2 + j) for j in range(4))) for i in range(44)
    )
    report = replace(sample(), entries=entries)
    started = time.perf_counter()
    text = report.to_html()
    assert time.perf_counter() - started < 0.5
    assert len(text.encode()) < 1_500_000
    assert len(report.to_json()) < 1_500_000


def test_the_picture_is_in_units_of_the_tolerance() -> None:
    (right,) = (e for e in sample().entries if e.label[1] == "right")
    shown = picture(right)
    assert shown.at == right.replicates
    assert shown.runs[0][-1][1] == pytest.approx((right.estimate - 2.0) / 0.05)
    assert shown.marks[0].level == pytest.approx(4.0)
    assert shown.marks[1].level == -LIMIT
    assert shown.marks[1].beyond
    assert shown.up(shown.y[0]) == pytest.approx(0.0)
    assert shown.up(shown.y[1]) == pytest.approx(1.0)
    assert 0 < shown.across(1024) < shown.across(right.replicates) < 1


def test_looks_without_an_interval_break_the_line() -> None:
    shown = {e.label[1]: picture(e) for e in sample().entries}
    assert len(shown["gaps"].runs) == 2
    assert shown["nothing"].runs == shown["constant"].runs == ()
    assert shown["control"].marks[0].runs
    assert shown["control"].marks[0].level is None
    assert shown["bound"].band == (shown["bound"].y[0], 1.0)


def test_an_entry_without_looks_shows_its_last_interval() -> None:
    old = replace(sample().entries[0], path=())
    assert [len(run) for run in picture(old).runs] == [1]


def test_numbers_show_what_matters() -> None:
    assert number(0.00034974123, 1.1e-5) == "0.0003497"
    assert number(0.0, 1e-5) == "0"
    assert number(-1e-12, 0.01) == "0.0000"
    assert number(math.nan, 0.01) == "–"
    assert number(math.inf, 0.01) == "inf"
    assert number(12345.678, 500.0) == "12346"
    assert number(3.0, math.nan) == "3"
    assert number(1.5e-300, 1e-302) == "1.5000e-300"
    assert tolerance(1.1e-5) == "1.1e-5"
    assert interval(None, 0.1) == ""
    assert interval((1.0, 2.0), 0.1) == "[1.000, 2.000]"
    assert multiple(-0.5) == "−0.5 δ"
    assert multiple(1e9) == "+10^9 δ"
    assert multiple(math.nan) == ""


@pytest.mark.parametrize("places", [[], [0.5], [0.5] * 8, [0.0, 0.0, 1.0, 1.0], [0.9, 0.1, 0.11, 0.12, 0.5]])
def test_spread_keeps_order_distance_and_bounds(places: list[float]) -> None:
    found = spread(places, 0.1)
    order = sorted(range(len(places)), key=lambda i: places[i])
    assert all(found[b] - found[a] > 0.1 - 1e-9 for a, b in itertools.pairwise(order))
    assert all(-1e-9 <= place <= 1 + 1e-9 for place in found)


def test_a_notebook_shows_the_table() -> None:
    report = sample()
    table = Page(report._repr_html_())
    assert len([tag for tag, _ in table.tags if tag == "tr"]) == len(report.entries) + 1
    assert isinstance(Report.from_json(report.to_json())._repr_html_(), str)
    assert HOSTILE.partition("&")[0].strip() in table.text
