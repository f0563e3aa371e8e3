"""Time a screen of 20 features of 10 bins, and compare its numbers, beside other packages where they are installed.

Every package gets the same codes. Feature x0 carries information, x1 to x19 none. `IV` and `SE` are off by so much,
relative to the textbook formulas on the counts (the plug-in and the delta method, see scorecard.iv_variance);
`covered` and `kept` are shares of the 19 idle features, where the truth is 0: those whose 95 % interval holds 0, and
those whose p-value, as the package gives it, is above 5 %; one draw of 19, with a standard error of 5 points. The
coverage at the end is over 20000 tables.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

FEATURES, BINS = 20, 10
Answer = dict[str, Any]


def data(rows: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    y = (rng.random(rows) < 0.1).astype(np.uint8)
    codes = rng.integers(0, BINS, (rows, FEATURES), dtype=np.uint8)
    moved = (y == 1) & (rng.random(rows) < 0.3)
    codes[moved, 0] = np.minimum(codes[moved, 0] + 2, BINS - 1)
    return codes, y


def frame(codes: Any, y: Any, kind: str = "int64") -> Any:
    import pandas as pd

    return pd.DataFrame({f"x{i}": codes[:, i].astype(kind) for i in range(FEATURES)} | {"y": y.astype("int64")})


def textbook(codes: Any, y: Any) -> tuple[Any, Any]:
    """Plug-in IV of every feature and its delta-method standard error, from Var_P(log(p/q) - q/p)."""
    found = []
    for f in range(FEATURES):
        x, z = (np.bincount(codes[y == side, f], minlength=BINS) for side in (0, 1))
        p, q = x / x.sum(), z / z.sum()
        ratio = np.log(p / q)
        a, c = ratio - q / p, ratio + p / q
        variance = (p * (a - p @ a) ** 2).sum() / x.sum() + (q * (c - q @ c) ** 2).sum() / z.sum()
        found.append((((p - q) * ratio).sum(), variance**0.5))
    return tuple(np.array(column) for column in zip(*found, strict=True))  # type: ignore[return-value]


def in_order(table: Any, name: str) -> Any:
    return table.set_index(name).loc[[f"x{i}" for i in range(FEATURES)]]


def asymptopia(codes: Any, y: Any) -> Callable[[], Answer]:
    from asymptopia.theory.scorecard.screening import iv_screen

    def run() -> Answer:
        found = iv_screen(codes, y)
        return {"iv": found.estimate, "se": found.se, "low": found.ci.low, "p": found.pvalue}

    return run


def fastwoe(codes: Any, y: Any) -> Callable[[], Answer]:
    from fastwoe import FastWoe

    table = frame(codes, y).astype(dict.fromkeys((f"x{i}" for i in range(FEATURES)), "str"))

    def run() -> Answer:
        model = FastWoe()
        model.fit(table.drop(columns="y"), table["y"])
        found = [model.get_iv_analysis(f"x{i}").iloc[0] for i in range(FEATURES)]
        names = {"iv": "iv", "se": "iv_se", "low": "iv_ci_lower"}
        answer = {key: np.array([float(row[name]) for row in found]) for key, name in names.items()}
        p = next((name for name in found[0].index if "p_value" in name or "pvalue" in name), None)
        return answer | ({} if p is None else {"p": np.array([float(row[p]) for row in found])})

    return run


def toad(codes: Any, y: Any) -> Callable[[], Answer]:
    import toad as package

    table = frame(codes, y)
    return lambda: {
        "iv": package.quality(table, "y", indicators=["iv"])["iv"].loc[[f"x{i}" for i in range(FEATURES)]].to_numpy()
    }


def scorecardpy(codes: Any, y: Any) -> Callable[[], Answer]:
    import scorecardpy as package

    table = frame(codes, y)
    return lambda: {"iv": in_order(package.iv(table, y="y"), "variable")["info_value"].to_numpy()}


def statistical_iv(codes: Any, y: Any) -> Callable[[], Answer]:
    from statistical_iv import api

    table = frame(codes, y)
    names = [f"x{i}" for i in range(FEATURES)]

    def run() -> Answer:
        found = api.statistical_iv(table, names, "y", "categorical").iloc[:, :4].to_numpy()
        return {key: found[:, i].astype(float) for i, key in ((1, "iv"), (2, "se"), (3, "p"))}

    return run


PACKAGES = {
    "asymptopia": asymptopia,
    "fastwoe": fastwoe,
    "toad": toad,
    "scorecardpy": scorecardpy,
    "statistical_iv": statistical_iv,
}


def row(name: str, rows: int, repeats: int) -> str:
    try:
        importlib.import_module(name)
    except ImportError:
        return f"{name:<16}{'not installed':>12}"
    codes, y = data(rows)
    run = PACKAGES[name](codes, y)
    times = []
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for _ in range(repeats):
            start = time.perf_counter()
            found = run()
            times.append(time.perf_counter() - start)
    iv, se = textbook(codes, y)
    off = [f"{abs(found['iv'][0] / iv[0] - 1):.1e}"]
    off.append(f"{abs(found['se'][0] / se[0] - 1):.1e}" if "se" in found else "-")
    off.append(f"{np.mean(found['low'][1:] <= 0):.2f}" if "low" in found else "-")
    off.append(f"{np.mean(found['p'][1:] > 0.05):.2f}" if "p" in found else "-")
    return f"{name:<16}{rows:>12}{min(times):>12.4f}" + "".join(f"{item:>10}" for item in off)


def parts(rows: int) -> None:
    """Time what `iv_screen` does after the counting."""
    from asymptopia.theory.scorecard import count_table, information_value
    from asymptopia.theory.scorecard.screening import iv_screen, screen_table

    codes, y = data(rows)
    table = count_table(codes, y, BINS)
    tasks: dict[str, Callable[[], object]] = {
        "count_table": lambda: count_table(codes, y, BINS),
        "iv_screen, all": lambda: iv_screen(codes, y),
        "screen_table": lambda: screen_table(table),
        "screen_table with a margin": lambda: screen_table(table, margin=0.02),
        "information_value of each": lambda: [information_value(*counts.T) for counts in table],
    }
    for name, task in tasks.items():
        task()
        times = []
        for _ in range(7 if name in ("count_table", "iv_screen, all") else 100):
            start = time.perf_counter()
            task()
            times.append(time.perf_counter() - start)
        print(f"  {name:<28}{1e3 * float(np.median(times)):>10.3f} ms (median)")


def coverage() -> None:
    """Compare the SNC interval with the normal one, cut off at 0, that the packages give."""
    from asymptopia.theory.scorecard.batch import describe_tables

    rng, repeats = np.random.default_rng(1), 20_000
    print("  coverage at 95 %, goods 1900, bads 100, 20 bins")
    for strength in (0.0, 0.25):
        p = np.full(20, 0.05)
        q = p * np.exp(strength * np.linspace(-1, 1, 20))
        q /= q.sum()
        truth = float(((p - q) * np.log(p / q)).sum())
        x, z = rng.multinomial(1900, p, repeats), rng.multinomial(100, q, repeats)
        found = describe_tables(x, z, smoothing=0.5)
        snc = np.mean((found.low <= truth) & (truth <= found.high))
        half = 1.959964 * found.se
        wald = np.mean(
            (np.maximum(found.estimate_smoothed - half, 0) <= truth) & (truth <= found.estimate_smoothed + half)
        )
        print(f"    IV {truth:.4f}: SNC {snc:.3f}, normal {wald:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--peer-rows", type=int, default=10**5, help="rows for the slow packages")
    parser.add_argument("--only", choices=tuple(PACKAGES), action="append")
    options = parser.parse_args()
    print(f"{FEATURES} features of {BINS} bins")
    print(f"{'package':<16}{'rows':>12}{'seconds':>12}{'IV off':>10}{'SE off':>10}{'covered':>10}{'kept':>10}")
    for name in options.only or PACKAGES:
        ours = name == "asymptopia"
        for rows in sorted({options.rows, options.peer_rows}) if ours else [options.peer_rows]:
            print(row(name, rows, 5 if ours else 1))
    if options.only is None or "asymptopia" in options.only:
        with contextlib.suppress(ImportError):
            parts(options.rows)
            coverage()


if __name__ == "__main__":
    main()
