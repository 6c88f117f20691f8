import numpy as np
import pytest
import torch
from block_checks import assert_same_in_onnx
from torch import Tensor, nn

from multicnn.blocks.pooling_attention import AttentionPool


def attend_by_hand(x: np.ndarray, real: np.ndarray, pool: AttentionPool) -> np.ndarray:
    """The definition, for one example: x [channels, places]."""
    v, b = (parameter.detach().numpy() for parameter in (pool.hidden.weight, pool.hidden.bias))
    w = pool.score.weight.detach().numpy()[0]
    places = [k for k in range(x.shape[1]) if real[k]]
    chances = [np.exp(w @ np.tanh(v @ x[:, k] + b)) for k in places]
    return sum((chance / sum(chances) * x[:, k] for chance, k in zip(chances, places, strict=True)), np.zeros(len(x)))


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 2)])
@pytest.mark.parametrize("masked", [False, True])
def test_agrees_with_the_definition(shape: tuple[int, ...], masked: bool) -> None:
    torch.manual_seed(0)
    pool = AttentionPool(5, hidden=6).double()
    x = 3 * torch.randn(4, 5, *shape, dtype=torch.float64)
    mask = torch.rand(4, *shape) < 0.5
    mask[0] = False
    y = pool(x, mask if masked else None).detach().numpy()
    real = mask.flatten(1).numpy() if masked else np.ones((4, x[0, 0].numel()), dtype=bool)
    for i in range(4):
        np.testing.assert_allclose(y[i], attend_by_hand(x[i].flatten(1).numpy(), real[i], pool), atol=1e-12)


def test_weights_sum_to_one_and_ignore_padding() -> None:
    mask = torch.tensor([[True, False, True, True]])
    weights = AttentionPool(2).weights(torch.randn(1, 2, 4), mask)
    assert weights.sum().item() == pytest.approx(1)
    assert weights[0, 1] == 0


def test_padding_changes_nothing_and_gets_no_gradient() -> None:
    pool, mask = AttentionPool(3), torch.tensor([[True, True, False], [False] * 3])
    x = torch.randn(2, 3, 3, requires_grad=True)
    y = pool(x, mask)
    torch.testing.assert_close(y[:1], pool(x[:1, :, :2]))
    assert not y[1].any()
    y.sum().backward()
    assert x.grad is not None
    assert not x.grad[~mask[:, None].expand_as(x)].any()
    assert x.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in pool.parameters())


def test_every_parameter_learns() -> None:
    pool = AttentionPool(3)
    pool(torch.randn(4, 3, 5)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in pool.parameters())


def test_refuses_no_channels() -> None:
    with pytest.raises(ValueError, match="not 0 and 128"):
        AttentionPool(0)


class Masked(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool = AttentionPool(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(x, x[:, 0] != 0)


def test_onnx_agrees() -> None:
    x = torch.randn(3, 4, 9)
    x[0, 0] = 0
    x[1, 0, 5:] = 0
    assert_same_in_onnx(Masked(), torch.randn(2, 4, 6), x, free=(0, 2))
