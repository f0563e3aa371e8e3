"""Sums over bins as symbolic objects, so that an identity is proved for every number of bins at once.

A sum over bins is a linear functional of its term. Expanding a term into monomials of the shares and their logarithms
and using nothing but the constraints (for example that the shares sum to 1) turns an expression in such sums into a
polynomial of unrelated symbols. If that polynomial is zero, the identity holds for every B and all shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

B = sp.Symbol("B", integer=True, positive=True)
i = sp.Symbol("i", integer=True)
n, m = sp.symbols("n m", positive=True)
_p = sp.IndexedBase("p", positive=True)
_q = sp.IndexedBase("q", positive=True)
p, q = _p[i], _q[i]
log_ratio = sp.log(p / q)
n_e = n * m / (n + m)

SHARES: Mapping[Any, Any] = {p: sp.Integer(1), q: sp.Integer(1)}
"""Both samples' shares sum to 1."""


def over_bins(term: Any) -> Any:
    """Return the unevaluated sum of `term` over the bins i = 1..B."""
    return sp.Sum(term, (i, 1, B))


def reduced(expression: Any, constraints: Mapping[Any, Any] = SHARES) -> Any:
    """Return `expression` with every sum over bins written in unrelated symbols, but for the constraints.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression in `over_bins` sums.
    constraints : mapping
        Monomial to the value of its sum. The sum of 1 is B.
    """
    expression = sp.sympify(expression)
    values = {item: _total(item.function, constraints) for item in expression.atoms(sp.Sum)}
    return sp.expand(sp.together(expression.xreplace(values)))


def _total(term: Any, constraints: Mapping[Any, Any]) -> Any:
    expanded = sp.expand(sp.expand_log(term, force=True))
    total = sp.Integer(0)
    for part in sp.Add.make_args(expanded):
        outside, monomial = part.as_independent(i, as_Add=False)
        if monomial == 1:
            value = B
        elif monomial in constraints:
            value = constraints[monomial]
        else:
            value = sp.Function("Sigma")(monomial)
        total += outside * value
    return total


def multinomial_covariance(shares: list[Any], size: Any) -> Any:
    """Return the covariance matrix of the shares of one multinomial sample of `size`."""
    return sp.Matrix(
        len(shares),
        len(shares),
        lambda r, c: (shares[r] * (1 - shares[r]) if r == c else -shares[r] * shares[c]) / size,
    )
