"""The ``asymptopia`` command. Only the module of the command that was asked for is imported."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import asymptopia

COMMANDS = {
    "verify": ("asymptopia.verify.cli", "run the Monte Carlo checks that could refute the theory"),
    "merge": ("asymptopia.verify.merge", "judge the blocks that shards left in their ledgers"),
    "report": ("asymptopia.verify.render", "render a saved report as a table, HTML or JUnit XML"),
    "rerun": ("asymptopia.verify.rerun", "repeat a saved report on this machine and compare the totals"),
    "warmup": ("asymptopia.verify.warmup", "compile every kernel, so that the first run does not wait"),
    "list": ("asymptopia._cli.listing", "show every claim with its proof, oracle and checks"),
    "iv": ("asymptopia._cli.iv", "information value of every column against a binary target"),
    "psi": ("asymptopia._cli.psi", "population stability of every column between two tables"),
    "bon": ("asymptopia._cli.bon", "reward of best-of-n and of a KL budget, from a table of rewards"),
    "scaling": ("asymptopia._cli.scaling", "optimal model size from training runs, and the bias of Approach 2"),
    "radius": ("asymptopia._cli.radius", "how long a step the series of cross-entropy allows; where the loss falls"),
    "pn": ("asymptopia._cli.pn", "is n large enough for p parameters: verdict and required n, from a table"),
    "kde": ("asymptopia._cli.kde", "regime and bandwidth of a density estimate in high dimension, from a table"),
    "cite": ("asymptopia._cli.cite", "print the BibTeX entries behind a result"),
    "explore": ("asymptopia._cli.explore", "open the explorer: sliders for n, p, d, N, and the theory redrawn"),
    "completion": ("asymptopia._cli.completion", "print a script that completes commands and options in a shell"),
    "doctor": ("asymptopia._cli.doctor", "show versions, vectorisation and which devices are usable"),
    "selftest": ("asymptopia._cli.selftest", "check this installation against known values, without pytest"),
}
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class UserError(Exception):
    """An error in what the user gave: shown as one line, exit status 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit status of the command line `argv` (``sys.argv[1:]`` if None)."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="asymptopia", description="Does the asymptotic theory hold at my n?", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"asymptopia {asymptopia.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asked = next((word for word in words if not word.startswith("-")), None)
    modules: dict[str, Any] = {}
    for name, (target, text) in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
        if name == asked:
            modules[name] = import_module(target)
            modules[name].configure(sub)
    options = parser.parse_args(words)
    try:
        return int(modules[options.command].run(options))
    except UserError as error:
        print(f"asymptopia {options.command}: {error}", file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    except KeyboardInterrupt:
        print(f"asymptopia {options.command}: interrupted", file=sys.stderr)  # noqa: T201
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # the reader (head, less) closed the pipe; keep the interpreter from complaining at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
