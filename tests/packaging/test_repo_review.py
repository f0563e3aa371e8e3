"""The checks of the Scientific Python development guide: those that apply pass, the others are listed with a reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXCEPTIONS: dict[str, str] = PROJECT["tool"].get("repo-review", {}).get("ignore", {})
MISSING = "is not installed; the extra asymptopia[test] has it"


def test_the_checks_that_fail_are_the_exceptions() -> None:
    processor = pytest.importorskip("repo_review.processor", reason=f"repo-review {MISSING}")
    pytest.importorskip("sp_repo_review", reason=f"sp-repo-review {MISSING}")
    # a name that is no check's in place of the exceptions, so that these run too: one that passes is out of date
    results = processor.process(ROOT, ignore=frozenset({"none"})).results
    outcome = {result.name: result.result for result in results}
    failed = {result.name: result.err_msg for result in results if result.result is False}
    assert {name: text for name, text in failed.items() if name not in EXCEPTIONS} == {}
    assert set(EXCEPTIONS) == set(failed)
    assert sum(value is True for value in outcome.values()) >= 30


def test_every_exception_has_a_reason() -> None:
    assert EXCEPTIONS
    for reason in EXCEPTIONS.values():
        assert len(reason.split()) >= 5
