import torch
from block_checks import assert_learns

from multicnn.blocks.normalisation import BatchNorm
from multicnn.blocks.normalisation_masked import MaskedBatchNorm


def example() -> tuple[torch.Tensor, torch.Tensor]:
    """Three sequences of 7, 3 and 1 steps; where they are padded stands what must not count."""
    mask = torch.arange(7) < torch.tensor([[7], [3], [1]])
    x = torch.randn(3, 4, 7, generator=torch.Generator().manual_seed(0))
    return x.masked_fill(~mask[:, None], 1000.0), mask


def test_is_batch_normalisation_of_the_real_steps() -> None:
    x, mask = example()
    masked, plain = MaskedBatchNorm(4), BatchNorm(4)
    with torch.no_grad():
        for norm in (masked, plain):
            norm.weight.copy_(torch.tensor([0.5, 1.0, 2.0, 3.0]))
            norm.bias.copy_(torch.tensor([1.0, 0.0, -1.0, 2.0]))
    real = x.transpose(1, 2)[mask]
    torch.testing.assert_close(masked(x, mask).transpose(1, 2)[mask], plain(real), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(masked.running_mean, plain.running_mean)
    torch.testing.assert_close(masked.running_var, plain.running_var)
    assert masked.num_batches_tracked == 1
    masked.eval(), plain.eval()
    torch.testing.assert_close(masked(x, mask).transpose(1, 2)[mask], plain(real))


def test_its_gradients_are_those_of_the_real_steps() -> None:
    x, mask = example()
    real = x.transpose(1, 2)[mask].requires_grad_()
    x.requires_grad_()
    masked, plain = MaskedBatchNorm(4), BatchNorm(4)
    masked(x, mask).transpose(1, 2)[mask].sin().sum().backward()
    plain(real).sin().sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad.transpose(1, 2)[mask], real.grad, rtol=1e-4, atol=1e-6)
    assert not x.grad.transpose(1, 2)[~mask].any()


def test_without_a_mask_it_is_plain_batch_normalisation() -> None:
    x, masked, plain = torch.randn(3, 4, 7), MaskedBatchNorm(4), BatchNorm(4)
    assert torch.equal(masked(x), plain(x))
    full = MaskedBatchNorm(4)(x, torch.ones(3, 7, dtype=torch.bool))
    torch.testing.assert_close(full, BatchNorm(4)(x))
    assert_learns(masked, masked(x))


def test_keeps_bfloat16_and_computes_in_float32() -> None:
    x, mask = example()
    halved = MaskedBatchNorm(4)(x.bfloat16(), mask)
    assert halved.dtype == torch.bfloat16
    assert halved.transpose(1, 2)[mask].float().mean(0).abs().max() < 0.01


def test_a_batch_without_a_real_step_is_not_remembered() -> None:
    norm = MaskedBatchNorm(3)
    before = {name: buffer.clone() for name, buffer in norm.named_buffers()}
    y = norm(torch.randn(2, 3, 6), torch.zeros(2, 6, dtype=torch.bool))
    y.sum().backward()
    assert y.isfinite().all()
    assert all(torch.equal(buffer, before[name]) for name, buffer in norm.named_buffers())
    assert all(parameter.grad.isfinite().all() for parameter in norm.parameters())
