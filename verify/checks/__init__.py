"""The checks that ship, one module a result."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module

from asymptopia.theory._core.registry import claims
from asymptopia.verify.engine.check import Check, unique

RESULTS = ("scorecard", "alignment", "scaling", "softmax", "kde", "projection", "engine")
"""Results whose module here holds ``CHECKS``."""


@cache
def checks() -> tuple[Check, ...]:
    """Return every check that ships, in order."""
    found = [check for name in RESULTS for check in import_module(f"asymptopia.verify.checks.{name}").CHECKS]
    return tuple(unique(found).values())


def select(names: Sequence[str] = ()) -> tuple[Check, ...]:
    """Return the checks that `names` ask for: by check, by claim or by result; all if there are no names.

    Raises
    ------
    KeyError
        If a name fits nothing; the message lists what there is.
    """
    known = {check.id: check for check in checks()}
    if not names:
        return tuple(known.values())
    by_claim = {claim.id: claim.checks for claim in claims()}
    wanted: dict[str, Check] = {}
    for name in names:
        ids = [name] if name in known else list(by_claim.get(name, ()))
        ids = ids or [key for key in known if key.startswith(f"{name}.")]
        if not ids:
            message = f"no check, claim or result {name!r}; checks: {', '.join(known)}"
            raise KeyError(message)
        wanted |= {key: known[key] for key in ids}
    return tuple(wanted.values())
