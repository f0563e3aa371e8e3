"""Print the oldest versions that the project says it works with, as requirements for pip.

``python tests/packaging/lowest.py [EXTRA ...]`` prints one ``name==version`` a line: of the run dependencies, and of
the extras named.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?P<extras>\[[\w,-]+\])?>=(?P<version>\d+(\.\d+)*)")


def lowest(requirements: list[str]) -> list[str]:
    """Return each requirement with its lower bound as the version.

    Parameters
    ----------
    requirements : list of str
        As ``name>=version``, perhaps with extras of that package; nothing else is a lower bound that can be tested.

    Returns
    -------
    list of str
        As ``name==version``.

    Raises
    ------
    ValueError
        If a requirement has another form.
    """
    found = []
    for entry in requirements:
        match = REQUIREMENT.fullmatch(entry.replace(" ", ""))
        if match is None:
            message = f"requirement {entry!r} is not of the form name>=version: its oldest version cannot be told"
            raise ValueError(message)
        found.append(f"{match['name']}{match['extras'] or ''}=={match['version']}")
    return found


def declared(extras: list[str]) -> list[str]:
    """Return the run dependencies of the project and those of the extras, as written."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(entry for extra in extras for entry in project["optional-dependencies"][extra])]


if __name__ == "__main__":
    sys.stdout.write("\n".join(lowest(declared(sys.argv[1:]))) + "\n")
