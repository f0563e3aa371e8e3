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


def test_names_are_no_formulas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "odd.csv"
    name, value = "$a_$ " + "long " * 20, "[red]$b_$"
    rows = [f"{value if i % 3 else 'x'},{i % 2},$m_${i % 2}" for i in range(60)]
    path.write_text("\n".join([f"{name.strip()},bad,$t_$", *rows]) + "\n", encoding="utf-8")
    figure = str(tmp_path / "odd.png")
    words = ("--columns", name.strip(), "--plot", figure, "--detail", name.strip())
    code, out, _ = call(capsys, "iv", str(path), "--target", "bad", *words)
    assert code == 0
    assert value in out
    code, _, _ = call(capsys, "psi", str(path), "--split", "bad == 1", "--by", "$t_$", *words)
    assert code == 0


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


def test_margin_is_the_dual_of_the_interval(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("iv", str(table), "--target", "bad", "--columns", "age", "--level", "0.9", "--json", "-")
    _, out, _ = call(capsys, *words)
    low, high = json.loads(out)["columns"][0]["interval"]
    for margin, key in ((low, "above"), (high, "below")):
        code, out, _ = call(capsys, *words, "--margin", repr(margin))
        assert code == 0
        data = json.loads(out)
        assert data["margin"] == margin
        # the ends of a 90 % interval are the borders of the tests at 5 %
        assert data["columns"][0][f"pvalue_{key}_margin"] == pytest.approx(0.05, rel=1e-6)


def test_margin_in_the_table(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, "iv", str(table), "--target", "bad", "--margin", "0.1")
    assert code == 0
    assert "p (IV > 0.1)" in out
    assert "material?" in out
    _, out, _ = call(capsys, "iv", str(table), "--target", "bad", "--margin", "0.1", "--json", "-")
    rows = {row["column"]: row for row in json.loads(out)["columns"]}
    assert rows["age"]["material"] == "yes"
    assert rows["home"]["material"] in {"no", "open"}
    raw = sorted(row["pvalue_above_margin"] for row in rows.values())
    adjusted = sorted(row["pvalue_above_margin_adjusted"] for row in rows.values())
    # Holm by hand
    assert adjusted[0] == pytest.approx(3 * raw[0])
    assert adjusted[1] == pytest.approx(min(1.0, max(adjusted[0], 2 * raw[1])))


def test_optimal_bins_and_their_permutation_test(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pandas as pd

    words = ("iv", str(table), "--target", "bad", "--optimal", "--repeats", "199", "--max-bins", "4")
    code, out, _ = call(capsys, *words, "--json", "-")
    assert code == 0
    rows = {row["column"]: row for row in json.loads(out)["columns"]}
    assert rows["home"]["test"] == "chi-square"
    assert "edges" not in rows["home"]
    assert rows["age"]["test"] == rows["noise"]["test"] == "permutation"
    assert rows["age"]["pvalue"] == pytest.approx(1 / 200)
    assert rows["noise"]["pvalue"] > 0.02
    assert rows["age"]["trend"] == "descending"
    assert len(rows["age"]["edges"]) <= 3
    # the value again, from the rows and the edges
    frame = pd.read_csv(table)
    code_of = np.searchsorted(rows["age"]["edges"], frame["age"], side="left")
    good, bad = (np.bincount(code_of[frame["bad"] == y]) for y in (0, 1))
    p, q = good / good.sum(), bad / bad.sum()
    assert rows["age"]["estimate"] == pytest.approx(float(((p - q) * np.log(p / q)).sum()), rel=1e-12)
    # Holm over all three
    assert rows["home"]["pvalue_adjusted"] >= rows["home"]["pvalue"]
    code, out, _ = call(capsys, *words)
    assert "permutation" in out
    assert "too favourable" in " ".join(out.split())


def test_optimal_p_value_of_a_column_does_not_depend_on_the_others(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("iv", str(table), "--target", "bad", "--optimal", "--repeats", "99", "--json", "-")
    found = []
    for more in ((), ("--columns", "noise"), ("--columns", "noise", "--seed", "5")):
        _, out, _ = call(capsys, *words, *more)
        found.append(next(row["pvalue"] for row in json.loads(out)["columns"] if row["column"] == "noise"))
    assert found[0] == found[1]
    assert found[2] != found[1]


def test_optimal_trends_and_a_missing_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    x = rng.random(3000)
    bad = (rng.random(3000) < 0.1 + 0.6 * (x > 0.3) * (x < 0.6)).astype(int)
    text = ["" if gone else f"{value:.4f}" for gone, value in zip(rng.random(3000) < 0.1, x, strict=True)]
    path = tmp_path / "peak.csv"
    lines = ["x,gone,bad", *(f"{a},,{b}" for a, b in zip(text, bad, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    value = {}
    for trend in ("auto", "ascending", "descending", "peak", "valley", "none"):
        words = ("--optimal", "--trend", trend, "--repeats", "9", "--max-bins", "3")
        code, out, _ = call(capsys, "iv", str(path), "--target", "bad", *words, "--json", "-")
        assert code == 0
        rows = {row["column"]: row for row in json.loads(out)["columns"]}
        assert rows["x"]["cells"][-1] == "missing"
        assert rows["gone"]["status"] == "ONE_BIN"
        value[trend] = rows["x"]["estimate"]
    assert value["peak"] == pytest.approx(value["none"], rel=1e-12)
    assert value["peak"] > 2 * value["auto"]
    assert value["auto"] == max(value["ascending"], value["descending"])


def test_few_permutations_are_remarked_upon(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "iv", str(table), "--target", "bad", "--optimal", "--repeats", "19")
    assert "raise --repeats" in out


def test_weights_and_clusters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(4)
    rows = 400
    home, bad = rng.choice(list("abc"), rows), rng.integers(0, 2, rows)
    plain, doubled = tmp_path / "plain.csv", tmp_path / "doubled.csv"
    lines = [f"{h},{y},{i},1" for i, (h, y) in enumerate(zip(home, bad, strict=True))]
    plain.write_text("\n".join(["home,bad,account,w", *lines]) + "\n", encoding="utf-8")
    # every row twice, as one cluster: nothing is learnt from the copies
    doubled.write_text("\n".join(["home,bad,account,w", *lines, *lines]) + "\n", encoding="utf-8")
    words = ("--target", "bad", "--columns", "home", "--json", "-")
    (simple,) = json.loads(call(capsys, "iv", str(plain), *words)[1])["columns"]
    (weighted,) = json.loads(call(capsys, "iv", str(plain), *words, "--weights", "w")[1])["columns"]
    (naive,) = json.loads(call(capsys, "iv", str(doubled), *words)[1])["columns"]
    (clustered,) = json.loads(call(capsys, "iv", str(doubled), *words, "--clusters", "account")[1])["columns"]
    assert weighted["estimate"] == pytest.approx(simple["estimate"], rel=1e-12)
    assert weighted["pvalue"] == pytest.approx(simple["pvalue"], rel=1e-6)
    assert naive["se"] == pytest.approx(simple["se"] / np.sqrt(2), rel=1e-12)
    # but for the factor G / (G - 1) of each sample
    assert clustered["se"] == pytest.approx(simple["se"], rel=0.01)
    assert clustered["test"] == "chi-square mixture"
    code, out, _ = call(capsys, "psi", str(doubled), "--split", "bad == 1", "--clusters", "account", "--weights", "w")
    assert code == 0
    assert "account" not in out


def test_noise_of_a_survey_is_that_of_its_p_value(tmp_path: Path) -> None:
    from asymptopia._cli.sheet import sheet
    from asymptopia.theory.scorecard import iv_screen_frame

    rng = np.random.default_rng(8)
    table = {"x": rng.integers(0, 4, 500).astype(str), "bad": rng.integers(0, 2, 500), "w": rng.lognormal(0, 1, 500)}
    for weights in (None, "w"):
        columns = None if weights else ["x"]
        (row,) = sheet(iv_screen_frame(table, "bad", columns=columns, weights=weights), level=0.95).rows
        assert row.noise_exceeds(row.result.estimate) == pytest.approx(row.pvalue, rel=1e-3)
        assert row.noise_exceeds(row.noise_point(0.01)) == pytest.approx(0.01, rel=1e-9)


@pytest.fixture
def months(tmp_path: Path) -> tuple[Path, Path]:
    rng = np.random.default_rng(2)
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    lines = [f"{a:.1f},{h}" for a, h in zip(rng.normal(40, 9, 900), rng.choice(list("abc"), 900), strict=True)]
    old.write_text("\n".join(["age,home", *lines]) + "\n", encoding="utf-8")
    lines = [
        f"{a - 6 * (m == 3):.1f},{h},2024-0{m}"
        for m in (3, 1, 2)
        for a, h in zip(rng.normal(40, 9, 300), rng.choice(list("abc"), 300), strict=True)
    ]
    new.write_text("\n".join(["age,home,month", *lines]) + "\n", encoding="utf-8")
    return old, new


def test_psi_by_period(months: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = months
    code, out, _ = call(capsys, "psi", str(old), str(new), "--by", "month", "--json", "-")
    assert code == 0
    data = json.loads(out)
    assert (data["schema"], data["by"], data["quantity"]) == (1, "month", "PSI")
    rows = {(row["column"], item["period"]): item for row in data["columns"] for item in row["periods"]}
    names = ["2024-01", "2024-02", "2024-03"]
    assert [item["period"] for item in data["columns"][0]["periods"]] == names
    assert data["columns"][0]["column"] == "age"
    assert rows["age", "2024-03"]["verdict"] == "drift"
    # the same as the command on the rows of one month
    header, *lines = new.read_text(encoding="utf-8").splitlines()
    part = tmp_path / "march.csv"
    part.write_text("\n".join([header, *(line for line in lines if line.endswith("-03"))]) + "\n", encoding="utf-8")
    _, out, _ = call(capsys, "psi", str(old), str(part), "--columns", "age,home", "--json", "-")
    for row in json.loads(out)["columns"]:
        found = rows[row["column"], "2024-03"]
        for key in ("estimate", "estimate_smoothed", "se", "bias", "statistic", "pvalue"):
            assert found[key] == pytest.approx(row[key], rel=1e-9)
        assert found["interval"] == pytest.approx(row["interval"], rel=1e-6)
    # Holm over all six
    raw = sorted(item["pvalue"] for item in rows.values())
    adjusted = sorted(item["pvalue_adjusted"] for item in rows.values())
    by_hand = np.minimum(np.maximum.accumulate(np.array(raw) * np.arange(6, 0, -1)), 1.0)
    assert adjusted == pytest.approx(by_hand.tolist(), rel=1e-12)


def test_psi_by_period_as_a_table_and_a_figure(
    months: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = map(str, months)
    figure = tmp_path / "drift.png"
    words = ("--by", "month", "--margin", "0.1", "--detail", "home", "--plot", str(figure))
    code, out, _ = call(capsys, "psi", old, new, *words)
    assert code == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    for text in ("2024-02", "p (PSI > 0.1)", "p (PSI < 0.1)", "verdict", "home: shares", "reference"):
        assert text in out
    # the column of periods may be the one that splits the table
    code, out, _ = call(capsys, "psi", new, "--split", "month != 2024-01", "--by", "month", "--json", "-")
    assert code == 0
    assert [item["period"] for item in json.loads(out)["columns"][0]["periods"]] == ["2024-02", "2024-03"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "nothing"], "--by: no column 'nothing'"),
        (["--by", "month", "--weights", "age"], "--weights does not go with --by"),
        (["--by", "month", "--clusters", "age"], "--clusters does not go with --by"),
        (["--by", "month", "--detail", "x"], "--detail: no column 'x'"),
        (["--by", "month", "--columns", "month"], "--columns: no column 'month' in old.csv"),
        ([], "only one of the tables has 'month'; name the columns to compare with --columns"),
        (["--columns", "age,month"], "--columns: no column 'month' in old.csv"),
        (["--columns", "age", "--weights", "nothing"], "--weights: no column 'nothing' in old.csv"),
        (["--columns", "age", "--clusters", "nothing"], "--clusters: no column 'nothing' in old.csv"),
    ],
)
def test_bad_options_of_psi_are_explained(
    months: tuple[Path, Path], words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(capsys, "psi", *map(str, months), *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


def test_too_many_periods_are_refused(
    months: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asymptopia._cli.periods.MOST_PERIODS", 2)
    code, _, err = call(capsys, "psi", *map(str, months), "--by", "month")
    assert code == 2
    assert "--by: column 'month' holds 3 values; expected periods such as months, at most 2" in err


def test_a_missing_period_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("x,month,now\na,1,1\nb,,1\na,2,1\na,1,0\nb,1,0\n", encoding="utf-8")
    code, _, err = call(capsys, "psi", str(path), "--split", "now == 1", "--by", "month")
    assert code == 2
    assert "--by: column 'month' is missing in 1 rows; drop those rows" in err


@pytest.mark.parametrize(
    "words", [["iv", "--help"], ["iv", "x.csv", "--target", "y", "--level", "2"], ["psi", "x.csv"]]
)
def test_nothing_heavy_is_imported_before_the_arguments_are_checked(words: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "asymptopia", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "asymptopia" in loaded
    assert not loaded & {"numpy", "scipy", "pandas", "matplotlib", "numba", "sympy", "rich", "narwhals"}


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
        (["--target", "nothing"], "--target: no column 'nothing'; the columns are age, home, noise, bad"),
        (["--target", "bad", "--columns", "age,nothing"], "--columns: no column 'nothing'"),
        (["--target", "bad", "--event", "> x"], "expected a number"),
        (["--target", "home", "--event", "> own"], "is missing in"),
        (["--target", "bad", "--bins", "1"], "bins is 1"),
        (["--target", "bad", "--level", "1.5"], "--level is 1.5"),
        (["--target", "bad", "--detail", "nothing"], "no column 'nothing'"),
        (["--target", "bad", "--columns", "age,age"], "--columns is 'age,age'"),
        (["--target", "bad", "--margin", "0"], "--margin is 0.0"),
        (["--target", "bad", "--margin", "nan"], "--margin is nan"),
        (["--target", "bad", "--date", "today"], "give --html FILE"),
        (["--target", "bad", "--html", "nowhere/iv.html"], "--html: cannot write nowhere/iv.html: no such folder"),
        (["--target", "bad", "--json", "."], "--json: cannot write .: it is a folder"),
        (["--target", "bad", "--json", "-", "--html", "-"], "can take one of --json and --html"),
        (["--target", "bad", "--plot", "-"], "--plot writes an image file"),
        (["--target", "bad", "--trend", "peak"], "--trend needs --optimal"),
        (["--target", "bad", "--max-bins", "3"], "--max-bins needs --optimal"),
        (["--target", "bad", "--repeats", "9"], "--repeats needs --optimal"),
        (["--target", "bad", "--seed", "9"], "--seed needs --optimal"),
        (["--target", "bad", "--optimal", "--max-bins", "1"], "--max-bins is 1; expected 2 or more"),
        (["--target", "bad", "--optimal", "--repeats", "0"], "--repeats is 0"),
        (["--target", "bad", "--optimal", "--seed", "-1"], "--seed is -1"),
        (["--target", "bad", "--optimal", "--margin", "0.1"], "--margin does not go with --optimal"),
        (["--target", "bad", "--optimal", "--weights", "age"], "--weights does not go with --optimal"),
        (["--target", "bad", "--optimal", "--clusters", "age"], "--clusters does not go with --optimal"),
        (["--target", "bad", "--weights", "home"], "the column of weights, 'home', is missing in"),
        (["--target", "bad", "--weights", "nothing"], "--weights: no column 'nothing'"),
        (["--target", "bad", "--clusters", "nothing"], "--clusters: no column 'nothing'"),
    ],
)
def test_bad_options_are_explained(
    table: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = call(capsys, "iv", str(table), *words)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1


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
