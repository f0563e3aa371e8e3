"""The ledger: an append-only record of finished block ranges, from which a run resumes and shards are merged.

One file a shard, one line a range: eight hexadecimal digits of CRC-32, a space, JSON. A line that a crash tore is
recognised by its CRC and left out; what it held is computed again.
"""

from __future__ import annotations

import json
import os
import socket
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from asymptopia.verify.engine.exact import Totals

VERSION = 1


class LedgerError(ValueError):
    """A ledger that belongs to another run, or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Range:
    """Totals of the blocks ``first .. last - 1`` of the case with the hash `spec`."""

    spec: str
    first: int
    last: int
    totals: Totals


def encode_line(body: dict[str, Any]) -> bytes:
    """Return a ledger line, its newline included."""
    text = json.dumps(body, separators=(",", ":"), sort_keys=True).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode_line(line: bytes) -> dict[str, Any] | None:
    """Return what a line holds, or None if it is torn."""
    head, _, text = line.partition(b" ")
    try:
        intact = len(head) == 8 and int(head, 16) == zlib.crc32(text)
        body = json.loads(text) if intact else None
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


class Ledger:
    """Every shard's file in a folder, and the one file that this process appends to.

    Parameters
    ----------
    folder : Path
        Holds one ``*.jsonl`` file a shard; made if it is missing.
    plan : dict
        What the run is: seed, profile, checks, versions. A file of another plan is refused.
    shard : str or None
        Name of the file to append to; None only reads.
    resume : bool
        Whether that file may already hold lines.
    others : sequence of Path
        Further folders to read.
    """

    def __init__(
        self,
        folder: Path,
        plan: dict[str, Any],
        *,
        shard: str | None = "all",
        resume: bool = False,
        others: Sequence[Path] = (),
    ) -> None:
        self.folder = folder
        self.plan = plan
        self.torn = 0
        self._ranges: dict[str, list[Range]] = {}
        self._stream: int | None = None
        self._lock: Path | None = None
        if shard is not None:
            folder.mkdir(parents=True, exist_ok=True)
        files = [path for place in (folder, *others) if place.is_dir() for path in sorted(place.glob("*.jsonl"))]
        own = folder / f"{shard}.jsonl"
        if own in files and not resume:
            message = f"{own} exists: resume it, or choose another folder"
            raise LedgerError(message)
        headed = {path: self._read(path) for path in files}
        if shard is not None:
            self._open(own, headed=headed.get(own, False))

    def __enter__(self) -> Self:
        """Return the ledger."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close the file and give up the lock."""
        self.close()

    def close(self) -> None:
        """Close the file and give up the lock."""
        if self._stream is not None:
            os.close(self._stream)
            self._stream = None
        if self._lock is not None:
            self._lock.unlink(missing_ok=True)
            self._lock = None

    def ranges(self, spec: str) -> list[Range]:
        """Return the ranges of a case in block order.

        Raises
        ------
        LedgerError
            If two overlap: the same blocks must never count twice.
        """
        found = sorted(self._ranges.get(spec, []), key=lambda item: item.first)
        for one, two in pairwise(found):
            if two.first < one.last:
                message = (
                    f"{self.folder} holds blocks {two.first} to {min(one.last, two.last) - 1} of case {spec} twice; "
                    "a shard was merged twice or run under two names"
                )
                raise LedgerError(message)
        return found

    def append(self, item: Range) -> None:
        """Write a range and wait until the disk has it."""
        if self._stream is None:
            message = "the ledger is open for reading only"
            raise LedgerError(message)
        totals = item.totals
        body = {
            "spec": item.spec,
            "blocks": [item.first, item.last],
            "count": totals.count,
            "nonfinite": totals.nonfinite,
            "outside": totals.outside,
            "sums": [list(row) for row in totals.sums],
        }
        _write(self._stream, encode_line(body))
        self._ranges.setdefault(item.spec, []).append(item)

    def _read(self, path: Path) -> bool:
        """Read a file and return whether it has its header."""
        header: dict[str, Any] | None = None
        for line in _lines(path):
            body = decode_line(line)
            if body is None:
                self.torn += 1
            elif "ledger" in body:
                header = body
                if body["ledger"] != VERSION or body["plan"] != self.plan:
                    message = f"{path} belongs to another run: {_difference(body.get('plan', {}), self.plan)}"
                    raise LedgerError(message)
            elif header is None:
                message = f"{path} has no header: it is no ledger, or its first line was torn"
                raise LedgerError(message)
            else:
                first, last = body["blocks"]
                totals = Totals(
                    count=body["count"],
                    nonfinite=body["nonfinite"],
                    outside=body["outside"],
                    sums=tuple(tuple(row) for row in body["sums"]),
                )
                self._ranges.setdefault(body["spec"], []).append(Range(body["spec"], first, last, totals))
        return header is not None

    def _open(self, path: Path, *, headed: bool) -> None:
        lock = path.with_suffix(".lock")
        owner = f"{os.getpid()}@{socket.gethostname()}"
        try:
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            if not _abandoned(lock):
                message = f"{path} is being written by {lock.read_text(encoding='utf-8')}; remove {lock} if it is not"
                raise LedgerError(message) from None
            lock.unlink(missing_ok=True)
            handle = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        os.write(handle, owner.encode())
        os.close(handle)
        self._lock = lock
        torn_tail = path.exists() and not (path.read_bytes() or b"\n").endswith(b"\n")
        self._stream = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        if torn_tail:
            # end what a crash tore, so that the next line stands alone
            _write(self._stream, b"\n")
        if not headed:
            _write(self._stream, encode_line({"ledger": VERSION, "plan": self.plan}))


def read_plan(folder: Path) -> dict[str, Any]:
    """Return the plan that the ledgers in a folder share.

    Raises
    ------
    LedgerError
        If there is none.
    """
    for path in sorted(folder.glob("*.jsonl")):
        for line in _lines(path):
            body = decode_line(line)
            if body is not None and "ledger" in body:
                plan: dict[str, Any] = body["plan"]
                return plan
    message = f"{folder} holds no ledger"
    raise LedgerError(message)


def _lines(path: Path) -> Iterator[bytes]:
    for line in path.read_bytes().split(b"\n"):
        if line:
            yield line


def _write(stream: int, data: bytes) -> None:
    while data:
        data = data[os.write(stream, data) :]
    os.fsync(stream)


def _abandoned(lock: Path) -> bool:
    """Return True if the process that wrote the lock ran on this machine and is gone."""
    try:
        pid, _, host = lock.read_text(encoding="utf-8").partition("@")
        if host != socket.gethostname():
            return False
        os.kill(int(pid), 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return True
    except PermissionError:
        return False
    return False


def _difference(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    keys = [key for key in sorted(theirs.keys() | ours.keys()) if theirs.get(key) != ours.get(key)]
    return ", ".join(f"{key} is {theirs.get(key)!r}, not {ours.get(key)!r}" for key in keys) or "another version"
