"""Whole-engine figures: a replicate of the scorecard, scaling over threads, import time. Prints a table."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import numpy as np

from asymptopia.verify.checks.scorecard import NULL_KERNEL, Setting
from asymptopia.verify.engine.build import compile_kernel
from asymptopia.verify.engine.exact import Window
from asymptopia.verify.engine.plan import BLOCK
from asymptopia.verify.engine.pool import Job, Pool

REPLICATES = 1 << 22


def job() -> Job:
    setting = Setting(bins=10, n=1000, m=1000, divergence=0.0)
    params = setting.params(0.5, setting.n_eff, 16.919, 1.96)
    windows = (Window.covering(9.0, 4096.0), *[Window.covering(0.0, 1.0)] * 4)
    return Job(compile_kernel(NULL_KERNEL), (1, 2), np.array(params), windows, BLOCK)


def seconds(threads: int, work: Job) -> float:
    with Pool(threads) as pool:
        pool.blocks(work, 0, 64)
        started = time.perf_counter()
        pool.blocks(work, 0, REPLICATES // BLOCK)
        return time.perf_counter() - started


def import_seconds(statement: str) -> float:
    code = f"import time; start = time.perf_counter(); {statement}; print(time.perf_counter() - start)"
    runs = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout) for _ in range(7)
    ]
    return statistics.median(runs)


def main() -> None:
    work = job()
    pairs = [(seconds(1, work), seconds(2, work)) for _ in range(5)]
    one = statistics.median(pair[0] for pair in pairs)
    print(f"{'two tables of 10 cells, n = m = 1000, all statistics':55s} {1e6 * one / REPLICATES:8.2f} us a replicate")
    print(f"{'two threads over one, median of pairs':55s} {statistics.median(a / b for a, b in pairs):8.2f} x")
    numpy, ours = import_seconds("import numpy"), import_seconds("import asymptopia")
    print(f"{'import numpy':55s} {numpy:8.3f} s")
    print(f"{'import asymptopia':55s} {ours:8.3f} s")
    print(f"{'import asymptopia.verify':55s} {import_seconds('import asymptopia.verify'):8.3f} s")


if __name__ == "__main__":
    main()
