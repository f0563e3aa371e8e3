"""Reports as a user meets them: files written by the commands, read by other programs, seen in a browser."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from sample_report import sample

from asymptopia._cli import COMMANDS, main
from asymptopia.verify import Report
from asymptopia.verify.engine.report import VOLATILE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
CHECK = "scorecard.snc_coverage"


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    seen = capsys.readouterr()
    return code, seen.out, seen.err


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one run left its report in every format."""
    place = tmp_path_factory.mktemp("reports")
    files = [word for name in ("json", "html", "junit") for word in (f"--{name}", str(place / f"report.{name}"))]
    assert main(["verify", CHECK, "--profile", "quick", "--seed", "5", "--quiet", *files]) == 0
    return place


def stable(text: str) -> object:
    def strip(value: object) -> object:
        if isinstance(value, dict):
            return {key: strip(item) for key, item in value.items() if key not in VOLATILE}
        return [strip(item) for item in value] if isinstance(value, list) else value

    return strip(json.loads(text))


def test_the_commands_are_listed() -> None:
    assert {"verify", "merge", "report", "rerun"} <= set(COMMANDS)


def test_one_run_writes_every_format(folder: Path) -> None:
    data = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count('role="img"') == len(data["checks"])
    assert f"asymptopia verify {CHECK} --profile quick --seed 5 --alpha 0.001" in page
    assert "http" not in page.replace("http-equiv", "")
    root = ET.parse(folder / "report.junit").getroot()
    assert len(list(root.iter("testcase"))) == len(data["checks"])


def test_a_saved_report_renders_to_the_same_page(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, junit = tmp_path / "again.html", tmp_path / "again.xml"
    words = ("report", str(folder / "report.json"), "--html", str(page), "--junit", str(junit))
    code, out, _ = call(capsys, *words)
    assert code == 0
    assert CHECK in out
    assert page.read_bytes() == (folder / "report.html").read_bytes()
    assert ET.parse(junit).getroot()[0].attrib["name"] == CHECK
    code, out, _ = call(capsys, "report", str(folder / "report.json"), "--html", "-")
    assert code == 0
    assert out.startswith("<!DOCTYPE html>")


def test_rendering_a_failure_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    path.write_text(sample().to_json(), encoding="utf-8")
    code, out, _ = call(capsys, "report", str(path))
    assert code == 0
    assert "2 failed, 4 inconclusive" in out
    assert "slow: inconclusive: the budget is spent" in out
    assert "INCONCLUSIVE" in out


def test_merge_writes_the_same_page_as_the_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = str(tmp_path / "ledger")
    run = ("verify", CHECK, "--profile", "quick", "--seed", "5", "--quiet", "--ledger", ledger)
    assert call(capsys, *run)[0] == 0
    files = [word for name in ("json", "html", "junit") for word in (f"--{name}", str(tmp_path / f"merged.{name}"))]
    assert call(capsys, "merge", ledger, "--quiet", *files)[0] == 0
    merged = (tmp_path / "merged.json").read_text(encoding="utf-8")
    assert stable(merged) == stable((folder / "report.json").read_text(encoding="utf-8"))
    assert (tmp_path / "merged.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert ET.parse(tmp_path / "merged.junit").getroot().tag == "testsuites"


def test_rerun_finds_equal_totals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = str(folder / "report.json")
    report = Report.from_json((folder / "report.json").read_text(encoding="utf-8"))
    code, out, _ = call(capsys, "rerun", saved)
    assert code == 0
    assert f"{len(report.entries)} of {len(report.entries)} targets have equal totals" in out
    entry = report.entries[0]
    code, out, _ = call(capsys, "rerun", saved, entry.id, "--threads", "1", "--json", "-")
    assert code == 0
    (item,) = json.loads(out)["targets"]
    assert item == {
        "id": entry.id,
        "replicates": entry.replicates,
        "recorded": entry.digest,
        "found": entry.digest,
        "note": "",
        "equal": True,
    }
    code, out, _ = call(capsys, "rerun", saved, entry.id, "--blocks", f"0:{entry.replicates // 1024}")
    assert code == 0
    assert f"digest {entry.digest}" in out
    code, out, _ = call(capsys, "rerun", saved, entry.id, "--blocks", "3:5", "--json", "-")
    assert code == 0
    (found,) = json.loads(out)["ranges"]
    assert found["replicates"] == 2048
    assert all(int(value) for value in found["sums"][0])


def test_rerun_of_another_report_differs(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    data["checks"][0]["digest"] = "0" * 16
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(data), encoding="utf-8")
    code, out, _ = call(capsys, "rerun", str(changed), data["checks"][0]["id"])
    assert code == 1
    assert "DIFFERS" in out
    blocks = f"0:{data['checks'][0]['replicates'] // 1024}"
    assert call(capsys, "rerun", str(changed), data["checks"][0]["id"], "--blocks", blocks)[0] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["report", "nothing.json"], "cannot read nothing.json: No such file"),
        (["rerun", "nothing.json"], "cannot read nothing.json: No such file"),
        (["report", "REPORT", "--html", "nowhere/report.html"], "cannot write nowhere/report.html: No such folder"),
        (["report", "REPORT", "--junit", "."], "cannot write .: Is a directory"),
        (["report", "REPORT", "--html", "-", "--junit", "-"], "standard output (-) can take one of"),
        (["verify", "--profile", "exhaustive", "--html", "nowhere/report.html"], "cannot write nowhere/report.html"),
        (["verify", "--profile", "exhaustive", "--junit", "nowhere/x.xml"], "cannot write nowhere/x.xml"),
        (["merge", ".", "--html", "nowhere/report.html"], "cannot write nowhere/report.html"),
        (["rerun", "REPORT", "--json", "nowhere/x.json"], "cannot write nowhere/x.json"),
        (["rerun", "REPORT", "nothing"], "no target 'nothing' in the report"),
        (["rerun", "REPORT", "--threads", "0"], "threads is 0"),
        *[
            (["rerun", "REPORT", f"--blocks={text}"], "expected A:B")
            for text in ("3", "5:3", "a:b", "-1:2", ":", "²:5")
        ],
    ],
)
def test_errors_take_one_line(
    folder: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    started = time.perf_counter()
    code, out, err = call(capsys, *[word.replace("REPORT", "report.json") for word in words])
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in out + err
    # what cannot be written is refused before anything is computed
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"schema": 1}', b"\xff\xfe", b"[" * 100_000, b'{"schema": 1, "checks": [1]}']
)
def test_a_file_that_is_no_report(body: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(body)
    for command in ("report", "rerun"):
        code, _, err = call(capsys, command, str(path))
        assert code == 2
        assert err.startswith(f"asymptopia {command}: cannot read {path}: ")
        assert err.count("\n") == 1


def test_a_folder_without_permission(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        (closed / "probe").touch()
    except PermissionError:
        pass
    else:
        pytest.skip("this user may write anywhere")
    report = tmp_path / "report.json"
    report.write_text(sample().to_json(), encoding="utf-8")
    code, _, err = call(capsys, "report", str(report), "--html", str(closed / "report.html"))
    assert code == 2
    assert "Permission denied" in err


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium to take a screenshot with")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_the_page(scheme: str, tmp_path: Path) -> None:
    matplotlib_image = pytest.importorskip("matplotlib.image")
    page, shot = tmp_path / "report.html", tmp_path / "shot.png"
    page.write_text(sample().to_html(), encoding="utf-8")
    off = ("gpu", "quic", "background-networking", "component-update", "sync")
    switches = ["--headless", "--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in off)]
    # 0 is dark, 1 is light
    switches += ["--hide-scrollbars", f"--blink-settings=preferredColorScheme={int(scheme == 'light')}"]
    files = [f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={shot}", "--window-size=1200,2400"]
    command = [str(CHROMIUM), *switches, *files]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=False)
    if not shot.exists():
        pytest.skip(f"Chromium took no screenshot: {done.stderr[-200:]}")
    image = np.asarray(matplotlib_image.imread(shot))[..., :3]
    assert image.shape[:2] == (2400, 1200)
    background = image[2, 2]
    assert (background > 0.9).all() if scheme == "light" else (background < 0.2).all()
    # text, table and figures: neither a blank page nor one of a single colour
    drawn = (np.abs(image - background) > 0.2).any(axis=2)
    assert 0.01 < drawn.mean() < 0.5
    rows = drawn.any(axis=1)
    assert rows[:300].any()
    assert rows[-600:].any()
