"""A formula together with its symbolic proof."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
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
        printer = _printer()
        return f"{printer.doprint(self.lhs)} = {printer.doprint(self.rhs)}"

    def proved(self) -> bool:
        """Return True if there are residuals and sympy reduces every one to zero."""
        import sympy

        return bool(self.residuals) and all(sympy.simplify(item) == 0 for item in self.residuals)


@cache
def _printer() -> Any:
    """Return sympy's printer, with the digamma function and its derivatives written as usual."""
    from sympy.printing.latex import LatexPrinter

    class Printer(LatexPrinter):  # type: ignore[misc] # sympy has no types
        def _print_polygamma(self, expression: Any, exp: Any = None) -> str:
            order, place = expression.args
            name = r"\psi" if order == 0 else rf"\psi_{{{self._print(order)}}}"
            power = "" if exp is None else f"^{{{exp}}}"
            return rf"{name}{power}\left({self._print(place)}\right)"

    return Printer()
