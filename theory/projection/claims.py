"""What is claimed about the risk of the maximum likelihood estimator, and what proves and could refute it."""

from __future__ import annotations

from asymptopia.theory._core.registry import Claim, Source

_EXPANSION = "asymptopia.theory.projection.symbolic"
_TABLES = "asymptopia.theory.projection.symbolic_tables"
_EXACT = "asymptopia.theory.projection.symbolic_exact"
_BIAS = "asymptopia.theory.projection.symbolic_bias"
_BOUNDS = "asymptopia.theory.projection.symbolic_bounds"
_PAGE = "results/projection.md"
_DRAWS = "The n observations are independent draws of one law."
_FAMILY = "The model is a full regular minimal exponential family."
_INSIDE = "The mean statistic of the truth lies in the interior of the convex hull of the statistic's support."
_TAILS = "The statistic has moments of order six under the truth."
_OWN = "The truth is in the model."
_SERIES = "Asymptotic in n and generally divergent; the status says where the second term is above 0.3 of the first."
_PAPER = Source(key="sheena2021", where="abstract, and the formula coded in the author's program")
_JOURNAL = Source(key="sheena2022", where="the journal version of that work")
_DERIVED = Source(key="sheena2021", where="abstract, for the expansion; the closed forms are derived here")

CLAIMS = (
    Claim(
        id="projection.expansion",
        statement=(
            "The mean divergence between the information projection and the maximum likelihood estimate is t0/(2n) + "
            "[-8 t1 + 9(t21 + 2 t22) - 9 t31]/(24 n^2) + O(n^-3), for any truth and any number of parameters, with "
            "contractions of the second, third and fourth cumulants of the statistic."
        ),
        assumptions=(_DRAWS, _FAMILY, _INSIDE, _TAILS),
        validity=(
            f"{_SERIES} It is the excess log loss of the estimate over the projection. If an estimate may fail to "
            "exist, it is the risk given that it exists."
        ),
        sources=(_PAPER, _JOURNAL),
        corrections=(
            "The author's program forms one fourth-order contraction three times and one third-order contraction "
            "twice: term31 = term32 = term33 and term22 = term23 by symmetry.",
        ),
        proof=f"{_EXPANSION}:expansion",
        oracle="projection/contractions.json",
        checks=("projection.expansion", "projection.misspecified"),
        page=_PAGE,
    ),
    Claim(
        id="projection.well_specified",
        statement=(
            "If the truth is in the model the risk is p/(2n) + (10 F + 9 B - 9 K)/(24 n^2), with one parameter (19 "
            "k3^2/k2^3 - 9 k4/k2^2)/24; F, B and K are invariant under affine changes of the statistic."
        ),
        assumptions=(_DRAWS, _FAMILY, _OWN),
        validity=_SERIES,
        sources=(
            _PAPER,
            Source(key="lawley1956", where="the invariants, in the mean of the likelihood ratio"),
            Source(key="mccullagh1987", where="the invariants rho13^2 (B), rho23^2 (F) and rho4 (K)"),
        ),
        proof=f"{_EXPANSION}:well_specified",
        oracle="projection/closed_forms.json",
        checks=("projection.families", "projection.multivariate"),
        page=_PAGE,
    ),
    Claim(
        id="projection.companions",
        statement=(
            "With the contractions A2, A3, A4, ... of the dual potential the risk is A2/(2n) + (A3/3 + 3 A4/8)/n^2, "
            "the reverse risk A2/(2n) + (A3/6 + A4/8)/n^2, the optimism A2/n + (A3 + A4)/(2 n^2), their sum; the next "
            "term of the risk is A4k/8 + A5/3 + 5 A6/48."
        ),
        assumptions=(_DRAWS, _FAMILY, _INSIDE, "The statistic has the moments that the order takes."),
        validity=_SERIES,
        sources=(Source(key="takeuchi1976", where="the optimism to the first order; the rest is derived here"),),
        proof=f"{_EXPANSION}:companions",
        oracle="projection/closed_forms.json",
        checks=("projection.optimism",),
        page=_PAGE,
    ),
    Claim(
        id="projection.contractions",
        statement=(
            "With the statistic y whitened under the model, t31 = Var(y'Sy) - 2 tr S^2, t21 = |E(y'Sy)y|^2, t1 = E(y_a"
            ".z_b)^3 and t22 = E(y_a'S y_b)^2 y_a.y_b over independent draws: no tensor of the fourth order is needed."
        ),
        assumptions=(_FAMILY, "The statistic has moments of order four under the model, three under the truth."),
        validity=(
            "Exact. From N draws the pairs a = b add a term of the order p^3/N, which distinct pairs leave out; a "
            "normalising constant is not needed."
        ),
        sources=(Source(key="mccullagh1987", where="cumulants and moments; the contractions are derived here"),),
        corrections=("The author's program uses the unbiased covariance with biased third and fourth cumulants.",),
        proof=f"{_EXPANSION}:contractions",
        oracle="projection/contractions.json",
        checks=("projection.ising", "projection.expansion"),
        page=_PAGE,
    ),
    Claim(
        id="projection.closed_forms",
        statement=(
            "The second coefficient is 5/(12 q(1-q)) - 11/12 for a Bernoulli law, (5/12) sum 1/p_i - k/2 + 1/12 for k "
            "cells, 5/(12 l) for a Poisson law, (5 q^2 + q + 5)/(12 q r) for a negative binomial one, 11/12 for an "
            "exponential one and 11/(12 a) for a gamma law of known shape."
        ),
        assumptions=(_DRAWS, _OWN),
        validity=f"{_SERIES} For cells it is of use where n times the smallest probability is above about 5.",
        sources=(_DERIVED,),
        proof=f"{_TABLES}:closed_forms",
        oracle="projection/closed_forms.json",
        checks=("projection.families", "projection.existence"),
        page=_PAGE,
    ),
    Claim(
        id="projection.gamma",
        statement=(
            "For a gamma law with both parameters unknown the second coefficient is a ratio of polygamma functions of "
            "the shape a, 61/12 + 1/(3a) - 7/(324 a^3) - ... for large a and 11/(12 a) for small a."
        ),
        assumptions=(_DRAWS, _OWN),
        validity=(
            "The ratio loses digits like a^3 in double precision, 2.8e-6 at a = 1e5; the series is used for large a."
        ),
        sources=(_DERIVED,),
        proof=f"{_TABLES}:gamma_law",
        oracle="projection/closed_forms.json",
        checks=("projection.families",),
        page=_PAGE,
    ),
    Claim(
        id="projection.multivariate",
        statement=(
            "For a normal law in d dimensions the coefficients are d(d + 3)/4, d(10 d^2 + 51 d + 61)/24 and d(d + 2)"
            "(d + 3)(11 d + 23)/24, those of an exact risk in digamma functions; the optimism is p/(n - d - 2) exactly."
        ),
        assumptions=(_DRAWS, _OWN, "Mean and covariance are unknown; known means have forms of their own."),
        validity="The exact risk is finite from n = d + 3 on; the series is of use from n = 5 d or so.",
        sources=(_DERIVED,),
        proof=f"{_EXACT}:exact_multivariate",
        oracle="projection/exact.json",
        checks=("projection.multivariate", "projection.exact"),
        page=_PAGE,
    ),
    Claim(
        id="projection.exact",
        statement=(
            "The exact risk is a[psi(na) - log(na) + 1/(na - 1)] for a gamma law of known shape and [psi((n-1)/2) + "
            "log(2/n)]/2 + (n+1)/(2(n-3)) - 1/2 for the normal law, plus 3 phi/(2n(n-3)) for the inverse Gaussian one."
        ),
        assumptions=(_DRAWS, _OWN),
        validity="Exact for na > 1 and n >= 4; infinite below.",
        sources=(_DERIVED,),
        proof=f"{_EXACT}:exact",
        oracle="projection/exact.json",
        checks=("projection.exact",),
        page=_PAGE,
    ),
    Claim(
        id="projection.shape",
        statement=(
            "The exact risk of a gamma law of unknown shape and rate is a mean over the log ratio D of arithmetic and "
            "geometric mean, with E exp(-sD) = n^s Gamma(na) Gamma(a + s/n)^n/(Gamma(na + s) Gamma(a)^n). Given the "
            "estimated shape it takes f(u) = u - log(1 + u), g(x) = log x - psi(x) and the Bregman divergence of the "
            "remainder s of Stirling's formula."
        ),
        assumptions=(_DRAWS, _OWN, "Both parameters are unknown."),
        validity="Finite for n >= 4 and na > 1; 1e-14 up to n = 1e6, beyond it 1e-16 times the root of n.",
        sources=(Source(key="glaser1976", where="the law of the ratio of the two means; the risk is derived here"),),
        proof=f"{_EXACT}:exact_gamma",
        oracle="projection/exact.json",
        checks=("projection.families",),
        page=_PAGE,
    ),
    Claim(
        id="projection.existence",
        statement=(
            "A sample with an empty cell has no estimate, with probability sum over S of (-1)^(|S|+1) (1 - p_S)^n; the "
            "expansion is that of the risk given that it exists. A count c added to each of k cells makes the second "
            "coefficient (5/12 - c + c^2/2) sum 1/p_i - k/2 + 1/12 + ck - c^2 k^2/2."
        ),
        assumptions=(_DRAWS, "The model is multinomial.", _OWN),
        validity="Any bounded rule for the samples without an estimate changes it by exponentially small terms.",
        sources=(
            Source(key="barndorffnielsen1978", where="existence: the mean inside the hull of the support"),
            Source(key="krichevsky1981", where="the added count 1/2; the coefficients are derived here"),
        ),
        corrections=("For a discrete family the risk as defined, a mean over all samples, is infinite at every n.",),
        proof=f"{_EXACT}:existence",
        oracle="projection/discrete.json",
        checks=("projection.existence",),
        page=_PAGE,
    ),
    Claim(
        id="projection.misspecified",
        statement=(
            "A normal model of any law has the coefficients 1 + g2/4 and 121/12 - m6/3 + 3 g1^2 + 9 g2^2/8 + 6 g2, a "
            "Poisson model V/(2l) and -m3/(3 l^2) + 3 V^2/(4 l^3); a multivariate normal one has t0 = (beta2 + d)/2 "
            "with Mardia's kurtosis. In a model of independent coordinates the correlations of the truth cancel."
        ),
        assumptions=(_DRAWS, _TAILS),
        validity=f"{_SERIES} Heavy tails make the second coefficient negative, and the series useless.",
        sources=(_DERIVED,),
        proof=f"{_TABLES}:misspecified",
        oracle="projection/misspecified.json",
        checks=("projection.misspecified",),
        page=_PAGE,
    ),
    Claim(
        id="projection.plug_in_bias",
        statement=(
            "The estimate of t0 from the sample covariance and the fitted model has the bias (A3 + A4/2)/n, and the "
            "risk is estimated without a bias of the order n^-2 by t0_hat/(2n) + [t1/6 + (t21 + 2 t22 - t31)/8]/n^2."
        ),
        assumptions=(_DRAWS, _FAMILY, _INSIDE, _TAILS, "The sample covariance has the divisor n - 1."),
        validity="To the order n^-2, given that the estimate exists. The divisor n adds -t0/n to the bias.",
        sources=(Source(key="sheena2021", where="abstract, for the criterion; the bias is derived here"),),
        corrections=(
            "The author's program adds the second term to the estimated first one, whose bias is of the same order: "
            "for the normal law the coefficient should be 67/12, not 61/12, and the sign can change.",
        ),
        proof=f"{_BIAS}:plug_in_bias",
        oracle="projection/criterion.json",
        checks=("projection.plug_in",),
        page=_PAGE,
    ),
    Claim(
        id="projection.criterion",
        statement=(
            "A sample passes at alpha if the estimated risk is at most the threshold C, 8 alpha^2 by Pinsker's bound; "
            "to the second order it takes n = [c1 + (c1^2 + 4 C c2)^(1/2)]/(2C), to the first p/(16 alpha^2) if the "
            "model is right."
        ),
        assumptions=(_DRAWS, _FAMILY, _INSIDE, _TAILS),
        validity=(
            "For c2 below -c1^2/(4C) the quadratic has no root, the series is below C at every n and says nothing; the "
            "status says so. The error of a sampled family and of the estimated coefficients is reported."
        ),
        sources=(Source(key="sheena2021", where="abstract: the p-n criterion; threshold as in the author's program"),),
        corrections=(
            "It is sufficient, not necessary: at every divergence D > 0 there are pairs of laws with an error of Bayes "
            "as close to the smaller prior as one likes.",
            "In the author's program the test data are scaled by their own maxima, the accuracy in the training data "
            "is divided by the number of test rows, and columns are dropped above a correlation of 0.95 where the "
            "comment says 0.98.",
        ),
        proof=f"{_BOUNDS}:required_size",
        oracle="projection/criterion.json",
        checks=("projection.plug_in", "projection.bootstrap"),
        page=_PAGE,
    ),
    Claim(
        id="projection.bayes_bound",
        statement=(
            "The least divergence at the total variation V is V = (t/2)[1 - (coth t - 1/t)^2], L = log(t/sinh t) + t "
            "coth t - t^2/sinh^2 t, with L = 2 V^2 + 4 V^4/9 + 32 V^6/135 + ...; a divergence of at most L(2 alpha) "
            "leaves the error of Bayes at or above 1/2 - alpha."
        ),
        assumptions=("The two laws are any; the prior gives each 1/2.",),
        validity="Exact and attained by laws on two points. L is convex, so that it bounds means over samples too.",
        sources=(
            Source(key="fedotov2003", where="the parametric curve"),
            Source(key="pinsker1964", where="the first term, 2 V^2"),
        ),
        corrections=(
            "The abstract asks for an error rate of Bayes lower than a value; the criterion needs one that is at least "
            "1/2 - alpha, close to a half.",
            "The threshold 8 alpha^2 is not sharp: at alpha = 0.05 it is 0.02004468, at alpha = 0.25 0.5323, not 0.5.",
        ),
        proof=f"{_BOUNDS}:bayes_bound",
        oracle="projection/bayes.json",
        checks=("projection.bayes",),
        page=_PAGE,
    ),
    Claim(
        id="projection.unequal_prior",
        statement=(
            "With the prior pi of the first law, the least divergence at an error e of Bayes is the minimum over q of "
            "d(p||q), pi(1 - p) + (1 - pi) q = e, a convex program in one variable."
        ),
        assumptions=("The two laws are any.", "The error e is at most the smaller prior."),
        validity="Exact and attained by laws on two points. Not symmetric in pi and 1 - pi.",
        sources=(Source(key="fedotov2003", where="equal priors; unequal ones are derived here"),),
        proof=f"{_BOUNDS}:unequal_prior",
        oracle="projection/prior.json",
        checks=("projection.bayes",),
        page=_PAGE,
    ),
    Claim(
        id="projection.local_bound",
        statement=(
            "For laws close to each other with a normal score the total variation is (D/pi)^(1/2), which makes the "
            "threshold 4 pi alpha^2; (D/2)^(1/2) is the worst case, and (1 - e^-D)^(1/2) is better from D = 1.594 on."
        ),
        assumptions=("The divergence D is small, except for the last bound.", "The score is normal, for the first."),
        validity="The first is an approximation to the leading order and bounds nothing; the others hold for all laws.",
        sources=(
            Source(key="bretagnolle1979", where="the last bound"),
            Source(key="pinsker1964", where="the worst case; the local form is derived here"),
        ),
        proof=f"{_BOUNDS}:local_bound",
        oracle="projection/bayes.json",
        checks=("projection.bayes",),
        page=_PAGE,
    ),
    Claim(
        id="projection.information_criteria",
        statement=(
            "The optimism per observation is t0/n + (A3 + A4)/(2 n^2), if the model is right p/n + (F + B - K)/(2 n^2);"
            " with the estimated trace its unbiased form is t0_hat/n + t1/(2 n^2), without fourth cumulants."
        ),
        assumptions=(_DRAWS, _FAMILY, _INSIDE, _TAILS),
        validity="To the order n^-2, given that the estimate exists.",
        sources=(
            Source(key="takeuchi1976", where="the trace t0"),
            Source(key="akaike1974", where="p in place of the trace"),
            Source(key="hurvich1989", where="the small-sample form for normal errors; second orders are derived here"),
        ),
        corrections=(
            "The small-sample form of Hurvich and Tsai, p/(n - p - 1) an observation, is exact for the normal law in "
            "one dimension. It is often used elsewhere, where its second term is wrong: 2 for one parameter, in place "
            "of 1 for the exponential law and 1/(2l) for the Poisson law.",
        ),
        proof=f"{_BIAS}:information_criteria",
        oracle="projection/information.json",
        checks=("projection.optimism", "projection.plug_in"),
        page=_PAGE,
    ),
)
