"""``asymptopia pn`` as a user meets it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from asymptopia._cli import main, pn
from asymptopia.theory.projection import data as projection_data
from asymptopia.theory.projection.criterion import BOUNDS, pn_criterion
from asymptopia.theory.projection.data import pn_report
from asymptopia.theory.projection.families import MultivariateNormal
from asymptopia.theory.projection.kinds import KINDS

RNG = np.random.default_rng(11)
X = RNG.multivariate_normal([1.0, 2.0], [[1.0, 0.4], [0.4, 2.0]], size=90)
KIND = np.repeat(["a", "b", "c"], 30)
SHARP = 0.0200446831579529501
"""Threshold of the sharp bound at alpha = 0.05."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    counts = RNG.poisson(3.0, size=90)
    rows = [f"{x:.17g},{y:.17g},{kind},{count}" for (x, y), kind, count in zip(X, KIND, counts, strict=True)]
    path.write_text("\n".join(["x,y,kind,count", *rows]) + "\n", encoding="utf-8")
    return path


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["pn", *words])
    seen = capsys.readouterr()
    return code, seen.out, seen.err


def test_verdict_of_a_file(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, str(data), "--columns", "x,y")
    one = pn_criterion(X, MultivariateNormal(2))
    # a verdict is no error
    assert (code, err, one.passed) == (0, "", False)
    assert "90 rows; x, y;" in out
    assert f"threshold {SHARP:.6g}" in out
    for number in (f"{5 / 180:.4g}", f"{one.first:.4g}", f"{one.ratio:.3g}", f"{one.second:.3g}", f"{one.risk:.4g}"):
        assert number in out
    assert one.verdict in out
    assert "not enough" in out
    assert "--bootstrap 200" in out
    assert "nan" not in out


def test_json_holds_the_numbers_of_the_library(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--columns", "x,y", "--alpha", "0.1", "--bound", "pinsker", "--no-bias-correction", "--json", "-"]
    code, out, _ = call(capsys, str(data), *words)
    assert code == 0
    found = json.loads(out)
    report = pn_report({"x": X[:, 0], "y": X[:, 1]}, alpha=0.1, bound="pinsker", bias_correct=False)
    (row,), one = found["criteria"], report.criteria[0]
    assert (found["schema"], found["rows"], found["columns"], found["by"]) == (1, 90, ["x", "y"], None)
    assert row["threshold"] == pytest.approx(0.08, rel=1e-14)
    assert row["naive"] == 5 / 180
    for name in ("risk", "first", "second", "t0", "required_n", "c1", "c2", "passed", "mc_error", "largest_row"):
        assert row[name] == getattr(one, name)
    assert row["contractions"]["t0"] == one.t0
    assert row["theta_star"] == one.theta_star.tolist()
    assert row["bootstrap"] is None
    assert row["tic"] == report.penalties[0].value
    assert (row["bias_correct"], row["status"]) == (False, one.status.name)


def test_groups_with_errors_by_a_seed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(data), "--columns", "x,y", "--by", "kind", "--bootstrap", "25"]
    first, again, other = (
        json.loads(call(capsys, *words, "--seed", seed, "--json", "-")[1]) for seed in ("3", "3", "4")
    )
    assert first == again != other
    assert [row["group"] for row in first["criteria"]] == ["a", "b", "c"]
    low, high = first["criteria"][0]["bootstrap"]["risk_interval"]
    assert low < first["criteria"][0]["risk"] < 2 * high
    _, out, _ = call(capsys, *words)
    assert "its error" in out
    assert f"{first['criteria'][0]['second']:.3g}" in out
    assert "b: n = 30 is not enough for p = 5" in out


def test_families_are_compared(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, str(data), "--columns", "count", "--family", "poisson, normal")
    assert code == 0
    assert "the smallest Takeuchi criterion: " in out
    assert "poisson: n = 90 is enough for p = 1" in out
    code, out, _ = call(capsys, str(data), "--columns", "count", "--family", "negative-binomial", "--size", "40")
    assert (code, "negative-binomial" in out) == (0, True)


def test_structure_of_a_family(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(data), "--columns", "kind,count", "--family", "loglinear"]
    _, out, _ = call(capsys, *words, "--interactions", "1", "--json", "-")
    levels = len(set(np.loadtxt(data, delimiter=",", skiprows=1, usecols=3)))
    assert json.loads(out)["criteria"][0]["p"] == 2 + levels - 1
    code, _, err = call(capsys, *words)
    # some pair of levels does not occur
    assert code == 2
    assert "no row has" in err


def test_first_order(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call(capsys, str(data), "--columns", "x", "--family", "normal", "--order", "1")
    assert code == 0
    assert "second term" not in out


def test_logarithms_and_missing_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gaps.csv"
    values = np.exp(X[:, 0])
    path.write_text("x;z\n" + "\n".join(f"{v:.17g};1" for v in values) + "\n0;1\n;1\n", encoding="utf-8")
    words = [str(path), "--columns", "x", "--family", "normal", "--log"]
    code, _, err = call(capsys, *words)
    assert code == 2
    assert "not positive in row 90" in err
    assert "--drop-missing" in err
    code, out, _ = call(capsys, *words, "--drop-missing", "--json", "-")
    assert code == 0
    found = json.loads(out)
    assert (found["rows"], found["dropped"], found["log"]) == (90, {"x": 2}, True)
    code, out, _ = call(capsys, *words, "--drop-missing")
    assert "2 rows left out for 'x'" in out
    assert "logarithms of x" in out


def test_a_group_without_an_estimate_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "levels.csv"
    rows = [f"{'uv'[i % 2]},{'gh'[i // 40]}" for i in range(40)] + ["u,h"] * 5
    path.write_text("\n".join(["vote,place", *rows]) + "\n", encoding="utf-8")
    words = [str(path), "--family", "multinomial", "--by", "place"]
    code, out, _ = call(capsys, *words, "--plot", str(tmp_path / "figure.svg"))
    assert code == 0
    assert "no estimate" in out
    assert "h: no estimate: no row has vote = v" in out
    found = json.loads(call(capsys, *words, "--json", "-")[1])
    assert (found["status"], found["passed"], found["failures"][0]["group"]) == ("NO_MLE", False, "h")


def test_files(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, report = tmp_path / "pn.png", tmp_path / "pn.json"
    words = [str(data), "--columns", "x,y", "--plot", str(image), "--json", str(report)]
    for more in ([], ["--by", "kind"]):
        code, out, _ = call(capsys, *words, *more)
        assert code == 0
        assert image.read_bytes()[:4] == b"\x89PNG"
        assert json.loads(report.read_text(encoding="utf-8"))["rows"] == 90
        assert "threshold" in out
        image.unlink()


@pytest.mark.parametrize("name", ["anes96", "randhie", "iris"])
def test_bundled_data_sets_have_a_question(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "iris":
        pytest.importorskip("sklearn", reason="iris comes with scikit-learn")
    code, out, _ = call(capsys, "--dataset", name, "--json", "-")
    assert code == 0
    found = json.loads(out)
    expected = {"anes96": (944, 1, 13, True), "randhie": (20190, 1, 1, True), "iris": (150, 3, 14, False)}
    rows, groups, p, passed = expected[name]
    assert (found["rows"], len(found["criteria"]), found["passed"]) == (rows, groups, passed)
    assert {row["p"] for row in found["criteria"]} == {p}
    if name == "iris":
        assert [row["naive"] for row in found["criteria"]] == [0.14] * 3


def test_abalone_needs_more_than_the_count_of_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    folder = os.environ.get("ASYMPTOPIA_DATA") or Path(__file__).parents[3] / "shared" / "data"
    path = Path(folder) / "uci" / "abalone.data"
    if not path.is_file():
        pytest.skip("abalone is not at hand: set ASYMPTOPIA_DATA to the folder that holds uci/abalone.data")
    columns = "Length,Diameter,Height,Whole_weight,Shucked_weight,Viscera_weight,Shell_weight"
    words = [str(path), "--columns", columns, "--log", "--drop-missing", "--json", "-"]
    (row,) = json.loads(call(capsys, *words)[1])["criteria"]
    assert row["naive"] == 35 / 8350
    assert row["first"] == pytest.approx(0.02954, abs=2e-5)
    assert not row["passed"]
    groups = json.loads(call(capsys, *words, "--by", "Sex")[1])["criteria"]
    assert [(row["group"], row["passed"]) for row in groups] == [("M", True), ("F", False), ("I", False)]
    assert [row["first"] for row in groups] == pytest.approx([0.01878, 0.0486, 0.1007], rel=2e-3)


def test_the_command_knows_the_names_of_the_library() -> None:
    assert tuple(KINDS) == pn.FAMILIES
    assert set(pn.DATASETS) == set(projection_data.DATASETS)
    assert pn.BOUNDS == BOUNDS


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give either a CSV file or --dataset NAME"),
        (["FILE", "--dataset", "star98"], "give either"),
        (["FILE"], "choose a family of categories"),
        (["FILE"], "--columns"),
        (["FILE", "--columns", "x,z"], "no column 'z'"),
        (["FILE", "--columns", "x,y", "--by", "x"], "one of the columns of the model too"),
        (["FILE", "--columns", "x,y", "--family", "student"], "family is 'student'"),
        (["FILE", "--columns", "x,y", "--family", "normal"], "number of columns of normal"),
        (["FILE", "--columns", "x,y", "--alpha", "0.5"], "alpha is 0.5"),
        (["FILE", "--columns", "x,y", "--bootstrap", "5"], "at least 20"),
        (["FILE", "--columns", "x,y", "--seed", "-1"], "--seed is -1"),
        (["FILE", "--columns", "x,y", "--size", "2"], "no option of mvn"),
        (["FILE", "--columns", "count", "--family", "negative-binomial"], "--size is missing"),
        (["FILE", "--columns", "kind", "--family", "multinomial", "--log"], "takes categories"),
        (["missing.csv"], "no file 'missing.csv'"),
        (["FILE", "--json", "nowhere/x.json"], "no such folder"),
    ],
)
def test_mistakes(words: list[str], message: str, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, *(str(data) if word == "FILE" else word for word in words))
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_an_image_that_cannot_be_written(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, str(data), "--columns", "x,y", "--plot", str(tmp_path / "figure.nothing"))
    assert code == 2
    assert "cannot write" in err
