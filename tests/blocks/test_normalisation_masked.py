import pytest
import torch

from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.normalisation_masked import MaskedBatchNorm


def test_normalises_and_remembers_as_if_the_padding_were_not_there() -> None:
    masked, plain = MaskedBatchNorm(3), BatchNorm(3)
    x = 5 + 2 * torch.randn(2, 3, 6)
    mask = torch.arange(6) < torch.tensor([[6], [2]])
    y = masked(x, mask)
    real = torch.cat([x[0], x[1, :, :2]], dim=1)[None]
    expected = plain(real)[0]
    torch.testing.assert_close(torch.cat([y[0], y[1, :, :2]], dim=1), expected)
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(masked.get_buffer(name), buffer)
    torch.testing.assert_close(masked.eval()(x, mask), plain.eval()(x))


@pytest.mark.parametrize("mask", [None, torch.ones(2, 6, dtype=torch.bool)])
def test_without_padding_it_is_batch_normalisation(mask: torch.Tensor | None) -> None:
    masked, plain, x = MaskedBatchNorm(3), BatchNorm(3), torch.randn(2, 3, 6)
    torch.testing.assert_close(masked(x, mask), plain(x))
    torch.testing.assert_close(masked.running_var, plain.running_var)


def test_a_batch_without_a_real_step_is_not_remembered() -> None:
    norm = MaskedBatchNorm(3)
    before = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    y = norm(torch.randn(2, 3, 6), torch.zeros(2, 6, dtype=torch.bool))
    y.sum().backward()
    assert y.isfinite().all()
    assert all(torch.equal(buffer, before[name]) for name, buffer in norm.named_buffers())
    assert all(parameter.grad.isfinite().all() for parameter in norm.parameters())
