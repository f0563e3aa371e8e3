"""``asymptopia rerun``: repeat a saved report on this machine and compare the totals."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from asymptopia._cli import UserError
from asymptopia._cli.console import console, show_table, table, write_json
from asymptopia.verify.engine.cuda import NoDeviceError
from asymptopia.verify.engine.entry import plain
from asymptopia.verify.engine.report import EXIT_INCONCLUSIVE, Report
from asymptopia.verify.engine.rerun import Comparison, RangeTotals, block_totals, compare
from asymptopia.verify.output import check_files, read_report


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("report", metavar="REPORT_JSON", help="what asymptopia verify --json wrote")
    parser.add_argument("entry", nargs="?", metavar="TARGET", help="one target of it; all if left out")
    parser.add_argument("--blocks", metavar="A:B", help="print the totals of the blocks A to B - 1 instead")
    parser.add_argument("--threads", type=int, help="threads (all processors); no number depends on them")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where kernels run (cpu)")
    parser.add_argument("--json", metavar="FILE", help="write the outcome as JSON (- for standard output)")


def run(options: argparse.Namespace) -> int:
    """Repeat; 0 if every total agrees, 1 if not, 3 if there is no such device."""
    check_files(options)
    report = read_report(options.report)
    try:
        if options.blocks:
            return _ranges(report, _range(options.blocks), options)
        return _all(report, options)
    except NoDeviceError as error:
        sys.stderr.write(f"asymptopia rerun: no CUDA device can be used: {error}\n")
        return EXIT_INCONCLUSIVE
    except KeyError as error:
        raise UserError(str(error.args[0])) from None
    except (ValueError, TypeError) as error:
        raise UserError(str(error)) from error


def _all(report: Report, options: argparse.Namespace) -> int:
    out = None if options.json == "-" else console()
    found: list[Comparison] = []
    for item in compare(report, options.entry, threads=options.threads, target=options.device):
        found.append(item)
        if out is not None:
            # a line at once: a long run is to be watched
            word = "equal  " if item.equal else "DIFFERS"
            digests = item.found if item.equal else f"{item.found or 'none'}, recorded {item.recorded or 'none'}"
            reason = f"; {item.note}" if item.note else ""
            out.print(f"{word} {item.id}: {item.replicates:,} replicates, digest {digests}{reason}", markup=False)
    same = sum(item.equal for item in found)
    if options.json:
        fields = ("id", "replicates", "recorded", "found", "note", "equal")
        write_json(options.json, {"schema": 1, "targets": [{k: getattr(i, k) for k in fields} for i in found]})
    if out is not None:
        out.print(f"rerun: {same} of {len(found)} targets have equal totals", markup=False)
    return 0 if same == len(found) else 1


def _ranges(report: Report, blocks: tuple[int, int], options: argparse.Namespace) -> int:
    found = list(block_totals(report, *blocks, options.entry, threads=options.threads, target=options.device))
    if options.json:
        write_json(options.json, {"schema": 1, "ranges": [plain(item.to_dict()) for item in found]})
    if options.json != "-":
        out = console()
        for item in found:
            totals = item.totals
            left_out = totals.nonfinite + totals.outside
            text = (
                f"{item.case}: blocks {item.first} to {item.last - 1}, {totals.count:,} replicates, {left_out} left out"
            )
            out.print(f"{text}, digest {totals.digest()}", markup=False)
            columns = ("statistic", "mean", "variance", "skewness", "kurtosis")
            show_table(out, table(columns, _moments(item), right=columns[1:]))
            if item.note:
                out.print(f"{item.case}: {item.note}", markup=False)
    return 1 if any(item.note for item in found) else 0


def _moments(item: RangeTotals) -> Iterator[tuple[str, ...]]:
    for name, m in item.moments.items():
        yield name, f"{m.mean:.17g}", f"{m.variance:.17g}", f"{m.skewness:.6g}", f"{m.kurtosis:.6g}"


def _range(text: str) -> tuple[int, int]:
    first, colon, last = text.partition(":")
    # isdecimal alone would let through digits of other scripts
    if not (colon and text.isascii() and first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        message = f"--blocks is {text!r}; expected A:B with 0 <= A < B"
        raise UserError(message)
    return int(first), int(last)
