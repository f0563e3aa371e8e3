"""What a report says of one target, and how it is read back from JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from asymptopia.verify.engine.sequential import Interval, Verdict

if TYPE_CHECKING:
    from asymptopia.verify.engine.judge import TargetJudge

Looks = tuple[tuple[int, float, float, float], ...]
"""Replicates, estimate and both ends of the interval, a row for each look; NaN where there was no interval."""
ALLOWED = {
    "status": tuple(verdict.value for verdict in Verdict),
    "claim": ("equal", "at_most", "at_least"),
    "sums": ("fixed point", "superaccumulator"),
}
T = TypeVar("T", "Entry", "MutantEntry")


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantEntry:
    """What became of a mutant; it has looks of its own only if it speaks of another statistic."""

    name: str
    theory: float
    estimate: float
    interval: Interval | None
    replicates: int
    rejected: bool
    path: Looks = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The outcome of one target."""

    id: str
    check: str
    statement: str
    status: str
    reason: str
    theory: float
    estimate: float
    interval: Interval | None
    delta: float
    delta_reason: str
    alpha: float
    replicates: int
    digest: str
    spec: str
    mutant_rejected: bool
    mutants: tuple[MutantEntry, ...]
    seconds: float
    device: str
    threads: int
    claim: str = "equal"
    sums: str = "fixed point"
    log_e_value: float = math.nan
    path: Looks = ()

    @property
    def label(self) -> tuple[str, str]:
        """Case and name of the target, out of ``check[case].name``."""
        rest = self.id.removeprefix(self.check)
        case, found, name = rest.removeprefix("[").rpartition("].")
        return (case, name) if found and rest.startswith("[") else ("", rest.removeprefix(".") or self.id)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; numbers that JSON lacks become None."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def entry_of(
    *,
    check: str,
    statement: str,
    case: str,
    judge: TargetJudge,
    spec: str,
    seconds: float,
    device: str,
    threads: int,
    sums: str = "fixed point",
) -> Entry:
    """Return the entry of a judged target: a theory passes only if every mutant was refuted."""
    target, ruling = judge.target, judge.ruling
    survivors = [mutant.name for mutant, other in judge.mutants if other.verdict is Verdict.PASS]
    undecided = [mutant.name for mutant, other in judge.mutants if other.verdict is Verdict.INCONCLUSIVE]
    status, reason = ruling.verdict, ruling.reason
    if status is Verdict.PASS and survivors:
        status, reason = Verdict.FAIL, f"the mutant {survivors[0]!r} passes too: the tolerance is too wide"
    elif status is Verdict.PASS and undecided:
        status, reason = Verdict.INCONCLUSIVE, f"the mutant {undecided[0]!r} was not refuted within the budget"
    return Entry(
        id=f"{case}.{target.name}",
        check=check,
        statement=statement,
        status=status.value,
        reason=reason,
        theory=target.theory,
        estimate=ruling.estimate,
        interval=ruling.interval,
        delta=target.delta,
        delta_reason=target.delta_reason,
        alpha=judge.alpha,
        replicates=ruling.replicates,
        digest=ruling.digest,
        spec=spec,
        mutant_rejected=judge.mutants_rejected,
        mutants=tuple(
            MutantEntry(
                name=mutant.name,
                theory=other.theory,
                estimate=other.estimate,
                interval=other.interval,
                replicates=other.replicates,
                rejected=other.verdict is Verdict.FAIL,
                path=tuple(other.path),
            )
            for mutant, other in judge.mutants
        ),
        seconds=seconds,
        device=device,
        threads=threads,
        claim=target.claim,
        sums=sums,
        log_e_value=ruling.log_e_value,
        path=tuple(ruling.path),
    )


def plain(value: Any) -> Any:
    """Return `value` as data that strict JSON can hold: tuples as lists, NaN and infinities as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def entry_from(data: Any) -> Entry:
    """Return the entry that `Entry.to_dict` wrote; None becomes NaN.

    Raises
    ------
    ValueError
        If a field is missing or of the wrong type; the message names it.
    """
    entry = _read(Entry, data)
    for name, allowed in ALLOWED.items():
        if getattr(entry, name) not in allowed:
            message = f"the field {name!r} is {getattr(entry, name)!r}; expected one of {', '.join(allowed)}"
            raise ValueError(message)
    return entry


def take(data: Mapping[str, Any], name: str, kind: str) -> Any:
    """Return the field `name` of `data`, read as the type named `kind`."""
    if name not in data:
        message = f"the field {name!r} is missing"
        raise ValueError(message)
    try:
        return _READERS[kind](data[name])
    except (TypeError, ValueError, OverflowError):
        shown = repr(data[name])
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        message = f"the field {name!r} is {shown}; expected {kind}"
        raise ValueError(message) from None


def _read(kind: type[T], data: Any) -> T:
    if not isinstance(data, Mapping):
        message = f"expected an object with the fields of {kind.__name__}, found {type(data).__name__}"
        raise ValueError(message)
    found = {
        item.name: take(data, item.name, str(item.type))
        for item in fields(kind)
        # a report older than the field lacks it
        if item.name in data or item.default is MISSING
    }
    return kind(**found)


def _exactly(*kinds: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        # True is an int to Python, but no count
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise TypeError
        return value

    return read


def _real(value: Any) -> float:
    return math.nan if value is None else float(_exactly(int, float)(value))


def _interval(value: Any) -> Interval | None:
    if value is None:
        return None
    low, high = map(_real, value)
    return low, high


def _looks(value: Any) -> Looks:
    whole = _exactly(int)
    return tuple((whole(n), _real(estimate), _real(low), _real(high)) for n, estimate, low, high in value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "str": _exactly(str),
    "int": _exactly(int),
    "bool": _exactly(bool),
    "float": _real,
    "object": _exactly(dict),
    "list": _exactly(list),
    "Interval | None": _interval,
    "Looks": _looks,
    "tuple[MutantEntry, ...]": lambda value: tuple(_read(MutantEntry, item) for item in value),
}
