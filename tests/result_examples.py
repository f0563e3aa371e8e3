"""One small example of every result class: what pickles, copies, JSON, frames and figures are tried on."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from asymptopia.theory import alignment, kde, projection, scaling, scorecard, softmax
from asymptopia.theory._core.result import Result

ROOT = Path(__file__).parents[1]

P, R, GOLD = [0.25, 0.25, 0.4, 0.1], [0.3, -1.2, 0.9, 2.5], [0.0, 1.0, 2.0, -3.0]
DISTANCE = np.linspace(0.3, 3.0, 12)
REWARDS = np.random.default_rng(0).standard_normal((20, 16))
POINTS = np.random.default_rng(1).standard_normal((80, 4))
SIZES = np.random.default_rng(2).gamma(3.0, size=60)
GOOD, BAD = [139, 49, 164, 348], [135, 14, 105, 46]
BUDGETS = 10.0 ** np.arange(17, 22)
CODES = np.random.default_rng(3).integers(0, 3, (60, 2))
OUTCOME = np.random.default_rng(4).integers(0, 2, 60)
SPLIT = {"income": [[80, 40], [120, 35], [150, 25]]}, {"income": [[80, 40], [85, 70], [80, 95]]}
TABLE = {"age": [23, 31, 45, 52, 38, 61, 29, 44], "home": [*"aabbabab"], "bad": [1, 1, 0, 0, 1, 0, 0, 0]}
Z, A, Y = [1.2, -0.3, 0.7], [0.9, -0.4, 0.35], [0.2, 0.5, 0.3]


@cache
def law() -> Any:
    return scaling.ScalingLaw(1.69, 406.4, 410.7, 0.34, 0.28)


@cache
def runs() -> tuple[Any, Any, Any]:
    made = scaling.isoflop_design(law(), [1e18, 1e19, 1e20], 9, factor=8)
    return made.N, made.D, scaling.simulate(law(), made.N, made.D, sigma=1e-3, rng=1)


@cache
def fit() -> Any:
    return scaling.fit_scaling_law(*runs(), objective="ls")


def annealed() -> Any:
    rates = [3e-4 * (1 + np.cos(np.pi * np.arange(n + 1) / n)) / 2 for n in (200, 400)]
    at = [np.arange(50, 201, 10), np.arange(50, 401, 10)]
    truth = {"L0": 2.6, "A": 0.4, "C": 500.0, "alpha": 0.5, "decay": 0.99}
    curves = [scaling.lr_annealing(rate, **truth)[steps - 1] for rate, steps in zip(rates, at, strict=True)]
    return scaling.lr_annealing_fit(rates, at, curves)


def repeated() -> Any:
    N, D = (grid.ravel() for grid in np.meshgrid([1e8, 1e9, 4e9], [1e10, 4e10, 2e11]))
    loss = scaling.data_constrained(N, D, 2e10)
    return scaling.data_constrained_fit(N, D, 2e10, loss, alpha=0.35, beta=0.36)


def kaplan() -> Any:
    N, D = (grid.ravel() for grid in np.meshgrid([1e6, 1e7, 1e8, 1e9], [1e8, 1e9, 1e10]))
    return scaling.kaplan_fit(N, D, scaling.kaplan_loss(N, D))


def valleys() -> Any:
    made = scaling.isoflop_design(law(), BUDGETS, 9, factor=8)
    return scaling.approach2(made.N, made.D, law().loss(made.N, made.D), np.repeat(BUDGETS, 9))


def screens() -> Any:
    tables = [np.transpose([GOOD, BAD]), np.transpose([[221, 38, 61, 380], [89, 12, 31, 168]])]
    return scorecard.screen_table(tables, names=["checking", "sex"])


def encoded() -> Any:
    from asymptopia.theory.scorecard.encoder import WoEEncoder

    return WoEEncoder().fit(CODES.astype(float), OUTCOME).tables_[0]


EXAMPLES: dict[str, Callable[[], Any]] = {
    "alignment.asymptotic:Asymptotic": lambda: alignment.best_of_n_gaussian(m=100, delta=0.2).asymptotic(2),
    "alignment.blockwise:BlockwiseResult": lambda: alignment.blockwise_best_of_n(
        [0.5, 0.3, 0.2], [0.0, 1.0, 2**0.5], m=20, block=5, n=8
    ),
    "alignment.bon:BestOfNResult": lambda: alignment.best_of_n(P, R, n=8),
    "alignment.data:BonReport": lambda: alignment.bon_report(alignment.simulate_rewards(12, 8), gold="gold", rng=0),
    "alignment.divergences:BonDivergences": lambda: alignment.bon_divergences([1, 2, 64]),
    "alignment.frontier:FrontierResult": lambda: alignment.kl_frontier(P, R, [0.0, 0.5, 3.0]),
    "alignment.gap:GapResult": lambda: alignment.equivalence_gap([0.7, 0.3], [0, 1], delta=0.1, m=[20, 40]),
    "alignment.gaussian_tokens:GaussianResult": lambda: alignment.best_of_n_gaussian(m=100, delta=0.2),
    "alignment.gold:GoldCurve": lambda: alignment.gold_along_frontier(P, R, GOLD, kl=[0.0, 0.5, 2.0]),
    "alignment.gold:GoldPeak": lambda: alignment.gold_peak(P, R, GOLD),
    "alignment.identity:ClosenessResult": lambda: alignment.closeness([0.2, 0.2, 0.3, 0.3], P, R, alpha=0.5),
    "alignment.logprobs:KLEstimate": lambda: alignment.kl_from_logprobs(REWARDS.ravel(), "k1"),
    "alignment.markov:MarkovTilt": lambda: alignment.markov_tilt([[0.9, 0.1], [0.4, 0.6]], [0, 1], kl=0.1),
    "alignment.memoryless:MemorylessResult": lambda: alignment.best_of_n_memoryless(
        [0.7, 0.3], [0, 1], m=20, delta=0.2
    ),
    "alignment.overoptimization_result:OveroptimizationFit": lambda: alignment.overoptimization_fit(
        DISTANCE**2, DISTANCE * (1 - 0.25 * DISTANCE) + 0.01 * np.sin(9 * DISTANCE), kind="bon"
    ),
    "alignment.poisson:BestOfPoisson": lambda: alignment.best_of_poisson([0.0, 1.0, 5.0]),
    "alignment.pool:BonCurve": lambda: alignment.bon_curve(REWARDS, gold=-REWARDS, n=[1, 2, 4], rng=0),
    "alignment.regularized:RegularizedPolicy": lambda: alignment.regularized_policy(P, R, beta=2.0, divergence="chi2"),
    "alignment.rewards:RewardFrontier": lambda: alignment.frontier_from_rewards(REWARDS, kl=[0.05, 0.2], rng=0),
    "alignment.shortfall:BonShortfall": lambda: alignment.bon_shortfall([2, 3, 128]),
    "alignment.soft:SoftBestOfN": lambda: alignment.soft_best_of_n(P, R, lam=0.8, n=4),
    "alignment.tilting:TiltedPolicy": lambda: alignment.tilt(P, R, kl=0.3),
    "alignment.uniform:UniformOptimum": lambda: alignment.uniform_optimum(win_rate=[0.3, 0.5, 0.9]),
    "kde.collapse:CollapseTime": lambda: kde.collapse_time(50_000, 3072),
    "kde.condensation:ParticipationLaw": lambda: kde.participation_law([0.2, 0.5]),
    "kde.condensation:RemExpansion": lambda: kde.rem_expansion(0.2, 400, 0.5),
    "kde.data:KDEReport": lambda: kde.kde_report(POINTS),
    "kde.diagnosis_result:Diagnosis": lambda: kde.diagnose(POINTS),
    "kde.finite_result:FiniteKDE": lambda: kde.finite_size(1000, 20, h=0.8, x2=20.0),
    "kde.finite_result:OptimalBandwidth": lambda: kde.optimal_bandwidth(1000, 20),
    "kde.intrinsic:IntrinsicDimension": lambda: kde.intrinsic_dimension(POINTS),
    "kde.leave_one_out:LOOBandwidth": lambda: kde.loo_bandwidth(POINTS),
    "kde.mise:MISEBandwidth": lambda: kde.mise_bandwidth(10**6, 50),
    "kde.phases:KDEPhases": lambda: kde.phase_thresholds(0.5),
    "kde.rules:BandwidthRules": lambda: kde.bandwidth_rules(POINTS),
    "projection.bootstrap:CriterionBootstrap": lambda: projection.bootstrap_criterion(
        SIZES, projection.Exponential(), repeats=40, rng=1
    ),
    "projection.criterion_result:PNCriterion": lambda: projection.pn_criterion(
        POINTS, projection.MultivariateNormal(4)
    ),
    "projection.data:PNReport": lambda: projection.pn_report({"x": SIZES}, ["gamma", "exponential"]),
    "projection.exact_result:ExactRisk": lambda: projection.kl_risk_exact(projection.Normal(), n=10),
    "projection.information:TakeuchiPenalty": lambda: projection.takeuchi_penalty(SIZES, projection.Exponential()),
    "projection.information:SecondOrderAIC": lambda: projection.second_order_aic(-70.0, projection.Normal(), n=50),
    "projection.risk_result:RiskExpansion": lambda: projection.kl_risk_expansion(
        projection.Poisson(), projection.Poisson().natural(lam=2.0), order=3
    ),
    "scaling.annealing_fit:AnnealingFit": annealed,
    "scaling.bootstrap_result:BootstrapResult": lambda: scaling.bootstrap_fit(fit(), n=50, rng=0),
    "scaling.data:ScalingReport": lambda: scaling.scaling_report(
        dict(zip(("N", "D", "loss"), runs(), strict=True)), compute=1e24, rng=0
    ),
    "scaling.doptimal:DesignResult": lambda: scaling.optimal_design(law(), ((1e8, 1e10), (1e9, 1e11))),
    "scaling.efficiency:Approach2Efficiency": lambda: scaling.approach2_efficiency(
        scaling.ScalingLaw.from_name("czech2026-symmetric"), budgets=BUDGETS, factor=8, n=31, C=1e24
    ),
    "scaling.exponent_profile:ProfileContour": lambda: scaling.profile_contour(fit()),
    "scaling.extrapolation:BiasExtrapolation": lambda: scaling.approach2_extrapolation(
        0.34, 0.28, budgets=BUDGETS, factor=2, centers=-np.log(3) * np.arange(5) / 4, C=1e24
    ),
    "scaling.fieller:FiellerResult": lambda: scaling.fieller_vertex([-2, -1, 0, 1, 2], [2.43, 2.12, 2.01, 2.09, 2.4]),
    "scaling.fit_result:ScalingLawResult": fit,
    "scaling.kaplan:KaplanFit": kaplan,
    "scaling.law:ScalingLaw": law,
    "scaling.noise:VertexNoise": lambda: scaling.vertex_noise(
        scaling.ScalingLaw.from_name("czech2026-symmetric"), 1e19, sigma=0.01, factor=2, n=21
    ),
    "scaling.parabola_result:Approach2Result": valleys,
    "scaling.profile_ci:ProfileInterval": lambda: scaling.n_opt_profile_interval(fit(), 1e22),
    "scaling.repetition:RepetitionOptimum": lambda: scaling.data_constrained_optimum(1e22, 2.5e10),
    "scaling.repetition_fit:RepetitionFit": repeated,
    "scaling.serving:ServingOptimum": lambda: scaling.inference_optimal(law(), 1.99, 1e13),
    "scorecard.binning.prebins:Prebins": lambda: scorecard.prebin([1, 2, 2, 3, 4, np.nan], [0, 0, 1, 0, 1, 1]),
    "scorecard.binning.result:BinningResult": lambda: scorecard.optimal_bins(
        [120, 90, 160, 110, 80, 140], [4, 6, 5, 9, 8, 12], max_bins=3, trend="ascending"
    ),
    "scorecard.conditional:ConditionalIVResult": lambda: scorecard.conditional_iv(
        [[[60, 30], [40, 40]], [[200, 20], [100, 25]]]
    ),
    "scorecard.data:Screen": lambda: scorecard.iv_screen_frame(TABLE, "bad", bins=2),
    "scorecard.encoder_columns:EncodedColumn": encoded,
    "scorecard.enumeration:ExactLaw": lambda: scorecard.exact_law([0.5, 0.3, 0.2], [0.4, 0.4, 0.2], 6, 5),
    "scorecard.fairness.result:FrontResult": lambda: scorecard.fairness_front(*SPLIT, eps=[0, 0.2]),
    "scorecard.fdivergence:DivergenceResult": lambda: scorecard.divergence("js", GOOD, BAD),
    "scorecard.homogeneity:HomogeneityResult": lambda: scorecard.homogeneity_test([8, 3, 1], [2, 4, 6]),
    "scorecard.hypotheses:TestResult": lambda: scorecard.information_value(GOOD, BAD).test(margin=0.3),
    "scorecard.logistic:WoERegression": lambda: scorecard.woe_regression(GOOD, BAD),
    "scorecard.logistic:ScorecardPoints": lambda: scorecard.scorecard_points(
        scorecard.woe_table(GOOD, BAD), coef=-1.0, intercept=-0.8473
    ),
    "scorecard.monitoring:MonitorResult": lambda: scorecard.drift_monitor([1000, 2000, 1000], [[510, 980, 505]] * 3),
    "scorecard.results:IVResult": lambda: scorecard.information_value(GOOD, BAD),
    "scorecard.results:PSIResult": lambda: scorecard.psi(GOOD, BAD),
    "scorecard.roc:DiscriminationResult": lambda: scorecard.discrimination(GOOD, BAD),
    "scorecard.screening:ScreenResult": screens,
    "scorecard.secondorder:SecondOrderLaw": lambda: scorecard.second_order_law(GOOD, BAD),
    "scorecard.survey:SurveyTable": lambda: scorecard.survey_table(
        [0, 0, 1, 1, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 1], weights=[1, 2, 1, 1, 3, 1, 1, 2]
    ),
    "scorecard.woe:WoETable": lambda: scorecard.woe_table(GOOD, BAD),
    "softmax.batch:BatchRadius": lambda: softmax.batch_radius([[0.0, 0.0], [2.0, 0.0]], [[0.0, 1.0], [0.5, -1.0]]),
    "softmax.data:RadiusReport": lambda: softmax.radius_report(Z, A, y=Y, tau=2.0),
    "softmax.line:LineSearch": lambda: softmax.line_search(Z, A, Y),
    "softmax.radius_result:SoftmaxRadius": lambda: softmax.softmax_radius(Z, A, method="exact"),
    "softmax.step_divergence:StepDivergence": lambda: softmax.step_kl(Z, A, [1e-6, 1.0]),
    "softmax.training:SpikeTraining": lambda: softmax.spike_training(steps=3, spike_start=1, spike_steps=1, rng=0),
    "softmax.zeros:PartitionZeros": lambda: softmax.partition_zeros([0.0, 0.0, 0.0], [0.0, 1.0, 2.0], 5.0),
}


@cache
def example(name: str) -> Result:
    """Return the example of a class by its name, as in ``"kde.mise:MISEBandwidth"``."""
    found = EXAMPLES[name]()
    assert isinstance(found, Result)
    return found


def classes() -> list[str]:
    """Return every result class by its name, those that others are made from apart; read from the sources."""
    bases: dict[str, set[str]] = {}
    places: dict[str, str] = {}
    for path in (ROOT / "theory").rglob("*.py"):
        module = ".".join(path.relative_to(ROOT / "theory").with_suffix("").parts)
        # not parsed, which would take seconds for the whole package
        for name, above in re.findall(r"^class (\w+)\(([^)]*)\):", path.read_text(encoding="utf-8"), re.MULTILINE):
            bases.setdefault(name, set()).update(re.findall(r"\w+", above))
            places[name] = f"{module}:{name}"
    found, more = {"Result"}, {"Result"}
    while more:
        more = {name for name, above in bases.items() if above & found} - found
        found |= more
    above = set().union(*(bases[name] for name in found - {"Result"}))
    return sorted(places[name] for name in found - {"Result"} - above)


def kind(name: str) -> type[Result]:
    """Return a result class by its name."""
    module, _, attribute = name.partition(":")
    found: type[Result] = getattr(import_module(f"asymptopia.theory.{module}"), attribute)
    return found
