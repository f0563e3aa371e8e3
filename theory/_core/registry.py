"""The registry of claims: what is claimed, under which assumptions, and what proves and refutes it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from asymptopia.theory._core.lazy import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a claim comes from: a key of the bibliography and the place in that work."""

    key: str
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One analytic result and the names of everything that hangs on it.

    Attributes
    ----------
    id : str
        ``"result.claim"``, for example ``"scorecard.iv_variance"``.
    statement : str
        One sentence in the field's terms.
    assumptions : tuple of str
        What must hold.
    validity : str
        The region in which the statement is used, and what happens outside.
    sources : tuple of Source
        References with their equation, theorem or section.
    corrections : tuple of str
        Where the published text is wrong or incomplete; empty if nowhere.
    proof : str
        ``"module:function"`` that returns the sympy `Derivation`.
    oracle : str
        Name of the oracle table under ``tests/oracles``, with its ending.
    checks : tuple of str
        Identifiers of the Monte Carlo checks that could refute it.
    page : str
        The documentation page, a path under ``docs``.
    """

    id: str
    statement: str
    assumptions: tuple[str, ...]
    validity: str
    sources: tuple[Source, ...]
    proof: str
    oracle: str
    checks: tuple[str, ...]
    page: str
    corrections: tuple[str, ...] = ()

    @property
    def result(self) -> str:
        """Name of the result that the claim belongs to."""
        return self.id.partition(".")[0]

    def latex(self) -> str:
        """Return the statement as LaTeX, printed from the sympy object that the proof holds to be true."""
        derive = resolve(self.proof)
        return str(derive().latex())  # type: ignore[operator]


def results() -> list[str]:
    """Return the names of the results that register claims."""
    theory = import_module("asymptopia.theory")
    return [
        module.name
        for module in iter_modules(theory.__path__)
        if module.ispkg
        and not module.name.startswith("_")
        and find_spec(f"{theory.__name__}.{module.name}.claims") is not None
    ]


def claims(result: str | None = None) -> list[Claim]:
    """Return all claims, or those of one result, in the order in which they are stated.

    Raises
    ------
    KeyError
        If `result` names no result.
    """
    known = results()
    if result is not None and result not in known:
        message = f"no result {result!r}; known: {', '.join(known)}"
        raise KeyError(message)
    found: list[Claim] = []
    for name in known if result is None else [result]:
        found.extend(import_module(f"asymptopia.theory.{name}.claims").CLAIMS)
    return found
