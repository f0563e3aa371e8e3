"""``asymptopia doctor``: what this installation can do."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import asymptopia
from asymptopia._cli.console import console, show_table, table, write_json
from asymptopia.theory._core.units import cache_dir
from asymptopia.verify.engine.cpu import fill_vectorisation
from asymptopia.verify.engine.manifest import PACKAGES, cpu_name, versions
from asymptopia.verify.engine.pool import resolve_threads
from asymptopia.verify.engine.targets import status

OPTIONAL = {
    "numba-cuda": "gpu",
    "distributed": "dask",
    "python-flint": "certify",
    "scikit-learn": "sklearn",
    "marimo": "app",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", metavar="FILE", help="write the facts as JSON (- for standard output)")


def run(options: argparse.Namespace) -> int:
    """Print the facts; 0 if kernels compile and are vectorised or the machine has no wide registers, else 1."""
    facts = gather()
    if options.json:
        write_json(options.json, facts)
    if options.json != "-":
        # what stands in brackets is no markup
        rows = [(key, _text(value).replace("[", r"\[")) for key, value in facts.items()]
        show_table(console(), table(("fact", "value"), rows))
    return 0 if facts["kernels"] == "ok" else 1


def gather() -> dict[str, Any]:
    """Return versions, processor, vectorisation, cache and devices."""
    facts: dict[str, Any] = {
        "asymptopia": asymptopia.__version__,
        "python": sys.version.split()[0],
        **versions((*PACKAGES, "statsmodels", "matplotlib", "narwhals", "rich")),
        "processor": cpu_name(),
        "threads": resolve_threads(None),
    }
    folder = cache_dir()
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    facts["kernel cache"] = str(folder) + ("" if os.access(nearest, os.W_OK) else " (not writable: temporary folder)")
    try:
        facts["vector instructions"] = fill_vectorisation()
        facts["kernels"] = "ok"
    except Exception as error:  # noqa: BLE001 - the doctor reports whatever is broken
        facts["kernels"] = f"broken: {error}"
    facts |= {f"target {name}": text for name, text in status().items()}
    for package, extra in OPTIONAL.items():
        found = versions((package,))[package]
        facts[package] = found or f"not installed (extra: {extra})"
    return facts


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    return str(value)
