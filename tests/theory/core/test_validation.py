"""Bad arguments: the class of the error, and that it names argument, value and range."""

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest

from asymptopia.theory._core import validation as v

MASKED = np.ma.array([1.0, 2.0], mask=[False, True])

BAD_REALS = [
    ("0.5", TypeError, "alpha is of type str; expected a real number"),
    (b"1", TypeError, "bytes"),
    (True, TypeError, "alpha is of type bool"),
    (np.True_, TypeError, "bool"),
    (None, TypeError, "NoneType"),
    (1j, TypeError, "complex"),
    ([0.5], TypeError, "list"),
    (np.array([0.5]), TypeError, "ndarray"),
    (math.nan, ValueError, r"alpha is nan; expected a number in \[0, 1\]"),
    (math.inf, ValueError, "alpha is inf"),
    (-1e-300, ValueError, "alpha is -1e-300"),
    (1.0000000000000002, ValueError, "1.0000000000000002"),
    (10**400, ValueError, "alpha is an integer beyond float64"),
]


@pytest.mark.parametrize(("value", "error", "text"), BAD_REALS, ids=repr)
def test_real_refuses(value, error, text):
    with pytest.raises(error, match=text):
        v.real("alpha", value, 0.0, 1.0)


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int64(1), np.array(0.5), np.uint8(1), Decimal("0.5")])
def test_real_accepts(value):
    number = v.real("alpha", value, 0.0, 1.0)
    assert type(number) is float
    assert number == float(value)


def test_real_ends_belong_as_stated():
    for closed, inside in (("both", (0, 1)), ("left", (0,)), ("right", (1,)), ("neither", ())):
        for end in (0, 1):
            if end in inside:
                assert v.real("x", end, 0, 1, closed=closed) == end
            else:
                with pytest.raises(ValueError, match=r"x is [01]\.0; expected a number in"):
                    v.real("x", end, 0, 1, closed=closed)
    with pytest.raises(ValueError, match=r"in \(0, 1\]"):
        v.real("x", 0, 0, 1, closed="right")
    assert v.real("x", -math.inf) == -math.inf


def test_probability_is_open():
    assert v.probability("level", 0.95) == 0.95
    for value in (0, 1, -0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"level is .*expected a number in \(0, 1\)"):
            v.probability("level", value)


BAD_INTEGERS = [
    (1.0, TypeError, "n is 1.0 of type float; expected an integer"),
    (1.5, TypeError, "float"),
    ("3", TypeError, "str"),
    (None, TypeError, "NoneType"),
    (np.array([1, 2]), TypeError, "ndarray"),
    (True, ValueError, "n is True"),
    (0, ValueError, "n is 0; expected an integer, at least 1"),
    (-5, ValueError, "n is -5"),
]


@pytest.mark.parametrize(("value", "error", "text"), BAD_INTEGERS, ids=repr)
def test_integer_refuses(value, error, text):
    with pytest.raises(error, match=text):
        v.integer("n", value, 1)


def test_integer_accepts_and_bounds():
    assert type(v.integer("n", np.int64(3))) is int
    assert v.integer("n", 2**63) == 2**63
    assert v.integer("n", 4, 0, 4) == 4
    with pytest.raises(ValueError, match="from 0 to 4"):
        v.integer("n", 5, 0, 4)


def test_choice_lists_what_is_allowed():
    assert v.choice("method", "snc", ("snc", "delta")) == "snc"
    for value in ("SNC", "", None, 3, ["snc"]):
        with pytest.raises(ValueError, match=r"method is .*expected one of 'snc', 'delta'"):
            v.choice("method", value, ("snc", "delta"))


BAD_ARRAYS = [
    (["a", "b"], TypeError, "x has dtype <U1; expected real numbers"),
    (np.array([1, None], dtype=object), TypeError, "object"),
    ([1 + 2j], TypeError, "complex128"),
    (np.array(["2020-01-01"], dtype="datetime64[D]"), TypeError, "datetime64"),
    (MASKED, TypeError, "x is a masked array"),
    (pd.Series([1, None], dtype="object"), TypeError, "object"),
    (pd.Series([1, None], dtype="Int64"), ValueError, r"x\[1\] is nan"),
    (pl.Series(["a"]), TypeError, "expected real numbers"),
    ([1.0, math.nan], ValueError, r"x\[1\] is nan; expected finite numbers"),
    ([[1.0, 2.0], [math.inf, 0.0]], ValueError, r"x\[1, 0\] is inf"),
    (math.nan, ValueError, "x is nan"),
    (pl.Series([1.0, None]), ValueError, r"x\[1\] is nan"),
    (np.array([2**53 + 1]), ValueError, r"at most 2\*\*53"),
    (np.array([-(2**63)]), ValueError, r"9223372036854775808"),
    (np.array([2**64 - 1], dtype=np.uint64), ValueError, r"2\*\*53"),
]


@pytest.mark.parametrize(("value", "error", "text"), BAD_ARRAYS, ids=lambda item: type(item).__name__)
def test_numeric_refuses(value, error, text):
    with pytest.raises(error, match=text):
        v.numeric("x", value)


def test_numeric_accepts_any_layout_and_copies():
    source = np.arange(6, dtype=np.int32).reshape(2, 3)
    frozen = np.arange(3.0)
    frozen.flags.writeable = False
    for value in (
        source,
        np.asfortranarray(source),
        source[:, ::-1],
        np.broadcast_to(np.float16(1.5), (2, 2)),
        frozen,
        pd.Series([1, 2]),
        pl.Series([1.0, 2.0]),
        [True, False],
        np.array([2**53]),
        [],
    ):
        array = v.numeric("x", value)
        assert array.dtype == np.float64
        assert np.array_equal(array, np.asarray(value, dtype=float))
        assert not np.shares_memory(array, np.asarray(value))
    with pytest.raises(ValueError, match=r"x.ndim is 0; expected at least 1"):
        v.numeric("x", 3.0, min_ndim=1)


BAD_COUNTS = [
    ([], ValueError, r"good.shape\[-1\] is 0; expected at least 2 bins"),
    ([3.0], ValueError, "at least 2 bins"),
    (5, ValueError, "good.ndim is 0"),
    ([1, -1], ValueError, r"good\[1\] is -1.0; expected counts >= 0"),
    ([[1, 2], [3, -4]], ValueError, r"good\[1, 1\] is -4.0"),
    ([0, 0], ValueError, r"good.sum\(\) is 0; expected a sample with at least one observation"),
    ([[1, 2], [0, 0]], ValueError, "at least one observation"),
    ([1.0, 2.0**54], ValueError, r"good\[1\] is 1.8014398509481984e\+16; expected counts of at most 2\*\*53"),
    ([1.0, math.nan], ValueError, r"good\[1\] is nan"),
    ([1.0, math.inf], ValueError, r"good\[1\] is inf"),
    (["1", "2"], TypeError, "expected real numbers"),
]


@pytest.mark.parametrize(("value", "error", "text"), BAD_COUNTS, ids=repr)
def test_counts_refuses(value, error, text):
    with pytest.raises(error, match=text):
        v.counts("good", value, min_bins=2)


def test_counts_accepts():
    assert v.counts("good", [0, 5]).tolist() == [0.0, 5.0]
    assert v.counts("good", [0.5, 2.0**53]).shape == (2,)
    assert v.counts("good", [[1, 0], [0, 1]]).shape == (2, 2)


def test_same_shape_names_both():
    v.same_shape("good", np.zeros(3), "bad", np.zeros(3))
    with pytest.raises(ValueError, match=r"good has shape \(3,\) and bad has shape \(2,\)"):
        v.same_shape("good", np.zeros(3), "bad", np.zeros(2))


def test_rows_of_different_lengths() -> None:
    with pytest.raises(TypeError, match="x is ragged"):
        v.numeric("x", [[1.0, 2.0], [3.0]])
