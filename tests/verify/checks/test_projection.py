"""The checks of the risk of the MLE as a whole: their verdicts, and that each mutant of the brief is refuted."""

from __future__ import annotations

import math

import pytest

from asymptopia.theory.projection.claims import CLAIMS
from asymptopia.verify.checks.projection import CHECKS
from asymptopia.verify.engine.check import PROFILES, Profile
from asymptopia.verify.engine.report import Report
from asymptopia.verify.engine.run import run

NAMES = {
    "projection.exact",
    "projection.expansion",
    "projection.misspecified",
    "projection.families",
    "projection.multivariate",
    "projection.ising",
    "projection.plug_in",
    "projection.bootstrap",
    "projection.existence",
    "projection.bayes",
    "projection.optimism",
}


@pytest.fixture(scope="module")
def report() -> Report:
    return run(CHECKS, profile="quick", rng=0)


def test_quick_profile_passes_and_rejects_every_mutant(report: Report) -> None:
    assert [entry.id for entry in report.entries if entry.status != "pass"] == []
    assert all(mutant.rejected for entry in report.entries for mutant in entry.mutants)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_case_of_every_profile_can_be_built(profile: Profile) -> None:
    for check in CHECKS:
        cases = check.cases(profile)
        names = [case.name for case in cases]
        assert names
        assert len(set(names)) == len(names)
        assert all(math.isfinite(value) for case in cases for value in case.params)


def test_names() -> None:
    assert {check.id for check in CHECKS} == NAMES
    assert {name for claim in CLAIMS for name in claim.checks} <= NAMES


def test_few_kernels_are_compiled() -> None:
    assert len({check.kernel.replicate.__name__ for check in CHECKS}) == 6


@pytest.mark.parametrize(
    ("check", "mutant"),
    [
        ("projection.exact", "n in place of n - 1"),
        ("projection.exact", "p/(2n)"),
        ("projection.exact", "series to n^-2"),
        ("projection.expansion", "8 in place of 9 before t31"),
        ("projection.expansion", "t22 dropped"),
        ("projection.expansion", "without t1"),
        ("projection.misspecified", "without t1"),
        ("projection.misspecified", "t0/(2n)"),
        ("projection.misspecified", "c2 of a truth in the model"),
        ("projection.families", "t22 dropped"),
        ("projection.families", "without t1"),
        ("projection.multivariate", "mean known"),
        ("projection.multivariate", "mean unknown"),
        ("projection.multivariate", "series to n^-2"),
        ("projection.ising", "t22 dropped"),
        ("projection.ising", "without t1"),
        ("projection.plug_in", "no bias"),
        ("projection.plug_in", "not corrected"),
        ("projection.bootstrap", "standard error of the first coefficient"),
        ("projection.bootstrap", "standard error of half the sample"),
        ("projection.existence", "samples without an MLE counted as 0"),
        ("projection.existence", "any cell is empty"),
        ("projection.bayes", "2 V^2 + V^4/2"),
        ("projection.bayes", "1.01 of the bound"),
        ("projection.bayes", "priors exchanged"),
        ("projection.optimism", "p/n"),
        ("projection.optimism", "AICc"),
    ],
)
def test_a_mutant_is_refuted(report: Report, check: str, mutant: str) -> None:
    found = [
        item
        for entry in report.entries
        if entry.id.startswith(f"{check}[")
        for item in entry.mutants
        if item.name == mutant
    ]
    assert found
    assert all(item.rejected for item in found)
