"""What is claimed about Information Value, PSI and Weight of Evidence, and what proves and could refute it."""

from __future__ import annotations

from asymptopia.theory._core.registry import Claim, Source
from asymptopia.theory.scorecard.claims_designs import CLAIMS as DESIGN_CLAIMS

_PROOFS = "asymptopia.theory.scorecard.symbolic"
_MOMENTS = "asymptopia.theory.scorecard.symbolic_moments"
_PAGE = "results/scorecard.md"
_TWO_SAMPLES = "Counts x and y over the same B bins are two independent multinomial samples of sizes n and m."
_BINS_GIVEN = "The bins were not chosen on these outcomes."
_POSITIVE = "Every share is positive in both populations."

CLAIMS = (
    Claim(
        id="scorecard.identity",
        statement=(
            "Information Value and Population Stability Index are one function of two vectors of shares, the Jeffreys "
            "divergence J(P, Q) = KL(P||Q) + KL(Q||P): symmetric, a sum of non-negative terms over bins, zero only if "
            "P = Q, and never increased by merging bins."
        ),
        assumptions=("Both vectors of shares are over the same bins.",),
        validity="All shares; J is infinite where exactly one of the two shares of a bin is zero.",
        sources=(
            Source(key="sudjianto2025", where="abstract"),
            Source(key="jeffreys1946"),
            Source(key="kullback1951", where="section 2"),
            Source(key="siddiqi2006"),
        ),
        proof=f"{_PROOFS}:identity",
        oracle="scorecard/iv_moments.json",
        checks=("scorecard.iv_bias",),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.woe_variance",
        statement=(
            "Var(WoE_i) = 1/x_i - 1/n + 1/y_i - 1/m and Cov(WoE_i, WoE_j) = -1/n - 1/m to first order; the contrast "
            "WoE_i - WoE_j has variance 1/x_i + 1/y_i + 1/x_j + 1/y_j."
        ),
        assumptions=(
            "Two independent multinomial samples, or one multinomial sample over bins and outcomes.",
            _POSITIVE,
        ),
        validity="Expected counts of at least about 50 a bin; below, the exact moments of the smoothed weight apply.",
        sources=(Source(key="siddiqi2006"), Source(key="sudjianto2025", where="abstract")),
        corrections=(
            "The package fastwoe reports 1/x_i + 1/y_i as the variance of WoE. That is the variance of the log odds "
            "inside the bin; it exceeds Var(WoE_i) by 1/n + 1/m.",
            "Weights of Evidence are not independent across bins: their covariance is -1/n - 1/m.",
        ),
        proof=f"{_PROOFS}:woe_covariance",
        oracle="scorecard/woe.json",
        checks=("scorecard.woe_variance", "scorecard.woe_variance_fixed_bins"),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.iv_variance",
        statement=(
            "Var(J) = V_P/n + V_Q/m to first order, with V_P = Var_P(L) + sum q^2/p - 1 + 2J and V_Q = Var_Q(L) + "
            "sum p^2/q - 1 + 2J, L = log(p/q); against a known baseline it is V_P/n."
        ),
        assumptions=(_TWO_SAMPLES, _POSITIVE, _BINS_GIVEN),
        validity=(
            "Where n_e J is at least about 200, with n_e = nm/(n + m); at P = Q the first-order term vanishes and "
            "scorecard.null_law applies."
        ),
        sources=(
            Source(key="sudjianto2025", where="abstract"),
            Source(key="rojas2023", where="asymptotic normality of the estimator"),
        ),
        corrections=(
            "sum (p - q)^2 (1/x + 1/y) holds the factors p - q fixed. Near P = Q it is a quarter of the variance.",
            "Adding sum L^2 Var(p - q) to it treats p - q and L as independent; near P = Q it is at most half of the "
            "variance.",
            "The package statistical-iv 0.3.2 takes V_P = Var_P(L) + Var_P(q/p), which leaves out Cov_P(L, q/p) = -J: "
            "V_P and V_Q are too small by 2J.",
            "Treating an estimated baseline as known leaves out V_Q/m.",
        ),
        proof=f"{_PROOFS}:iv_variance",
        oracle="scorecard/iv_moments.json",
        checks=("scorecard.iv_variance",),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.bias",
        statement=(
            "The plug-in J exceeds J by (B - 2 + sum q/p)/(2n) + (B - 2 + sum p/q)/(2m) to first order; with 1/2 added "
            "to every count, by (B - 1 + S/2 - B KL(P||Q)/2)/n + (B - 1 - S/2 - B KL(Q||P)/2)/m, S = sum log(p/q)."
        ),
        assumptions=(_TWO_SAMPLES, _POSITIVE, _BINS_GIVEN),
        validity=(
            "Expected counts of at least about 50 a bin. Without smoothing the expectation is infinite wherever a "
            "count can be zero."
        ),
        sources=(Source(key="yurdakul2020"), Source(key="yurdakul2018")),
        corrections=(
            "sum q/p is not the chi-square divergence plus 1, which is sum q^2/p.",
            "Fixed thresholds such as 0.02 or 0.1 are compared with a plug-in whose bias at P = Q is (B - 1)/n_e.",
        ),
        proof=f"{_MOMENTS}:half_smoothed_bias",
        oracle="scorecard/iv_moments.json",
        checks=("scorecard.iv_bias", "scorecard.exact_mean"),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.null_law",
        statement=(
            "Where P = Q, n_e J tends to a chi-square with B - 1 degrees of freedom, n_e = nm/(n + m); against a known "
            "baseline n J does."
        ),
        assumptions=(_TWO_SAMPLES, _BINS_GIVEN),
        validity="Expected counts of at least about 5 a bin, with 1/2 added to every count.",
        sources=(
            Source(key="yurdakul2018"),
            Source(key="yurdakul2020"),
            Source(key="potgieter2023", where="the noncentral law of the Pearson form"),
        ),
        corrections=(
            "A Wald interval that excludes 0 is no test of J = 0. At P = Q the ratio J/SE tends to sqrt(chi2)/2, not "
            "to a normal; with fixed weights to sqrt(chi2), with weights taken as independent of the differences to "
            "sqrt(chi2/(2 - 1/B)) for B equal bins, without Cov_P(L, q/p) to sqrt(chi2/2).",
            "Comparing PSI itself with a chi-square, without the factor n_e, has no meaning.",
            "With an estimated baseline the factor is n_e, not n.",
            "The normal approximation of the critical value, (1/n + 1/m)(B - 1 + z sqrt(2(B - 1))), rejects too often.",
        ),
        proof=f"{_MOMENTS}:null_scale",
        oracle="scorecard/chi2_logsf.json",
        checks=("scorecard.null_law", "scorecard.z_ratio", "scorecard.power", "scorecard.false_alarms"),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.snc",
        statement=(
            "The scaled noncentral chi-square (rho/n_e) chi2'_nu(n_e J/rho) with rho = n_e V/(4J), nu = n_e b/rho has "
            "mean J + b and variance V + 2 rho b/n_e; its law is the chi-square of P = Q at one end and the normal of "
            "the delta method at the other, and inverting it in J gives an interval that serves both."
        ),
        assumptions=(_TWO_SAMPLES, _BINS_GIVEN, "1/2 is added to every count."),
        validity=(
            "Expected counts of at least 1 and at least 5 observations a bin in the smaller sample on average; below, "
            "the coverage falls."
        ),
        sources=(Source(key="yurdakul2020", where="the law at P = Q, which it extends"),),
        corrections=("The percentile bootstrap adds the bias of the plug-in a second time and misses J near 0.",),
        proof=f"{_MOMENTS}:snc_moments",
        oracle="scorecard/snc_interval.json",
        checks=("scorecard.snc_coverage",),
        page=_PAGE,
    ),
    *DESIGN_CLAIMS,
)
