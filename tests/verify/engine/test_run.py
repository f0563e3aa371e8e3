"""Runs: verdicts, mutants, digests, reports; on kernels whose truth is known."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from asymptopia.verify import Case, Check, Control, Kernel, Mutant, Target, run
from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.stream import Stream, uniform, uniform_pair
from asymptopia.verify.engine.report import VOLATILE


def exponential(stream: Stream, params: list[float]) -> float:
    u, _ = uniform(stream, 0)
    return -params[0] * log(u)


def two_uniforms(stream: Stream, params: list[float]) -> tuple[float, float]:
    u, v, _ = uniform_pair(stream, 0)
    return u, 1.0 if v < params[0] else 0.0


def broken(stream: Stream, params: list[float]) -> float:
    u, _ = uniform(stream, 0)
    return log(u - params[0])


def constant(stream: Stream, params: list[float]) -> float:
    return params[0]


MEAN = Target(
    name="mean",
    statistic="x",
    theory=2.0,
    delta=0.05,
    delta_reason="stated band",
    sd=2.0,
    mutants=(Mutant(name="mean 2.2", theory=2.2),),
)


def check(target: Target = MEAN, budget: int = 1 << 18, kernel: Kernel | None = None, *params: float) -> Check:
    kernel = kernel or Kernel(exponential, ("x",))
    case = Case(name="case", params=params or (2.0,), targets=(target,), budget=budget)
    return Check(id="test.check", statement="A known mean", kernel=kernel, cases=lambda _: (case,))


def test_a_right_theory_passes_and_its_mutant_is_refuted() -> None:
    report = run(check())
    (entry,) = report.entries
    assert entry.status == "pass"
    assert entry.mutant_rejected
    assert report.exit_code == 0
    assert entry.interval is not None
    low, high = entry.interval
    assert 1.95 < low < 2.0 < high < 2.05
    assert entry.mutants[0].rejected
    assert entry.replicates % 1024 == 0


def test_a_theory_moved_by_one_and_a_half_delta_fails() -> None:
    moved = replace(MEAN, theory=2.0 + 1.5 * 0.05, mutants=(Mutant(name="far", theory=3.0),))
    for seed in range(20):
        report = run(check(moved, 1 << 20), rng=seed)
        assert report.entries[0].status == "fail"
        assert report.exit_code == 1


def test_too_small_a_budget_is_inconclusive_not_passed() -> None:
    report = run(check(MEAN, 2048))
    (entry,) = report.entries
    assert entry.status == "inconclusive"
    assert "straddles" in entry.reason
    assert report.exit_code == 3


def test_no_verdict_before_the_skewness_allows_one() -> None:
    rare = Target(
        name="rate",
        statistic="rare",
        theory=0.0005,
        delta=0.5,
        delta_reason="wide on purpose",
        sd=0.022,
        mutants=(Mutant(name="2", theory=2.0),),
    )
    kernel = Kernel(two_uniforms, ("u", "rare"))
    other = replace(
        MEAN, name="u", statistic="u", theory=0.5, delta=0.4, sd=0.3, mutants=(Mutant(name="2", theory=2.0),)
    )
    case = Case(name="case", params=(0.0005,), targets=(rare, other), budget=1 << 12)
    report = run(Check(id="test.rare", statement="Rare", kernel=kernel, cases=lambda _: (case,)))
    by_name = {entry.id.rpartition(".")[2]: entry for entry in report.entries}
    assert by_name["u"].status == "pass"
    assert by_name["rate"].status == "inconclusive"
    assert "too few at skewness" in by_name["rate"].reason or "did not vary" in by_name["rate"].reason


def test_a_proportion_is_judged_by_the_exact_sequence() -> None:
    rate = Target(
        name="rate",
        statistic="hit",
        theory=0.3,
        delta=0.02,
        delta_reason="stated band",
        sd=0.46,
        kind="proportion",
        mutants=(Mutant(name="0.35", theory=0.35), Mutant(name="the other statistic", statistic="u")),
    )
    kernel = Kernel(two_uniforms, ("u", "hit"))
    report = run(check(rate, 1 << 18, kernel, 0.3))
    (entry,) = report.entries
    assert entry.status == "pass"
    assert [mutant.rejected for mutant in entry.mutants] == [True, True]
    assert entry.mutants[1].estimate == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("claim", "theory", "mutant", "status"),
    [
        ("at_most", 2.5, 1.5, "pass"),
        ("at_most", 2.0, 1.5, "pass"),
        ("at_most", 1.8, 1.5, "fail"),
        ("at_least", 1.5, 2.5, "pass"),
        ("at_least", 2.0, 2.5, "pass"),
        ("at_least", 2.2, 2.5, "fail"),
    ],
)
def test_bounds_are_judged_on_their_side(claim: str, theory: float, mutant: float, status: str) -> None:
    bound = replace(MEAN, claim=claim, theory=theory, mutants=(Mutant(name="too sharp", theory=mutant),))
    (entry,) = run(check(bound)).entries
    assert entry.status == status
    assert entry.mutant_rejected


def test_a_statistic_that_is_not_finite_gives_no_verdict() -> None:
    target = replace(MEAN, theory=-1.0, sd=1.0, delta=0.1, mutants=(Mutant(name="far", theory=5.0),))
    report = run(check(target, 1 << 14, Kernel(broken, ("x",)), 0.5))
    (entry,) = report.entries
    assert entry.status == "inconclusive"
    assert "not finite" in entry.reason
    assert not entry.mutant_rejected


def test_a_statistic_beyond_its_window_is_summed_by_the_superaccumulator() -> None:
    # the window is 1024 anticipated standard deviations wide: here 2**-20, and every replicate lies outside
    narrow = replace(MEAN, sd=1e-9)
    reports = [run(check(narrow, 1 << 20), threads=threads) for threads in (1, 3)]
    (entry,) = reports[0].entries
    assert entry.sums == "superaccumulator"
    assert entry.status == "pass"
    assert entry.digest == reports[1].entries[0].digest
    usual = run(check(replace(MEAN, sd=2.0), 1 << 20)).entries[0]
    assert usual.sums == "fixed point"
    plain = run(check(replace(narrow, delta=0.5, mutants=(Mutant(name="far", theory=9.0),)), 2048), target="python")
    compiled = run(check(replace(narrow, delta=0.5, mutants=(Mutant(name="far", theory=9.0),)), 2048))
    assert plain.entries[0].digest == compiled.entries[0].digest
    assert compiled.entries[0].interval == plain.entries[0].interval


def test_a_fourth_power_that_overflows_is_counted() -> None:
    far = replace(MEAN, theory=0.0, mutants=(Mutant(name="far", theory=5.0),))
    report = run(check(far, 1 << 12, Kernel(constant, ("x",)), 1e100))
    assert "outside the window" in report.entries[0].reason


def controlled(stream: Stream, params: list[float]) -> tuple[float, float]:
    u, v, _ = uniform_pair(stream, 0)
    c = u - 0.5
    return 3.0 * u + 0.01 * v - params[0] * c, c


def test_a_control_variate_takes_the_variance_out_and_leaves_the_mean() -> None:
    target = replace(MEAN, statistic="x", theory=1.505, delta=1e-4, sd=0.01, mutants=(Mutant(name="no v", theory=1.5),))
    kernel = Kernel(controlled, ("x", "c"))
    plain = Case(name="case", params=(0.0,), targets=(target,), budget=1 << 16)
    helped = replace(plain, control=Control(statistic="x", control="c", sd=0.3, slot=0))
    first, second = (
        run(Check(id="test.control", statement="", kernel=kernel, cases=lambda _, case=case: (case,))).entries[0]
        for case in (plain, helped)
    )
    assert first.status == "inconclusive"
    assert second.status == "pass"
    assert second.mutant_rejected
    assert second.interval is not None
    # 3 u has standard deviation 0.87, the rest 0.003
    assert second.interval[1] - second.interval[0] < 2e-4


def test_a_constant_statistic_gives_no_verdict() -> None:
    target = replace(MEAN, theory=1.0, mutants=(Mutant(name="far", theory=5.0),))
    report = run(check(target, 1 << 12, Kernel(constant, ("x",)), 1.0))
    assert "did not vary" in report.entries[0].reason


def test_a_mutant_that_survives_turns_the_check_red() -> None:
    # the control reads the same statistic, so it cannot be told apart: the check must say that it is no check
    weak = replace(MEAN, mutants=(Mutant(name="itself", statistic="x"),))
    report = run(check(weak))
    (entry,) = report.entries
    assert entry.status == "fail"
    assert "'itself' passes too" in entry.reason
    assert report.exit_code == 1


def test_numbers_do_not_depend_on_threads() -> None:
    reports = [run(check(), threads=threads).to_dict() for threads in (1, 2, 3, 7)]

    def stable(value: object) -> object:
        if isinstance(value, dict):
            return {key: stable(item) for key, item in value.items() if key not in VOLATILE}
        return [stable(item) for item in value] if isinstance(value, list) else value

    assert all(stable(report) == stable(reports[0]) for report in reports[1:])
    json.dumps(reports[0], allow_nan=False)


def test_plain_python_gives_the_same_report() -> None:
    small = check(replace(MEAN, delta=0.4, mutants=(Mutant(name="far", theory=4.0),)), 4096)
    compiled, plain = (run(small, target=target).entries[0] for target in ("cpu", "python"))
    assert compiled.digest == plain.digest
    assert compiled.interval == plain.interval


def test_another_seed_gives_other_replicates() -> None:
    assert run(check(), rng=1).entries[0].digest != run(check(), rng=2).entries[0].digest


def test_alpha_is_split_over_the_targets() -> None:
    second = replace(check(), id="test.other")
    report = run([check(), second], alpha=0.01)
    assert [entry.alpha for entry in report.entries] == [0.005, 0.005]


def test_reports_are_valid_json_even_without_an_interval() -> None:
    report = run(
        check(
            replace(MEAN, theory=1.0, mutants=(Mutant(name="far", theory=5.0),)),
            1024,
            Kernel(constant, ("x",)),
            math.pi,
        )
    )
    data = json.loads(report.to_json())
    assert data["schema"] == 1
    assert data["checks"][0]["interval"] is None
    assert data["manifest"]["engine"]["rng"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delta": 0.0}, "delta 0.0"),
        ({"delta": math.nan}, "delta nan"),
        ({"sd": 0.0}, "sd 0.0"),
        ({"mutants": ()}, "no mutant"),
        ({"mutants": (Mutant(name="near", theory=2.05),)}, "no verdict could tell them apart"),
    ],
)
def test_a_target_that_cannot_be_judged_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(MEAN, **change)


def test_unknown_statistic_and_duplicate_checks_are_refused() -> None:
    with pytest.raises(ValueError, match="names the statistic 'y'"):
        run(check(replace(MEAN, statistic="y")))
    with pytest.raises(ValueError, match=r"two checks have the id 'test\.check'"):
        run([check(), check()])


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"alpha": 0.0}, ValueError),
        ({"profile": "slow"}, ValueError),
        ({"threads": 0}, ValueError),
        ({"rng": -1}, ValueError),
    ],
)
def test_bad_options(options: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        run(check(), **options)


def test_e_values_screen_a_sweep() -> None:
    wrong = replace(MEAN, theory=2.2, mutants=(Mutant(name="far", theory=9.0),))
    sweep = [replace(check(MEAN if i % 3 else wrong), id=f"test.sweep{i}") for i in range(6)]
    report = run(sweep)
    assert report.e_rejected(0.05) == ("test.sweep0[case].mean", "test.sweep3[case].mean")
    right = [entry.log_e_value for entry in report.entries if entry.status == "pass"]
    assert max(right) < 0.0
    assert run(check(replace(MEAN, claim="at_most"))).e_rejected() == ()


@pytest.mark.parametrize("budget", [0, -5, 1.5])
def test_bad_budgets_are_refused(budget: object) -> None:
    with pytest.raises((ValueError, TypeError), match="budget is"):
        Case(name="case", params=(), targets=(MEAN,), budget=budget)
    with pytest.raises(ValueError, match="each name once"):
        Case(name="case", params=(), targets=(MEAN, MEAN), budget=10)


@pytest.mark.parametrize("chunk", [1, 1024, 3000, 1 << 20])
def test_numbers_do_not_depend_on_the_chunks(chunk: int) -> None:
    from asymptopia.verify.engine.pool import Pool
    from asymptopia.verify.engine.task import Task

    declared = check()
    (case,) = declared.cases("quick")
    job = Task.of(declared, case, 3, "cpu").job
    with Pool(3, chunk=chunk) as pool, Pool(1) as other:
        assert pool.blocks(job, 2, 61) == other.blocks(job, 2, 61)
