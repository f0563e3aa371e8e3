"""The torch integration, where torch is installed."""

from __future__ import annotations

import math
import sys
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from asymptopia.theory.softmax.capping import step_radius

# torch 2.13 loads its forward mode through its own deprecated torch.jit.script
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")


def test_without_torch_the_import_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "asymptopia.theory.softmax.torch", raising=False)
    with pytest.raises(ModuleNotFoundError, match="needs PyTorch"):
        import_module("asymptopia.theory.softmax.torch")


@pytest.fixture
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed; asymptopia does not install it")


@pytest.fixture
def ours(torch: Any) -> Any:
    return import_module("asymptopia.theory.softmax.torch")


def network(torch: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    parts = [torch.nn.Linear(6, 8), torch.nn.GELU(), torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(8)]
    return torch.nn.Sequential(*parts, torch.nn.Linear(8, 4)).double()


def batch(torch: Any) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(16, 6, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 4, (16,), generator=generator)


def test_forward_slopes_are_those_of_differences(torch: Any, ours: Any) -> None:
    model, (x, _) = network(torch), batch(torch)
    direction = {name: torch.randn_like(value) for name, value in model.named_parameters()}
    state = torch.get_rng_state()
    forward = ours.logit_slopes(model, x, direction, method="forward")
    differences = ours.logit_slopes(model, x, direction, method="difference")
    assert (forward.method, differences.method) == ("forward", "difference")
    np.testing.assert_allclose(forward.a.numpy(), differences.a, atol=1e-7)
    np.testing.assert_allclose(forward.z.numpy(), differences.z, atol=1e-12)
    assert torch.equal(state, torch.get_rng_state())
    assert all(module.training for module in model.modules())


def test_a_function_without_forward_mode_falls_back(torch: Any, ours: Any) -> None:
    class Square(torch.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g

    model = torch.nn.Linear(6, 4).double()
    x, _ = batch(torch)
    direction = {"weight": torch.ones_like(model.weight)}
    found = ours.logit_slopes(model, x, direction, logits=Square.apply)
    assert found.method == "difference"
    z = model(x).detach()
    np.testing.assert_allclose(found.a, (2 * z * x.sum(1, keepdim=True)).numpy(), atol=1e-6)


def test_attention_has_slopes(torch: Any, ours: Any) -> None:
    class Attention(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v = (torch.nn.Linear(6, 6).double() for _ in range(3))

        def forward(self, x: Any) -> Any:
            return torch.nn.functional.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x))

    torch.manual_seed(0)
    model, x = Attention(), torch.randn(2, 5, 6, dtype=torch.float64)
    direction = {name: torch.randn_like(value) for name, value in model.named_parameters()}
    found = ours.logit_slopes(model, x, direction)
    differences = ours.logit_slopes(model, x, direction, method="difference")
    np.testing.assert_allclose(ours._numpy(found.a), differences.a, atol=1e-7)


@pytest.mark.parametrize("method", ["pi", "margin", "hyperbola", "exact", "line"])
def test_the_update_made_is_a_share_of_the_one_proposed(torch: Any, ours: Any, method: str) -> None:
    model, twin, (x, y) = network(torch), network(torch), batch(torch)
    optimizer = ours.RadiusCappedOptimizer(torch.optim.Adam(model.parameters(), lr=1.0), model, method=method)
    free = torch.optim.Adam(twin.parameters(), lr=1.0)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    for net in (model, twin):
        net.eval()
        torch.nn.functional.cross_entropy(net(x), y).backward()
    free.step()
    optimizer.step(x, y)
    update = {name: value.detach() - before[name] for name, value in twin.named_parameters()}
    slopes = ours.logit_slopes(model, x, update, params=before)
    z, a = slopes.z.numpy(), slopes.a.numpy()
    expected = min(1.0, step_radius(z, a, y=y.numpy(), method=method))
    assert optimizer.last.scale == pytest.approx(expected, rel=1e-9)
    assert optimizer.last.scale < 1.0
    for name, value in model.named_parameters():
        torch.testing.assert_close(value.detach(), before[name] + expected * update[name])


def test_an_update_that_diverges_is_taken_back(torch: Any, ours: Any) -> None:
    model, (x, y) = network(torch), batch(torch)
    optimizer = ours.RadiusCappedOptimizer(torch.optim.SGD(model.parameters(), lr=math.inf), model)
    before = [value.detach().clone() for value in model.parameters()]
    torch.nn.functional.cross_entropy(model(x), y).backward()
    with pytest.raises(FloatingPointError, match="restored"):
        optimizer.step(x)
    assert all(torch.equal(old, value) for old, value in zip(before, model.parameters(), strict=True))


def test_no_gradient_no_update(torch: Any, ours: Any) -> None:
    model, (x, _) = network(torch), batch(torch)
    optimizer = ours.RadiusCappedOptimizer(torch.optim.SGD(model.parameters(), lr=1.0), model)
    optimizer.zero_grad()
    optimizer.step(x)
    assert optimizer.last == (1.0, math.inf, True)


def test_mask_refresh_and_state(torch: Any, ours: Any) -> None:
    model, (x, y) = network(torch), batch(torch)
    optimizer = ours.RadiusCappedOptimizer(torch.optim.SGD(model.parameters(), lr=50.0), model, refresh=2)
    keep = torch.arange(16) < 3
    for measured in (True, False):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step(x, mask=keep)
        assert optimizer.last.measured is measured
    other = ours.RadiusCappedOptimizer(torch.optim.SGD(model.parameters(), lr=50.0), model, refresh=2)
    other.load_state_dict(optimizer.state_dict())
    assert (other.cap.updates, other.cap.length) == (optimizer.cap.updates, optimizer.cap.length)


def test_mistakes(torch: Any, ours: Any) -> None:
    model, (x, _) = network(torch), batch(torch)
    with pytest.raises(ValueError, match="holds a parameter that model does not"):
        ours.RadiusCappedOptimizer(torch.optim.SGD(network(torch).parameters(), lr=1.0), model)
    with pytest.raises(ValueError, match="method is 'top'"):
        ours.RadiusCappedOptimizer(torch.optim.SGD(model.parameters(), lr=1.0), model, method="top")
    with pytest.raises(ValueError, match="labels, for method='line'"):
        ours.RadiusCappedOptimizer(torch.optim.SGD(model.parameters(), lr=1.0), model, method="line").step(x)
    with pytest.raises(ValueError, match="no parameter of the model"):
        ours.logit_slopes(model, x, {"nothing": torch.zeros(1)})
    with pytest.raises(ValueError, match="is empty"):
        ours.logit_slopes(model, x, {})
