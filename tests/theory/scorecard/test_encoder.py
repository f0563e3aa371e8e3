"""The WoE encoder: scikit-learn's own checks, hand-made tables, and the same answer from every kind of table."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

sklearn = pytest.importorskip("sklearn", reason="scikit-learn is optional")

from sklearn.base import clone  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402

from asymptopia.theory.scorecard import information_value, woe_table  # noqa: E402
from asymptopia.theory.scorecard.binning.optimal import optimal_bins  # noqa: E402
from asymptopia.theory.scorecard.binning.prebins import prebin  # noqa: E402
from asymptopia.theory.scorecard.encoder import WoEEncoder  # noqa: E402
from asymptopia.theory.scorecard.encoder_columns import EncodedColumn  # noqa: E402


@parametrize_with_checks([WoEEncoder(), WoEEncoder(encode="bin"), WoEEncoder(trend=None, unknown="error")])
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(name="data")
def _data():
    rng = np.random.default_rng(7)
    rows = 1500
    age, home = rng.normal(40, 10, rows), rng.choice(["own", "rent", "free"], rows, p=[0.5, 0.4, 0.1])
    logit = -1.5 - 0.05 * (age - 40) + 0.8 * (home == "rent")
    bad = rng.random(rows) < 1 / (1 + np.exp(-logit))
    age[rng.random(rows) < 0.1] = np.nan
    levels = np.where(rng.random(rows) < 0.05, None, home)
    return age, levels, bad


def frames(age, levels):
    table = {"age": age, "home": levels.tolist()}
    text = pd.DataFrame(table)
    return {
        "array": np.column_stack([age.astype(object), levels]),
        "pandas": text,
        "pandas objects": text.astype({"home": object}),
        "pandas categories": text.astype({"home": "category"}),
        "polars": pl.DataFrame(table).with_columns(pl.col("age").fill_nan(None)),
        "polars categories": pl.DataFrame(table).with_columns(pl.col("home").cast(pl.Categorical)),
    }


def test_values_are_those_of_the_parts(data):
    age, levels, bad = data
    encoder = WoEEncoder(max_bins=5).fit(frames(age, levels)["pandas"], bad)
    number, text = encoder.tables_
    bins = optimal_bins(prebin(age, bad), max_bins=5)
    np.testing.assert_array_equal(number.edges, bins.edges)
    assert number.labels == bins.labels()
    np.testing.assert_array_equal(np.column_stack([number.good, number.bad]), bins.table)
    assert text.levels == ("free", "own", "rent")
    assert text.labels == ("free", "own", "rent", "missing")
    cells = [levels == level for level in (*text.levels, None)]
    good, bads = ([int((cell & (bad == outcome)).sum()) for cell in cells] for outcome in (False, True))
    table = woe_table(good, bads, smoothing=0.5)
    np.testing.assert_allclose(text.woe, table.woe, rtol=1e-14)
    np.testing.assert_allclose(text.woe_se, table.woe_se, rtol=1e-14)
    found = information_value(good, bads, smoothing=0.5)
    assert encoder.iv_[1] == pytest.approx(found.estimate_smoothed, rel=1e-12)
    assert text.information_value() == found
    out = encoder.transform(frames(age, levels)["pandas"])
    np.testing.assert_array_equal(out[:, 1], np.select(cells, table.woe[:, None]))


def test_every_kind_of_table_gives_the_same(data):
    age, levels, bad = data
    results = {
        name: WoEEncoder().fit_transform(table, pd.Series(bad) if "pandas" in name else bad)
        for name, table in frames(age, levels).items()
    }
    for name, result in results.items():
        np.testing.assert_array_equal(result, results["array"], err_msg=name)
    encoder = WoEEncoder().fit(frames(age, levels)["polars"], pl.Series(bad))
    np.testing.assert_array_equal(encoder.transform(frames(age, levels)["pandas categories"]), results["array"])
    mixed = [[a, b] for a, b in zip(age.tolist(), levels.tolist(), strict=True)]
    np.testing.assert_array_equal(WoEEncoder().fit_transform(mixed, bad), results["array"])


def test_whole_weights_are_repeated_rows(data):
    age, levels, bad = data
    weights = np.random.default_rng(1).integers(0, 4, age.size)
    table = frames(age, levels)["pandas"]
    weighted = WoEEncoder(max_prebins=30).fit(table, bad, sample_weight=weights)
    rows = np.repeat(np.arange(age.size), weights)
    repeated = WoEEncoder(max_prebins=30).fit(table.iloc[rows], bad[rows])
    assert weighted.tables_ == repeated.tables_


def test_scaled_weights_leave_bins_and_values(data):
    age, _, bad = data
    weights = np.random.default_rng(2).integers(1, 4, age.size) * 1.0
    plain, scaled = (
        WoEEncoder(smoothing=0).fit(age[:, None], bad, sample_weight=weights * factor) for factor in (1.0, 0.1)
    )
    np.testing.assert_array_equal(scaled.tables_[0].edges, plain.tables_[0].edges)
    np.testing.assert_allclose(scaled.tables_[0].woe, plain.tables_[0].woe, rtol=1e-10)
    np.testing.assert_allclose(scaled.tables_[0].woe_se, plain.tables_[0].woe_se * np.sqrt(10), rtol=1e-10)
    with pytest.raises(ValueError, match="whole counts"):
        scaled.tables_[0].information_value()


def test_sign_event_and_bins(data):
    age, _, bad = data
    x = age[:, None]
    plain = WoEEncoder().fit_transform(x, bad)
    np.testing.assert_array_equal(WoEEncoder(sign="bad/good").fit_transform(x, bad), -plain)
    labels = np.where(bad, "default", "paid")
    named = WoEEncoder(event="default").fit(x, labels)
    np.testing.assert_array_equal(named.transform(x), plain)
    assert named.classes_.tolist() == ["default", "paid"]
    assert named.event_ == "default"
    encoder = WoEEncoder(encode="bin").fit(x, bad)
    cells = encoder.transform(x)
    assert cells.dtype == np.int64
    np.testing.assert_array_equal(encoder.tables_[0].woe[cells], plain)


def test_unseen_and_missing():
    x = pd.DataFrame({"level": list("aabbab"), "number": [1.0, 2, 3, 4, 5, 6]})
    y = [0, 1, 0, 1, 1, 0]
    new = pd.DataFrame({"level": ["a", "z", None], "number": [2.5, 1e9, np.nan]})
    encoder = WoEEncoder().fit(x, y)
    out = encoder.transform(new)
    assert out[1, 0] == out[2, 0] == out[2, 1] == 0.0
    assert WoEEncoder(encode="bin").fit(x, y).transform(new)[:, 0].tolist() == [0, -1, -1]
    with pytest.raises(ValueError, match="column 'level', row 1: 'z' was not seen in fit"):
        encoder.set_params(unknown="error").transform(new)
    with pytest.raises(ValueError, match="column 'number' held numbers in fit and holds categories now"):
        encoder.transform(pd.DataFrame({"level": ["a"], "number": ["b"]}))
    # a column that was empty in the fit, and one that is empty now
    empty = WoEEncoder(encode="bin").fit(np.column_stack([np.full(6, np.nan), np.arange(6.0)]), y)
    assert empty.transform([[np.nan, np.nan], [1.0, 2.0]])[:, 0].tolist() == [0, -1]
    assert empty.tables_[0].labels == ("missing",)
    gone = pd.DataFrame({"level": [None, None], "number": [1.0, 2.0]})
    assert (encoder.set_params(unknown="zero").transform(gone)[:, 0] == 0).all()


def test_numbers_of_one_outcome_are_one_cell():
    encoder = WoEEncoder().fit([[1.0], [2.0], [np.nan], [np.nan]], [1, 1, 0, 0])
    assert encoder.tables_[0].labels == ("all", "missing")
    assert encoder.tables_[0].woe[0] < 0 < encoder.tables_[0].woe[1]


def test_output_frames_and_names(data):
    age, levels, bad = data
    table = frames(age, levels)["pandas"]
    encoder = WoEEncoder().fit(table, bad)
    assert encoder.get_feature_names_out().tolist() == ["age", "home"]
    plain = encoder.transform(table)
    for kind, library in (("pandas", pd.DataFrame), ("polars", pl.DataFrame)):
        out = clone(encoder).set_output(transform=kind).fit(table, bad).transform(table)
        assert isinstance(out, library)
        assert list(out.columns) == ["age", "home"]
        np.testing.assert_array_equal(out.to_numpy(), plain)
    with pytest.raises(ValueError, match="feature names"):
        encoder.transform(table.rename(columns={"age": "years"}))


def test_pipeline_and_copies(data):
    age, levels, bad = data
    table = frames(age, levels)["pandas"]
    model = make_pipeline(WoEEncoder(max_bins=5), LogisticRegression(C=1e6))
    assert cross_val_score(model, table, bad, cv=4, scoring="roc_auc").mean() > 0.62
    # in the training rows each coefficient is near -1: WoE is good over bad and the event is bad
    np.testing.assert_allclose(model.fit(table, bad)[-1].coef_, -1.0, atol=0.25)
    encoder = WoEEncoder(max_bins=3).fit(table, bad)
    again = pickle.loads(pickle.dumps(encoder))
    np.testing.assert_array_equal(again.transform(table), encoder.transform(table))
    assert clone(encoder).get_params() == encoder.get_params()
    column = encoder.tables_[1]
    assert EncodedColumn.from_json(column.to_json()) == column
    assert "rent" in column.summary()
    assert column.to_frame()["label"].tolist() == ["free", "own", "rent", "missing"]


@pytest.mark.parametrize(
    ("change", "x", "y", "words"),
    [
        ({"sign": "up"}, [[1.0], [2.0]], [0, 1], "sign is 'up'"),
        ({"unknown": "drop"}, [[1.0], [2.0]], [0, 1], "unknown is 'drop'"),
        ({"encode": "x"}, [[1.0], [2.0]], [0, 1], "encode is 'x'"),
        ({"max_bins": 0}, [[1.0], [2.0]], [0, 1], "max_bins is 0"),
        ({"smoothing": -1}, [[1.0], [2.0]], [0, 1], "smoothing is -1"),
        ({"event": 7}, [[1.0], [2.0]], [0, 1], r"event is 7; expected one of the labels \[0, 1\]"),
        ({"smoothing": 0}, [["a"], ["b"], ["b"]], [0, 1, 0], "cell 'a' holds goods only"),
        ({}, [[1.0], [2.0], [3.0]], [0, 1, 2], "Only binary classification"),
        ({}, [[1.0], [2.0]], [1, 1], "one class"),
        ({}, [[1.0], [2.0]], [0.0, np.nan], "y contains NaN"),
        ({}, [[1.0], [np.inf]], [0, 1], "infinity"),
        ({}, pd.DataFrame({"a": [1.0, np.inf]}), [0, 1], "infinity in column 'a'"),
        ({}, pd.DataFrame({"a": pd.to_datetime(["2020-01-01", "2021-01-01"])}), [0, 1], "convert it first"),
        ({}, [[1.0], [2.0]], None, "requires y"),
    ],
)
def test_errors(change, x, y, words):
    with pytest.raises(ValueError, match=words):
        WoEEncoder(**change).fit(x, y)


@pytest.mark.parametrize(
    ("weights", "words"),
    [([1.0], r"shape \(1,\)"), ([1.0, -1.0], r"sample_weight\[1\] is -1.0"), ([0.0, 0.0], "non-zero")],
)
def test_weight_errors(weights, words):
    with pytest.raises(ValueError, match=words):
        WoEEncoder().fit([[1.0], [2.0]], [0, 1], sample_weight=weights)


def test_types_are_refused():
    with pytest.raises(TypeError, match="uniformly a string or a number"):
        WoEEncoder().fit(np.array([["a"], [1]], dtype=object), [0, 1])


def test_without_sklearn():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import asymptopia.theory.scorecard\n"
        "try:\n    import asymptopia.theory.scorecard.encoder\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'asymptopia[sklearn]'" in out
