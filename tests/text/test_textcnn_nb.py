"""TextCNN-NB: n-grams and their rows by hand, weights from counts, and TextCNN beside them."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from multicnn.data.example import Example
from multicnn.data.examples import Examples
from multicnn.pipeline import load_pipeline
from multicnn.recipe import TextRecipe
from multicnn.text import pipeline
from multicnn.text.architectures.ngrams import NgramBag
from multicnn.text.architectures.textcnn import TextCNN
from multicnn.text.architectures.textcnn_nb import TextCNNNB
from multicnn.text.hashing import MULTIPLIER, PRIME
from multicnn.text.naive_bayes import fit_bag

WORDS, BUCKETS = 30, 4096


def rows_by_hand(text: list[int], longest: int) -> list[int]:
    """The definition: a row for each word, and one by hash for each n-gram of words and the two ends."""
    rows = list(text)
    framed = [0, *text, 0]
    for length in range(2, longest + 1):
        for at in range(len(framed) - length + 1):
            ngram = framed[at : at + length]
            if (length > 2 and 0 in ngram[1:-1]) or not (ngram[0] or ngram[-1]):
                continue
            number = 0
            for word in ngram:
                number = (number + word) * MULTIPLIER % PRIME
            rows.append(WORDS + number % BUCKETS)
    return sorted(rows)


def batch(*texts: list[int]) -> Tensor:
    return nn.utils.rnn.pad_sequence([torch.tensor(text, dtype=torch.int32) for text in texts], batch_first=True)


def random_texts(count: int, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(1, WORDS, rng.integers(1, 12)).tolist() for _ in range(count)]


@pytest.mark.parametrize("longest", [1, 2, 3, 4])
def test_rows_agree_with_the_definition(longest: int) -> None:
    texts = [[5], [1], [5, 1], [7, 7], *random_texts(40)]
    found = NgramBag(2, WORDS, longest, BUCKETS).rows(batch(*texts))
    for text, row in zip(texts, found.tolist(), strict=True):
        assert sorted(number for number in row if number) == rows_by_hand(text, longest)


def test_answers_are_sums_of_rows() -> None:
    bag, texts = NgramBag(3, WORDS, 2, BUCKETS), random_texts(9)
    bag.weights[1:].uniform_(-1, 1)
    bag.bias.uniform_(-1, 1)
    expected = torch.stack([bag.weights[rows_by_hand(text, 2)].sum(0) for text in texts]) + bag.bias
    torch.testing.assert_close(bag(batch(*texts)), expected)


def fitted(texts: list[list[int]], truth: list[int], weights: Any = None) -> NgramBag:
    bag = NgramBag(max(truth) + 1, WORDS, 2, BUCKETS)
    fit_bag(bag, [np.array(text, np.int32) for text in texts], np.array(truth), weights)
    return bag


@pytest.mark.parametrize("classes", [2, 3])
def test_weights_speak_for_the_class_in_which_an_ngram_stands(classes: int) -> None:
    rng = np.random.default_rng(0)
    truth = [number % classes for number in range(60)]
    texts = [[2 + label, *rng.integers(10, 20, 4).tolist()] for label in truth]
    bag = fitted(texts, truth)
    assert bag(batch(*texts)).argmax(1).tolist() == truth
    for label in range(classes):
        assert bag.weights[2 + label].argmax() == label
        assert bag.weights[2 + label, label] > 3 * bag.weights[10:20].abs().max()  # words that stand everywhere
    assert not bag.weights[20:WORDS].any()  # words that never occurred


def test_words_that_occur_once_say_what_stands_around_unknown_ones() -> None:
    """Each text of the first class has a word of its own behind 2, each of the second one behind 3."""
    texts = [[2 + at % 2, 4 + at] for at in range(20)]
    bag = fitted(texts, [at % 2 for at in range(20)])
    assert bag(batch([2, 1], [3, 1])).argmax(1).tolist() == [0, 1]
    pairs = bag.weights[bag.rows(batch([2, 1], [3, 1]))[:, 3]]
    assert pairs[0, 0] > 0 > pairs[0, 1] and pairs[1, 1] > 0 > pairs[1, 0]
    assert bag.weights[4, 0] > 0 > bag.weights[5, 0]  # and they speak for themselves


def test_the_order_of_two_words_can_decide() -> None:
    texts, truth = [[2, 3], [3, 2]] * 10, [0, 1] * 10
    assert fitted(texts, truth)(batch(*texts)).argmax(1).tolist() == truth


def test_two_classes_are_one_regression_told_from_both_sides() -> None:
    bag = fitted(random_texts(50), [0, 1] * 25)
    torch.testing.assert_close(bag.weights[:, 0], -bag.weights[:, 1])
    assert bag.weights.any()


def test_log_odds_are_those_of_the_paper_where_the_regression_adds_nothing() -> None:
    """A single word in every text: its log-count ratio times one number, the same for each word by symmetry."""
    texts, truth = [[2]] * 30 + [[3]] * 10 + [[2]] * 10 + [[3]] * 30, [0] * 40 + [1] * 40
    bag = fitted(texts, truth)
    torch.testing.assert_close(bag.weights[2], -bag.weights[3], rtol=1e-2, atol=1e-3)
    assert bag(batch([2])).softmax(1)[0, 0] == pytest.approx(0.75, abs=0.01)


def test_three_classes_are_not_too_sure_of_themselves() -> None:
    """A word stands in its class three times of four. Undivided the weights would say 0.91."""
    texts = [[2 + word] for word in range(3) for _ in range(80)]
    truth = [label for word in range(3) for label in [word] * 60 + [(word + 1) % 3] * 10 + [(word + 2) % 3] * 10]
    probabilities = fitted(texts, truth)(batch([2], [3], [4])).softmax(1)
    torch.testing.assert_close(probabilities.diag(), torch.full((3,), 0.75), rtol=0, atol=0.07)


def test_weights_of_examples_move_the_odds() -> None:
    texts, truth = [[2, 3]] * 40, [0] * 30 + [1] * 10
    alike = fitted(texts, truth)(batch([2, 3])).softmax(1)[0, 0]
    balanced = fitted(texts, truth, np.array([40 / 60] * 30 + [40 / 20] * 10))(batch([2, 3])).softmax(1)[0, 0]
    assert alike == pytest.approx(0.75, abs=0.02) and balanced == pytest.approx(0.5, abs=0.02)


def network() -> TextCNNNB:
    torch.manual_seed(0)
    built = TextCNNNB(3, WORDS, buckets=BUCKETS, embedding=16, filters=8).eval()
    built.bag.weights[1:].uniform_(-1, 1)
    return built


def test_the_logits_are_the_mean_of_both() -> None:
    both, ids = network(), batch(*random_texts(5))
    torch.testing.assert_close(both(ids), (TextCNN.forward(both, ids) + both.bag(ids)) / 2)


def test_the_folded_network_agrees_with_the_plain_one() -> None:
    both, ids = network(), batch(*random_texts(20))
    folded = both.folded()
    assert folded and folded[1] == "folded"
    torch.testing.assert_close(folded[0](ids), both(ids), rtol=0, atol=1e-3)


def test_textcnn_learns_as_if_nothing_stood_beside_it() -> None:
    both, ids, truth = network(), batch(*random_texts(6)), torch.tensor([0, 1, 2] * 2)
    logits, loss = both.training_loss(ids, truth, nn.functional.cross_entropy)
    torch.testing.assert_close(loss, nn.functional.cross_entropy(TextCNN.forward(both, ids), truth))
    torch.testing.assert_close(logits, both(ids))


def settled(classes: int, **settings: str) -> TextRecipe:
    texts = [f"word{number} is here" for number in range(60)]
    examples = Examples.of(Example(text, text, str(number % classes)) for number, text in enumerate(texts))
    recipe, _ = load_pipeline("text").settle(TextRecipe.model_validate({"model": settings}), examples, "cpu")
    assert isinstance(recipe, TextRecipe)
    return recipe


def test_ngrams_are_there_by_default_unless_weighing_them_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settled(2).model.arch == "textcnn_nb"
    assert settled(2).model.options["buckets"] == 256  # 180 tokens
    monkeypatch.setattr(pipeline, "MOST_WEIGHED", 359)
    assert settled(2).model.arch == "textcnn" and not settled(2).model.options
    assert settled(2, arch="textcnn_nb").model.arch == "textcnn_nb"


def test_many_classes_get_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MOST_WEIGHTS", 64 * 3)
    assert settled(3).model.options["buckets"] == 64


@pytest.mark.parametrize("options", [{"ngrams": 0}, {"buckets": 0}])
def test_refuses_wrong_options(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 word or more and 1 row or more"):
        TextCNNNB(2, WORDS, **options)  # type: ignore[arg-type]


def test_pairs_hardly_ever_share_a_row() -> None:
    """All pairs of 300 words in 2**18 rows: no fewer have one of their own than chance would give, exp(-n / rows)."""
    words = torch.arange(2, 302)
    pairs = torch.cartesian_prod(words, words)
    rows = NgramBag(2, 302, 2, 2**18).rows(pairs)[:, 3]
    alone = (torch.bincount(rows - 302, minlength=2**18) == 1).sum() / len(rows)
    assert alone > np.exp(-len(rows) / 2**18) - 0.03
