import numpy as np
import pytest

from asymptopia.verify.engine.conditional import conditional_probabilities


def test_chain_gives_the_probabilities_back():
    p = np.random.default_rng(1).dirichlet(np.full(30, 0.3), size=20)
    conditional = conditional_probabilities(p)
    left = np.cumprod(np.concatenate([np.ones((20, 1)), 1 - conditional[:, :-1]], axis=1), axis=1)
    np.testing.assert_allclose(left * conditional, p, rtol=1e-11, atol=1e-300)
    assert np.all(conditional[:, -1] == 1.0)


def test_tiny_tail_keeps_its_digits():
    """Where 1 - p_1 has lost the rest: three cells of 1e-30 beside one of nearly 1."""
    conditional = conditional_probabilities([1.0, 1e-30, 1e-30, 2e-30])
    np.testing.assert_allclose(conditional, [1.0, 0.25, 1 / 3, 1.0], rtol=1e-15)
    np.testing.assert_allclose(conditional_probabilities([1e-320, 3e-320])[0], 0.25, rtol=1e-3)


def test_empty_cells():
    np.testing.assert_array_equal(conditional_probabilities([0.0, 0.5, 0.5, 0.0]), [0.0, 0.5, 1.0, 1.0])


def test_weights_need_not_add_up_to_one():
    np.testing.assert_allclose(conditional_probabilities([2, 1, 1]), [0.5, 0.5, 1.0])


@pytest.mark.parametrize("p", [[], 0.5, [0.5, -0.1], [0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_bad_probabilities(p):
    with pytest.raises(ValueError, match="p "):
        conditional_probabilities(p)
