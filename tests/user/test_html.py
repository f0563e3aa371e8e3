"""The HTML reports of ``iv`` and ``psi``: whole, safe, the same on repeat, and shown by a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from asymptopia._cli import main

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
VOID = {"meta", "br", "wbr", "hr", "img", "link"}
EVIL = "<script>alert(1)</script>"
PER_COLUMN = 100_000


class Page(HTMLParser):
    """Checks that tags nest, and collects them, the identifiers, the links and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = dict(attrs)
        assert not [name for name in found if name.startswith("on")]
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"]] if found.get("href") else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def write(path: Path, **columns: object) -> Path:
    rows = zip(*columns.values(), strict=True)  # type: ignore[call-overload]
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(11)
    rows = 900
    age = rng.normal(40, 12, rows).round(1)
    bad = (rng.random(rows) < 1 / (1 + np.exp((age - 33) / 8))).astype(int)
    home = rng.choice(["own", "rent", "", EVIL], rows, p=[0.5, 0.3, 0.1, 0.1])
    code = rng.integers(0, 300, rows)
    month = rng.choice(["2024-01", "2024-02", "2024-03"], rows)
    names = {"age": age, EVIL: home, "code": [f"c{i}" for i in code], "bad": bad}
    write(place / "data.csv", **names)
    write(place / "old.csv", **{"age": age[:400] + 12, EVIL: home[:400]})
    write(place / "new.csv", **{"age": age[400:], EVIL: home[400:], "month": month[400:]})
    return place


CASES = {
    "iv": ("iv", "data.csv", "--target", "bad", "--margin", "0.1"),
    "optimal": ("iv", "data.csv", "--target", "bad", "--optimal", "--repeats", "99"),
    "psi": ("psi", "old.csv", "new.csv", "--columns", f"age,{EVIL}"),
    "by": ("psi", "old.csv", "new.csv", "--by", "month", "--margin", "0.1"),
}


def report(folder: Path, out: Path, name: str, *more: str) -> str:
    words = [str(folder / word) if word.endswith(".csv") else word for word in CASES[name]]
    assert main([*words, "--html", str(out), *more]) == 0
    return out.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_a_page_is_whole_safe_and_of_modest_size(name: str, folder: Path, tmp_path: Path) -> None:
    text = report(folder, tmp_path / "page.html", name)
    page = Page(text)
    assert "script" not in page.tags
    assert EVIL in page.text
    assert "http" not in text.replace("http-equiv", "")
    assert "default-src 'none'" in text
    assert len(set(page.ids)) == len(page.ids)
    assert {link.removeprefix("#") for link in page.links} == set(page.ids)
    assert len(text.encode()) <= PER_COLUMN * len(page.ids)
    # the name of the file, but not where it lies
    assert str(folder) not in text
    assert CASES[name][1] in page.text
    assert "prefers-color-scheme: dark" in text
    assert "width=device-width" in text
    # no clock in it, unless asked for
    assert not re.search(r"20[23]\d-\d\d-\d\d", text)


@pytest.mark.parametrize("name", CASES)
def test_a_page_is_the_same_on_repeat(name: str, folder: Path, tmp_path: Path) -> None:
    first = report(folder, tmp_path / "a.html", name)
    words = [str(folder / word) if word.endswith(".csv") else word for word in CASES[name]]
    again = [sys.executable, "-m", "asymptopia", *words, "--html", "-"]
    done = subprocess.run(again, capture_output=True, text=True, check=True, encoding="utf-8")
    assert done.stdout == first


def test_the_page_says_what_was_run(folder: Path, tmp_path: Path) -> None:
    text = report(folder, tmp_path / "page.html", "iv", "--date", "5 May 2031", "--level", "0.9")
    page = Page(text)
    assert "5 May 2031" in page.text
    assert "asymptopia iv data.csv --target bad --level 0.9 --margin 0.1" in page.text
    assert "90 % interval" in page.text
    assert "noise exceeds 0.02" in page.text
    assert "An interval that excludes 0 is not the test." in page.text
    assert "material?" in page.text
    # one strip a column in the forest, one a cell in the sections, of which 60 are shown of the 285 or so codes
    cells = sum(int(found) for found in re.findall(r"(\d+) cells: shown are the 60", page.text))
    assert cells > 200
    strips = text.count('<svg role="img"')
    assert strips == 3 + 10 + 4 + 60


def test_chosen_bins_are_named_as_such(folder: Path, tmp_path: Path) -> None:
    page = Page(report(folder, tmp_path / "page.html", "optimal"))
    assert "--optimal --max-bins 5 --trend auto --repeats 99 --seed 0" in page.text
    assert "by permutation" in page.text
    assert "too favourable" in page.text
    assert "Chosen bins have no such law" in page.text


def test_the_numbers_on_the_page_are_those_of_the_table(tmp_path: Path) -> None:
    # counts of the German credit data: values to 50 digits elsewhere
    good, bad = [139, 49, 164, 348], [135, 14, 105, 46]
    cells = [name for i, name in enumerate("abcd") for _ in range(good[i] + bad[i])]
    outcome = [y for i in range(4) for y in [0] * good[i] + [1] * bad[i]]
    path = write(tmp_path / "german.csv", checking=cells, bad=outcome)
    out = tmp_path / "page.html"
    assert main(["iv", str(path), "--target", "bad", "--html", str(out)]) == 0
    page = Page(out.read_text(encoding="utf-8"))
    for text in ("0.666", "[0.449, 0.895]", "0.114", "0.0179", "4.05e−30", "−0.818 ± 0.099", "1.18 ± 0.14"):
        assert text in page.text
    # chi-square of 3 degrees of freedom: 7.8147 / 210, and its tail at 4.2
    assert "0.0372" in page.text
    assert "24.1 %" in page.text


def test_a_zero_cell_has_a_sign_and_a_sentence(tmp_path: Path) -> None:
    values = ["a"] * 50 + ["b"] * 50 + ["c"] * 50
    path = write(tmp_path / "zero.csv", x=values, bad=[0] * 50 + [0, 1] * 50)
    out = tmp_path / "page.html"
    assert main(["iv", str(path), "--target", "bad", "--html", str(out)]) == 0
    page = Page(out.read_text(encoding="utf-8"))
    assert "+∞" in page.text
    assert "A bin is empty in one sample only" in page.text
    assert "nan" not in page.text


def test_one_value_only_cannot_be_tested(tmp_path: Path) -> None:
    path = write(tmp_path / "one.csv", x=["a"] * 40, bad=[0, 1] * 20)
    out = tmp_path / "page.html"
    for more in ([], ["--optimal", "--repeats", "9"], ["--margin", "0.1"]):
        more = [word for word in more if "--margin" not in more or word != "--optimal"]
        assert main(["iv", str(path), "--target", "bad", "--html", str(out), *more]) == 0
        assert "nothing can be tested" in Page(out.read_text(encoding="utf-8")).text


def test_ticks_are_round_and_hold_zero() -> None:
    from asymptopia._cli.html_strips import Scale, scale

    assert [label for _, label in Scale(-1.1, 2.3).ticks()] == ["−1", "0", "1", "2"]
    assert [label for _, label in Scale(0.0, 0.013).ticks(5)] == ["0", "0.005", "0.01"]
    assert scale([]) == Scale(0.0, 1.0)
    assert scale([float("inf"), 0.5, float("nan"), -0.25]) == Scale(-0.25, 0.5)
    assert Scale(0.0, 2.0).at(1.0) == 50.0


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to take a screenshot with")
@pytest.mark.parametrize(("name", "width", "scheme"), [("iv", 1100, "light"), ("by", 500, "dark")])
def test_a_browser_shows_the_page(name: str, width: int, scheme: str, folder: Path, tmp_path: Path) -> None:
    matplotlib_image = pytest.importorskip("matplotlib.image")
    page, shot = tmp_path / "page.html", tmp_path / "shot.png"
    report(folder, page, name)
    off = ("gpu", "quic", "background-networking", "component-update", "sync")
    switches = ["--headless", "--no-sandbox", "--no-first-run", *(f"--disable-{item}" for item in off)]
    # 0 is dark, 1 is light
    switches += ["--hide-scrollbars", f"--blink-settings=preferredColorScheme={int(scheme == 'light')}"]
    files = [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={shot}", f"--window-size={width},2000"]
    command = [str(CHROMIUM), *switches, *files]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=False)
    if not shot.exists():
        pytest.skip(f"Chromium took no screenshot: {done.stderr[-200:]}")
    image = np.asarray(matplotlib_image.imread(shot))[..., :3]
    background = image[2, 2]
    assert (background > 0.9).all() if scheme == "light" else (background < 0.2).all()
    drawn = (np.abs(image - background) > 0.2).any(axis=2)
    assert 0.01 < drawn.mean() < 0.5
    # the mark of what was found, red in both schemes
    red = (image[..., 0] > 0.6) & (image[..., 1] < 0.6) & (image[..., 2] < 0.5)
    assert red.sum() > 200
