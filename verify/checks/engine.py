"""Checks of the engine itself: expectations that are known to many digits by other means.

They exercise every sampler and elementary function on statistics whose exact values come from summation or quadrature
at 50 digits, and their mutants are a percent away.
"""

from __future__ import annotations

from asymptopia.verify.device.binomial import binomial
from asymptopia.verify.device.elementary import exp, log, log1p
from asymptopia.verify.device.normal import normal, normal_pair
from asymptopia.verify.device.poisson import poisson
from asymptopia.verify.device.stream import Stream
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Mutant, Profile, Target

SHARE = {"quick": 0.005, "standard": 0.0025, "exhaustive": 0.001}
"""Tolerance as a share of the value. The theory is exact: the tolerance is what the Monte Carlo is asked to see."""


def stability_index(stream: Stream, params: list[float]) -> float:
    """Return the PSI of a multinomial count over equal cells, with 1/2 added to each, against the known shares."""
    n = int(params[0])
    cells = int(params[1])
    left = n
    total = 0.0
    j = 0
    for i in range(cells):
        x, j = binomial(stream, j, left, 1.0 / (cells - i))
        left -= x
        p = (x + 0.5) / (n + 0.5 * cells)
        total += (p - 1.0 / cells) * log(p * cells)
    return total


def log_sum_of_two(stream: Stream, params: list[float]) -> float:
    """Return log(exp(b g1) + exp(b g2)) for two normals."""
    g1, g2, _ = normal_pair(stream, 0)
    top = params[0] * max(g1, g2)
    return top + log1p(exp(-params[0] * abs(g1 - g2)))


def largest_normal(stream: Stream, params: list[float]) -> float:
    """Return the largest of several normals."""
    top = -100.0
    j = 0
    for _ in range(int(params[0])):
        g, j = normal(stream, j)
        top = max(top, g)
    return top


def poisson_risk(stream: Stream, params: list[float]) -> float:
    """Return KL(estimate, truth) of the mean of n Poisson counts, drawn as their sum."""
    n = params[0]
    mu = params[1]
    k, _ = poisson(stream, 0, n * mu)
    estimate = k / n
    if k == 0:
        return mu
    return estimate * log(estimate / mu) - estimate + mu


def _case(name: str, params: tuple[float, ...], theory: float, sd: float, profile: Profile) -> tuple[Case, ...]:
    delta = SHARE[profile] * theory
    target = Target(
        name="mean",
        statistic="value",
        theory=theory,
        delta=delta,
        delta_reason=f"the theory is exact: {100 * SHARE[profile]:g} % of it, to be seen by the Monte Carlo",
        sd=sd,
        mutants=(Mutant(name="2 % more", theory=1.02 * theory), Mutant(name="2 % less", theory=0.98 * theory)),
    )
    return (Case(name=name, params=params, targets=(target,), budget=1 << 27),)


CHECKS = (
    Check(
        id="engine.stability_index",
        statement="Mean of a PSI of 60 counts in 5 equal cells: binomial draws and logarithms",
        kernel=Kernel(stability_index, ("value",)),
        cases=lambda profile: _case("n=60,K=5", (60.0, 5.0), 0.064047708116446943107, 0.046717598492116430, profile),
    ),
    Check(
        id="engine.log_sum_exp",
        statement="Mean of log(exp(2 g1) + exp(2 g2)): pairs of normals, exp and log1p",
        kernel=Kernel(log_sum_of_two, ("value",)),
        cases=lambda profile: _case("beta=2", (2.0,), 1.3353960462482251581, 1.7, profile),
    ),
    Check(
        id="engine.largest_normal",
        statement="Mean of the largest of 16 normals: the inverse normal distribution",
        kernel=Kernel(largest_normal, ("value",)),
        cases=lambda profile: _case("n=16", (16.0,), 1.7659913930547879673, 0.55, profile),
    ),
    Check(
        id="engine.poisson_risk",
        statement="Kullback-Leibler risk of the mean of 10 Poisson(3) counts: Poisson draws",
        kernel=Kernel(poisson_risk, ("value",)),
        cases=lambda profile: _case("n=10,mu=3", (10.0, 3.0), 0.050287687463743987437, 0.071131394435498920, profile),
    ),
)
