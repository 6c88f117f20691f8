import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from multicnn.blocks.loss import LOSSES, CrossEntropy, Focal, Hinge, Loss, Margin, loss

CLASSES = 4
WEIGHTS = [0.5, 1.0, 2.0, 0.25]


def probabilities(s: list[float]) -> list[float]:
    return [math.exp(value) / sum(map(math.exp, s)) for value in s]


def mean_by_hand(losses: list[float], truth: list[int], weights: list[float] | None) -> float:
    shares = [weights[y] if weights else 1.0 for y in truth]
    return sum(share * one for share, one in zip(shares, losses, strict=True)) / sum(shares)


def cross_entropy_by_hand(s: list[float], y: int) -> float:
    return -math.log(probabilities(s)[y])


def hinge_by_hand(s: list[float], y: int) -> float:
    return sum(max(0.0, s[j] - s[y] + 1) for j in range(len(s)) if j != y)


def focal_by_hand(s: list[float], y: int) -> float:
    p = probabilities(s)[y]
    return -((1 - p) ** 2) * math.log(p)


def margin_by_hand(s: list[float], y: int) -> float:
    v = [math.exp(value) for value in s]
    wrong = sum(max(0.0, v[j] - 0.1) ** 2 for j in range(len(s)) if j != y)
    return max(0.0, 0.9 - v[y]) ** 2 + 0.5 * wrong


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize(
    ("kind", "by_hand"),
    [
        (CrossEntropy, cross_entropy_by_hand),
        (Hinge, hinge_by_hand),
        (Focal, focal_by_hand),
        (Margin, margin_by_hand),
    ],
)
@given(seed=st.integers(0, 10_000))
def test_agree_with_their_formulas(kind, by_hand, weights: list[float] | None, seed: int) -> None:  # type: ignore[no-untyped-def]
    generator = torch.Generator().manual_seed(seed)
    s = 2 * torch.randn(6, CLASSES, generator=generator, dtype=torch.float64)
    y = torch.randint(CLASSES, (6,), generator=generator)
    losses = [by_hand(s[i].tolist(), int(y[i])) for i in range(6)]
    measured = kind(weights=weights)(s, y)
    assert measured.shape == ()
    assert measured.item() == pytest.approx(mean_by_hand(losses, y.tolist(), weights), rel=1e-9)


def test_smoothing_gives_every_class_its_share() -> None:
    s, y, share = torch.randn(5, CLASSES, dtype=torch.float64), torch.tensor([0, 3, 1, 1, 2]), 0.1
    total = 0.0
    for i in range(5):
        p = probabilities(s[i].tolist())
        for c in range(CLASSES):
            total -= (share / CLASSES + (1 - share) * (c == y[i].item())) * math.log(p[c])
    assert CrossEntropy(label_smoothing=share)(s, y).item() == pytest.approx(total / 5)


def test_cross_entropy_is_torchs() -> None:
    s, y, weights = torch.randn(5, CLASSES), torch.tensor([0, 3, 1, 1, 2]), torch.tensor(WEIGHTS)
    expected = nn.functional.cross_entropy(s, y, weight=weights, label_smoothing=0.1)
    torch.testing.assert_close(CrossEntropy(label_smoothing=0.1, weights=weights)(s, y), expected)


def test_hinge_gives_the_example_of_the_lecture() -> None:
    s = torch.tensor([[13.0, -7.0, 11.0]])
    assert Hinge(margin=10.0)(s, torch.tensor([0])).item() == 8


def test_hinge_is_torchs_times_the_number_of_classes() -> None:
    s, y = torch.randn(5, CLASSES), torch.tensor([0, 3, 1, 1, 2])
    torch.testing.assert_close(Hinge()(s, y), CLASSES * nn.functional.multi_margin_loss(s, y))


def test_hinge_asks_for_nothing_beyond_the_margin() -> None:
    s = torch.tensor([[5.0, 3.9, -2.0]], requires_grad=True)
    Hinge()(s, torch.tensor([0])).backward()
    assert s.grad is not None
    assert not s.grad.any()


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_focal_without_gamma_is_cross_entropy(weights: list[float] | None) -> None:
    s, y = torch.randn(5, CLASSES), torch.tensor([0, 3, 1, 1, 2])
    torch.testing.assert_close(Focal(gamma=0.0, weights=weights)(s, y), CrossEntropy(weights=weights)(s, y))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_stays_finite_where_all_is_certain(gamma: float) -> None:
    s = torch.tensor([[90.0, 0.0, -90.0], [-300.0, 300.0, 0.0], [0.0, 0.0, 0.0]], requires_grad=True)
    y = torch.tensor([0, 0, 2])
    one = Focal(gamma=gamma)(s, y)
    one.backward()
    assert one.isfinite()
    assert s.grad is not None
    assert s.grad.isfinite().all()


def test_focal_is_little_interested_in_what_is_known() -> None:
    s = torch.tensor([[math.log(9.0), 0.0]])  # p = 0.9: a hundredth of the cross-entropy, as the paper says
    y = torch.tensor([0])
    assert (Focal()(s, y) / CrossEntropy()(s, y)).item() == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_those_of_small_steps(name: str) -> None:
    torch.manual_seed(0)
    s = torch.randn(4, CLASSES, dtype=torch.float64, requires_grad=True)
    y = torch.tensor([0, 3, 1, 2])
    assert torch.autograd.gradcheck(lambda logits: loss(name, weights=WEIGHTS)(logits, y), (s,))


@pytest.mark.parametrize("name", LOSSES)
def test_learning_by_each_loss_leads_to_the_right_classes(name: str) -> None:
    s, y = torch.zeros(4, CLASSES, requires_grad=True), torch.tensor([0, 3, 1, 2])
    optimiser, measure = torch.optim.SGD([s], lr=1.0), loss(name)
    for _ in range(50):
        optimiser.zero_grad()
        measure(s, y).backward()
        optimiser.step()
    assert torch.equal(s.argmax(1), y)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: loss("hingge"), r"no loss hingge; did you mean hinge\?"),
        (lambda: CrossEntropy(label_smoothing=1.5), "not 1.5"),
        (lambda: Hinge(margin=0.0), "not by 0"),
        (lambda: Focal(gamma=-1.0), "not -1"),
        (lambda: Margin(present=0.1, absent=0.9), "not 0.1 and 0.9"),
        (lambda: Loss(weights=[1.0, -2.0]), "-2.0"),
        (lambda: Loss(weights=[1.0, math.nan]), "nan"),
        (lambda: Loss(weights=[1.0, math.inf]), "inf"),
        (lambda: Loss(weights=[]), r"not \[\]"),
        (lambda: Loss(weights=[[1.0]]), r"not \[\[1.0\]\]"),
    ],
)
def test_refuses_what_makes_no_loss(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("count", [CLASSES - 1, CLASSES + 1])
def test_needs_a_weight_for_each_class(name: str, count: int) -> None:
    with pytest.raises(ValueError, match=f"{count} weights are not one for each of {CLASSES} classes"):
        loss(name, weights=[1.0] * count)(torch.zeros(2, CLASSES), torch.tensor([0, 1]))


SMOOTHED = {"name": "cross_entropy", "label_smoothing": 0.1}


@pytest.mark.parametrize("settings", [SMOOTHED, *({"name": name} for name in LOSSES)])
def test_a_batch_that_weighs_nothing_teaches_nothing(settings: dict[str, Any]) -> None:
    s = torch.randn(2, 3, requires_grad=True)
    one = loss(**settings, weights=[0.0, 1.0, 0.0])(s, torch.tensor([0, 2]))
    one.backward()
    assert one.item() == 0
    assert s.grad is not None
    assert not s.grad.any()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_shared_truth_of_one_class_is_that_class(weights: list[float] | None, smoothing: float) -> None:
    s, y = torch.randn(6, CLASSES, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0, 2])
    criterion = CrossEntropy(weights=weights, label_smoothing=smoothing)
    shared = nn.functional.one_hot(y, CLASSES).double()
    torch.testing.assert_close(criterion(s, shared), criterion(s, y))


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_shared_truth_counts_as_shares_of_examples(weights: list[float] | None, smoothing: float) -> None:
    s = torch.randn(3, CLASSES, dtype=torch.float64)
    shared = torch.tensor([[0.75, 0.25, 0, 0], [0, 0, 0.5, 0.5], [0, 1, 0, 0]], dtype=torch.float64)
    repeated = [(row, y) for row in range(3) for y in range(CLASSES) for _ in range(int(4 * shared[row, y]))]
    rows, classes = zip(*repeated, strict=True)
    criterion = CrossEntropy(weights=weights, label_smoothing=smoothing)
    torch.testing.assert_close(criterion(s, shared), criterion(s[list(rows)], torch.tensor(classes)))
