"""``asymptopia selftest``: known values, proofs and reproducibility of this installation, without pytest."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator

from asymptopia._cli.console import console, show_table, table, write_json

Part = tuple[str, Callable[[], None]]

# good and bad counts of the status of the checking account in the German credit data (Statlog)
GOOD, BAD = [139, 49, 164, 348], [135, 14, 105, 46]
KERNEL_DIGEST = "99d09b635ed8f640"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", metavar="FILE", help="write the outcome as JSON (- for standard output)")


def run(options: argparse.Namespace) -> int:
    """Run every part; 0 if all hold, else 1."""
    outcomes = []
    for name, part in parts():
        started = time.perf_counter()
        try:
            part()
            error = ""
        except Exception as failure:  # noqa: BLE001 - a broken installation may fail in any way
            error = f"{type(failure).__name__}: {failure}"
        outcomes.append({"part": name, "ok": not error, "error": error, "seconds": time.perf_counter() - started})
    passed = sum(bool(outcome["ok"]) for outcome in outcomes)
    if options.json:
        write_json(options.json, {"schema": 1, "parts": outcomes})
    if options.json != "-":
        rows = [
            (str(o["part"]), "ok" if o["ok"] else f"FAILED {o['error']}", f"{o['seconds']:.2f} s") for o in outcomes
        ]
        out = console()
        show_table(out, table(("part", "outcome", "time"), rows, right=("time",)))
        out.print(f"selftest: {passed} of {len(outcomes)} parts hold")
    return 0 if passed == len(outcomes) else 1


def parts() -> Iterator[Part]:
    """Yield the parts by name."""
    yield "information value against 50-digit values", _information_value
    yield "SNC interval against 50-digit values", _interval
    yield "deep tail against 50-digit values", _tail
    yield "symbolic proof of every claim", _proofs
    yield "Philox4x32-10 known answers", _philox
    yield "kernel totals equal those of every other machine", _digest


def _close(found: float, expected: float, tolerance: float) -> None:
    if not abs(found - expected) <= tolerance * abs(expected):
        message = f"{found!r} instead of {expected!r}"
        raise AssertionError(message)


def _information_value() -> None:
    from asymptopia.theory.scorecard import information_value

    found = information_value(GOOD, BAD)
    _close(found.estimate, 0.666011503351333513, 1e-14)
    _close(found.se, 0.114461008811322029, 1e-14)
    _close(found.bias, 0.0178990026602358011, 1e-13)
    _close(found.statistic, 139.862415703780038, 1e-14)
    _close(found.pvalue, 4.04692737124845037e-30, 1e-12)


def _interval() -> None:
    from asymptopia.theory.scorecard import information_value

    low, high = information_value(GOOD, BAD).confidence_interval(0.95)
    _close(low, 0.44934019471703021, 1e-10)
    _close(high, 0.894600462473773704, 1e-10)


def _tail() -> None:
    from asymptopia.theory._core.gamma_tails import log_gammaincc

    # log Q(9/2, 50000) = log of the chi-square survival function at 1e5 on 9 degrees of freedom
    _close(float(log_gammaincc(4.5, 50_000.0)), -49964.584442574356, 1e-13)


def _proofs() -> None:
    from asymptopia.theory._core.lazy import resolve
    from asymptopia.theory._core.registry import claims

    for claim in claims():
        derive = resolve(claim.proof)
        if not derive().proved():  # type: ignore[operator]
            raise AssertionError(claim.id)


def _philox() -> None:
    from asymptopia.verify.device.philox import philox4x32

    ones = 0xFFFFFFFF
    known = {
        (0, 0, 0, 0, 0, 0): (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
        (ones, ones, ones, ones, ones, ones): (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0): (
            0xD16CFE09,
            0x94FDCCEB,
            0x5001E420,
            0x24126EA1,
        ),
    }
    for arguments, words in known.items():
        if philox4x32(*arguments) != words:
            raise AssertionError(arguments)


def _digest() -> None:
    from asymptopia.verify.checks.scorecard_kernels import null_statistics
    from asymptopia.verify.engine.build import Kernel, compile_kernel
    from asymptopia.verify.engine.exact import Totals, Window, accumulator, scale_array

    names = ("T", "reject", "with_n", "excludes", "excludes_fixed", "excludes_independent", "excludes_no_cross")
    kernel = Kernel(null_statistics, names)
    quarter = (1 / 4, 1 / 3, 1 / 2, 1.0)
    rows = [value for share in quarter for value in (share, share, 0.25, 0.25, 0.0, 0.0)]
    params = [4.0, 1000.0, 500.0, 0.5, 0.0, 1000 / 3, 7.814727903251179, 1.959963984540054, *rows]
    windows = [Window.covering(3.0, 1024.0)] + [Window.covering(0.0, 1.0)] * (len(names) - 1)
    acc = accumulator(windows)
    compile_kernel(kernel)(1, 2, 0, 4096, params, scale_array(windows), acc)
    found = Totals.of(acc, 4096).digest()
    if found != KERNEL_DIGEST:
        message = f"digest {found}, expected {KERNEL_DIGEST}"
        raise AssertionError(message)
