"""Writes a page of claims and a page of functions for each result; takes the notebooks from the examples."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asymptopia.theory._core.lazy import resolve
from asymptopia.theory._core.registry import Claim, claims, results

if TYPE_CHECKING:
    from sphinx.application import Sphinx

EXAMPLES = Path(__file__).parents[2] / "examples"
FOREIGN = "Exception, Enum, tuple"
"""Base classes of Python, whose members its own documentation describes."""
TABLES = Path(__file__).parents[2] / "tests" / "oracles"


def checks() -> dict[str, Any]:
    """Return the Monte Carlo checks by their names."""
    from asymptopia.verify.checks import RESULTS

    found: dict[str, Any] = {}
    for name in RESULTS:
        for check in import_module(f"asymptopia.verify.checks.{name}").CHECKS:
            found[check.id] = check
    return found


def sources(claim: Claim) -> str:
    """Return the references with their places."""
    return "; ".join(f"{{cite}}`{source.key}` {source.where}".strip() for source in claim.sources)


def proof(claim: Claim) -> tuple[str, str]:
    """Return the statement in LaTeX and what the symbolic proof comes to, both from this build.

    Raises
    ------
    RuntimeError
        If sympy does not reduce every residual to zero.
    """
    derivation: Any = resolve(claim.proof)()  # type: ignore[operator]
    if not derivation.proved():
        message = f"{claim.id}: {claim.proof} leaves a residual"
        raise RuntimeError(message)
    count = len(derivation.residuals)
    module, _, function = claim.proof.partition(":")
    return str(derivation.latex()), f"`{module}.{function}`: {count} residual{'s' * (count > 1)}, each reduced to 0"


def table(claim: Claim) -> str:
    """Return the oracle table and its size."""
    data = json.loads((TABLES / claim.oracle).read_text(encoding="utf-8"))
    return f"`tests/oracles/{claim.oracle}`: {len(data['rows'])} points, {data['precision']}-digit arithmetic"


def section(claim: Claim, known: dict[str, Any]) -> str:
    """Return one claim as a section."""
    latex, proved = proof(claim)
    lines = [f"({claim.id})=", f"## `{claim.id}`", claim.statement, "", "$$", latex, "$$", ""]
    lines += ["**Assumptions.** " + " ".join(claim.assumptions), "", f"**Validity.** {claim.validity}", ""]
    lines += [f"**Sources.** {sources(claim)}", ""]
    if claim.corrections:
        lines += ["**Corrections.** " + " ".join(claim.corrections), ""]
    lines += ["| held by | |", "|---|---|", f"| symbolic proof | {proved} |", f"| oracle table | {table(claim)} |"]
    for name in claim.checks:
        quick = known[name].cases("quick")
        targets = sum(len(case.targets) for case in quick)
        mutants = sum(len(target.mutants) for case in quick for target in case.targets)
        lines.append(f"| check `{name}` | {known[name].statement}: {targets} targets, {mutants} mutants |")
    return "\n".join([*lines, ""])


def claims_page(result: str, known: dict[str, Any]) -> str:
    """Return the page of a result's claims."""
    head = [f"# Claims: {result}", f"What is claimed, and what holds it. The question and its answer: [{result}]"]
    text = f"{head[0]}\n{head[1]}(../results/{result}.md); the functions: [reference](../api/{result}.md).\n\n"
    return text + "\n".join(section(claim, known) for claim in claims(result))


def summary(value: object) -> str:
    """Return the first sentence of a docstring."""
    return " ".join((getattr(value, "__doc__", None) or "").strip().partition("\n\n")[0].split())


def members(value: type) -> str:
    """Return the options that list a class's methods; those that scikit-learn adds are left to its documentation."""
    if any(base.__module__.startswith("sklearn.") for base in value.__mro__):
        return f"   :members: {', '.join(name for name in vars(value) if not name.startswith(('_', 'set_')))}\n"
    return f"   :members:\n   :inherited-members: {FOREIGN}\n"


def entry(module: str, name: str) -> str:
    """Return the directive that documents one public name."""
    value = getattr(import_module(module), name)
    kind = "autoclass" if isinstance(value, type) else "autofunction" if callable(value) else "autodata"
    options = members(value) if isinstance(value, type) else ""
    return f"## {name}\n```{{eval-rst}}\n.. {kind}:: {module}.{name}\n{options}```\n"


def api_page(module: str) -> str:
    """Return the page of a package's public names: functions, then what they return."""
    package = import_module(module)
    names = sorted(
        (name for name in package.__all__ if not name.startswith("_")),
        key=lambda name: (isinstance(getattr(package, name), type), name),
    )
    rows = [f"   * - :py:obj:`~{module}.{name}`\n     - {summary(getattr(package, name))}" for name in names]
    about = (package.__doc__ or "").strip()
    head = f"# `{module}`\n```{{eval-rst}}\n{about}\n\n.. list-table::\n\n" + "\n".join(rows) + "\n```\n"
    return head + "\n".join(entry(module, name) for name in names)


def write(folder: Path, pages: dict[str, str]) -> None:
    """Write the pages; those that did not change keep their time, so that they are not built again."""
    folder.mkdir(exist_ok=True)
    for stale in {path.stem for path in folder.glob("*.md")} - set(pages) - {"index"}:
        (folder / f"{stale}.md").unlink()
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def generate(app: Sphinx) -> None:
    """Write all generated pages."""
    known = checks()
    root = Path(app.srcdir)
    write(root / "claims", {result: claims_page(result, known) for result in results()})
    pages = {result: api_page(f"asymptopia.theory.{result}") for result in results()}
    notebooks = {path.stem: path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.md")}
    write(root / "notebooks", notebooks)
    write(root / "api", {**pages, "verify": api_page("asymptopia.verify")})


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
