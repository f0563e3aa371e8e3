"""Cells of columns: quantiles, levels, missing values; nothing is ever dropped."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asymptopia.theory.scorecard.coding import MISSING, Column, cells, columns_of


def numbers(*values: float, name: str = "x") -> Column:
    return Column(name=name, values=np.array(values, dtype=float))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.integers(2, 12))
def test_every_row_has_one_cell_and_no_cell_is_empty(values: list[float], bins: int) -> None:
    found = cells(numbers(*values), bins=bins)
    (codes,) = found.codes
    assert codes.shape == (len(values),)
    assert set(codes) == set(range(len(found.labels)))
    assert len(found.labels) <= max(bins, 1)


@given(st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=200, unique=True))
def test_quantile_cells_are_in_order_and_even(values: list[float]) -> None:
    (codes,) = cells(numbers(*values), bins=5).codes
    order = np.argsort(values)
    assert (np.diff(codes[order]) >= 0).all()
    sizes = np.bincount(codes)
    assert sizes.max() - sizes.min() <= 1


def test_ties_never_straddle_a_cut() -> None:
    values = [1.0] * 50 + [2.0] * 30 + list(np.arange(3.0, 23.0))
    found = cells(numbers(*values), bins=10)
    (codes,) = found.codes
    assert len(set(codes[:50])) == 1
    assert len(set(codes[50:80])) == 1


def test_few_distinct_numbers_are_levels() -> None:
    found = cells(numbers(3, 1, 2, 1), bins=10)
    assert found.labels == ("1", "2", "3")
    assert found.codes[0].tolist() == [2, 0, 1, 0]
    assert not found.quantiles


def test_missing_is_a_cell_of_its_own() -> None:
    found = cells(numbers(3.0, np.nan, 1.0))
    assert found.labels == ("1", "3", MISSING)
    assert found.codes[0].tolist() == [1, 2, 0]
    text = cells(Column(name="t", values=np.array(["b", None, "a"], dtype=object)))
    assert text.labels == ("a", "b", MISSING)


def test_a_level_that_only_the_second_table_has_is_a_cell() -> None:
    first = Column(name="t", values=np.array(["a", "b"], dtype=object))
    second = Column(name="t", values=np.array(["c", "a", None], dtype=object))
    found = cells(first, second)
    assert found.labels == ("a", "b", "c", MISSING)
    assert found.codes[1].tolist() == [2, 0, 3]


def test_cut_points_come_from_the_first_table_and_hold_for_all_numbers() -> None:
    first = numbers(*np.arange(100.0))
    second = numbers(-1e9, 1e9, 50.0, np.inf, -np.inf)
    found = cells(first, second, bins=4)
    assert found.quantiles
    assert found.codes[1].tolist() == [0, 3, 2, 3, 0]
    assert np.bincount(found.codes[0]).tolist() == [25, 25, 25, 25]


def test_numbers_against_text_is_an_error() -> None:
    with pytest.raises(ValueError, match="numeric in one table and text in another"):
        cells(numbers(1.0, 2.0), Column(name="x", values=np.array(["a"], dtype=object)))


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict])
def test_any_data_frame_gives_the_same_columns(make: type) -> None:
    data = make({"n": [1, 2, 3], "f": [0.5, None, 2.5], "t": ["a", None, "b"], "b": [True, False, True]})
    found = {column.name: column for column in columns_of(data)}
    assert found["n"].values.tolist() == [1.0, 2.0, 3.0]
    assert found["f"].missing.tolist() == [False, True, False]
    assert found["t"].values.tolist() == ["a", None, "b"]
    assert found["b"].values.tolist() == ["True", "False", "True"]


def test_columns_that_are_neither_number_nor_text_are_refused() -> None:
    frame = pd.DataFrame({"when": pd.to_datetime(["2024-01-01", "2024-01-02"])})
    with pytest.raises(ValueError, match="'when' has dtype"):
        columns_of(frame)
    with pytest.raises(ValueError, match="no column 'other'"):
        columns_of(frame, ["other"])
    with pytest.raises(TypeError):
        columns_of([1, 2, 3])


def test_pandas_nullable_and_categorical_columns() -> None:
    frame = pd.DataFrame(
        {"i": pd.array([1, None, 3], dtype="Int64"), "c": pd.Categorical(["x", "y", None], categories=["y", "x", "z"])}
    )
    number, category = columns_of(frame)
    assert number.missing.tolist() == [False, True, False]
    assert cells(category).labels == ("x", "y", MISSING)


def test_an_atom_at_the_maximum_is_the_last_cell():
    found = cells(numbers(0.0, 1.0, 1.0, 1.0, -1.0), bins=2)
    assert found.labels == ("<= 0", "> 0")
    np.testing.assert_array_equal(found.codes[0], [0, 1, 1, 1, 0])
