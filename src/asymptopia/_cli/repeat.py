"""The command line that repeats a run, as a report shows it."""

from __future__ import annotations

import argparse
from pathlib import Path

OUTPUTS = ("json", "html", "plot")
POSITIONAL = ("data", "reference", "current")
NOT_REPEATED = (*OUTPUTS, *POSITIONAL, "detail", "date", "command", "default_of", "about")


def command_line(options: argparse.Namespace) -> list[str]:
    """Return the words that repeat the run: names of files without their folders, and what is not at its default."""
    words = ["asymptopia", options.command]
    words += [Path(path).name for name in POSITIONAL if (path := getattr(options, name, None))]
    for name, value in vars(options).items():
        if name not in NOT_REPEATED and value != options.default_of(name):
            words.append(f"--{name.replace('_', '-')}")
            words += [] if value is True else [str(value)]
    return words
