"""Reads the examples' MyST notebooks and runs them as Jupyter does."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = tuple(sorted(path.stem for path in EXAMPLES.glob("*.md")))
_DATA = ("GERMAN_CREDIT_CSV", "ASYMPTOPIA_DATA")
REASON = "notebooks need jupytext, nbclient and ipykernel"


def jupytext() -> Any:
    """Return the module that reads the sources; the test skips where it is missing."""
    return pytest.importorskip("jupytext", reason=REASON)


def read(name: str) -> Any:
    """Return the notebook of a source, without outputs."""
    return jupytext().read(EXAMPLES / f"{name}.md", fmt="md:myst")


def section(name: str, *headings: str) -> str:
    """Return the code below headings that start so, up to the next heading."""
    chosen, inside = [], False
    for cell in read(name).cells:
        if cell.cell_type == "code":
            chosen += [cell.source] * inside
            continue
        for line in cell.source.splitlines():
            if line.startswith("#"):
                inside = line.lstrip("# ").startswith(headings)
    assert chosen, f"{name} has no code below {headings}"
    return "\n".join(chosen)


def run(
    name: str, folder: Path, *steps: str, env: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return what each of the `steps` prints as JSON last, and the outputs of all cells.

    The steps run after the notebook, in its kernel; `env` names the data that it shall find, and no other is found.
    """
    nbclient, nbformat = (pytest.importorskip(module, reason=REASON) for module in ("nbclient", "nbformat"))
    pytest.importorskip("ipykernel", reason=REASON)
    notebook = read(name)
    own = len(notebook.cells)
    notebook.cells += [nbformat.v4.new_code_cell(step) for step in steps]
    # a user's own configuration of IPython or matplotlib must not change what is tested
    kept = {key: value for key, value in os.environ.items() if key not in _DATA}
    kept |= {"IPYTHONDIR": str(folder / "ipython"), "MPLCONFIGDIR": str(folder / "matplotlib")}
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env=kept | dict(env or {}))  # raises CellExecutionError with the traceback of the cell that fails
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []
    last = [[output.text for output in cell.outputs if "text" in output][-1] for cell in notebook.cells[own:]]
    return [json.loads(text.splitlines()[-1]) for text in last], outputs[: count(notebook.cells[:own])]


def count(cells: Sequence[Any]) -> int:
    """Return the number of outputs of the cells."""
    return sum(len(cell.outputs) for cell in cells if cell.cell_type == "code")


def figures(outputs: Sequence[Any]) -> int:
    """Return the number of figures among the outputs."""
    return sum("image/png" in output.get("data", {}) for output in outputs)


def printed(outputs: Sequence[Any]) -> str:
    """Return all that was printed."""
    return "".join(output.text for output in outputs if output.output_type == "stream")
