"""The command line as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import asymptopia
from asymptopia._cli import COMMANDS, main


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    rows = 600
    age = rng.normal(40, 12, rows).round(1)
    bad = (rng.random(rows) < 1 / (1 + np.exp((age - 35) / 8))).astype(int)
    home = rng.choice(["own", "rent", ""], rows, p=[0.6, 0.3, 0.1])
    lines = [
        "age,home,noise,bad",
        *(f"{a},{h},{z:.3f},{y}" for a, h, z, y in zip(age, home, rng.random(rows), bad, strict=True)),
    ]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    seen = capsys.readouterr()
    return code, seen.out, seen.err


def test_version_and_help() -> None:
    done = subprocess.run([sys.executable, "-m", "asymptopia", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"asymptopia {asymptopia.__version__}"
    helped = subprocess.run([sys.executable, "-m", "asymptopia", "--help"], capture_output=True, text=True, check=True)
    assert all(name in helped.stdout for name in COMMANDS)


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["iv", "--nonsense"], ["iv"], ["iv", "x.csv"], ["psi"], ["psi", "x.csv"]]
)
def test_usage_errors_exit_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(words)
    except SystemExit as error:
        code = error.code  # type: ignore[assignment]
    assert code == 2
    assert capsys.readouterr().err


def test_iv_on_a_file(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "iv", str(table), "--target", "bad", "--json", "-")
    assert code == 0
    data = json.loads(out)
    rows = {row["column"]: row for row in data["columns"]}
    assert set(rows) == {"age", "home", "noise"}
    assert data["columns"][0]["column"] == "age"
    assert rows["age"]["pvalue"] < 1e-6
    assert rows["noise"]["pvalue"] > 1e-3
    assert rows["home"]["cells"] == ["own", "rent", "missing"]
    assert rows["age"]["interval"][0] < rows["age"]["estimate_smoothed"] < rows["age"]["interval"][1]


def test_iv_table_and_detail(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "iv", str(table), "--target", "bad", "--detail", "home", "--bins", "4")
    assert code == 0
    assert "95 % interval" in out
    assert "missing" in out
    assert "p (holm)" in out


def test_plot_is_written(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / "iv.png"
    code, _, _ = call(capsys, "iv", str(table), "--target", "bad", "--plot", str(figure))
    assert code == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    code, _, err = call(capsys, "iv", str(table), "--target", "bad", "--plot", str(tmp_path / "iv.unknown"))
    assert code == 2
    assert "cannot write" in err


def test_bundled_data_set(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "iv", "--dataset", "fair", "--json", "-")
    assert code == 0
    rows = {row["column"]: row for row in json.loads(out)["columns"]}
    assert len(rows) == 8
    assert rows["rate_marriage"]["status"] == "OK"
    code, out, _ = call(capsys, "psi", "--dataset", "fair", "--json", "-")
    assert code == 0
    assert json.loads(out)["quantity"] == "PSI"


def test_psi_of_two_files_is_that_of_a_split(table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = table.read_text(encoding="utf-8").splitlines()
    header, rows = lines[0], lines[1:]
    good = [row for row in rows if row.endswith(",0")]
    bad = [row for row in rows if row.endswith(",1")]
    paths = []
    for name, part in (("good", good), ("bad", bad)):
        paths.append(tmp_path / f"{name}.csv")
        paths[-1].write_text("\n".join([header, *part]) + "\n", encoding="utf-8")
    names = "age,home,noise"
    _, two, _ = call(capsys, "psi", *map(str, paths), "--columns", names, "--json", "-")
    _, one, _ = call(capsys, "psi", str(table), "--split", "bad == 1", "--columns", names, "--json", "-")
    assert json.loads(one) == json.loads(two)


def test_iv_equals_psi_of_the_two_classes(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # the same divergence of the same cells: categories do not depend on where cut points come from
    _, iv, _ = call(capsys, "iv", str(table), "--target", "bad", "--columns", "home", "--json", "-")
    _, psi, _ = call(capsys, "psi", str(table), "--split", "bad == 1", "--columns", "home", "--json", "-")
    a, b = (json.loads(text)["columns"][0] for text in (iv, psi))
    assert a["estimate"] == pytest.approx(b["estimate"], rel=1e-14)
    assert a["pvalue"] == pytest.approx(b["pvalue"], rel=1e-12)


BAD_FILES = {
    "missing.csv": (None, "no file"),
    "empty.csv": (b"", "is empty"),
    "header.csv": (b"a,b\n", "no rows"),
    "ragged.csv": (b"a,bad\n1,0\n2,1,3\n", "malformed"),
    "binary.csv": (b"a,bad\n\xff\xfe\xfa,1\n", "not UTF-8"),
    "oneclass.csv": (b"a,bad\n1,1\n2,1\n", "every row"),
    "notbinary.csv": (b"a,bad\n1,0\n2,1\n3,2\n", "holds 2"),
    "text.csv": (b"a,bad\n1,yes\n2,no\n", "say which value is the event"),
    "gap.csv": (b"a,bad\n1,1\n2,\n3,0\n", "is missing in 1 of 3"),
    "alone.csv": (b"bad\n1\n0\n", "no column but the target"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_explained_in_one_line(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body, message = BAD_FILES[name]
    path = tmp_path / name
    if body is not None:
        path.write_bytes(body)
    code, out, err = call(capsys, "iv", str(path), "--target", "bad")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert "Traceback" not in err + out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--target", "nothing"], "no column 'nothing'"),
        (["--target", "bad", "--columns", "age,nothing"], "no column 'nothing'"),
        (["--target", "bad", "--event", "> x"], "expected a number"),
        (["--target", "home", "--event", "> own"], "is missing in"),
        (["--target", "bad", "--bins", "1"], "bins is 1"),
        (["--target", "bad", "--level", "1.5"], "--level is 1.5"),
        (["--target", "bad", "--detail", "nothing"], "no column 'nothing'"),
    ],
)
def test_bad_options_are_explained(
    table: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(capsys, "iv", str(table), *words)
    assert code == 2
    assert message in err


def test_a_zero_cell_is_named_not_dropped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "zero.csv"
    rows = ["a,0"] * 50 + ["b,0"] * 30 + ["c,0"] * 15 + ["b,1"] * 20 + ["c,1"] * 35
    path.write_text("\n".join(["x,bad", *rows]) + "\n", encoding="utf-8")
    code, out, _ = call(capsys, "iv", str(path), "--target", "bad", "--json", "-")
    assert code == 0
    (row,) = json.loads(out)["columns"]
    assert row["estimate"] is None
    assert row["bins"] == 3
    assert row["status"] == "ZERO_CELL"
    # the smoothed value, 2.743 by an independent calculation
    assert row["estimate_smoothed"] == pytest.approx(2.743, abs=5e-4)


def test_list_cite_doctor(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "list", "--json", "-")
    assert code == 0
    claims = json.loads(out)
    assert {"scorecard.identity", "scorecard.snc", "scorecard.null_law"} <= {claim["id"] for claim in claims}
    code, out, _ = call(capsys, "list", "scorecard", "--latex")
    assert code == 0
    assert r"\sum" in out
    code, out, _ = call(capsys, "cite", "scorecard.snc")
    assert code == 0
    assert out.startswith("@")
    for words in (["cite", "nothing"], ["cite", "scorecard.nothing"], ["list", "nothing"]):
        code, _, err = call(capsys, *words)
        assert code == 2
        assert "known" in err
    code, out, _ = call(capsys, "doctor", "--json", "-")
    assert code == 0
    assert json.loads(out)["kernels"] == "ok"


def test_selftest(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "selftest")
    assert code == 0, out
    assert "6 of 6 parts hold" in out


def test_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    code, out, _ = call(capsys, "verify", "scorecard.null_law", "--profile", "quick", "--json", str(path))
    assert code == 0
    assert "PASS" in out
    assert "seed 0" in out
    data = json.loads(path.read_text(encoding="utf-8"))
    entry = data["checks"][0]
    wanted = {
        "id",
        "status",
        "theory",
        "estimate",
        "interval",
        "delta",
        "delta_reason",
        "alpha",
        "replicates",
        "digest",
    }
    assert wanted | {"mutant_rejected", "seconds", "device", "threads"} <= set(entry)
    code, _, err = call(capsys, "verify", "nothing")
    assert code == 2
    assert "no check, claim or result 'nothing'" in err


def test_verify_on_a_missing_device_is_exit_3(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "verify", "--device", "cuda")
    assert code == 3
    assert "CUDA" in err


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m asymptopia list | true"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_no_digit_is_cut_off_in_a_narrow_terminal(width: int) -> None:
    import io

    from rich.console import Console

    from asymptopia._cli.console import show_table, table

    out = Console(file=io.StringIO(), width=width)
    numbers = [("rate_marriage", "6.49e-155", "[0.4419, 0.596]"), ("age", "4.2e-42", "[0.1051, 0.1865]")]
    show_table(
        out, table(("column", "p", "interval", "more"), [(*row, "1234567890" * 2) for row in numbers], right=("p",))
    )
    text = out.file.getvalue()
    assert all(word in text for row in numbers for word in row)
