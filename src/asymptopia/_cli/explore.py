"""``asymptopia explore``: sliders over sample sizes and parameters, with the theory redrawn."""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import asymptopia
from asymptopia._cli import UserError

PORTS = range(1, 65536)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--port", type=int, help="port of this machine to serve on (one that is free)")
    parser.add_argument("--headless", action="store_true", help="open no browser; print the address only")


def run(options: argparse.Namespace) -> int:
    """Serve the explorer to this machine until interrupted; return marimo's exit status."""
    if options.port is not None and options.port not in PORTS:
        message = f"--port is {options.port}; expected a number from {PORTS[0]} to {PORTS[-1]}"
        raise UserError(message)
    if find_spec("marimo") is None:
        message = "the explorer needs marimo, which is not installed; install the extra: pip install 'asymptopia[app]'"
        raise UserError(message)
    return subprocess.run(command(options), check=False).returncode


def command(options: argparse.Namespace) -> list[str]:
    """Return the command line that serves the packaged notebook, with the interpreter that runs this."""
    words = [sys.executable, "-m", "marimo", "run", str(notebook()), "--host", "127.0.0.1"]
    if options.port is not None:
        words += ["--port", str(options.port)]
    return [*words, *(["--headless"] if options.headless else [])]


def notebook() -> Path:
    """Return the notebook's file."""
    return Path(asymptopia.__file__).resolve().parent / "_app" / "explorer.py"
