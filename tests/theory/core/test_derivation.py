"""A formula and its proof: printing, and what counts as proved."""

import sympy as sp

from asymptopia.theory._core.derivation import Derivation

x = sp.Symbol("x", positive=True)


def test_polygamma_functions_are_printed_as_usual():
    rhs = sp.digamma(x) + sp.polygamma(1, x + 1) ** 2 + sp.polygamma(2, x)
    text = Derivation(lhs=sp.Symbol("y"), rhs=rhs, residuals=(sp.S.Zero,)).latex()
    assert text.startswith("y = ")
    for part in (r"\psi\left(x\right)", r"\psi_{1}^{2}\left(x + 1\right)", r"\psi_{2}\left(x\right)"):
        assert part in text
    assert "polygamma" not in text


def test_proved_needs_residuals_that_vanish():
    square = sp.expand((x + 1) ** 2) - x**2 - 2 * x - 1
    assert Derivation(lhs=x, rhs=x, residuals=(square, sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1)).proved()
    assert not Derivation(lhs=x, rhs=x, residuals=(square, x)).proved()
    assert not Derivation(lhs=x, rhs=x, residuals=()).proved()
