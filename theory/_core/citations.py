"""The one bibliography: BibTeX entries by key."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files


@cache
def bibliography() -> dict[str, str]:
    """Return every BibTeX entry, as written in ``references.bib``, by its key."""
    text = files("asymptopia.theory").joinpath("references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^@\w+\{([^,\s]+),.*?^\}$", text, flags=re.MULTILINE | re.DOTALL)
    bodies = re.findall(r"^@\w+\{[^,\s]+,.*?^\}$", text, flags=re.MULTILINE | re.DOTALL)
    return dict(zip(entries, bodies, strict=True))


def bibtex(*keys: str) -> str:
    """Return the BibTeX entries of `keys`, one blank line between them.

    Raises
    ------
    KeyError
        If a key is not in the bibliography; the message lists those that are.
    """
    known = bibliography()
    for key in keys:
        if key not in known:
            message = f"no reference {key!r}; known: {', '.join(sorted(known))}"
            raise KeyError(message)
    return "\n\n".join(known[key] for key in keys)
