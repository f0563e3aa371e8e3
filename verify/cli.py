"""``asymptopia verify``: run the checks and report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from asymptopia._cli import UserError
from asymptopia._cli.console import console, table, write_json
from asymptopia.verify.checks import select
from asymptopia.verify.engine.check import PROFILES
from asymptopia.verify.engine.report import EXIT_INCONCLUSIVE, EXIT_INTERRUPTED, Entry, Report
from asymptopia.verify.engine.run import ALPHA, Progress, ProgressCallback, run_shard
from asymptopia.verify.engine.run import run as run_checks

if TYPE_CHECKING:
    from rich.console import Console


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="check, claim or result; all if left out")
    parser.add_argument("--profile", choices=PROFILES, default="standard", help="cases and budgets (standard)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the run (0)")
    parser.add_argument("--alpha", type=float, default=ALPHA, help=f"false-alarm rate of the whole run ({ALPHA})")
    parser.add_argument("--threads", type=int, help="threads (all processors); no number depends on them")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where kernels run (cpu)")
    parser.add_argument("--ledger", metavar="FOLDER", help="record finished blocks there as they come")
    parser.add_argument("--resume", action="store_true", help="go on with the run that the ledger holds")
    parser.add_argument("--shard", metavar="I/N", help="compute part I of N into the ledger, without a verdict")
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON (- for standard output)")
    parser.add_argument("--quiet", action="store_true", help="print the closing line only")


def run(options: argparse.Namespace) -> int:
    """Run the checks; 0 all pass, 1 a failure, 3 inconclusive or no such device."""
    if options.device == "cuda":
        sys.stderr.write("asymptopia verify: --device cuda is not available: this version has no CUDA target yet\n")
        return EXIT_INCONCLUSIVE
    try:
        chosen = select(options.checks)
    except KeyError as error:
        raise UserError(str(error.args[0])) from None
    if options.ledger is None and (options.resume or options.shard):
        message = "--resume and --shard need --ledger FOLDER"
        raise UserError(message)
    settings = {
        "profile": options.profile,
        "rng": options.seed,
        "alpha": options.alpha,
        "threads": options.threads,
        "ledger": options.ledger,
        "resume": options.resume,
    }
    try:
        with _progress(quiet=options.quiet) as progress:
            if options.shard:
                shard, shards = _shard(options.shard)
                count = run_shard(chosen, shard, shards, progress=progress, **settings)
            else:
                report = run_checks(chosen, progress=progress, **settings)
    except (ValueError, TypeError) as error:
        raise UserError(str(error)) from error
    except KeyboardInterrupt:
        if options.ledger:
            sys.stderr.write(f"asymptopia verify: interrupted; --ledger {options.ledger} --resume goes on\n")
            return EXIT_INTERRUPTED
        raise
    if options.shard:
        text = f"shard {options.shard}: {count} replicates; asymptopia merge {options.ledger} judges them all"
        console().print(text, markup=False)
        return 0
    return show(report, options)


def show(report: Report, options: argparse.Namespace) -> int:
    """Write and print a report; return its exit status."""
    if options.json:
        write_json(options.json, report.to_dict())
    # standard output belongs to the JSON if it was asked for there
    _show(report, console(sys.stderr if options.json == "-" else sys.stdout), quiet=options.quiet)
    return report.exit_code


def _shard(text: str) -> tuple[int, int]:
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
        message = f"--shard is {text!r}; expected I/N with 1 <= I <= N"
        raise UserError(message)
    return int(first), int(second)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[ProgressCallback | None]:
    """Yield a callback that draws a bar on a terminal, or None where nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console(sys.stderr), transient=True) as bar:
        tasks = {}

        def show(news: Progress) -> None:
            if news.case not in tasks:
                tasks[news.case] = bar.add_task(news.case, total=news.budget)
            # a verdict before the budget is spent fills the bar
            bar.update(tasks[news.case], completed=news.budget if news.finished else news.done)
            if news.finished:
                bar.remove_task(tasks[news.case])

        yield show


def _show(report: Report, out: Console, *, quiet: bool) -> None:
    if not quiet:
        names = ("check", "theory", "estimate", "interval", "delta", "replicates", "mutants", "result")
        rows = [_row(entry) for entry in report.entries]
        out.print(table(names, rows, right=names[1:6]))
        for entry in report.entries:
            if entry.reason:
                out.print(f"{entry.id}: {entry.status}: {entry.reason}", markup=False)
    out.print(report.summary(), markup=False)


def _row(entry: Entry) -> tuple[str, ...]:
    style = {"pass": "green", "fail": "bold red", "inconclusive": "yellow"}[entry.status]
    interval = "" if entry.interval is None else f"[{entry.interval[0]:.6g}, {entry.interval[1]:.6g}]"
    rejected = sum(mutant.rejected for mutant in entry.mutants)
    return (
        entry.id.replace("[", r"\["),
        f"{entry.theory:.6g}",
        f"{entry.estimate:.6g}",
        interval.replace("[", r"\["),
        f"{entry.delta:.2g}",
        f"{entry.replicates}",
        f"{rejected}/{len(entry.mutants)} rejected",
        f"[{style}]{entry.status.upper()}[/{style}]",
    )
