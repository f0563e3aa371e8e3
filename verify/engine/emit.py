"""Texts of collected pieces: as source to run, and in a form to hash."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from asymptopia.verify.engine.collect import Number, Piece


def emit(pieces: Iterable[Piece], decorator: str = "") -> str:
    """Return the source of the pieces; every function follows `decorator`, every change of module is named."""
    parts: list[str] = []
    module = ""
    for piece in pieces:
        if piece.module != module:
            module = piece.module
            parts.append(f"\n# from {module}")
        if piece.tree is None:
            parts.append(f"{piece.name} = {_literal(piece.value)}")
        else:
            parts.append(f"\n{decorator}{ast.unparse(piece.tree)}\n")
    return "\n".join(parts) + "\n"


def canonical(piece: Piece) -> str:
    """Return a text that changes with the meaning of a piece, and not with comments or the Python version."""
    return f"{piece.name} {_literal(piece.value) if piece.tree is None else canonical_tree(piece.tree)}"


def canonical_tree(node: object) -> str:
    """Return a text of a syntax tree that is the same for every Python version.

    ``ast.dump`` and ``ast.unparse`` are not: trees gained fields and texts lost brackets over the years.
    """
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in node._fields if name not in {"ctx", "kind"})
        inner = " ".join(
            f"{name}={canonical_tree(value)}" for name, value in fields if value is not None and value != []
        )
        return f"({type(node).__name__} {inner})"
    if isinstance(node, list):
        return "[" + " ".join(canonical_tree(item) for item in node) + "]"
    return repr(node)


def _literal(value: Number | None) -> str:
    if isinstance(value, tuple):
        return "(" + "".join(f"{_literal(item)}, " for item in value) + ")"
    text = repr(value)
    return f'float("{text}")' if text in {"inf", "-inf", "nan"} else text
