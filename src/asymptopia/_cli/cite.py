"""``asymptopia cite``: the references behind a result."""

from __future__ import annotations

import argparse
import sys

from asymptopia._cli import UserError
from asymptopia.theory._core.citations import bibtex
from asymptopia.theory._core.registry import claims


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("name", nargs="?", help="a result (scorecard) or a claim (scorecard.snc); all if left out")


def run(options: argparse.Namespace) -> int:
    """Print the BibTeX entries, each once."""
    try:
        found = claims(None if options.name is None else options.name.partition(".")[0])
    except KeyError as error:
        raise UserError(str(error.args[0])) from None
    if options.name is not None and "." in options.name:
        known = [claim.id for claim in found]
        found = [claim for claim in found if claim.id == options.name]
        if not found:
            message = f"no claim {options.name!r}; known: {', '.join(known)}"
            raise UserError(message)
    keys = dict.fromkeys(source.key for claim in found for source in claim.sources)
    sys.stdout.write(bibtex(*keys) + "\n")
    return 0
