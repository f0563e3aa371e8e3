"""Symbolic proofs about estimated contractions: the bias of the leading term and what it does to criteria."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import sympy as sp

from asymptopia.theory._core.derivation import Derivation
from asymptopia.theory.projection.symbolic import MODEL, TRUTH, A, coefficient, n, one_parameter, theta
from asymptopia.theory.projection.symbolic_tables import cumulants_of, q
from asymptopia.theory.projection.symbolic_trees import (
    B,
    F,
    K,
    contraction,
    named,
    p,
    t0,
    t1,
    t21,
    t22,
    t31,
    well_specified,
)

A2, A3, A4 = A[2,], A[3,], A[2, 2]
BY_TREES = {A2: named(contraction(2)), A3: named(contraction(3)), A4: named(contraction(2, 2))}
OWN = {A2: p, A3: well_specified(contraction(3)), A4: well_specified(contraction(2, 2))}


def groupings(items: Sequence[str]) -> Iterator[list[str]]:
    """Yield the ways to let factors share a draw: one word of indices for each draw."""
    if not items:
        yield []
        return
    first, *rest = items
    for others in groupings(rest):
        yield [first, *others]
        for k, word in enumerate(others):
            yield [*others[:k], first + word, *others[k + 1 :]]


def moment(word: str) -> Any:
    """Return the central moment of the truth with these indices."""
    return sp.S.Zero if len(word) == 1 else sp.Symbol("m" + "".join(sorted(word)))


def mean_of_sums(*words: str) -> Any:
    """Return the mean of a product of sums over n draws, each of the product of centred coordinates in its word."""
    return sum(sp.ff(n, len(group)) * sp.prod([moment(word) for word in group]) for group in groupings(words))


def with_covariance(*words: str) -> Any:
    """Return the mean of the sample covariance of i and j, with divisor n - 1, times sums over the draws."""
    return (mean_of_sums("ij", *words) - mean_of_sums("i", "j", *words) / n) / (n - 1)


@cache
def plug_in_bias() -> Derivation:
    r"""Derive the bias of the estimated leading term, which is of the order of the second term.

    .. math:: E\hat t_0 = t_0 + \frac1n\Bigl(A_3 + \frac{A_4}2\Bigr) + O(n^{-2}), \qquad
        \widehat{ED} = \frac{\hat t_0}{2n} + \frac1{n^2}\Bigl[\frac{t_1}6 + \frac{t_{21} + 2t_{22} - t_{31}}8\Bigr]

    with :math:`\hat t_0 = \mathrm{tr}\,G(\hat\theta)^{-1}\hat\Sigma` and the divisor n - 1. The inverse is the Hessian
    of Phi at the sample mean, and :math:`E\hat\Sigma_{ij}\varepsilon_k = \kappa_{ijk}/n`,
    :math:`E\hat\Sigma_{ij}\varepsilon_k\varepsilon_l = \Sigma_{ij}\Sigma_{kl}/n + \kappa_{ijkl}/n^2` exactly. The
    divisor n adds -t0/n. If the model is right, the bias is (B - K)/2.

    References
    ----------
    Derived here; the author's program does not treat it.
    """
    fourth = moment("ijkl") - sum(moment(a) * moment(b) for a, b in (("ij", "kl"), ("ik", "jl"), ("il", "jk")))
    exact = (
        with_covariance() - moment("ij"),
        with_covariance() * (n - 1) / n - (1 - 1 / n) * moment("ij"),
        with_covariance("k") / n - moment("ijk") / n,
        with_covariance("k", "l") / n**2 - moment("ij") * moment("kl") / n - fourth / n**2,
    )
    # E of three and more is smaller than 1/n: no term of the order n^2 in the mean of three sums
    third = sp.Poly(sp.expand(sp.simplify(with_covariance("k", "l", "o"))), n).degree()
    # Taylor of the Hessian: Phi^(2+j)[eps^j]/j!, contracted
    bias = sum(factor * value for factor, value in ((sp.Rational(1), A3), (sp.Rational(1, 2), A4)))
    debiased = coefficient("forward", 2) - bias / 2
    stated = t1 / 6 + (t21 + 2 * t22 - t31) / 8
    # exact cases: Bernoulli n/(n - 1), exponential n/(n + 1)
    bernoulli = cumulants_of(sp.log(1 + sp.exp(theta)), sp.log(q / (1 - q)))
    exponential = {k: sp.factorial(k - 1) for k in MODEL}
    cases = []
    for law, ratio in ((bernoulli, n / (n - 1)), (exponential, n / (n + 1))):
        values = one_parameter(law, {k: law[k] for k in TRUTH})
        cases.append(bias.subs({A3: values[3,], A4: values[2, 2]}) - sp.limit(n * (ratio - 1), n, sp.oo))
    # exponential: the sample variance over the squared mean is independent of the mean, E S2 = 1, E xbar^2 = 1 + 1/n
    cases.append(1 / (1 + 1 / n) - n / (n + 1))
    return Derivation(
        lhs=sp.Symbol(r"E\hat t_0"),
        rhs=t0 + (sp.Symbol("A3") + sp.Symbol("A4") / 2) / n,
        residuals=(
            *(sp.simplify(item) for item in exact),
            sp.Integer(0 if third <= 1 else 1),
            sp.expand(debiased.subs(BY_TREES) - stated),
            sp.expand(bias.subs(OWN) - (B - K) / 2),
            *(sp.simplify(item) for item in cases),
        ),
    )


@cache
def information_criteria() -> Derivation:
    r"""Derive the second-order optimism, and its bias-corrected form, which needs no fourth cumulant.

    .. math:: \frac{t_0}n + \frac{A_3 + A_4}{2n^2} \;\to\; \frac pn + \frac{F + B - K}{2n^2}, \qquad
              \frac{\hat t_0}n + \frac{t_1}{2n^2}

    The estimated trace has the bias of `plug_in_bias`, and it takes the fourth-order terms with it. The second term of
    the corrected criterion of Hurvich and Tsai, p(p + 1) an observation, is that of the normal law in one dimension;
    it is 2 for every family of one parameter, where it should be 1 for the exponential, 1/(2l) for the Poisson and
    :math:`1/(2q) + 1/(2(1-q)) - 1` for the Bernoulli family.

    References
    ----------
    Takeuchi (1976); Akaike (1974); Hurvich and Tsai (1989); the second order is derived here.
    """
    lam = sp.Symbol("lambda", positive=True)
    optimism = coefficient("optimism", 2)
    corrected = optimism - (A3 + A4 / 2)
    parameters = sp.Symbol("k", positive=True)
    x = sp.Symbol("x", positive=True)
    hurvich = sp.series(parameters * x / (1 - (parameters + 1) * x), x, 0, 3).removeO()
    exactly = 2 / (n - 3)
    families = {
        1 / (2 * lam): dict.fromkeys(MODEL, lam),
        sp.S.One: {k: sp.factorial(k - 1) for k in MODEL},
        1 / (2 * q) + 1 / (2 * (1 - q)) - 1: cumulants_of(sp.log(1 + sp.exp(theta)), sp.log(q / (1 - q))),
    }
    found = [
        coefficient("optimism", 2, one_parameter(law, {k: law[k] for k in TRUTH})) - wanted
        for wanted, law in families.items()
    ]
    return Derivation(
        lhs=sp.Symbol(r"\text{optimism}"),
        rhs=t0 / n + (-t1 + t21 + 2 * t22 - t31) / (2 * n**2),
        residuals=(
            coefficient("optimism", 1) - A2,
            sp.expand(optimism.subs(BY_TREES) - (-t1 + t21 + 2 * t22 - t31) / 2),
            sp.expand(optimism.subs(OWN) - (F + B - K) / 2),
            sp.expand(corrected.subs(BY_TREES) - t1 / 2),
            sp.expand(hurvich.coeff(x, 2) - parameters * (parameters + 1)),
            # per observation, both parameters of the normal law
            sp.simplify((parameters / (n - parameters - 1)).subs(parameters, 2) - exactly),
            *(sp.simplify(item) for item in found),
        ),
    )
