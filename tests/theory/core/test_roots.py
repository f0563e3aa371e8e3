"""Roots: right, vectorised, and never an unconverged number."""

import math

import numpy as np
import pytest

from asymptopia.theory._core.roots import RootError, find_root


def test_roots_of_many_brackets():
    a = np.array([1e-12, 0.5, 2.0, 3.0, 1e12])
    found = find_root(lambda x, a: x * x - a, 0.0, a + 1, args=(a,))
    assert np.allclose(found, np.sqrt(a), rtol=1e-15, atol=0)
    assert found.shape == (5,)
    assert find_root(lambda x: np.cos(x) - x, 0.0, 1.0) == pytest.approx(0.7390851332151607, rel=4e-16)


def test_roots_of_flat_and_steep_functions():
    assert find_root(lambda x: (x - 1) ** 9, 0.0, 3.0) == pytest.approx(1.0, rel=1e-10)
    assert find_root(lambda x: np.expm1(700 * (x - 0.25)), 0.0, 1.0) == pytest.approx(0.25, rel=1e-15)
    # a root 1000 halvings away is reached where the bound allows it, and is an error where not
    assert find_root(lambda x: x - 1e-300, 0.0, 1.0, maxiter=2000) == pytest.approx(1e-300, rel=1e-13)
    with pytest.raises(RootError):
        find_root(lambda x: x - 1e-300, 0.0, 1.0)


def test_root_at_an_end():
    assert find_root(lambda x: x, 0.0, 1.0) == 0.0
    assert find_root(lambda x: x - 1, 0.0, 1.0) == 1.0


def test_no_change_of_sign():
    with pytest.raises(RootError, match=r"no change of sign in the bracket on \[2, 3\]"):
        find_root(lambda x: x, 2.0, 3.0)
    # one bad bracket among good ones is named
    with pytest.raises(RootError, match=r"no change of sign.*\[5, 6\]"):
        find_root(lambda x: x - 1, np.array([0.0, 5.0]), np.array([2.0, 6.0]))


def test_function_that_is_not_finite():
    with pytest.raises(RootError):
        find_root(lambda x: np.where(x > 0.5, math.nan, x - 0.75), 0.0, 1.0)


def test_iterations_run_out():
    with pytest.raises(RootError, match="no convergence"):
        find_root(lambda x: x**3 - 2, 0.0, 2.0, maxiter=3)
    assert issubclass(RootError, ArithmeticError)
