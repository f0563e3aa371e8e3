"""Write the inventories of NumPy and Matplotlib from the few names that our pages refer to."""

from __future__ import annotations

import zlib
from pathlib import Path

_BITS = "reference/random/bit_generators/generated"
NAMES = {
    "numpy": {
        "numpy.ndarray": ("class", "reference/generated/numpy.ndarray.html"),
        "numpy.random.Generator": ("class", "reference/random/generator.html"),
        "numpy.random.BitGenerator": ("class", f"{_BITS}/numpy.random.BitGenerator.html"),
        "numpy.random.SeedSequence": ("class", f"{_BITS}/numpy.random.SeedSequence.html"),
        "numpy.random.default_rng": ("function", "reference/random/generator.html"),
    },
    "matplotlib": {
        "matplotlib.axes.Axes": ("class", "api/_as_gen/matplotlib.axes.Axes.html"),
        "matplotlib.figure.Figure": ("class", "api/_as_gen/matplotlib.figure.Figure.html"),
    },
}


def inventory(project: str, names: dict[str, tuple[str, str]]) -> bytes:
    """Return an inventory of version 2."""
    head = f"# Sphinx inventory version 2\n# Project: {project}\n# Version: \n"
    head += "# The remainder of this file is compressed using zlib.\n"
    lines = [f"{name} py:{kind} 1 {page}#$ -\n" for name, (kind, page) in sorted(names.items())]
    return head.encode() + zlib.compress("".join(lines).encode(), 9)


if __name__ == "__main__":
    for project, names in NAMES.items():
        (Path(__file__).parent / f"{project}.inv").write_bytes(inventory(project, names))
