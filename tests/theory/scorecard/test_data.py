"""From rows to results: against counts made by hand and by pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from statsmodels.datasets import fair

from asymptopia.theory import scorecard
from asymptopia.theory.scorecard.data import Screen, iv_screen_frame, psi_screen_frame
from asymptopia.theory.scorecard.survey import survey_table

FAIR = fair.load_pandas().data


def test_screen_equals_counts_made_by_pandas() -> None:
    screen = iv_screen_frame(FAIR, "affairs", event="> 0")
    bad = FAIR["affairs"] > 0
    for feature in ("rate_marriage", "religious", "educ"):
        counts = pd.crosstab(FAIR[feature], bad).to_numpy()
        expected = scorecard.information_value(counts[:, 0], counts[:, 1])
        assert screen[feature].estimate == pytest.approx(expected.estimate, rel=1e-14)
        assert screen[feature].n == counts[:, 0].sum()


def test_row_order_and_library_do_not_matter() -> None:
    shuffled = FAIR.sample(frac=1, random_state=3)
    one = iv_screen_frame(FAIR, "affairs", event="> 0")
    two = iv_screen_frame(shuffled, "affairs", event="> 0")
    three = iv_screen_frame(pl.from_pandas(FAIR), "affairs", event="> 0")
    assert one.to_dict() == two.to_dict() == three.to_dict()


def test_results_survive_json() -> None:
    screen = iv_screen_frame(FAIR, "affairs", event="> 0", columns=["age", "educ"])
    again = Screen.from_json(screen.to_json())
    assert again.to_dict() == screen.to_dict()
    assert again["age"].estimate == screen["age"].estimate


def test_frames_summary_and_html() -> None:
    screen = iv_screen_frame(FAIR, "affairs", event="> 0")
    frame = screen.to_frame()
    assert frame["feature"].iloc[0] == "rate_marriage"
    assert (frame["estimate_smoothed"].diff().dropna() <= 0).all()
    assert isinstance(screen.to_frame(backend="polars"), pl.DataFrame)
    assert "rate_marriage" in screen.summary()
    assert "<table" in screen._repr_html_()
    with pytest.raises(KeyError, match="no column 'nothing'"):
        screen["nothing"]


def test_holm_adjustment_by_hand() -> None:
    screen = iv_screen_frame(FAIR, "affairs", event="> 0")
    raw = np.array([result.pvalue for result in screen.results])
    order = np.argsort(raw)
    stepped = np.maximum.accumulate(raw[order] * np.arange(raw.size, 0, -1))
    assert screen.adjusted[order] == pytest.approx(np.minimum(stepped, 1.0), rel=1e-12)


def test_psi_of_a_table_with_itself_is_zero() -> None:
    screen = psi_screen_frame(FAIR, FAIR)
    assert all(result.estimate == 0.0 for result in screen.results)
    assert all(result.pvalue == 1.0 for result in screen.results)


def test_quantile_cells_use_the_law_of_quantiles() -> None:
    rng = np.random.default_rng(5)
    now, then = ({"x": rng.standard_normal(4000)} for _ in range(2))
    result = psi_screen_frame(now, then)["x"]
    assert result.bins == 10
    assert result.n_eff == pytest.approx(2000)
    # the reference's cells are its own deciles
    assert result.pvalue > 1e-3


def test_noise_is_called_real_at_the_nominal_rate() -> None:
    # 300 noise columns, categorical and numeric: rejections at 5 % beyond 11 % have probability below 1e-5
    rng = np.random.default_rng(12)
    data: dict[str, np.ndarray] = {f"x{i}": rng.standard_normal(2000) for i in range(150)}
    data |= {f"g{i}": rng.integers(0, 6, 2000) for i in range(150)}
    data["y"] = rng.integers(0, 2, 2000)
    screen = iv_screen_frame(data, "y")
    share = np.mean([result.pvalue < 0.05 for result in screen.results])
    assert 0.01 < share < 0.11


@pytest.mark.parametrize(
    ("event", "share"), [("> 0", 0.3225), ("!= 0", 0.3225), ("== 0", 0.6775), ("<= 0", 0.6775), (">= 0.5", None)]
)
def test_event_rules(event: str, share: float | None) -> None:
    screen = iv_screen_frame(FAIR, "affairs", event=event, columns=["educ"])
    bads = screen["educ"].m / len(FAIR)
    if share is None:
        assert bads == pytest.approx((FAIR["affairs"] >= 0.5).mean())
    else:
        assert bads == pytest.approx(share, abs=5e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "affairs"}, "expected 0 and 1"),
        ({"target": "nothing"}, "no column 'nothing'"),
        ({"target": "affairs", "event": "> 1e9"}, "no row of the 6366"),
        ({"target": "affairs", "event": ">= 0"}, "every row"),
        ({"target": "affairs", "event": "> 0", "adjust": "none"}, "adjust is 'none'"),
        ({"target": "affairs", "event": "> 0", "bins": 1}, "bins is 1"),
        ({"target": "affairs", "event": "> 0", "smoothing": -1}, "smoothing is -1"),
        ({"target": "affairs", "event": "> 0", "columns": ["affairs"]}, "no column but the target"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        iv_screen_frame(FAIR, **arguments)


def test_tables_with_other_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="only one of the tables has 'age'"):
        psi_screen_frame(FAIR.drop(columns="age"), FAIR)
    with pytest.raises(ValueError, match="the actual table has no rows"):
        psi_screen_frame(FAIR.iloc[:0], FAIR, columns=["educ"])


def test_an_order_of_text_is_no_event() -> None:
    table = {"home": ["own", "rent"], "x": [1, 2]}
    with pytest.raises(ValueError, match="'home' holds text"):
        iv_screen_frame(table, "home", event="> own")
    assert iv_screen_frame(table, "home", event="!= own")["x"].m == 1


def survey(rows: int = 3000, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, 200, rows)
    y = rng.integers(0, 2, rows)
    group = (rng.integers(0, 4, rows) + y * (rng.random(rows) < 0.2)).clip(0, 3)
    weight = rng.lognormal(0.0, 0.8, rows)
    return pd.DataFrame({"g": group, "x": rng.standard_normal(rows), "y": y, "w": weight, "c": cluster})


@pytest.mark.parametrize("by", [{"weights": "w"}, {"clusters": "c"}, {"weights": "w", "clusters": "c"}])
def test_weights_and_clusters_reach_the_survey_table(by: dict[str, str]) -> None:
    data = survey()
    screen = iv_screen_frame(data, "y", **by)
    assert set(screen.features) == {"g", "x", "w", "c"} - set(by.values())
    columns = {name: data[column].to_numpy() for name, column in by.items()}
    wanted = scorecard.information_value(survey_table(data["g"].to_numpy(), data["y"].to_numpy(), **columns))
    assert screen["g"] == wanted
    assert iv_screen_frame(pl.from_pandas(data), "y", **by) == screen
    assert Screen.from_json(screen.to_json()) == screen
    # names of clusters may be text
    named = data.assign(c="c" + data["c"].astype(str))
    assert iv_screen_frame(named, "y", **by)["g"].se == pytest.approx(wanted.se, rel=1e-12)


def test_weighted_shares_by_hand() -> None:
    data = survey()
    now, then = data.iloc[:1400], data.iloc[1400:]
    result = psi_screen_frame(now, then, columns=["g", "w"], weights="w")["g"]
    p, q = (part.groupby("g")["w"].sum() / part["w"].sum() for part in (now, then))
    assert result.estimate == pytest.approx(float(((p - q) * np.log(p / q)).sum()), rel=1e-12)
    equal = psi_screen_frame(now.assign(w=2.5), then.assign(w=2.5), columns=["g"], weights="w")["g"]
    plain = psi_screen_frame(now, then, columns=["g"])["g"]
    assert equal.se == pytest.approx(plain.se, rel=1e-10)


def test_the_same_accounts_at_both_dates_are_clusters() -> None:
    # most accounts stay where they are: the shares differ less than two samples would
    rng = np.random.default_rng(9)
    then = rng.integers(0, 4, 2000)
    now = np.where(rng.random(2000) < 0.1, rng.integers(0, 4, 2000), then)
    account = np.arange(2000)
    screen = psi_screen_frame({"g": now, "id": account}, {"g": then, "id": account}, clusters="id")
    table = np.zeros((4, 4))
    np.add.at(table, (now, then), 1)
    paired = scorecard.psi(table, baseline="paired")
    assert screen["g"].estimate == pytest.approx(paired.estimate, rel=1e-12)
    assert screen["g"].pvalue == pytest.approx(paired.pvalue, rel=0.02)
    assert psi_screen_frame({"g": now}, {"g": then})["g"].pvalue > screen["g"].pvalue


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({"w": -1.0}, {"weights": "w"}, "'w', holds -1.0"),
        ({"w": np.inf}, {"weights": "w"}, "'w', holds inf"),
        ({"w": np.nan}, {"weights": "w"}, "'w', is missing in 3000 rows"),
        ({"w": "heavy"}, {"weights": "w"}, "'w', which holds text"),
        ({"c": None}, {"clusters": "c"}, "'c', is missing in 3000 rows"),
        ({}, {"weights": "weight"}, "no column 'weight'"),
        ({}, {"weights": "w", "columns": ["w"]}, "no column but the target"),
    ],
)
def test_bad_weights_and_clusters(change: dict[str, object], arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        iv_screen_frame(survey().assign(**change), "y", **arguments)


def test_bad_clusters_of_two_tables() -> None:
    data = survey(100)
    with pytest.raises(ValueError, match="numeric in one table and text in the other"):
        psi_screen_frame(data.assign(c="a"), data, columns=["g"], clusters="c")
    with pytest.raises(ValueError, match="no column to compare"):
        psi_screen_frame(data, data, columns=["w"], weights="w")
