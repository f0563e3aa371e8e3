"""A formula together with its symbolic proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """An equation derived by sympy and the residuals that must vanish for it to hold.

    Attributes
    ----------
    lhs, rhs : sympy.Expr
        The two sides as a reader sees them; `latex` prints them.
    residuals : tuple of sympy.Expr
        Expressions that the derivation reduces to zero. Each is simplified by `proved`.
    """

    lhs: Any
    rhs: Any
    residuals: tuple[Any, ...]

    def latex(self) -> str:
        """Return ``lhs = rhs`` in LaTeX."""
        import sympy

        return f"{sympy.latex(self.lhs)} = {sympy.latex(self.rhs)}"

    def proved(self) -> bool:
        """Return True if there are residuals and sympy reduces every one to zero."""
        import sympy

        return bool(self.residuals) and all(sympy.simplify(item) == 0 for item in self.residuals)
