"""``asymptopia merge``: judge what shards computed; nothing is computed here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from asymptopia._cli import UserError
from asymptopia.verify import output
from asymptopia.verify.checks import select
from asymptopia.verify.engine.check import Check
from asymptopia.verify.engine.ledger import Ledger, LedgerError, read_plan
from asymptopia.verify.engine.report import Report
from asymptopia.verify.engine.run import Plan
from asymptopia.verify.engine.source import Source
from asymptopia.verify.engine.task import Workshop


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="ledgers of one run, in any order")
    output.configure(parser)


def run(options: argparse.Namespace) -> int:
    """Merge; exit status as `asymptopia verify`."""
    output.check_files(options)
    try:
        report = merge([Path(folder) for folder in options.folders])
    except (LedgerError, KeyError) as error:
        raise UserError(str(error.args[0])) from error
    return output.show(report, options)


def merge(folders: Sequence[Path], checks: Sequence[Check] | None = None) -> Report:
    """Return the report of the run whose blocks the ledgers hold.

    Parameters
    ----------
    folders : sequence of Path
        Folders with the shards' files, in any order.
    checks : sequence of Check, optional
        The checks of the run; looked up by the names in the ledger if None.

    Raises
    ------
    LedgerError
        If the ledgers belong to different runs or to another version of a kernel, or hold blocks twice.

    Notes
    -----
    A case whose blocks do not suffice for a verdict is inconclusive, with the missing blocks as the reason.
    """
    if not folders:
        message = "no ledger folder given"
        raise LedgerError(message)
    said = read_plan(folders[0])
    chosen = select(list(said["checks"])) if checks is None else checks
    plan = Plan.of(chosen, profile=said["profile"], seed=said["seed"], alpha=said["alpha"])
    with Ledger(folders[0], plan.to_dict(), shard=None, others=folders[1:]) as ledger:
        return plan.report(Source(None, ledger), Workshop("cpu"), 0)
