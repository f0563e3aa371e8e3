"""Every claim hangs together: proof, oracle table, checks, sources and page exist, and a dangling name is found."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sympy as sp
from accuracy import ORACLES, table

from asymptopia.theory._core.citations import bibliography, bibtex
from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory._core.lazy import resolve
from asymptopia.theory._core.registry import Claim, Source, claims, results

DOCS = Path(__file__).parents[3] / "docs"


def check_ids() -> set[str]:
    from asymptopia.verify.checks import checks

    return {check.id for check in checks()}


def faults(claim: Claim, known_checks: set[str], *, prove: bool = True) -> Iterator[str]:
    """Yield what is missing or dangling in one claim; without `prove` its proof is only looked up."""
    texts = {"statement": claim.statement, "validity": claim.validity, **dict(enumerate(claim.assumptions))}
    for name, text in (*texts.items(), *((f"correction {k}", item) for k, item in enumerate(claim.corrections))):
        if not (text.endswith(".") and text[0] == text[0].upper()) and not text.startswith("sum "):
            yield f"{name} is no sentence: {text!r}"
    if not claim.assumptions:
        yield "no assumptions"
    try:
        derive = resolve(claim.proof)
        derivation = derive() if prove else None
        if not prove:
            if not callable(derive):
                yield f"{claim.proof} is no function"
        elif not (isinstance(derivation, Derivation) and derivation.proved()):
            yield f"{claim.proof} proves nothing"
        elif claim.latex() != derivation.latex():
            yield "the statement is not that of the proof"
    except (ImportError, AttributeError) as error:
        yield f"no proof: {error}"
    if not (ORACLES / claim.oracle).is_file():
        yield f"no oracle table {claim.oracle}"
    elif len(table(claim.oracle)) < 200:
        yield f"{claim.oracle} has fewer than 200 points"
    if not claim.sources:
        yield "no sources"
    for source in claim.sources:
        if source.key not in bibliography():
            yield f"no reference {source.key}"
    if not (DOCS / claim.page).is_file():
        yield f"no page {claim.page}"
    if not claim.checks:
        yield "no checks"
    for check in claim.checks:
        if check not in known_checks:
            yield f"no check {check}"


ALL = claims()


def test_there_are_claims_and_their_names_are_unique():
    assert len({claim.id for claim in ALL}) == len(ALL) >= 6
    assert results() == sorted({claim.result for claim in ALL})
    assert claims("scorecard") == [claim for claim in ALL if claim.result == "scorecard"]
    with pytest.raises(KeyError, match=r"no result 'nonsense'; known: .*scorecard"):
        claims("nonsense")


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_claim_hangs_together(claim):
    # proofs are run where the results' derivations are tested, and all together by the selftest
    assert list(faults(claim, check_ids(), prove=False)) == []


@pytest.mark.parametrize(
    ("field", "value", "fault"),
    [
        ("proof", "asymptopia.theory.scorecard.symbolic:no_such_proof", "no proof"),
        ("proof", "asymptopia.theory.scorecard.no_such_module:identity", "no proof"),
        ("proof", "asymptopia.theory._core.units:cache_dir", "proves nothing"),
        ("oracle", "scorecard/no_such_table.json", "no oracle table"),
        ("checks", ("scorecard.no_such_check",), "no check scorecard.no_such_check"),
        ("checks", (), "no checks"),
        ("sources", (Source(key="nobody1900"),), "no reference nobody1900"),
        ("sources", (), "no sources"),
        ("page", "results/no_such_page.md", "no page"),
        ("assumptions", (), "no assumptions"),
        ("statement", "no sentence", "no sentence"),
    ],
)
def test_a_dangling_name_is_found(field, value, fault):
    found = list(faults(replace(ALL[0], **{field: value}), set(ALL[0].checks)))
    assert any(fault in item for item in found), found


def test_an_unproved_claim_is_found(monkeypatch):
    from asymptopia.theory.scorecard import symbolic

    x = sp.Symbol("x")
    monkeypatch.setattr(symbolic, "identity", lambda: Derivation(lhs=x, rhs=x + 1, residuals=(x - x - 1,)))
    first = claims("scorecard")[0]
    assert any("proves nothing" in item for item in faults(first, set(first.checks)))


def test_a_derivation_needs_residuals_that_vanish():
    x = sp.Symbol("x", positive=True)
    assert Derivation(lhs=x, rhs=x, residuals=(sp.log(x**2) - 2 * sp.log(x),)).proved()
    assert not Derivation(lhs=x, rhs=x, residuals=()).proved()
    assert not Derivation(lhs=x, rhs=x, residuals=(x - x, x)).proved()
    assert Derivation(lhs=x, rhs=1 / x, residuals=(x,)).latex() == r"x = \frac{1}{x}"


def test_bibliography_is_well_formed():
    entries = bibliography()
    assert list(entries) == sorted(entries)
    for key, body in entries.items():
        assert body.startswith("@")
        assert f"{{{key}," in body.splitlines()[0]
        assert body.count("{") == body.count("}"), key
        for field in ("author", "title", "year"):
            assert f"  {field}" in body, (key, field)
    source = (Path(__file__).parents[3] / "theory" / "references.bib").read_text(encoding="utf-8")
    assert source.count("\n@") + 1 == len(entries)


def test_bibtex_of_keys():
    assert bibtex("jeffreys1946", "kullback1951").count("@article") == 2
    assert "\n\n" in bibtex("jeffreys1946", "kullback1951")
    with pytest.raises(KeyError, match=r"no reference 'nobody1900'; known: .*jeffreys1946"):
        bibtex("jeffreys1946", "nobody1900")
