"""The text for a graphics processor, thread after thread: its integers are those of the CPU."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from asymptopia.verify import Case, Check, Kernel, Mutant, Target, run, select
from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import log
from asymptopia.verify.device.stream import Stream, uniform
from asymptopia.verify.engine import emulator, grid
from asymptopia.verify.engine.build import compile_kernel, unit_source
from asymptopia.verify.engine.exact import Window, accumulator, scale_array
from asymptopia.verify.engine.grid import COPIES, Grid
from asymptopia.verify.engine.judge import windows_of

KEY = (0x12345678, 0x9ABCDEF0)
GRIDS = [Grid(1, 1), Grid(3, 5), Grid(16, 8)]
CHECKS = list({check.kernel.replicate: check for check in select([])}.values())
WINDOW = Window(pivot=0.25, exponent=4)


def totals(kernel: Kernel, target: str, shape: Grid | None = None, count: int = 40, **settings: Any) -> list[int]:
    windows = settings.get("windows", (WINDOW,) * len(kernel.statistics))
    acc = accumulator(windows)
    compiled = compile_kernel(kernel, target, shape)
    edges = [0, *settings.get("cuts", ()), count]
    for first, last in pairwise(edges):
        compiled(
            *KEY, first, last - first, np.array(settings.get("params", ()), dtype=float), scale_array(windows), acc
        )
    return [int(value) for value in acc]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_shipped_kernel_gives_the_same_integers_in_every_form(check: Check) -> None:
    case = check.cases("quick")[0]
    settings = {"params": case.params, "windows": windows_of(case, check.kernel.statistics)}
    expected = totals(check.kernel, "cpu", **settings)
    assert any(expected)
    assert totals(check.kernel, "python", **settings) == expected
    for shape, cuts in zip(GRIDS, [(), (1, 17), (39,)], strict=True):
        assert totals(check.kernel, "emulator", shape, cuts=cuts, **settings) == expected


def binomials(stream: Stream, params: list[float]) -> tuple[float, int]:
    u, j = uniform(stream, 0)
    k, j = binomial(stream, j, 40, 0.3)
    return u, k - 12


def test_more_threads_than_replicates_and_more_than_copies() -> None:
    kernel = Kernel(binomials, ("u", "k"))
    expected = totals(kernel, "cpu", count=5)
    for shape in (Grid(1, 2 * COPIES), Grid(COPIES, 3), Grid(1, 5), Grid(2, 2)):
        assert totals(kernel, "emulator", shape, count=5) == expected


def test_a_launch_adds_to_what_is_there() -> None:
    kernel = Kernel(binomials, ("u", "k"))
    acc = [5] * 18
    compile_kernel(kernel, "emulator")(*KEY, 0, 10, [], scale_array([WINDOW] * 2), acc)
    assert [value - 5 for value in acc] == totals(kernel, "cpu", count=10)


def troubled(stream: Stream, params: list[float]) -> tuple[float, float]:
    """Return something usable, not finite or out of bounds, in turn."""
    r = stream[2] % 4
    u, _ = uniform(stream, 0)
    if r == 1:
        return log(-1.0), 1.0
    if r == 2:
        return u, 1.0 / float(stream[2] - stream[2])
    if r == 3:
        return 1e9 * (1.0 + u), u
    return u, 1.0


def test_refused_replicates_are_counted_as_on_the_cpu() -> None:
    kernel = Kernel(troubled, ("a", "b"))
    expected = totals(kernel, "cpu")
    assert expected[-2:] == [20, 10]
    # where plain Python raises ZeroDivisionError
    assert all(totals(kernel, "emulator", shape) == expected for shape in GRIDS)


def large_product(stream: Stream, params: list[float]) -> float:
    # from 2**63 to 2**64: negative in 64 bits
    return int(params[0]) * int(params[1]) * 8.673617379884035e-19


def test_integers_are_those_of_64_bits() -> None:
    kernel = Kernel(large_product, ("x",))
    factors = (2.0**32 - 1.0, 3.0 * 2.0**30)
    assert totals(kernel, "emulator", params=factors) == totals(kernel, "cpu", params=factors)
    assert totals(kernel, "python", params=factors) != totals(kernel, "cpu", params=factors)
    with pytest.raises(OverflowError, match="more than 64 bits: 18446744073709551616"):
        totals(kernel, "emulator", params=(2.0**32, 2.0**32))


def counting(stream: Stream, params: list[float]) -> float:
    i = int(params[0])
    i += i
    i = -i - 1 << 1
    return i * 1.0


def test_where_an_overflow_is_found() -> None:
    kernel = Kernel(counting, ("x",))
    for value in (0.0, 3.0, -5.0):
        assert totals(kernel, "emulator", params=(value,)) == totals(kernel, "cpu", params=(value,))
    with pytest.raises(OverflowError, match="more than 64 bits"):
        totals(kernel, "emulator", params=(2.0**62 - 1024.0,))
    for value in (1e19, -math.inf, math.nan):
        with pytest.raises(OverflowError, match="64-bit"):
            totals(kernel, "emulator", params=(value,))


def test_checked_arithmetic() -> None:
    assert [emulator.int64(value) for value in (2**63, 2**64 - 1, -(2**63), 1.5, True)] == [
        -(2**63),
        -1,
        -(2**63),
        1.5,
        True,
    ]
    with pytest.raises(OverflowError, match="more than 64 bits"):
        emulator.int64(-(2**63) - 1)
    with pytest.raises(OverflowError, match="sum of limbs"):
        emulator.atomic_add([2**63 - 1], 0, 1)
    assert emulator.quotient(1, 4) == 0.25
    assert [emulator.quotient(a, b) for a, b in ((1.0, 0.0), (1.0, -0.0), (-2, 0))] == [math.inf, -math.inf, -math.inf]
    assert math.isnan(emulator.quotient(0.0, 0.0))
    assert math.isnan(emulator.quotient(math.nan, 0.0))


def test_no_sum_of_a_launch_can_overflow() -> None:
    """The bounds that the module states, at the largest values and remainders a window allows."""
    for exponent in (-60, 0, 7, 200):
        scales = Window(pivot=0.0, exponent=exponent).scales()
        for power in range(1, 5):
            up, down, fine = scales[3 * power - 1 : 3 * power + 2]
            for y in (2.0 ** (power * exponent), 2.0 ** (power * exponent) * (1 - 2.0**-53), down * 0.5):
                first, second = grid.limbs_of(y, up, down, fine)
                assert abs(first) <= 2**31
                assert abs(second) <= 2**41


def extremes(stream: Stream, params: list[float]) -> tuple[float, float, float]:
    nan = log(-1.0)
    kept = max(nan, 0.5)
    lost = max(0.5, nan, 0.25)
    zero = min(0.0, -0.0)
    return (1.0 if kept == kept else 2.0), lost, (1.0 / zero if zero == zero else 0.0)


def test_min_and_max_are_those_of_python() -> None:
    kernel = Kernel(extremes, ("kept", "lost", "zero"))
    expected = totals(kernel, "cpu")
    assert expected[-2] == 40
    assert totals(kernel, "emulator") == expected
    text = unit_source(kernel, "emulator")
    assert "min(" not in text
    assert "max(" not in text
    assert "greatest_of_two(greatest_of_two(0.5, nan), 0.25)" in text


def limbs_of(stream: Stream, params: list[float]) -> float:
    return 1.0


def _grid(stream: Stream, params: list[float]) -> float:
    return 1.0


def test_names_of_the_generated_source_are_taken() -> None:
    with pytest.raises(TypeError, match="'limbs_of' names two different objects"):
        compile_kernel(Kernel(limbs_of, ("x",)), "emulator")
    with pytest.raises(TypeError, match="'_grid' is taken"):
        compile_kernel(Kernel(_grid, ("x",)), "emulator")


@pytest.mark.parametrize(("blocks", "threads"), [(0, 1), (1, -1), (1.0, 1), (True, 1)])
def test_wrong_shapes(blocks: Any, threads: Any) -> None:
    with pytest.raises(ValueError, match="integer of at least 1"):
        Grid(blocks, threads)


def test_a_run_in_the_emulator_gives_the_report_of_the_cpu() -> None:
    target = Target(
        name="mean",
        statistic="u",
        theory=0.5,
        delta=0.2,
        delta_reason="stated band",
        sd=0.3,
        mutants=(Mutant(name="far", theory=2.0),),
    )
    kernel = Kernel(binomials, ("u", "k"))
    case = Case(name="", params=(), targets=(target,), budget=2048)
    check = Check(id="test.emulated", statement="A uniform", kernel=kernel, cases=lambda _: (case,))
    first, second = (run(check, target=name).entries[0] for name in ("cpu", "emulator"))
    assert first.status == second.status == "pass"
    assert first.digest == second.digest
    assert first.spec == second.spec
    assert (first.device, second.device) == ("cpu", "emulator")
