"""The ledger: kills, torn lines, shards, foreign and doubled blocks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asymptopia.verify.engine.exact import Totals
from asymptopia.verify.engine.ledger import Ledger, LedgerError, Range, decode_line, encode_line, read_plan
from asymptopia.verify.engine.report import VOLATILE
from asymptopia.verify.engine.run import run, run_shard
from asymptopia.verify.merge import merge

PLAN = {"seed": 1, "profile": "quick"}
CHECK = "scorecard.iv_bias"
CHILD = """\
import sys
from asymptopia.verify import select
from asymptopia.verify.engine.run import run
print(run(select(["{check}"]), profile="exhaustive", rng=5, threads=2, ledger=sys.argv[1], resume=True).to_json())
"""


def totals(count: int, value: int) -> Totals:
    return Totals(count=count, nonfinite=0, outside=0, sums=((value, value**2, -value, 10**40),))


def stable(value: object) -> object:
    if isinstance(value, dict):
        return {key: stable(item) for key, item in value.items() if key not in VOLATILE}
    return [stable(item) for item in value] if isinstance(value, list) else value


def test_ranges_come_back_exactly(tmp_path: Path) -> None:
    items = [Range("a", 4, 9, totals(5, -(2**70))), Range("a", 0, 4, totals(4, 3)), Range("b", 0, 1, totals(1, 0))]
    with Ledger(tmp_path, PLAN) as ledger:
        for item in items:
            ledger.append(item)
    with Ledger(tmp_path, PLAN, resume=True) as ledger:
        assert ledger.ranges("a") == [items[1], items[0]]
        assert ledger.ranges("b") == [items[2]]
        assert ledger.ranges("c") == []
        assert ledger.torn == 0
    assert read_plan(tmp_path) == PLAN


@pytest.mark.parametrize("cut", range(2, 60, 7))
def test_a_torn_line_is_left_out_and_the_next_stands_alone(tmp_path: Path, cut: int) -> None:
    with Ledger(tmp_path, PLAN) as ledger:
        ledger.append(Range("a", 0, 1, totals(1, 7)))
        ledger.append(Range("a", 1, 2, totals(1, 8)))
    path = tmp_path / "all.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    with Ledger(tmp_path, PLAN, resume=True) as ledger:
        assert [item.first for item in ledger.ranges("a")] == [0]
        assert ledger.torn == 1
        ledger.append(Range("a", 1, 2, totals(1, 9)))
    with Ledger(tmp_path, PLAN, resume=True) as ledger:
        assert [item.totals.sums[0][0] for item in ledger.ranges("a")] == [7, 9]


def test_a_torn_header_is_written_again(tmp_path: Path) -> None:
    Ledger(tmp_path, PLAN).close()
    path = tmp_path / "all.jsonl"
    path.write_bytes(path.read_bytes()[:20])
    with Ledger(tmp_path, PLAN, resume=True) as ledger:
        ledger.append(Range("a", 0, 1, totals(1, 7)))
    with Ledger(tmp_path, PLAN, resume=True) as ledger:
        assert len(ledger.ranges("a")) == 1


def test_every_flipped_bit_is_noticed() -> None:
    line = encode_line({"spec": "a", "blocks": [0, 1]})[:-1]
    assert decode_line(line) == {"spec": "a", "blocks": [0, 1]}
    for at in range(len(line)):
        for bit in range(8):
            flipped = bytearray(line)
            flipped[at] ^= 1 << bit
            assert decode_line(bytes(flipped)) != {"spec": "a", "blocks": [0, 1]} or flipped[:8].lower() == line[:8]


def test_overlapping_ranges_are_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path, PLAN) as ledger:
        ledger.append(Range("a", 0, 5, totals(5, 1)))
        ledger.append(Range("a", 4, 6, totals(2, 1)))
        with pytest.raises(LedgerError, match="blocks 4 to 4 of case a twice"):
            ledger.ranges("a")


def test_a_foreign_ledger_is_refused(tmp_path: Path) -> None:
    Ledger(tmp_path, PLAN).close()
    with pytest.raises(LedgerError, match="seed is 1, not 2"):
        Ledger(tmp_path, {**PLAN, "seed": 2}, resume=True)
    (tmp_path / "other.jsonl").write_bytes(encode_line({"spec": "a", "blocks": [0, 1], "count": 1}))
    with pytest.raises(LedgerError, match="has no header"):
        Ledger(tmp_path, PLAN, resume=True)


def test_an_old_ledger_needs_resume_and_a_busy_one_is_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path, PLAN):
        with pytest.raises(LedgerError, match="resume it, or choose another folder"):
            Ledger(tmp_path, PLAN)
        with pytest.raises(LedgerError, match="is being written by"):
            Ledger(tmp_path, PLAN, resume=True)
    # a lock whose process is gone is no lock
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    import socket

    (tmp_path / "all.lock").write_text(f"{int(gone.stdout)}@{socket.gethostname()}", encoding="utf-8")
    Ledger(tmp_path, PLAN, resume=True).close()


def test_reading_only_writes_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path, PLAN, shard=None) as ledger, pytest.raises(LedgerError, match="reading only"):
        ledger.append(Range("a", 0, 1, totals(1, 1)))
    assert list(tmp_path.iterdir()) == []


def checks() -> list[object]:
    from asymptopia.verify import select

    return list(select([CHECK]))


def test_a_resumed_run_computes_nothing_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(checks(), profile="quick", ledger=tmp_path)
    from asymptopia.verify.engine.pool import Pool

    monkeypatch.setattr(Pool, "blocks", None)
    again = run(checks(), profile="quick", ledger=tmp_path, resume=True)
    assert stable(again.to_dict()) == stable(first.to_dict())


def test_a_ledger_changes_no_number(tmp_path: Path) -> None:
    with_ledger = run(checks(), profile="quick", ledger=tmp_path, threads=3)
    assert stable(with_ledger.to_dict()) == stable(run(checks(), profile="quick", threads=1).to_dict())


def test_shards_merge_in_any_order_to_the_same_report(tmp_path: Path) -> None:
    whole = run(checks(), profile="quick", rng=3)
    folders = [tmp_path / f"machine{i}" for i in range(7)]
    # the budget is cut down so that the test is quick: the verdicts come early
    small = [replace_budget(check) for check in checks()]
    for i, folder in enumerate(folders):
        assert run_shard(small, i + 1, 7, ledger=folder, profile="quick", rng=3) > 0
    for seed in range(3):
        order = folders.copy()
        random.Random(seed).shuffle(order)
        merged = merge(order, small)
        assert [entry.digest for entry in merged.entries] == [entry.digest for entry in whole.entries]
        assert [entry.status for entry in merged.entries] == [entry.status for entry in whole.entries]
    lacking = merge(folders[:-1], small)
    assert lacking.exit_code == 3
    assert "the ledger lacks the blocks" in lacking.entries[0].reason
    with pytest.raises(LedgerError, match="twice"):
        merge([*folders, folders[0]], small)


def replace_budget(check: object) -> object:
    from dataclasses import replace

    from asymptopia.verify import Check

    assert isinstance(check, Check)
    build = check.cases
    return replace(check, cases=lambda profile: tuple(replace(case, budget=1 << 17) for case in build(profile)))


def test_bad_shards_are_refused(tmp_path: Path) -> None:
    for shard, shards in ((0, 3), (4, 3), (1, 0)):
        with pytest.raises(ValueError, match="1 <= i <= n"):
            run_shard(checks(), shard, shards, ledger=tmp_path)


def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    code = CHILD.format(check=CHECK)
    whole = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "whole")], capture_output=True, text=True, check=True
    )
    folder = tmp_path / "killed"
    rng = random.Random(17)
    kills = 0
    for attempt in range(60):
        child = subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True)
        path = folder / "all.jsonl"
        started = path.stat().st_size if path.exists() else 0
        deadline = time.monotonic() + 60
        # wait for it to write, then kill it a moment later
        while child.poll() is None and time.monotonic() < deadline:
            if path.exists() and path.stat().st_size > started and kills < 10:
                time.sleep(rng.random() * 0.03)
                child.send_signal(signal.SIGKILL)
                break
            time.sleep(0.002)
        out, _ = child.communicate()
        if child.returncode == -signal.SIGKILL:
            kills += 1
            if attempt % 2:
                path.write_bytes(path.read_bytes()[: -rng.randrange(1, 40)])
        elif child.returncode == 0:
            break
    assert kills == 10
    import json

    assert stable(json.loads(out)) == stable(json.loads(whole.stdout))


def test_an_interrupt_is_heard_within_a_second_and_can_be_resumed(tmp_path: Path) -> None:
    words = ["verify", CHECK, "--profile", "exhaustive", "--ledger", str(tmp_path), "--quiet"]
    child = subprocess.Popen(
        [sys.executable, "-m", "asymptopia", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    path = tmp_path / "all.jsonl"
    deadline = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size > 2000) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert child.poll() is None
    os.kill(child.pid, signal.SIGINT)
    sent = time.monotonic()
    _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "--resume goes on" in err
    assert time.monotonic() - sent < 2.0
    assert not (tmp_path / "all.lock").exists()
    with pytest.raises(LedgerError):
        run(checks(), profile="exhaustive", ledger=tmp_path)
