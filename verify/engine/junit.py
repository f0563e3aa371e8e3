"""A report as JUnit XML, for the test reports of continuous integration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from asymptopia.verify.engine.entry import Entry
from asymptopia.verify.engine.rows import clean, interval, number, rejected, theory, tolerance

if TYPE_CHECKING:
    from asymptopia.verify.engine.report import Report


def render(report: Report, moment: datetime | None = None) -> str:
    """Return the report as JUnit XML: a suite for each check, a case for each target.

    Parameters
    ----------
    report : Report
        What to write.
    moment : datetime, optional
        Time stamp of the suites; now if None. A report holds none, so that two runs of a seed are equal.

    Notes
    -----
    A failing target holds a ``failure``, an inconclusive one is ``skipped`` with the reason as its message. The file
    keeps to what the schemata of Ant and Jenkins have in common.
    """
    # schemata ask for a time without zone
    stamp = (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S")
    root = ET.Element("testsuites")
    for at, (check, group) in enumerate(groupby(report.entries, lambda entry: entry.check)):
        root.append(_suite(check, at, list(group), report, stamp))
    ET.indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{ET.tostring(root, encoding='unicode')}\n"


def _suite(check: str, at: int, entries: Sequence[Entry], report: Report, stamp: str) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=clean(check),
        package="asymptopia.verify",
        id=str(at),
        timestamp=stamp,
        # the schemata ask for a name, and give this one for hosts that have none
        hostname="localhost",
        tests=str(len(entries)),
        failures=str(sum(entry.status == "fail" for entry in entries)),
        errors="0",
        skipped=str(sum(entry.status == "inconclusive" for entry in entries)),
        time=_seconds(sum(entry.seconds for entry in entries)),
    )
    properties = ET.SubElement(suite, "properties")
    kernels = report.manifest.get("kernels") or {}
    facts = {
        "asymptopia": report.manifest.get("asymptopia", ""),
        "seed": report.seed,
        "profile": report.profile,
        "alpha": repr(report.alpha),
        "kernel": kernels.get(check, ""),
        "statement": entries[0].statement,
    }
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=clean(str(value)))
    for entry in entries:
        suite.append(_case(entry))
    ET.SubElement(suite, "system-out").text = clean("\n".join(_line(entry) for entry in entries))
    ET.SubElement(suite, "system-err").text = ""
    return suite


def _case(entry: Entry) -> ET.Element:
    place, name = entry.label
    shown = f"{name}[{place}]" if place else name
    case = ET.Element("testcase", name=clean(shown), classname=clean(entry.check), time=_seconds(entry.seconds))
    message = clean(entry.reason or _line(entry))
    if entry.status == "fail":
        ET.SubElement(case, "failure", message=message, type="refuted").text = clean(_line(entry))
    elif entry.status == "inconclusive":
        ET.SubElement(case, "skipped", message=f"inconclusive: {message}")
    return case


def _line(entry: Entry) -> str:
    unit = entry.delta
    return (
        f"{entry.id}: {entry.status}: theory {theory(entry)}, tolerance {tolerance(unit)} "
        f"({entry.delta_reason}), "
        f"estimate {number(entry.estimate, unit)} {interval(entry.interval, unit) or '(no interval)'} after "
        f"{entry.replicates} replicates; mutants {rejected(entry)}; digest {entry.digest or 'none'}"
    )


def _seconds(value: float) -> str:
    return f"{value:.6f}" if value == value else "0"
