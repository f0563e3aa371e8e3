"""Where the German credit data lie, for the tests that read them: 1000 rows, not shipped with the library."""

from __future__ import annotations

import os
from pathlib import Path

HINT = "set GERMAN_CREDIT_CSV to the file, or ASYMPTOPIA_DATA to the folder that holds credit/german.csv"


def german_csv() -> Path | None:
    """Return the path of the file, None where it is not at hand."""
    if named := os.environ.get("GERMAN_CREDIT_CSV"):
        path = Path(named)
    else:
        folder = os.environ.get("ASYMPTOPIA_DATA") or Path(__file__).parents[2] / "shared" / "data"
        path = Path(folder) / "credit" / "german.csv"
    return path.resolve() if path.is_file() else None
