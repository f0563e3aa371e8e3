"""The law, its optimum at a budget, and the checks of its arguments."""

from __future__ import annotations

import math

import numpy as np
import pytest
from accuracy import relative_error, table

from asymptopia.theory._core.result import Result
from asymptopia.theory.scaling.law import ScalingLaw
from asymptopia.theory.scaling.status import ScalingStatus

LAW = ScalingLaw(1.69, 406.4, 410.7, 0.34, 0.28)


def test_numbers_of_the_specification():
    # O1
    C = 5.76e23
    assert pytest.approx(1.3447106427725300947, rel=1e-15) == LAW.G
    assert pytest.approx(813.67983100905478631, rel=1e-15) == LAW.K
    assert LAW.gamma == pytest.approx(0.15354838709677419355, rel=1e-15)
    assert LAW.n_opt(C) == pytest.approx(32189859151.368190249, rel=1e-14)
    assert LAW.d_opt(C) == pytest.approx(2982305686662.8022645, rel=1e-14)
    assert LAW.loss_opt(C) == pytest.approx(1.9307481017316482372, rel=4e-16)


@pytest.mark.parametrize(
    ("column", "function", "tolerance"),
    [
        ("n_opt", lambda law, row: law.n_opt(row["C"]), 2e-14),
        ("d_opt", lambda law, row: law.d_opt(row["C"]), 2e-14),
        ("loss_opt", lambda law, row: law.loss_opt(row["C"]), 1e-14),
        ("reducible", lambda law, row: law.reducible_opt(row["C"]), 1e-14),
        ("loss", lambda law, row: law.loss(row["N"], row["D"]), 1e-15),
        ("compute", lambda law, row: law.compute_for_loss(row["L"]), 5e-14),
        ("rho", lambda law, row: law.profile(row["x"]), 4e-15),
    ],
)
def test_against_fifty_digits(column, function, tolerance):
    for row in table("scaling/law.json"):
        law = ScalingLaw(*(row[name] for name in ("E", "A", "B", "alpha", "beta", "k")))
        assert relative_error(function(law, row), row[column]) < tolerance, row


@pytest.mark.parametrize("C", [1e10, 1e21, 3.8e25])
def test_optimum_by_brute_force(C):
    # at the optimum both terms balance, and no other N of the budget has a smaller loss
    N, D = LAW.n_opt(C), LAW.d_opt(C)
    assert pytest.approx(C, rel=2e-14) == 6 * N * D
    assert pytest.approx(0.28 * 410.7 * D**-0.28, rel=1e-13) == 0.34 * 406.4 * N**-0.34
    nearby = N * np.exp(np.linspace(-3, 3, 2001))
    assert LAW.loss(nearby, C / (6 * nearby)).min() >= LAW.loss_opt(C) - 1e-15 * LAW.loss_opt(C)
    assert LAW.loss(N, D) == pytest.approx(LAW.loss_opt(C), rel=2e-15)
    assert LAW.tokens_per_param(C) == pytest.approx(D / N, rel=4e-14)


def test_shares_at_the_optimum():
    N, D = LAW.n_opt(1e24), LAW.d_opt(1e24)
    n_term, d_term = 406.4 * N**-0.34, 410.7 * D**-0.28
    assert n_term / (n_term + d_term) == pytest.approx(LAW.a, rel=1e-13)
    assert LAW.a + LAW.b == 1


def test_profile_is_the_loss_along_a_budget():
    C, x = 1e23, np.array([-5.0, -1.0, -1e-3, 0.0, 0.7, 6.0])
    N = LAW.n_opt(C) * np.exp(x)
    wanted = (LAW.loss(N, C / (6 * N)) - 1.69) / (LAW.loss_opt(C) - 1.69)
    np.testing.assert_allclose(LAW.profile(x), wanted, rtol=1e-13)


@pytest.mark.parametrize(("n_unit", "d_unit"), [(1e6, 1e9), (1e-3, 7.0)])
def test_units_of_n_and_d(n_unit, d_unit):
    # N in millions, D in billions: the coefficients and k change, the optimum does not
    scaled = ScalingLaw(1.69, 406.4 * n_unit**-0.34, 410.7 * d_unit**-0.28, 0.34, 0.28, k=6 * n_unit * d_unit)
    for C in (1e18, 1e24):
        assert scaled.n_opt(C) * n_unit == pytest.approx(LAW.n_opt(C), rel=2e-14)
        assert scaled.d_opt(C) * d_unit == pytest.approx(LAW.d_opt(C), rel=2e-14)
        assert scaled.loss_opt(C) == pytest.approx(LAW.loss_opt(C), rel=1e-14)


def test_swapping_n_and_d():
    swapped = ScalingLaw(1.69, 410.7, 406.4, 0.28, 0.34)
    assert swapped.n_opt(1e24) == pytest.approx(LAW.d_opt(1e24), rel=2e-14)
    assert swapped.loss_opt(1e24) == pytest.approx(LAW.loss_opt(1e24), rel=1e-15)


def test_compute_inverts_the_loss():
    for C in (1e15, 1e20, 1e26):
        assert LAW.compute_for_loss(LAW.loss_opt(C)) == pytest.approx(C, rel=1e-13)


@pytest.mark.parametrize("loss", [1.69, 1.0, -2.0])
def test_no_compute_reaches_the_irreducible_loss(loss):
    with pytest.warns(RuntimeWarning, match="no budget reaches"):
        assert LAW.compute_for_loss(loss) == math.inf
    with pytest.warns(RuntimeWarning, match="no budget reaches"):
        assert np.isinf(LAW.compute_for_loss([loss, 2.0])).tolist() == [True, False]


def test_scalars_arrays_and_integers():
    assert isinstance(LAW.n_opt(10**24), float)
    assert LAW.n_opt(10**24) == LAW.n_opt(1e24)
    N, D = np.array([[10**9], [10**10]]), np.array([10**12, 2 * 10**13, 3 * 10**13])
    found = LAW.loss(N, D)
    assert found.shape == (2, 3)
    np.testing.assert_array_equal(found, LAW.loss(N.astype(float), D.astype(float)))
    assert LAW.loss(np.float32(1e9), np.float32(1e11)).__class__ is float


def test_coefficients_far_outside_float64():
    # B beyond 1e200: B D**-beta is formed without overflow on the way
    law = ScalingLaw(0.0, 1e-250, 1e250, 0.5, 30.0)
    assert math.isfinite(law.log_n_opt(1e24))
    assert law.loss(1.0, 1e10) == pytest.approx(1e-50, rel=1e-12)


def test_deadweight():
    found = LAW.deadweight(1e24, N=3 * LAW.n_opt(1e24))
    same = LAW.deadweight(1e24, D=LAW.d_opt(1e24) / 3)
    assert found.x == pytest.approx(math.log(3), abs=2e-14)
    assert found.fraction == pytest.approx(same.fraction, rel=1e-12)
    loss = LAW.loss(3 * LAW.n_opt(1e24), LAW.d_opt(1e24) / 3)
    assert found.excess_loss == pytest.approx(loss - LAW.loss_opt(1e24), rel=1e-12)
    # the optimum reaches that loss with what is not wasted
    assert LAW.compute_for_loss(loss) == pytest.approx(1e24 * (1 - found.fraction), rel=1e-12)
    assert found.flops == pytest.approx(1e24 * found.fraction, rel=1e-15)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((-0.1, 400, 400, 0.3, 0.3), ValueError, "E is -0.1"),
        ((1.69, 0, 400, 0.3, 0.3), ValueError, "A is 0.0"),
        ((1.69, 400, -1, 0.3, 0.3), ValueError, "B is -1.0"),
        ((1.69, 400, 400, 0, 0.3), ValueError, "alpha is 0.0"),
        ((1.69, 400, 400, 0.3, math.nan), ValueError, "beta is nan"),
        ((1.69, 400, 400, 0.3, math.inf), ValueError, "beta is inf"),
        ((1.69, 400, 400, 0.3, 0.3, 0), ValueError, "k is 0.0"),
        (("1.69", 400, 400, 0.3, 0.3), TypeError, "E is of type str"),
        ((True, 400, 400, 0.3, 0.3), TypeError, "E is of type bool"),
        ((1.69, [400, 1], 400, 0.3, 0.3), TypeError, "A is of type list"),
    ],
)
def test_bad_parameters(arguments, error, match):
    with pytest.raises(error, match=match):
        ScalingLaw(*arguments)


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: LAW.n_opt(0.0), ValueError, "C is 0.0"),
        (lambda: LAW.d_opt([1e20, -1.0]), ValueError, r"C\[1\] is -1.0"),
        (lambda: LAW.loss_opt(math.nan), ValueError, "C is nan"),
        (lambda: LAW.tokens_per_param(math.inf), ValueError, "C is inf"),
        (lambda: LAW.loss(0, 1e9), ValueError, "N is 0.0"),
        (lambda: LAW.loss(1e9, -5), ValueError, "D is -5.0"),
        (lambda: LAW.loss([1e9, math.nan], 1e9), ValueError, r"N\[1\] is nan"),
        (lambda: LAW.loss("1e9", 1e9), TypeError, "N has dtype"),
        (lambda: LAW.compute_for_loss(math.nan), ValueError, "L is nan"),
        (lambda: LAW.profile(math.nan), ValueError, "x holds NaN"),
        (lambda: LAW.profile(1j), TypeError, "x has dtype"),
        (lambda: LAW.deadweight(1e24), TypeError, "exactly one of N and D"),
        (lambda: LAW.deadweight(1e24, N=1e9, D=1e9), TypeError, "exactly one of N and D"),
        (lambda: LAW.deadweight(-1, N=1e9), ValueError, "C is -1.0"),
    ],
)
def test_bad_arguments(call, error, match):
    with pytest.raises(error, match=match):
        call()


def test_result():
    law = ScalingLaw.from_name("besiroglu2024")
    back = Result.from_json(law.to_json())
    assert isinstance(back, ScalingLaw)
    assert back.to_json() == law.to_json()
    assert law.status is ScalingStatus.ROUNDED
    assert "ROUNDED" in law.summary()
    assert "arXiv:2404.10102" in law.summary()
    assert law.to_frame()["alpha"].tolist() == [0.3478]
    assert "<table" in law._repr_html_()
    same = ScalingLaw(law.E, law.A, law.B, law.alpha, law.beta)
    assert same == law
    assert hash(same) == hash(law)
    assert same != LAW
    assert LAW != "law"
    with pytest.raises(AttributeError):
        law.E = 2.0
