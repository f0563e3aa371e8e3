"""JUnit XML: what the usual schemata ask for, read back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree as ET

import pytest
from sample_report import sample

from asymptopia.verify.engine.junit import render

MOMENT = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - the schemata know no zone
# attributes that the schemata of Ant and Jenkins both have, all of them required by one of the two
SUITE = {"name", "package", "id", "timestamp", "hostname", "tests", "failures", "errors", "skipped", "time"}
CASE = {"name", "classname", "time"}


@pytest.fixture(scope="module")
def root() -> ET.Element:
    return ET.fromstring(render(sample(), MOMENT))


def test_structure_is_that_of_the_schemata(root: ET.Element) -> None:
    assert root.tag == "testsuites"
    assert not root.attrib
    for at, suite in enumerate(root):
        assert suite.tag == "testsuite"
        assert set(suite.attrib) == SUITE
        assert suite.attrib["id"] == str(at)
        assert suite.attrib["timestamp"] == "2026-01-02T03:04:05"
        tags = [child.tag for child in suite]
        assert tags == ["properties", *["testcase"] * (len(tags) - 3), "system-out", "system-err"]
        assert all(set(item.attrib) == {"name", "value"} for item in suite[0])
        assert re.fullmatch(r"\d+\.\d+", suite.attrib["time"])
        for case in suite.iter("testcase"):
            assert set(case.attrib) == CASE
            assert [child.tag for child in case] in ([], ["failure"], ["skipped"])
            assert all(set(child.attrib) == {"message", "type"} for child in case.iter("failure"))


def test_a_suite_for_each_check_and_a_case_for_each_target(root: ET.Element) -> None:
    report = sample()
    assert [suite.attrib["name"] for suite in root] == ["made.up", "made.control", "<b>made</b>"]
    cases = list(root.iter("testcase"))
    assert len(cases) == len(report.entries)
    assert cases[0].attrib["name"] == "right[a=1,b=2]"
    for tag, status in (("failure", "fail"), ("skipped", "inconclusive")):
        assert len(list(root.iter(tag))) == report.count(status)
    for suite in root:
        counted = {"tests": "testcase", "failures": "failure", "skipped": "skipped"}
        assert all(int(suite.attrib[name]) == len(list(suite.iter(tag))) for name, tag in counted.items())
    assert float(root[0].attrib["time"]) == pytest.approx(0.25 * len(list(root[0].iter("testcase"))))


def test_messages_say_why(root: ET.Element) -> None:
    skipped = [item.attrib["message"] for item in root.iter("skipped")]
    assert "inconclusive: the budget is spent" in skipped
    failure = next(iter(root.iter("failure")))
    assert "theory 2.0000, tolerance 0.05 (stated band), estimate 2.2" in str(failure.text)
    properties = {item.attrib["name"]: item.attrib["value"] for item in root[0].iter("property")}
    assert properties["seed"] == "7"
    assert properties["kernel"] == "ab" * 32


def test_hostile_names_survive(root: ET.Element) -> None:
    (case,) = root[2].iter("testcase")
    assert case.attrib["name"].startswith("<script>alert('x')</script> & \"quoted\"")
    assert "\ufffd" in case.attrib["name"]


def test_an_empty_report_is_valid() -> None:
    assert len(ET.fromstring(render(replace(sample(), entries=())))) == 0


def test_the_time_stamp_is_now_if_none_is_given() -> None:
    stamp = ET.fromstring(sample().to_junit())[0].attrib["timestamp"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", stamp)
