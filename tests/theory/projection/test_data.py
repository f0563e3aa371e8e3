"""From tables to the criterion: reading, coding, groups, several families, real data."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from asymptopia.theory.projection.criterion import pn_criterion
from asymptopia.theory.projection.data import (
    DATASETS,
    FAMILIES,
    PNReport,
    family_from_frame,
    load_dataset,
    pn_report,
)
from asymptopia.theory.projection.errors import MLEDoesNotExistError
from asymptopia.theory.projection.families import MultivariateNormal, Normal
from asymptopia.theory.projection.status import ProjectionStatus

RNG = np.random.default_rng(17)
TABLE = {
    "x": RNG.normal(size=60),
    "y": RNG.gamma(3.0, size=60),
    "share": RNG.beta(2.0, 3.0, size=60),
    "rest": np.zeros(60),
    "visits": RNG.poisson(2.0, size=60),
    "colour": RNG.choice(["red", "green", "blue"], size=60).tolist(),
    "yes": RNG.choice([True, False], size=60),
    "grade": RNG.integers(1, 4, size=60),
}
TABLE["rest"] = 1.0 - TABLE["share"]


def uci(name: str) -> Path:
    """Return the path of a file that is not shipped; skip the test where it is not at hand."""
    folder = os.environ.get("ASYMPTOPIA_DATA") or Path(__file__).parents[4] / "shared" / "data"
    path = Path(folder) / "uci" / name
    if not path.is_file():
        pytest.skip(f"{name} is not at hand: set ASYMPTOPIA_DATA to the folder that holds uci/{name}")
    return path


@pytest.mark.parametrize(
    ("family", "columns", "options", "name", "p", "shape"),
    [
        ("mvn", ["x", "y"], {}, "MultivariateNormal", 5, (60, 2)),
        ("mvn-cov", ["x", "y"], {}, "MultivariateNormal", 3, (60, 2)),
        ("mvn-cov", ["x", "y"], {"known_mean": [0.0, 3.0]}, "MultivariateNormal", 3, (60, 2)),
        ("normal", ["x"], {}, "Normal", 2, (60,)),
        ("gamma", ["y"], {}, "Gamma", 2, (60,)),
        ("gamma", ["y"], {"known_shape": 3.0}, "Gamma", 1, (60,)),
        ("exponential", "y", {}, "Exponential", 1, (60,)),
        ("inverse-gaussian", ["y"], {}, "InverseGaussian", 2, (60,)),
        ("poisson", ["visits"], {}, "Poisson", 1, (60,)),
        ("negative-binomial", ["visits"], {"size": 2.0}, "NegativeBinomial", 1, (60,)),
        ("bernoulli", ["yes"], {}, "Bernoulli", 1, (60,)),
        ("multinomial", ["colour"], {}, "Multinomial", 2, (60,)),
        ("beta", ["share"], {}, "Beta", 2, (60,)),
        ("dirichlet", ["share", "rest"], {}, "Dirichlet", 2, (60, 2)),
        ("loglinear", ["colour", "yes", "grade"], {}, None, 13, (60, 3)),
        ("loglinear", ["colour", "yes", "grade"], {"interactions": 1}, None, 5, (60, 3)),
        ("loglinear", ["colour"], {}, None, 2, (60, 1)),
        ("ising", ["yes", "visits"], {}, "Ising", 3, (60, 2)),
        ("ising", ["yes", "visits"], {"edges": []}, "Ising", 2, (60, 2)),
    ],
)
def test_families(family: str, columns: Any, options: dict[str, Any], name: str | None, p: int, shape: Any) -> None:
    table = {**TABLE, "visits": TABLE["visits"] > 1} if family == "ising" else TABLE
    found, array, names = family_from_frame(table, columns, family, **options)
    assert name is None or found.name == name
    assert (found.dim, array.shape) == (p, shape)
    assert list(names) == ([columns] if isinstance(columns, str) else columns)
    result = pn_criterion(array, found)
    assert result.p == p
    assert result.risk > 0


def test_every_family_is_tested() -> None:
    mark = next(mark for mark in test_families.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
    assert {case[0] for case in mark.args[1]} == set(FAMILIES)


def test_levels_are_coded_in_order() -> None:
    assert family_from_frame({"a": ["b", "a", "c", "a"]}, family="multinomial").array.tolist() == [1, 0, 2, 0]
    # numbers by size, not as text
    assert family_from_frame({"a": [10, 2, 33, 2]}, family="multinomial").array.tolist() == [1, 0, 2, 0]
    assert family_from_frame({"a": [True, False, True]}, family="bernoulli").array.tolist() == [1, 0, 1]
    assert family_from_frame({"a": [True, False], "b": [5, 7]}, family="ising").array.tolist() == [[1, -1], [-1, 1]]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
def test_any_frame(make: Any) -> None:
    report = pn_report(make(TABLE), columns=["x", "y"])
    assert report["mvn"].risk == pn_criterion(np.column_stack([TABLE["x"], TABLE["y"]]), MultivariateNormal(2)).risk
    assert family_from_frame(make(TABLE), ["colour"], "multinomial").array.max() == 2


def test_array_and_path(tmp_path: Path) -> None:
    values = np.column_stack([TABLE["x"], TABLE["y"]])
    assert family_from_frame(values).names == ("x0", "x1")
    assert family_from_frame(values[:, 0], family="normal").array.shape == (60,)
    for separator in ",;\t":
        path = tmp_path / "table.csv"
        pd.DataFrame(TABLE).to_csv(path, sep=separator, index=False)
        np.testing.assert_array_equal(family_from_frame(path, ["x", "y"]).array, values)
        np.testing.assert_array_equal(family_from_frame(str(path), ["x", "y"]).array, values)


def test_logarithms_and_lost_rows() -> None:
    table = {"a": [1.0, 2.0, 0.0, 4.0, 5.0, np.nan], "b": [2.0, 1.0, -3.0, np.inf, 3.0, 7.0]}
    array = family_from_frame(table, log=True, missing="drop").array
    np.testing.assert_allclose(array, np.log([[1, 2], [2, 1], [5, 3]]))
    # a row is counted at the first column that loses it
    report = pn_report({"a": [*table["a"], 3.0, 8.0, 9.0], "b": [*table["b"], 1.0, 7.0, 2.0]}, log=True, missing="drop")
    assert report.dropped == (("a", 2), ("b", 1))
    assert report.n == 6
    assert "2 rows for 'a'" in report.summary()
    assert "logarithms" in report.summary()
    with pytest.raises(ValueError, match=r"column 'a' is not positive in row 2 \(the first of 1\)"):
        family_from_frame({"a": [1.0, 2.0, 0.0]}, log=True)
    with pytest.raises(ValueError, match="column 'a' is missing in row 5"):
        family_from_frame(table)


def test_missing_levels_and_groups() -> None:
    table = pd.DataFrame({"a": ["u", None, "v", "u", "v", "u"], "g": ["1", "1", None, "2", "2", "1"]})
    with pytest.raises(ValueError, match="column 'a' is missing in row 1"):
        family_from_frame(table, ["a"], "bernoulli")
    assert family_from_frame(table, ["a"], "bernoulli", missing="drop").array.tolist() == [0, 1, 0, 1, 0]
    with pytest.raises(ValueError, match="column 'g' is missing in row 0"):
        pn_report(table.iloc[2:], "bernoulli", by="g")
    frame = pl.DataFrame({"a": [1.0, float("nan"), None, 2.0]})
    assert family_from_frame(frame, family="normal", missing="drop").array.tolist() == [1.0, 2.0]


@pytest.fixture(scope="module")
def grouped() -> PNReport:
    table = pd.DataFrame({"y": RNG.gamma(3.0, size=400), "g": ["b", "a", "b", "b"] * 100})
    return pn_report(table, ["gamma", "normal"], by="g")


def test_groups_and_families(grouped: PNReport) -> None:
    assert [*zip(grouped.groups, grouped.families, strict=True)] == [
        ("b", "gamma"),
        ("a", "gamma"),
        ("b", "normal"),
        ("a", "normal"),
    ]
    assert grouped["b", "gamma"].n == 300
    assert grouped["a", "normal"].n == 100
    assert grouped.by == "g"
    assert grouped.best == ("gamma", "gamma")
    with pytest.raises(KeyError, match="names 2 criteria"):
        grouped["a"]
    with pytest.raises(KeyError, match="names 0 criteria"):
        grouped["c"]
    frame = grouped.to_frame()
    assert list(frame["group"]) == list(grouped.groups)
    assert list(frame["tic"]) == [penalty.value for penalty in grouped.penalties]
    assert len(grouped.to_frame("polars")) == 4
    assert PNReport.from_json(grouped.to_json()) == grouped
    text = grouped.summary()
    assert all(word in text for word in ("b, gamma", "a, normal", "TIC", "p/(2n)", "t0/(2n)"))
    assert PNReport.plotter == "asymptopia.theory.projection.plots_data:plot_pn_report"


def test_passed() -> None:
    x = np.random.default_rng(0).normal(size=2000)
    assert pn_report({"x": x}, "normal").passed
    assert not pn_report({"x": x[:30]}, "normal").passed


def test_failures_are_listed() -> None:
    # the level "w" occurs in one group only, and the second group has two rows
    table = {
        "a": ["u", "v", "w", "u", "v", "w"] * 10 + ["u", "v"] * 10 + ["u", "w"],
        "g": ["first"] * 60 + ["second"] * 20 + ["third"] * 2,
    }
    report = pn_report(table, "multinomial", by="g")
    assert report.groups == ("first",)
    assert [failure.group for failure in report.failures] == ["second", "third"]
    assert report.failures[0].reason.startswith("no row has a = w: ")
    assert "2 rows; expected at least 3" in report.failures[1].reason
    assert report.status is ProjectionStatus.NO_MLE
    assert not report.passed
    frame = report.to_frame()
    assert list(frame["status"]) == [report.criteria[0].status.name, "NO_MLE", "NO_MLE"]
    assert len(report.to_frame("polars")) == 3
    assert "no criterion" in report.summary()
    assert PNReport.from_json(report.to_json()) == report
    with pytest.raises(MLEDoesNotExistError):
        pn_report({"a": [1.0, 1.0, 1.0, 1.0]}, "normal")
    with pytest.raises(MLEDoesNotExistError, match="expected at least 3"):
        pn_report({"a": [1.0, 2.0]}, "normal")


def test_the_largest_row_is_that_of_the_table() -> None:
    """Whatever rows were dropped before it or belong to other groups."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=400)
    x[[3, 50, 51]] = np.nan
    x[[201, 302]] = 40.0, -30.0
    table = {"x": x, "g": np.repeat(["u", "v"], 200)}
    table["g"][201] = "u"
    report = pn_report(table, "normal", columns="x", by="g", missing="drop")
    assert report.dropped == (("x", 3),)
    assert [one.largest_row for one in report.criteria] == [201, 302]
    assert any(note.startswith("Row 302 (the first is 0) carries") for note in report.criteria[1].notes)
    whole = pn_report(pl.DataFrame(table), "normal", columns="x", missing="drop")
    assert whole["normal"].largest_row == 201
    # a category: the first row of the table that has it
    colours = {"a": [None, "u", "u", "v", "u", "v", "w", "u", "u", "w"] * 3, "g": ["s", "r"] * 15}
    rare = pn_report(
        {**colours, "a": [*colours["a"], "z", "z"], "g": [*colours["g"], "s", "r"]},
        "multinomial",
        columns="a",
        missing="drop",
    )
    assert rare["multinomial"].largest_row == 30


def test_options_reach_the_criterion() -> None:
    table = {"y": RNG.gamma(3.0, size=200)}
    report = pn_report(table, "gamma", alpha=0.1, bound="pinsker", order=1, bias_correct=False, bootstrap=20, rng=4)
    found = report["gamma"]
    assert (found.alpha, found.bound, found.order, found.bias_correct) == (0.1, "pinsker", 1, False)
    assert found.bootstrap is not None
    assert found.bootstrap.repeats == 20
    again = pn_report(table, "gamma", alpha=0.1, bound="pinsker", order=1, bias_correct=False, bootstrap=20, rng=4)
    assert again == report
    assert report.penalties[0].second == 0.0


def test_known_size_is_asked_for() -> None:
    visits = np.array([0, 0, 1, 9, 0, 4, 2, 0])
    mean, variance = visits.mean(), visits.var(ddof=1)
    with pytest.raises(TypeError, match=f"moments suggest {mean**2 / (variance - mean):.3g}"):
        family_from_frame({"a": visits}, family="negative-binomial")


def test_empty_cells_are_named() -> None:
    table = {"a": ["u", "v", "u", "v", "u"] * 4, "b": ["1", "1", "2", "1", "3"] * 4}
    with pytest.raises(MLEDoesNotExistError, match="no row has a = v with b = 2, a = v with b = 3: ") as caught:
        pn_report(table, "loglinear")
    # what grows, in names; the remedy once
    wanted = r"larger value of u = -(1|0\.\d+)\*\[x0=1:x1=1\] - (1|0\.\d+)\*\[x0=1:x1=2\] than"
    assert re.search(wanted, str(caught.value))
    assert str(caught.value).count("collect more data") == 1
    assert "no information projection of these data" in str(caught.value)
    assert pn_report(table, "loglinear", interactions=1)["loglinear"].p == 3


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: family_from_frame(TABLE, ["z"]), ValueError, "no column 'z'"),
        (lambda: family_from_frame(TABLE, ["x", "x"]), ValueError, "none of them twice"),
        (lambda: family_from_frame(TABLE, []), ValueError, "at least one"),
        (lambda: family_from_frame(TABLE), ValueError, "'colour' has dtype"),
        (lambda: family_from_frame(TABLE, ["x"], "lognormal"), ValueError, "family is 'lognormal'"),
        (lambda: family_from_frame(TABLE, ["x", "y"], "normal"), ValueError, "number of columns of normal is 2"),
        (lambda: family_from_frame(TABLE, ["share"], "dirichlet"), ValueError, "number of columns of dirichlet is 1"),
        (lambda: family_from_frame(TABLE, ["x"], "normal", size=3), TypeError, "'size' is no option of normal"),
        (lambda: family_from_frame(TABLE, ["y"], "gamma", size=3), TypeError, "the options are 'known_shape'"),
        (lambda: family_from_frame(TABLE, ["x"], "multinomial"), ValueError, "has 60 levels"),
        (lambda: family_from_frame({"a": [1, 1]}, family="multinomial"), ValueError, "the one level"),
        (lambda: family_from_frame(TABLE, ["colour"], "bernoulli"), ValueError, "has 3 levels"),
        (lambda: family_from_frame(TABLE, ["colour", "yes"], "ising"), ValueError, "use loglinear"),
        (lambda: family_from_frame(TABLE, ["colour"], "multinomial", log=True), ValueError, "log"),
        (lambda: family_from_frame(TABLE, ["x"], missing="fill"), ValueError, "missing is 'fill'"),
        (lambda: family_from_frame({"a": []}), ValueError, "0 rows"),
        (lambda: family_from_frame(3), TypeError, ""),
        (lambda: family_from_frame(np.zeros((2, 2, 2))), ValueError, "frame has shape"),
        (lambda: family_from_frame("no/such/file.csv"), ValueError, "no file"),
        (lambda: family_from_frame({"a": [np.nan, np.nan]}, missing="drop"), ValueError, "no row is left"),
        (lambda: pn_report(TABLE, [], columns=["x"]), ValueError, "at least one of"),
        (lambda: pn_report(TABLE, "normal", columns=["x"], by="x"), ValueError, "by is 'x'"),
        (lambda: pn_report(TABLE, "normal", columns=["x"], by="z"), ValueError, "no column 'z'"),
        (lambda: pn_report(TABLE, "normal", columns=["x"], alpha=0.7), ValueError, "alpha"),
        (lambda: pn_report(TABLE, "poisson", columns=["x"]), ValueError, "count"),
        (lambda: load_dataset("titanic"), ValueError, "name is 'titanic'"),
    ],
)
def test_refusals(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words or "."):
        call()


def test_malformed_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("")
    with pytest.raises(ValueError, match="no CSV file with a header"):
        family_from_frame(path)


def test_datasets_that_statsmodels_ships() -> None:
    schools = load_dataset("star98")
    assert schools.shape == (303, 22)
    report = pn_report(schools, columns=["LOWINC", "PERASIAN", "PERBLACK", "PERHISP"])
    assert report["mvn"].p == 14
    assert report["mvn"].ratio > 1.5
    voters = load_dataset("anes96")
    assert voters.shape == (944, 11)
    report = pn_report(voters, "loglinear", columns=["vote", "educ"], interactions=1)
    assert report["loglinear"].p == 7
    # main effects only: t0 is 7 whatever the dependence is, but for the divisor n - 1
    assert report["loglinear"].t0 == pytest.approx(7 * 944 / 943, rel=1e-9)
    visits = load_dataset("randhie")
    report = pn_report(visits, ["poisson", "negative-binomial"], columns=["mdvis"], size=0.7)
    y = visits["mdvis"].to_numpy()
    assert report["poisson"].t0 == pytest.approx(y.var(ddof=1) / y.mean(), rel=1e-12)
    assert report.best == ("negative-binomial",)


def test_iris() -> None:
    pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    report = pn_report(load_dataset("iris"), by="species")
    assert set(report.groups) == {"setosa", "versicolor", "virginica"}
    for found in report.criteria:
        assert (found.n, found.p, found.naive) == (50, 14, pytest.approx(0.14))
        assert not found.passed
        assert found.required_n is not None
        assert found.status is not ProjectionStatus.OK
        assert found.contractions is not None
        # the model's own second coefficient, 70.83, from its invariants
        c = found.contractions
        own = (10 * c.F + 9 * c.B - 9 * c.K) / 24
        assert own == pytest.approx(4 * (160 + 204 + 61) / 24, rel=1e-10)


def test_abalone() -> None:
    table = pd.read_csv(uci("abalone.data")).rename(columns=str.strip)
    columns = [name for name in table.columns if name not in {"Sex", "Class"}]
    assert (len(table), len(columns)) == (4177, 7)
    whole = pn_report(uci("abalone.data"), columns=columns, log=True, missing="drop")
    assert whole.dropped == (("Height", 2),)
    found = whole["mvn"]
    assert (found.n, found.p) == (4175, 35)
    assert found.naive == pytest.approx(0.004192, abs=5e-7)
    # the published figures are of the covariance with divisor n
    assert found.t0 * 4174 / 4175 == pytest.approx(246.7, abs=0.05)
    assert found.first * 4174 / 4175 == pytest.approx(0.02954, abs=6e-6)
    assert not found.passed
    assert found.naive < found.threshold
    # Mardia's kurtosis by its definition
    z = np.log(table.loc[table["Height"] > 0, columns].to_numpy())
    z -= z.mean(axis=0)
    kurtosis = (np.einsum("ai,ij,aj->a", z, np.linalg.inv(z.T @ z / 4175), z) ** 2).mean()
    assert kurtosis == pytest.approx(486.4, abs=0.05)
    assert found.t0 == pytest.approx((kurtosis + 7) / 2 * 4175 / 4174, rel=1e-8)
    report = pn_report(uci("abalone.data"), columns=columns, log=True, missing="drop", by="Sex")
    firsts = {group: one.first for group, one in zip(report.groups, report.criteria, strict=True)}
    assert firsts == {
        "M": pytest.approx(0.01878, abs=2e-5),
        "F": pytest.approx(0.0486, abs=1e-4),
        "I": pytest.approx(0.1007, abs=2e-4),
    }
    assert report["M"].n == 1528
    assert report["M"].first < report["M"].threshold


WINE_MEANS = (
    8.319637, 0.527821, 0.270976, 2.538806, 0.087467, 15.874922, 46.467792, 0.996747, 3.311113, 0.658149, 10.422983,
    5.636023,
)  # fmt: skip


def test_red_wine() -> None:
    path = uci("winequality-red.csv")
    table = pd.read_csv(path, sep=";")
    # corrupted copies of this file are about: decimal points are missing in the density
    np.testing.assert_allclose(table.mean(), WINE_MEANS, atol=6e-7)
    found = pn_report(path, columns=[f"x{j}" for j in range(1, 12)])["mvn"]
    assert (found.n, found.p) == (1599, 77)
    assert found.naive == pytest.approx(0.02408, abs=5e-6)
    # the published figures are of the covariance with divisor n
    assert found.first * 1598 / 1599 == pytest.approx(0.04545, abs=5e-6)
    assert not found.passed


def test_scalar_family_of_one_column_is_the_criterion() -> None:
    x = np.asarray(TABLE["x"])
    assert pn_report({"x": x}, "normal")["normal"] == pn_criterion(x, Normal())


def test_datasets_are_described() -> None:
    assert set(DATASETS) == {"star98", "anes96", "randhie", "iris"}


@pytest.mark.parametrize(
    "frame",
    [
        None,
        5,
        [[1, 2], [3, 4]],
        {"x": [1, 2], "y": [1]},
        pl.LazyFrame({"x": [1.0]}),
        pd.Series([1.0, 2.0, 4.0]),
        pd.DataFrame([[1.0, 2.0], [3.0, 4.5]], columns=["x", "x"]),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(frame: Any) -> None:
    with pytest.raises(TypeError, match=f"frame is of type {type(frame).__name__}; expected a data frame"):
        pn_report(frame, "mvn")


def test_names_of_columns_may_be_numbers() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 2))
    found = pn_report(pd.DataFrame(rows), "mvn")
    assert found.columns == ("0", "1")
    assert found.criteria[0].risk == pytest.approx(pn_report(rows, "mvn").criteria[0].risk, rel=1e-14)
    assert pn_report(pd.DataFrame(rows, columns=[("m", 1), ("m", 2)]), "mvn").columns == ("('m', 1)", "('m', 2)")
    with pytest.raises(TypeError, match="columns is 5 of type int"):
        pn_report(rows, "mvn", columns=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="family is of type NoneType; expected names such as 'mvn'"):
        pn_report(rows, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bootstrap is 5; expected 0, or at least 20"):
        pn_report(rows, "mvn", bootstrap=5)
