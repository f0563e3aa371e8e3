"""Check of sampling weights: the variance from squared weighted influences, with and without clusters."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asymptopia.theory.scorecard.covariance import SurveySamples
from asymptopia.theory.scorecard.generators import Generator
from asymptopia.theory.scorecard.sampling import IndependentSamples
from asymptopia.verify.checks.scorecard_cases import FINENESS, MILLION, mutants
from asymptopia.verify.checks.scorecard_designs_kernels import survey_statistics
from asymptopia.verify.checks.scorecard_remainders import quadratic_variance
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Target

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sample of clusters: shares of the bins, mean log weight in each, clusters and rows of a cluster."""

    shares: tuple[float, float, float, float]
    tilt: tuple[float, float, float, float]
    clusters: int
    rows: int = 1

    def linearised(self, sigma: float, *, clustered: bool = True) -> tuple[Array, Array, Array, float]:
        """Return weighted shares p and what theory needs beside them: the sums of z z', of z T and of T squared.

        T is the sum of a cluster's weights over all weights, and z is T (bin - p). Not `clustered`, rows are taken as
        independent.
        """
        share, mean = np.array(self.shares), np.exp(np.array(self.tilt) + sigma**2 / 2)
        total = self.rows * float(share @ mean)
        p = share * mean * self.rows / total
        away = np.eye(4) - p
        # mean square of the sum of a cluster's weights, given its bin
        square = self.rows * mean**2 * math.exp(sigma**2)
        if clustered:
            square = square + self.rows * (self.rows - 1) * mean**2
        part = share * square / (self.clusters * total**2)
        return p, (away.T * part) @ away, away.T @ part, float(part.sum())

    def params(self) -> tuple[float, ...]:
        """Return the parameters of the kernel."""
        return (float(self.clusters), float(self.rows), *np.cumsum(self.shares)[:3].tolist(), *self.tilt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Two weighted samples; `sigma` is the standard deviation of the logarithm of a weight."""

    name: str
    sigma: float
    first: Sample
    second: Sample

    def samples(self, *, clustered: bool) -> SurveySamples:
        """Return the sampling model at its expected sums."""
        parts = [item.linearised(self.sigma, clustered=clustered) for item in (self.first, self.second)]
        none = np.zeros((4, 4))
        return SurveySamples(
            weights=np.stack([part[0] for part in parts]),
            rows=(float(self.first.clusters * self.first.rows), float(self.second.clusters * self.second.rows)),
            kish=(1 / parts[0][3], 1 / parts[1][3]),
            linear=np.block([[parts[0][1], none], [none, parts[1][1]]]),
            # both ends of the ratio of two sums vary together
            ratio=-np.concatenate([parts[0][2], parts[1][2]]),
            clusters=min(self.first.clusters, self.second.clusters),
        )


def survey_case(survey: Survey, fine: float) -> Case:
    """Return the case of the variance with sampling weights and clusters, true and as estimated from the rows."""
    samples, as_rows = (survey.samples(clustered=flag) for flag in (True, False))
    moments = samples.moments(0.0)
    p, q, _ = shares = samples.shares(0.0)
    variance = float(moments.variance)
    remainder = quadratic_variance(Generator("jeffreys"), shares, samples.linear)

    def simple(size_p: float, size_q: float) -> float:
        return float(IndependentSamples(size_p * p, size_q * q).moments(0.0).variance)

    wrong = {"unweighted counts": simple(*samples.rows), "Kish's effective sizes": simple(*as_rows.kish)}
    if survey.first.rows > 1:
        wrong["clusters ignored"] = float(as_rows.moments(0.0).variance)
    # the estimate is taken at estimated shares, which adds twice the next-order term of the variance
    delta = max(3 * remainder, 0.08 * fine * variance)
    targets = tuple(
        Target(
            name=name,
            statistic=statistic,
            theory=variance,
            delta=delta,
            delta_reason=f"3 times the next-order term {remainder:.2g}, at least {8 * fine:g} %",
            sd=sd * variance,
            mutants=mutants(wrong),
        )
        for name, statistic, sd in (("variance", "square", 1.5), ("estimate", "estimate", 0.3))
    )
    centre = float(moments.divergence) + float(moments.bias)
    params = (survey.sigma, centre, *survey.first.params(), *survey.second.params())
    return Case(name=survey.name, params=params, targets=targets, budget=MILLION)


SURVEYS = (
    Survey(
        name="weights follow the bin",
        sigma=0.6,
        first=Sample(shares=(0.3, 0.3, 0.2, 0.2), tilt=(0.9, 0.0, 0.0, -0.9), clusters=500),
        second=Sample(shares=(0.2, 0.2, 0.3, 0.3), tilt=(0.0, 0.0, 0.0, 0.0), clusters=300),
    ),
    Survey(
        name="clusters of 4",
        sigma=0.4,
        first=Sample(shares=(0.4, 0.3, 0.2, 0.1), tilt=(0.0, 0.0, 0.0, 0.0), clusters=200, rows=4),
        second=Sample(shares=(0.2, 0.2, 0.3, 0.3), tilt=(0.0, 0.0, 0.0, 0.0), clusters=200),
    ),
)
CHECKS = (
    Check(
        id="scorecard.survey_variance",
        statement="With sampling weights Var(J^) is the sum over clusters of squared weighted influences",
        kernel=Kernel(survey_statistics, ("square", "estimate")),
        cases=lambda profile: tuple(survey_case(item, FINENESS[profile]) for item in SURVEYS),
    ),
)
