"""``asymptopia verify``: run the checks and report."""

from __future__ import annotations

import argparse
import sys

from asymptopia._cli import UserError
from asymptopia._cli.console import console
from asymptopia._progress import watched
from asymptopia.verify import output
from asymptopia.verify.checks import select
from asymptopia.verify.engine import cuda
from asymptopia.verify.engine.check import PROFILES
from asymptopia.verify.engine.report import EXIT_FAIL, EXIT_INCONCLUSIVE, EXIT_INTERRUPTED
from asymptopia.verify.engine.run import ALPHA, run_shard
from asymptopia.verify.engine.run import run as run_checks
from asymptopia.verify.engine.targets import differences


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="check, claim or result; all if left out")
    parser.add_argument("--profile", choices=PROFILES, default="standard", help="cases and budgets (standard)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the run (0)")
    parser.add_argument("--alpha", type=float, default=ALPHA, help=f"false-alarm rate of the whole run ({ALPHA})")
    parser.add_argument("--threads", type=int, help="threads (all processors); no number depends on them")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where kernels run (cpu)")
    parser.add_argument("--require-gpu", action="store_true", help="run on a CUDA device as well, and compare")
    parser.add_argument("--scheduler", metavar="URL", help="compute on the workers of a Dask scheduler")
    parser.add_argument("--ledger", metavar="FOLDER", help="record finished blocks there as they come")
    parser.add_argument("--resume", action="store_true", help="go on with the run that the ledger holds")
    parser.add_argument("--shard", metavar="I/N", help="compute part I of N into the ledger, without a verdict")
    output.configure(parser)


def run(options: argparse.Namespace) -> int:
    """Run the checks; 0 all pass, 1 a failure, 3 inconclusive or no such device."""
    if options.require_gpu and options.shard:
        message = "--require-gpu compares two reports and --shard makes none; --device cuda computes a shard there"
        raise UserError(message)
    if options.device == "cuda" or options.require_gpu:
        usable, reason = cuda.available()
        if not usable:
            return _no_device(reason)
    try:
        chosen = select(options.checks)
    except KeyError as error:
        raise UserError(str(error.args[0])) from None
    if options.scheduler and (options.shard or options.require_gpu or options.device != "cpu"):
        message = "--scheduler runs whole runs on CPUs: it goes with neither --shard nor a GPU"
        raise UserError(message)
    if options.ledger is None and (options.resume or options.shard):
        message = "--resume and --shard need --ledger FOLDER"
        raise UserError(message)
    output.check_files(options)
    settings = {
        "profile": options.profile,
        "rng": options.seed,
        "alpha": options.alpha,
        "threads": options.threads,
        "ledger": options.ledger,
        "resume": options.resume,
        "target": options.device,
    }
    differing: list[str] = []
    try:
        with watched(None if options.quiet else "auto") as progress:
            if options.shard:
                shard, shards = _shard(options.shard)
                count = run_shard(chosen, shard, shards, progress=progress, **settings)
            else:
                report = run_checks(chosen, progress=progress, scheduler=options.scheduler, **settings)
                if options.require_gpu:
                    other = {"target": "cpu" if options.device == "cuda" else "cuda", "ledger": None, "resume": False}
                    differing = differences(report, run_checks(chosen, progress=progress, **settings | other))
    except cuda.NoDeviceError as error:
        return _no_device(str(error))
    except ModuleNotFoundError as error:
        message = f"--scheduler needs {error.name}: pip install 'asymptopia[dask]'"
        raise UserError(message) from error
    except (ValueError, TypeError, OSError) as error:
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
    code = output.show(report, options)
    if options.require_gpu:
        same = len(report.entries) - len(differing)
        names = f"; these differ: {', '.join(differing)}" if differing else ""
        sys.stderr.write(f"asymptopia verify: {same} of {len(report.entries)} totals agree on cpu and cuda{names}\n")
    return EXIT_FAIL if differing else code


def _no_device(reason: str) -> int:
    sys.stderr.write(f"asymptopia verify: cannot use a CUDA device: {reason}\n")
    return EXIT_INCONCLUSIVE


def _shard(text: str) -> tuple[int, int]:
    first, _, second = text.partition("/")
    if not (first.isdecimal() and second.isdecimal() and 1 <= int(first) <= int(second)):
        message = f"--shard is {text!r}; expected I/N with 1 <= I <= N"
        raise UserError(message)
    return int(first), int(second)
