"""``asymptopia list``: the matrix of claims."""

from __future__ import annotations

import argparse

from asymptopia._cli import UserError
from asymptopia._cli.console import console, show_table, table, write_json
from asymptopia.theory._core.registry import claims


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("result", nargs="?", help="one result, such as scorecard")
    parser.add_argument("--latex", action="store_true", help="print the statements as LaTeX, from the proofs")
    parser.add_argument("--json", metavar="FILE", help="write the claims as JSON (- for standard output)")


def run(options: argparse.Namespace) -> int:
    """Print the claims."""
    try:
        found = claims(options.result)
    except KeyError as error:
        raise UserError(str(error.args[0])) from None
    if options.json:
        fields = ("id", "statement", "assumptions", "validity", "corrections", "proof", "oracle", "checks", "page")
        data = [
            {name: getattr(claim, name) for name in fields}
            | {"sources": [{"key": source.key, "where": source.where} for source in claim.sources]}
            for claim in found
        ]
        write_json(options.json, data)
        return 0
    out = console()
    if options.latex:
        for claim in found:
            out.print(f"{claim.id}\n  {claim.latex()}", markup=False, soft_wrap=True)
        return 0
    rows = [
        (claim.id, claim.statement, claim.proof.partition(":")[2], claim.oracle, "\n".join(claim.checks))
        for claim in found
    ]
    show_table(out, table(("claim", "statement", "proof", "oracle", "checks"), rows))
    return 0
