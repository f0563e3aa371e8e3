"""Lets one text serve the repository's reader and the site: links out of docs are led to their place on the site."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PLACES = {"examples": "notebooks", "docs": ""}
_LINK = re.compile(r"(\]\()((?:\.\./)*)(examples|benchmarks|docs)/([^)#\s]+)")


def lead(_app: Sphinx, name: str, source: list[str]) -> None:
    """Rewrite the links of one page."""
    up = "../" * name.count("/")

    def place(match: re.Match[str]) -> str:
        folder, path = match[3], match[4]
        if folder == "benchmarks":
            return f"{match[1]}{up}performance.md"
        if folder == "examples" and path.endswith(".py"):
            return f"{match[1]}{up}guide/scripts.md"
        prefix = PLACES[folder]
        return f"{match[1]}{up}{prefix + '/' if prefix else ''}{path}"

    source[0] = _LINK.sub(place, source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", lead)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
