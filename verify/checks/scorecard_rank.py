"""Checks of discrimination, of conditional information value and of the posterior mean."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, chdtri, digamma

from asymptopia.theory.scorecard.conditional import conditional_iv
from asymptopia.theory.scorecard.exact import exact_mean
from asymptopia.theory.scorecard.mixtures import weighted_chi2
from asymptopia.theory.scorecard.posterior import posterior_mean
from asymptopia.theory.scorecard.roc import discrimination
from asymptopia.theory.scorecard.shares import HALF
from asymptopia.verify.checks.scorecard_cases import FINENESS, MILLION, mutants
from asymptopia.verify.checks.scorecard_rank_kernels import auc_statistics, conditional_statistics, posterior_divergence
from asymptopia.verify.engine.build import Kernel
from asymptopia.verify.engine.check import Case, Check, Mutant, Target
from asymptopia.verify.engine.conditional import conditional_probabilities

Array = NDArray[np.float64]
Tables = tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]

AUC: Tables = (
    ((200, 300, 400, 500, 600), (90, 80, 60, 45, 25)),
    ((600, 100, 100, 200), (20, 20, 30, 130)),
    ((50, 30, 20), (1200, 400, 400)),
)
# rows are levels of the first feature, of goods and of bads; the second feature has the shares given
CONDITIONAL = (
    ((6000, 1500), (1200, 4800), (0.5, 0.3, 0.2)),
    ((9000, 9000, 2000), (400, 1600, 2000), (0.4, 0.6)),
    ((4000, 4000), (2000, 2000), (0.25, 0.25, 0.25, 0.25)),
)
# German credit by checking account, and a table with few bads
POSTERIOR: Tables = (
    ((139, 49, 164, 348), (135, 14, 105, 46)),
    ((40, 30, 30), (2, 5, 9)),
)


def auc_case(good: tuple[int, ...], bad: tuple[int, ...], fine: float) -> Case:
    """Return the case of the variance of the area under the ROC curve, true and as estimated from the counts."""
    x, y = np.array(good, dtype=float), np.array(bad, dtype=float)
    n, m = x.sum(), y.sum()
    p, q = x / n, y / m
    u, w = np.cumsum(p) - p / 2, 1 - np.cumsum(q) + q / 2
    area = float(q @ u)
    theory = discrimination(x, y, order="given").auc_se ** 2
    # exact: the variance of one comparison, and what two comparisons share
    share_u, share_w = float(q @ u**2) - area**2, float(p @ w**2) - area**2
    score = np.where(np.arange(x.size)[:, None] < np.arange(x.size)[None, :], 1.0, 0.0) + 0.5 * np.eye(x.size)
    one = float(p @ score**2 @ q) - area**2
    exact = ((n - 1) * share_u + (m - 1) * share_w + one) / (n * m)
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    hanley = (area * (1 - area) + (m - 1) * (first - area**2) + (n - 1) * (second - area**2)) / (n * m)
    remainder = abs(theory - exact)
    delta = max(2 * remainder, 0.03 * fine * theory)
    wrong = {"goods' part only": share_w / n, "bads' part only": share_u / m, "Hanley and McNeil": hanley}
    kept = {name: value for name, value in wrong.items() if abs(value - theory) > 2.5 * delta}
    targets = tuple(
        Target(
            name=name,
            statistic=statistic,
            theory=theory,
            delta=delta,
            delta_reason=f"twice the distance {remainder:.2g} from the exact value, at least {3 * fine:g} %",
            sd=sd * theory,
            mutants=mutants(kept),
        )
        for name, statistic, sd in (("variance", "square", math.sqrt(2)), ("estimate", "estimate", 0.1))
    )
    rows = zip(conditional_probabilities(p), conditional_probabilities(q), strict=True)
    params = (float(x.size), float(n), float(m), area, *(float(value) for row in rows for value in row))
    return Case(name=f"goods={'/'.join(map(str, good))}", params=params, targets=targets, budget=8 * MILLION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Counts of goods and bads by level of a first feature, and the shares of a second that adds nothing."""

    good: tuple[int, ...]
    bad: tuple[int, ...]
    shares: tuple[float, ...]

    def cells(self) -> tuple[Array, Array]:
        """Return the expected counts, shape (levels of the first, levels of the second)."""
        return np.outer(self.good, self.shares), np.outer(self.bad, self.shares)


def conditional_case(levels: Levels, fine: float) -> Case:
    """Return the case of the null law of the conditional information value."""
    x, y = levels.cells()
    n, m = float(x.sum()), float(y.sum())
    scale = n * m / (n + m)
    law = weighted_chi2(conditional_iv(np.stack([x, y], axis=-1)).null_weights)
    parents, children = x.shape
    dof = parents * (children - 1)
    critical, naive = float(law.isf(0.05)), float(chdtri(dof, 0.05))
    p, q = x / n, y / m
    mean = exact_mean(p.ravel(), q.ravel(), int(n), int(m), HALF)
    mean = scale * (mean - exact_mean(p.sum(axis=1), q.sum(axis=1), int(n), int(m), children * HALF))
    remainder = abs(mean - law.mean)
    lattice = 2 / float(min(x.min(), y.min()))
    delta = max(0.005 * fine, lattice)
    wrong = {
        "chi-square of all cells, B - 1": float(parents * children - 1),
        "equal weights: one a degree of freedom": float(dof),
        "n in place of n_e": law.mean * n / scale,
    }
    delta_mean = max(2 * remainder, 0.015 * fine * law.mean)
    unequal = abs(law.mean - dof) > 2.5 * delta_mean
    targets = (
        Target(
            name="mean",
            statistic="T",
            theory=law.mean,
            delta=delta_mean,
            delta_reason=f"twice the exact remainder {remainder:.2g}, at least {1.5 * fine:g} %",
            sd=math.sqrt(law.var),
            mutants=mutants({name: value for name, value in wrong.items() if abs(value - law.mean) > 2.5 * delta_mean}),
        ),
        Target(
            name="reject",
            statistic="reject",
            theory=0.05,
            delta=delta,
            delta_reason="twice the relative size of the Edgeworth terms, 1/(smallest expected count) = "
            f"{lattice / 2:.2g}, at least {0.5 * fine:g} points",
            sd=math.sqrt(0.05 * 0.95),
            kind="proportion",
            mutants=(
                Mutant(name="chi-square with equal weights", statistic="naive")
                if unequal
                else Mutant(name="chi-square of all cells", theory=float(chdtrc(parents * children - 1, critical))),
            ),
        ),
    )
    rows = zip(conditional_probabilities(p.ravel()), conditional_probabilities(q.ravel()), strict=True)
    head = (float(parents), float(children), n, m, HALF, scale, critical, naive)
    params = (*head, *(float(value) for row in rows for value in row))
    name = f"goods={'/'.join(map(str, levels.good))},bads={'/'.join(map(str, levels.bad))},C={children}"
    return Case(name=name, params=params, targets=targets, budget=8 * MILLION)


def posterior_case(good: tuple[int, ...], bad: tuple[int, ...], fine: float) -> Case:
    """Return the case of the posterior mean of J under Dirichlet priors of 1/2."""
    x, y = np.array(good, dtype=float), np.array(bad, dtype=float)
    theory = float(posterior_mean(x, y, smoothing=HALF))
    al, be = x + HALF, y + HALF
    p, q = al / al.sum(), be / be.sum()
    plug_in = float(((p - q) * np.log(p / q)).sum())
    # E[p log p] without the shift of the Dirichlet parameter by one
    low = float(((p - q) * (digamma(al) - digamma(be))).sum())
    low -= float((p - q).sum() * (digamma(al.sum()) - digamma(be.sum())))
    delta = min(0.006 * fine * theory, 0.3 * abs(plug_in - theory))
    sd = math.sqrt(float(((np.log(p / q) - q / p) ** 2 @ p) / al.sum() + ((np.log(p / q) + p / q) ** 2 @ q) / be.sum()))
    target = Target(
        name="mean",
        statistic="divergence",
        theory=theory,
        delta=delta,
        delta_reason="the theory is exact: what the Monte Carlo is asked to see",
        sd=sd,
        mutants=mutants({"the smoothed estimate": plug_in, "psi(al) in place of psi(al + 1)": low}),
    )
    params = (float(x.size), *(float(value) for pair in zip(al, be, strict=True) for value in pair))
    return Case(name=f"goods={'/'.join(map(str, good))}", params=params, targets=(target,), budget=8 * MILLION)


CHECKS = (
    Check(
        id="scorecard.auc_variance",
        statement="Var(AUC) = Var_Q(U)/m + Var_P(W)/n from counts, and DeLong's estimate has it as its mean",
        kernel=Kernel(auc_statistics, ("square", "estimate")),
        cases=lambda profile: tuple(auc_case(*item, FINENESS[profile]) for item in AUC),
    ),
    Check(
        id="scorecard.conditional_null",
        statement="Where a second feature adds nothing, n_e (IV(X1, X2) - IV(X1)) is a weighted sum of chi-squares",
        kernel=Kernel(conditional_statistics, ("T", "reject", "naive")),
        cases=lambda profile: tuple(
            conditional_case(Levels(good=good, bad=bad, shares=shares), FINENESS[profile])
            for good, bad, shares in CONDITIONAL
        ),
    ),
    Check(
        id="scorecard.posterior",
        statement="The posterior mean of J under Dirichlet priors, in digammas",
        kernel=Kernel(posterior_divergence, ("divergence",)),
        cases=lambda profile: tuple(posterior_case(*item, FINENESS[profile]) for item in POSTERIOR),
    ),
)
