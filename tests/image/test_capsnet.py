"""What CapsNet has besides its logits: lengths, drawings, and a loss of its own."""

import numpy as np
import pytest
import torch

from multicnn.architectures import build_image, fitting_size
from multicnn.blocks.loss import CrossEntropy, Margin
from multicnn.errors import UsageError
from multicnn.image.architectures.capsnet import CapsNet, intensities

SIZE = (20, 23)


@pytest.fixture
def network() -> CapsNet:
    torch.manual_seed(0)
    return CapsNet(4, 2, SIZE)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(6, 2, *SIZE, generator=torch.Generator().manual_seed(1))


TRUTH = torch.tensor([0, 1, 2, 3, 0, 1])


def test_probabilities_are_the_lengths_shares(network: CapsNet, x: torch.Tensor) -> None:
    lengths = network._capsules(x).norm(dim=-1)
    assert (lengths < 1).all()
    torch.testing.assert_close(network(x).softmax(1), lengths / lengths.sum(1, keepdim=True))


def test_the_loss_is_the_margin_loss_and_the_errors_of_the_drawing(network: CapsNet, x: torch.Tensor) -> None:
    logits, loss = network.training_loss(x, TRUTH, Margin())
    assert torch.equal(logits, network(x))
    drawn, pixels = network.reconstruct(x, TRUTH).detach().numpy(), x.numpy()
    errors = 0.0
    for one, wanted in zip(drawn, pixels, strict=True):
        errors += ((one - (wanted - wanted.min()) / (wanted.max() - wanted.min())) ** 2).sum()
    assert loss.item() == pytest.approx(Margin()(logits, TRUTH).item() + 0.0005 * errors / 6, rel=1e-5)
    other = network.training_loss(x, TRUTH, CrossEntropy())[1] - CrossEntropy()(logits, TRUTH)
    assert other.item() == pytest.approx(0.0005 * errors / 6, rel=1e-4)


def test_a_drawing_shows_only_the_named_classs_capsule(network: CapsNet, x: torch.Tensor) -> None:
    drawn = network.reconstruct(x, TRUTH)
    assert drawn.shape == x.shape
    assert ((drawn >= 0) & (drawn <= 1)).all()
    capsules = network._capsules(x)
    changed = capsules + torch.nn.functional.one_hot((TRUTH + 1) % 4, 4)[:, :, None]
    assert torch.equal(network._draw(changed, TRUTH), drawn)
    assert not torch.equal(network._draw(changed, (TRUTH + 1) % 4), network.reconstruct(x, (TRUTH + 1) % 4))


def test_intensities_undo_any_normalisation() -> None:
    pixels = torch.rand(3, 1, 5, 5)
    pixels[:, 0, 0, 0], pixels[:, 0, 0, 1] = 0.0, 1.0
    torch.testing.assert_close(intensities((pixels - 0.13) / 0.31), pixels)
    assert not intensities(torch.full((1, 1, 4, 4), 0.7)).any()


def test_the_decoder_can_be_left_out(x: torch.Tensor) -> None:
    plain = CapsNet(4, 2, SIZE, reconstruction=0.0)
    assert not any(key.startswith("decoder") for key in plain.state_dict())
    logits, loss = plain.training_loss(x, TRUTH, Margin())
    assert torch.equal(loss, Margin()(logits, TRUTH))
    with pytest.raises(ValueError, match="has no decoder"):
        plain.reconstruct(x, TRUTH)


def test_a_fresh_head_has_other_classes_and_leaves_the_convolutions(network: CapsNet, x: torch.Tensor) -> None:
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    network.reset_head(7)
    assert network(x).shape == (6, 7)
    assert network.reconstruct(x, TRUTH + 3).shape == x.shape
    changed = {
        key.split(".")[0] for key, tensor in network.state_dict().items() if not torch.equal(tensor, before[key])
    }
    assert changed == {"routing", "decoder"}


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_half_precision_trains_and_routes_in_float32(network: CapsNet, x: torch.Tensor, precision: torch.dtype) -> None:
    kept = []
    network.routing.register_forward_hook(lambda _, given, output: kept.append(output.dtype))
    exact = network.training_loss(x, TRUTH, Margin())[1].item()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(10):
        optimiser.zero_grad()
        with torch.autocast("cpu", dtype=precision):
            loss = network.training_loss(100 * x, TRUTH, Margin())[1]  # far from what a front end gives
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    assert all(parameter.isfinite().all() for parameter in network.parameters())
    assert set(kept) == {torch.float32}
    with torch.autocast("cpu", dtype=precision):
        torch.manual_seed(0)
        near = CapsNet(4, 2, SIZE).training_loss(x, TRUTH, Margin())[1].item()
    assert near == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize("size", [(65, 28), (28, 224)])
def test_pictures_that_are_too_large_are_refused_in_one_line(size: tuple[int, int]) -> None:
    with pytest.raises(
        UsageError, match=rf"{size[0]} x {size[1]} has too many capsules; .* 64 \(image.size\) would do"
    ):
        build_image("capsnet", classes=2, size=size)
    assert fitting_size("capsnet", size) == (28, 28)
