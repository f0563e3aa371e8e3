"""What is claimed beyond two plain samples: divergences, designs, binning, discrimination and a second feature."""

from __future__ import annotations

from asymptopia.theory._core.registry import Claim, Source

_DIVERGENCE = "asymptopia.theory.scorecard.symbolic_divergence"
_DESIGNS = "asymptopia.theory.scorecard.symbolic_designs"
_BINNING = "asymptopia.theory.scorecard.symbolic_binning"
_RANK = "asymptopia.theory.scorecard.symbolic_discrimination"
_PAGE = "results/scorecard.md"
_TWO_SAMPLES = "Counts x and y over the same B bins are two independent multinomial samples of sizes n and m."
_BINS_GIVEN = "The bins were not chosen on these outcomes."
_POSITIVE = "Every share is positive in both populations."

CLAIMS = (
    Claim(
        id="scorecard.f_divergence",
        statement=(
            "For every smooth convex f, Var(D_f) = Var_P(u)/n + Var_Q(v)/m to first order with u = f'(p/q) and "
            "v = f - (p/q) f'; the bias is half the trace of Hessian times covariance; where P = Q, 2 n_e D_f/f''(1) "
            "tends to a chi-square with B - 1 degrees of freedom and D_f/SE to sqrt(chi2)/2."
        ),
        assumptions=(_TWO_SAMPLES, _POSITIVE, _BINS_GIVEN),
        validity=(
            "Expected counts of at least about 50 a bin; f with large higher derivatives, as Pearson and Neyman "
            "chi-square, needs more. Jensen-Shannon and Hellinger are finite at empty cells, where the delta method "
            "does not hold."
        ),
        sources=(
            Source(key="csiszar1967"),
            Source(key="pardo2006", where="chapter 3"),
            Source(key="cressie1984", where="the power family"),
            Source(key="lin1991", where="Jensen-Shannon divergence"),
        ),
        proof=f"{_DIVERGENCE}:f_variance",
        oracle="scorecard/divergences.json",
        checks=("scorecard.f_variance", "scorecard.f_bias", "scorecard.f_null", "scorecard.z_ratio"),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.fixed_bins",
        statement=(
            "Where the bin sizes N_i are fixed and outcomes are independent binomials, the covariance of the shares is "
            "that of two samples less a covariance, so that no variance of D_f is larger; where P = Q the law is that "
            "of two samples, with all weights 1."
        ),
        assumptions=("Outcomes are independent given the bin, with sizes N_i fixed by design.", _POSITIVE),
        validity="Expected counts of at least about 50 of each outcome a bin.",
        sources=(Source(key="sudjianto2025", where="abstract: a delta method, its design not named"),),
        corrections=(
            "Half the trace of Hessian times covariance is not the bias in this design: both sample sizes are random, "
            "the shares are ratios, and E(p_i) - p_i = (p_i W - w_i)/n^2 with w = xy/(x + y) and W its sum, likewise "
            "for q, has the same order.",
        ),
        proof=f"{_DESIGNS}:fixed_bins",
        oracle="scorecard/designs.json",
        checks=("scorecard.fixed_bins_variance",),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.paired",
        statement=(
            "Where N items are seen twice with joint shares T, Var(D_f) = Var_T(u_i + v_j)/N to first order; with "
            "equal margins the difference of the shares has covariance (2 diag(p) - T - T')/N and D_f tends to a "
            "weighted sum of chi-squares."
        ),
        assumptions=("The pairs are a multinomial sample.", _POSITIVE, _BINS_GIVEN),
        validity="Expected margins of at least about 50, and a transition table that connects the bins.",
        sources=(
            Source(key="stuart1955", where="covariance of the difference of two margins"),
            Source(key="yurdakul2020", where="the law of independent samples, which it replaces"),
        ),
        corrections=(
            "The chi-square of independent samples rejects far too rarely where most items stay in their bin.",
        ),
        proof=f"{_DESIGNS}:paired",
        oracle="scorecard/designs.json",
        checks=("scorecard.paired_variance", "scorecard.paired_null"),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.survey",
        statement=(
            "For weighted shares Var(D_f) = sum w_k^2 (u_b(k) - mean u)^2/W^2 to first order in each sample; with "
            "clusters the terms are summed inside a cluster before squaring."
        ),
        assumptions=(
            "Rows, or clusters, are drawn independently with weights that are fixed or drawn with them.",
            _POSITIVE,
            _BINS_GIVEN,
        ),
        validity="At least about 30 clusters in each sample and a Kish size of at least about 50 a bin.",
        sources=(
            Source(key="sarndal1992", where="section 5.5, Taylor linearisation"),
            Source(key="rao1981", where="the law of the test statistic"),
        ),
        corrections=(
            "The Kish size (sum w)^2/sum w^2 in place of n is right only where the weights are unrelated to the bins.",
        ),
        proof=f"{_DESIGNS}:survey",
        oracle="scorecard/survey.json",
        checks=("scorecard.survey_variance",),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.second_order",
        statement=(
            "The law of g'Z + Z'HZ/2 with Z normal of covariance S has cumulants tr(HS)/2, g'Sg + tr((HS)^2)/2 and "
            "3 g'SHSg + tr((HS)^3): the second-order law of the plug-in J."
        ),
        assumptions=(_TWO_SAMPLES, _POSITIVE, _BINS_GIVEN),
        validity="Expected counts of at least about 20 a bin; it serves near P = Q and far from it.",
        sources=(
            Source(key="mathai1992", where="chapter 3"),
            Source(key="imhof1961", where="tails of the law"),
            Source(key="ruben1962", where="tails of the law"),
        ),
        proof=f"{_DESIGNS}:second_order",
        oracle="scorecard/second_order.json",
        checks=("scorecard.second_order",),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.posterior",
        statement=(
            "Under independent Dirichlet posteriors the mean of J is a finite sum of digamma functions of the counts; "
            "at equal samples it is the bias (B - 1)(1/A + 1/B_t) of the posterior totals A and B_t, not 0."
        ),
        assumptions=("Dirichlet priors with the same positive concentration in each bin.",),
        validity="All counts; as an estimate or an interval near J = 0 the posterior is shifted upwards.",
        sources=(Source(key="wolpert1995"),),
        corrections=(
            "Posterior quantiles are no confidence interval near J = 0: like the percentile bootstrap they never cover "
            "0.",
        ),
        proof=f"{_DESIGNS}:posterior_mean",
        oracle="scorecard/posterior.json",
        checks=("scorecard.posterior",),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.optimal_bins",
        statement=(
            "Among monotone binnings of ordered prebins the blocks of isotonic regression maximise every f-divergence; "
            "with at most M bins an optimum uses only vertices of the greatest convex minorant of the cumulated counts."
        ),
        assumptions=("The prebins are ordered and bins are runs of them.", "No smallest bin size is asked for."),
        validity=(
            "Monotone trends without constraints; with smallest sizes, other trends or pseudo-counts a programme over "
            "all prebins is exact instead."
        ),
        sources=(
            Source(key="blackwell1953", where="comparison of experiments"),
            Source(key="barlow1972", where="greatest convex minorant"),
        ),
        proof=f"{_BINNING}:hull_maximality",
        oracle="scorecard/binning.json",
        checks=("scorecard.optimal_bins",),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.selection",
        statement=(
            "Where feature and outcome are independent, the outcomes of the prebins given all totals are multivariate "
            "hypergeometric, and (1 + #)/(R + 1) from R redrawn tables with the whole search repeated is at most "
            "k/(R + 1) with probability at most k/(R + 1)."
        ),
        assumptions=("Rows are exchangeable.", "The prebins do not depend on the outcome."),
        validity="All sample sizes; the smallest value is 1/(R + 1).",
        sources=(Source(key="phipson2010"),),
        corrections=(
            "A chi-square test that takes optimised bins as given rejects two to four times too often at 5 %.",
        ),
        proof=f"{_BINNING}:permutation",
        oracle="scorecard/binning.json",
        checks=("scorecard.permutation", "scorecard.quantile_null"),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.discrimination",
        statement=(
            "Var(AUC) = Var_P(W)/n + Var_Q(U)/m to first order in the placements U and W, ties counted half; for bins "
            "in order of event rate KS <= Gini <= 2 KS - KS^2 and J >= 2 KS log((1 + KS)/(1 - KS))."
        ),
        assumptions=(_TWO_SAMPLES, "The bins and their order were not chosen on these outcomes."),
        validity="At least about 100 of each outcome and an area below about 0.95.",
        sources=(
            Source(key="delong1988", where="variance from placements"),
            Source(key="hanley1982", where="the area as a probability"),
        ),
        corrections=(
            "With bins put in the order of their own event rates the area is never below 1/2 and biased upwards.",
        ),
        proof=f"{_RANK}:auc_variance",
        oracle="scorecard/discrimination.json",
        checks=("scorecard.auc_variance",),
        page=_PAGE,
    ),
    Claim(
        id="scorecard.conditional",
        statement=(
            "IV(X1, X2) - IV(X1) = sum p_i KL(P_i||Q_i) + q_i KL(Q_i||P_i) over the bins i of X1; where X2 adds "
            "nothing it tends to a sum of chi-squares with weights (p_i + q_i)(1/(n p_i) + 1/(m q_i))/2."
        ),
        assumptions=(_TWO_SAMPLES, _POSITIVE, _BINS_GIVEN),
        validity="Expected counts of at least about 5 a cell for the test and 50 for the standard error.",
        sources=(Source(key="kullback1951", where="section 2: additivity"),),
        corrections=(
            "Information Values of dependent features do not add up to that of the pair.",
            "The null law is no chi-square with a common factor n_e unless X1 is without effect.",
        ),
        proof=f"{_RANK}:conditional",
        oracle="scorecard/conditional.json",
        checks=("scorecard.conditional_null",),
        page=_PAGE,
    ),
)
