"""Repeating a saved report: equal totals here, and what differs where they are not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sample_report import with_entry

from asymptopia.verify import Case, Check, Control, Kernel, Mutant, Report, Target, run
from asymptopia.verify.checks import select
from asymptopia.verify.device.stream import Stream, uniform_pair
from asymptopia.verify.engine.report import Report as ReportType
from asymptopia.verify.engine.rerun import block_totals, compare


def two(stream: Stream, params: list[float]) -> tuple[float, float]:
    u, v, _ = uniform_pair(stream, 0)
    c = u - 0.5
    return u + 0.01 * v - params[0] * c, c


TARGET = Target(
    name="mean",
    statistic="x",
    theory=0.505,
    delta=0.02,
    delta_reason="stated band",
    sd=0.3,
    mutants=(Mutant(name="0.6", theory=0.6),),
)


def check(target: Target = TARGET, control: Control | None = None) -> Check:
    fine = replace(target, name="fine", delta=0.01)
    case = Case(name="case", params=(0.0,), targets=(target, fine), budget=1 << 18, control=control)
    return Check(id="test.rerun", statement="A mean", kernel=Kernel(two, ("x", "c")), cases=lambda _: (case,))


def saved(*checks: Check) -> ReportType:
    return Report.from_json(run(checks, rng=11, alpha=0.01, threads=1).to_json())


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_totals_are_equal_again(threads: int) -> None:
    report = saved(check())
    found = list(compare(report, checks=[check()], threads=threads))
    assert [item.id for item in found] == [entry.id for entry in report.entries]
    assert all(item.equal and not item.note for item in found)
    # two targets that stopped at different looks have digests of their own
    assert found[0].recorded != found[1].recorded


def test_one_target_and_every_block_range() -> None:
    report = saved(check())
    entry = report.entries[1]
    (only,) = compare(report, entry.id, checks=[check()])
    assert only.equal
    last = entry.replicates // 1024
    (whole,) = block_totals(report, 0, last, entry.id, checks=[check()])
    assert whole.totals.digest() == entry.digest
    assert whole.moments["x"].mean == entry.estimate
    assert whole.note == ""
    (head,) = block_totals(report, 0, 3, checks=[check()])
    (tail,) = block_totals(report, 3, last, checks=[check()])
    assert (head.totals + tail.totals).digest() == entry.digest
    assert tail.to_dict()["blocks"] == [3, last]


def test_a_pilot_does_not_count() -> None:
    declared = check(control=Control(statistic="x", control="c", sd=0.3, slot=0, pilot=2))
    report = saved(declared)
    assert all(item.equal for item in compare(report, checks=[declared]))
    last = 2 + report.entries[0].replicates // 1024
    (found,) = block_totals(report, 2, last, report.entries[0].id, checks=[declared])
    assert found.totals.digest() == report.entries[0].digest


def test_the_superaccumulator_is_repeated() -> None:
    # an anticipated spread far below the true one makes windows that replicates leave
    declared = check(replace(TARGET, sd=1e-5))
    report = saved(declared)
    assert {entry.sums for entry in report.entries} == {"superaccumulator"}
    assert all(item.equal for item in compare(report, checks=[declared]))


def test_another_digest_differs() -> None:
    report = saved(check())
    changed = with_entry(report, replace(report.entries[0], digest="0" * 16))
    first, second = compare(changed, checks=[check()])
    assert not first.equal
    assert "same kernel and parameters, other totals" in first.note
    assert second.equal
    last = report.entries[0].replicates // 1024
    (found,) = block_totals(changed, 0, last, report.entries[0].id, checks=[check()])
    assert "has the digest 0000000000000000" in found.note


def test_another_kernel_or_parameter_is_named() -> None:
    report = saved(check())

    def other(profile: str) -> tuple[Case, ...]:
        return tuple(replace(case, params=(0.5,)) for case in check().cases("quick"))

    (item, _) = compare(report, checks=[replace(check(), cases=other)])
    assert not item.equal
    assert "parameters or windows are others" in item.note
    kernels = {"kernels": {"test.rerun": "0" * 64}}
    foreign = replace(
        report,
        manifest={**report.manifest, **kernels},
        entries=tuple(replace(entry, spec="0" * 16) for entry in report.entries),
    )
    (item, _) = compare(foreign, checks=[check()])
    assert "the kernel is another one here" in item.note


def test_an_entry_without_a_look_is_not_equal() -> None:
    report = saved(check())
    empty = with_entry(report, replace(report.entries[0], replicates=0, digest=""))
    first, second = compare(empty, checks=[check()])
    assert not first.equal
    assert first.note == "no look was recorded"
    assert second.equal


def test_another_seed_gives_other_totals() -> None:
    report = replace(saved(check()), seed=12)
    assert not any(item.equal for item in compare(report, checks=[check()]))


def test_what_cannot_be_repeated_is_refused() -> None:
    report = saved(check())
    with pytest.raises(KeyError, match=r"no check 'test\.rerun'"):
        list(compare(report))
    with pytest.raises(KeyError, match="no target 'nothing'"):
        list(compare(report, "nothing", checks=[check()]))
    with pytest.raises(ValueError, match="block of the report is 512"):
        list(compare(replace(report, manifest={"engine": {"rng": 1, "block": 512}}), checks=[check()]))
    with pytest.raises(ValueError, match="profile is 'slow'"):
        list(compare(replace(report, profile="slow"), checks=[check()]))
    with pytest.raises(KeyError, match="no case for"):
        list(compare(report, checks=[replace(check(), cases=lambda _: ())]))
    for first, last in ((3, 3), (-1, 2), (0, 1 << 60)):
        with pytest.raises(ValueError, match=r"first|last|blocks"):
            list(block_totals(report, first, last, checks=[check()]))


def test_a_shipped_check_is_found_by_name(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(run(select(["scorecard.snc_coverage"]), profile="quick", rng=3).to_json(), encoding="utf-8")
    report = Report.from_json(path.read_text(encoding="utf-8"))
    (item,) = compare(report, report.entries[-1].id)
    assert item.equal
