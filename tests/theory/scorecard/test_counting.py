"""Count table: every row once, every type and order, missing codes, errors."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from asymptopia.theory.scorecard import count_table

KINDS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


def slowly(codes, y, bins):
    table = np.zeros((codes.shape[1], bins, 2), dtype=np.int64)
    for row, outcome in zip(codes.tolist(), y.tolist(), strict=True):
        for feature, code in enumerate(row):
            table[feature, code, int(outcome)] += 1
    return table


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["C", "F"])
def test_types_and_orders(kind, order):
    rng = np.random.default_rng(1)
    codes = np.array(rng.integers(0, 7, (1003, 3)), dtype=kind, order=order)
    y = rng.integers(0, 2, 1003)
    found = count_table(codes, y, 7)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, slowly(codes, y, 7))
    codes.setflags(write=False)
    np.testing.assert_array_equal(count_table(codes[::2, ::-1], y[::2] == 1, 7), slowly(codes[::2, ::-1], y[::2], 7))


def test_more_rows_than_a_block():
    rng = np.random.default_rng(2)
    codes, y = rng.integers(0, 300, 50_001).astype(np.uint16), rng.integers(0, 2, 50_001).astype(bool)
    found = count_table(codes, y, 300)
    assert found.shape == (1, 300, 2)
    np.testing.assert_array_equal(found[0], np.bincount(2 * codes.astype(int) + y, minlength=600).reshape(300, 2))


def test_missing_goes_to_the_last_bin():
    codes, y = np.array([[0, 2], [1, 0], [-1, 1], [0, -0]]), [0, 1, 1, 0]
    found = count_table(codes, y, 3)
    np.testing.assert_array_equal(found[0], [[2, 0], [0, 1], [0, 1]])
    np.testing.assert_array_equal(found[1], [[1, 1], [0, 1], [1, 0]])
    assert found.sum() == codes.size
    np.testing.assert_array_equal(count_table([-128, 0], [0, 1], 2), [[[0, 1], [1, 0]]])


def test_foreign_byte_order():
    codes = np.array([0, 1, 1], dtype=">i4")
    np.testing.assert_array_equal(count_table(codes, [0, 1, 0], 2), [[[1, 0], [1, 1]]])


def test_no_features():
    assert count_table(np.zeros((2, 0), dtype=int), [0, 1], 4).shape == (0, 4, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_code_too_large(kind):
    codes = np.zeros((10, 3), dtype=kind)
    codes[7, 2] = np.iinfo(kind).max
    with pytest.raises(ValueError, match=rf"codes\[7, 2\] is {np.iinfo(kind).max}; expected at most bins - 1 = 4"):
        count_table(codes, [0, 1] * 5, 5)
    codes[7, 2] = 5
    with pytest.raises(ValueError, match=r"codes\[7, 2\] is 5"):
        count_table(codes, [0, 1] * 5, 5)


@pytest.mark.parametrize(
    ("codes", "y", "bins", "error", "words"),
    [
        ([[0], [2], [-1]], [0, 1, 0], 3, ValueError, r"codes\[2, 0\] is -1, missing, .* give bins=4"),
        ([0.0, 1.0, np.nan], [0, 1, 0], 3, TypeError, "codes has dtype float64; .*NaN"),
        (["a", "b"], [0, 1], 3, TypeError, "codes has dtype"),
        ([True, False], [0, 1], 3, TypeError, "codes has dtype bool"),
        ([[[0]]], [0], 3, ValueError, "codes has shape"),
        ([0, 1, 1], [0, 1, 2], 3, ValueError, r"y\[2\] is 2; expected 0 or 1"),
        ([0, 1, 1], [0, 1, -1], 3, ValueError, r"y\[2\] is -1"),
        ([0, 1, 1], [0, 1, 256], 3, ValueError, r"y\[2\] is 256"),
        ([0, 1, 1], [1, 1, 1], 3, ValueError, "y holds the class 1 only"),
        ([0, 1, 1], [0, 0, 0], 3, ValueError, "y holds the class 0 only"),
        (np.zeros((0, 2), dtype=int), np.zeros(0, dtype=int), 3, ValueError, "y holds no rows"),
        ([0, 1, 1], [0.0, 1.0, 1.0], 3, TypeError, "y has dtype float64"),
        ([0, 1, 1], ["g", "b", "b"], 3, TypeError, "y has dtype"),
        ([0, 1, 1], [0, 1], 3, ValueError, r"y has shape .2,.; expected .3,."),
        ([0, 1, 1], [0, 1, 1], 0, ValueError, "bins is 0"),
        ([0, 1, 1], [0, 1, 1], 2.0, TypeError, "bins is 2.0"),
    ],
)
def test_errors(codes, y, bins, error, words):
    with pytest.raises(error, match=words):
        count_table(codes, y, bins)


def test_import_loads_no_compiler():
    code = (
        "import sys, asymptopia.theory.scorecard as s; s.count_table, s.psi, s.woe_table, s.psi_power; "
        "assert not {'numba', 'sympy', 'scipy.stats', 'matplotlib', 'pandas'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names():
    import asymptopia.theory.scorecard as package

    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'ivv'"):
        package.ivv  # noqa: B018
