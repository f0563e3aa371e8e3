"""``asymptopia report``: show a saved report again, as a table, HTML or JUnit XML."""

from __future__ import annotations

import argparse

from asymptopia.verify import output


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("report", metavar="REPORT_JSON", help="what asymptopia verify --json wrote")
    output.configure(parser, ("html", "junit"))


def run(options: argparse.Namespace) -> int:
    """Render; 0 once that is done, whatever the verdicts say."""
    output.check_files(options)
    output.show(output.read_report(options.report), options)
    return 0
