"""What is done to training texts: which words change, which never do, and what is mixed with what."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from multicnn.data.example import Example
from multicnn.data.examples import Examples
from multicnn.errors import UsageError
from multicnn.pipeline import load_pipeline
from multicnn.recipe import TextRecipe
from multicnn.recipe_files import load_recipe
from multicnn.text.architectures.textcnn import TextCNN
from multicnn.text.architectures.textcnn_nb import TextCNNNB
from multicnn.text.augment import TextAugmentation, nearest_words, swapped
from multicnn.training.prepare import build, outline
from multicnn.training.progress import Reporter
from tests.conftest import Cli


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ids(batch: int = 200, words: int = 30, padding: int = 10) -> Tensor:
    """Each text has the numbers 2, 3, ... in order."""
    rows = torch.arange(2, words + 2, dtype=torch.int32).expand(batch, words)
    return torch.nn.functional.pad(rows, (0, padding))


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(0, 1000))
def test_swapped_words_change_places_among_themselves(chosen: list[bool], seed: int) -> None:
    x = torch.arange(10, 10 + len(chosen), dtype=torch.int32)[None]
    which = torch.tensor([chosen])
    changed = swapped(x, which, torch.rand(1, len(chosen), generator=seeded(seed)))
    assert changed.dtype == torch.int32
    assert torch.equal(changed[~which], x[~which])
    assert sorted(changed[which].tolist()) == sorted(x[which].tolist())


def test_rare_words_become_unknown_more_often() -> None:
    x = ids(2000, words=2)
    changed = TextAugmentation(0.1, rarity=torch.tensor([1.0, 1.0, 0.5, 0.0]))(x, seeded())
    assert torch.equal(changed[:, 2:], x[:, 2:])
    rare, frequent = (changed[:, :2] == 1).float().mean(0).tolist()
    assert 0.45 < rare < 0.55 and 0.08 < frequent < 0.12


def test_how_rare_a_word_is_comes_from_the_training_texts() -> None:
    texts = ["often often", "often seldom"]
    recipe = TextRecipe.model_validate(
        {"model": {"arch": "textcnn"}, "augment": {"word_dropout": 0, "rare_dropout": 2}}
    )
    made = load_pipeline("text")
    recipe, reader = made.settle(recipe, Examples.of(Example(text, text, text) for text in texts), "cpu")
    assert reader.settings()["vocabulary"] == ["often", "seldom"]
    rarity = made.augmentation(recipe).words.rarity
    torch.testing.assert_close(rarity[2:], torch.tensor([2 / 5, 2 / 3]))
    recipe.augment.rare_dropout = 0
    assert made.augmentation(recipe).words.rarity is None


def test_the_share_of_words_that_change_places() -> None:
    x = ids()
    changed = TextAugmentation(swap=0.3)(x, seeded())
    assert torch.equal(changed[:, 30:], x[:, 30:])
    assert torch.equal(changed.sort(dim=1).values, x.sort(dim=1).values)
    assert 0.22 < float((changed != x)[:, :30].float().mean()) < 0.3  # of about 9 chosen words one stays in place
    assert len({tuple(row.tolist()) for row in changed}) > 190
    assert torch.equal(changed, TextAugmentation(swap=0.3)(x, seeded()))


def test_synonyms_are_the_nearest_words() -> None:
    angles = torch.linspace(0, 1.5, 40)
    matrix = torch.stack([angles.cos(), angles.sin()], dim=1) * torch.rand(40, 1, generator=seeded())
    known = torch.ones(40, dtype=torch.bool)
    known[[0, 7]] = False
    nearest = nearest_words(matrix, known, count=2)
    assert nearest[[0, 1, 7]].tolist() == [[0, 0], [1, 1], [7, 7]]
    assert sorted(nearest[20].tolist()) == [19, 21]
    assert sorted(nearest[6].tolist()) in ([5, 8], [4, 5])
    x = ids()
    changed = TextAugmentation(synonym=0.5, nearest=nearest)(x, seeded())
    assert torch.equal(changed[:, 30:], x[:, 30:])
    different = (changed != x)[:, :30]
    assert 0.42 < float(different.float().mean()) < 0.55  # word 7 has no other


def test_only_the_first_words_are_compared() -> None:
    matrix = torch.randn(30, 4, generator=seeded())
    nearest = nearest_words(matrix, torch.ones(30, dtype=torch.bool), count=3, most=10)
    assert nearest[2:12].max() < 12 and (nearest[2:12] != torch.arange(2, 12)[:, None]).all()
    assert torch.equal(nearest[12:], torch.arange(12, 30)[:, None].expand(18, 3))


def test_refuses_what_is_no_share_and_synonyms_of_nothing() -> None:
    with pytest.raises(ValueError, match="swap is a share"):
        TextAugmentation(swap=1.0)
    with pytest.raises(ValueError, match="nearest to each"):
        TextAugmentation(synonym=0.1)


def test_mixup_shares_embeddings_and_truth_alike() -> None:
    torch.manual_seed(0)
    network = TextCNN(4, 20, embedding=4, filters=5).eval()
    x = torch.randint(1, 20, (16, 9))
    truth = torch.arange(16) % 4
    targets: list[Tensor] = []

    def criterion(logits: Tensor, target: Tensor) -> Tensor:
        targets.append(target)
        return logits.sum()

    plain, _ = network.training_loss(x, truth, criterion)
    assert torch.equal(targets[0], truth)
    network.mixup = 0.4
    mixed, _ = network.training_loss(x, truth, criterion)
    shared = targets[1]
    torch.testing.assert_close(shared.sum(1), torch.ones(16))
    assert ((shared > 0).sum(1) <= 2).all() and (shared.max(1).values < 1).any()
    for row, target in zip(mixed, shared, strict=True):  # the head is linear here, so logits are shared as the truth is
        ways = [
            torch.allclose(row, plain[one].lerp(plain[other], share), atol=1e-4)
            for one in range(16)
            for other in range(16)
            for share in [target[truth[other]]]
            if truth[one] != truth[other] and torch.allclose(target[truth[one]] + share, torch.ones(()))
        ]
        assert any(ways) or target.max() == 1


def test_mixup_beside_ngrams_is_textcnns_alone() -> None:
    network = TextCNNNB(3, 20, embedding=4, filters=5, buckets=8).eval()
    network.bag.weights.normal_()
    network.mixup = 0.4
    x, truth = torch.randint(1, 20, (8, 6)), torch.arange(8) % 3
    found: list[tuple[Tensor, Tensor]] = []

    def criterion(logits: Tensor, target: Tensor) -> Tensor:
        found.append((logits, target))
        return logits.sum()

    torch.manual_seed(0)
    mean, loss = network.training_loss(x, truth, criterion)
    torch.manual_seed(0)
    mixed, expected = TextCNN.training_loss(network, x, truth, criterion)
    assert torch.equal(found[0][1], found[1][1]) and found[0][1].shape == (8, 3)
    assert torch.equal(loss, expected)
    torch.testing.assert_close(mean, (mixed + network.bag(x)) / 2)


def test_the_default_network_learns_by_mixup(texts: Path, cli: Cli, tmp_path: Path) -> None:
    options = ("-s", "augment.mixup=0.2", "--epochs", "1", "--batch-size", "8", "--device", "cpu")
    done = cli("train", "text", texts, "-o", tmp_path / "run", *options)
    assert done.returncode == 0, done.stderr
    assert "textcnn_nb" in done.stderr
    figures = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]
    assert json.loads(cli("evaluate", tmp_path / "run", texts, "--json").stdout) == figures


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"augment.synonym": 0.1}, "augment.synonym finds near words by their vectors"),
        ({"augment.mixup": 0.2, "training.loss": "focal"}, "augment.mixup mixes classes"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_training(settings: dict[str, object], said: str, texts: Path) -> None:
    with pytest.raises(UsageError, match=said):
        build(outline(load_recipe("text", None, {"data.path": str(texts), **settings}), "cpu"), Reporter(True))


@pytest.mark.slow
def test_a_training_with_all_of_them(texts: Path, cli: Cli, tmp_path: Path) -> None:
    keys = ("augment.swap=0.1", "augment.synonym=0.1", "augment.mixup=0.2", "text.embed.length=8")
    settings = [part for key in (*keys, "model.options.filters=8") for part in ("-s", key)]
    arguments = (texts, "--vectors", "train", "--arch", "textcnn", *settings, "-q")
    done = cli("train", "text", *arguments, "-o", tmp_path / "run", "--epochs", 2)
    assert done.returncode == 0, done.stderr
