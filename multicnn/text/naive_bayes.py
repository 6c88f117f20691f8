"""The weights of a bag of n-grams: log-count ratios, and how far each of them can be trusted."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from multicnn.data.ragged import Packer
from multicnn.text.architectures.ngrams import NgramBag
from multicnn.text.read import PADDING, UNKNOWN

# Added to every count, so that no n-gram decides alone (1 in the paper's section 2.1), and how much a wrong answer
# counts against large weights: tried from 0.1 to 1 and 0.3 to 10, on parts of MR's, SST-2's and TREC's training parts.
SMOOTHING = 0.3
INVERSE_DECAY = 1.0
MOST_STEPS = 60
BATCH = 1024


def fit_bag(bag: NgramBag, texts: Iterable[np.ndarray], truth: np.ndarray, weights: np.ndarray | None = None) -> None:
    """Sets a bag's weights from training texts.

    Wang and Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", section 2.3. The
    idea: an n-gram's weight starts as the logarithm of how much more often it stands in a class than outside, and a
    discriminative classifier over these values, here a logistic regression, says what they are worth beside each other.

    Args:
        bag: changed in place.
        texts: the ids of each, int32 [tokens]; gone through twice.
        truth: the class of each, [count].
        weights: how much each counts, [count]; alike by default.
    """
    counts, rows = _counts(bag, texts)
    classes = bag.weights.shape[1]
    table, bias = np.zeros((len(rows), classes)), np.zeros(classes)
    for number in range(classes) if classes > 2 else (1,):
        table[:, number], bias[number] = _one_against_rest(counts, truth == number, weights)
    if classes == 2:  # the same logistic regression, told from both sides
        table, bias = table - table[:, ::-1], bias - bias[::-1]
    # What speaks for a class speaks against the others, whose own weights say so too: each tells half of it. The whole
    # would be too sure of itself, and outvote a network beside it.
    table, bias = table / 2, bias / 2
    bag.weights.zero_()
    bag.weights[torch.from_numpy(rows)] = torch.from_numpy(table).float()
    bag.bias.copy_(torch.from_numpy(bias))


def _counts(bag: NgramBag, texts: Iterable[np.ndarray]) -> tuple[csr_matrix, np.ndarray]:
    """How often each text has each row's n-grams, [texts, rows that occur], and which rows these are.

    A word that occurs once tells what stands around words that never do: it counts as the unknown one, alone and in
    longer n-grams, and for itself.
    """
    occurrences = torch.zeros(bag.words, dtype=torch.long)
    for batch in _batches(texts):
        occurrences += batch.flatten().bincount(minlength=bag.words)
    rare = occurrences == 1
    rare[[PADDING, UNKNOWN]] = False
    found = Packer()
    for batch in _batches(texts):
        is_rare = rare[batch]
        rows = torch.cat([bag.rows(batch.masked_fill(is_rare, UNKNOWN)), batch.where(is_rare, PADDING)], dim=1)
        for row in rows.numpy():
            found.add(row[row != PADDING].astype(np.int32))
    numbers = found.packed()
    occurs = np.zeros(len(bag.weights), bool)
    occurs[numbers.flat] = True
    which = np.flatnonzero(occurs)
    columns = (np.cumsum(occurs, dtype=np.int32) - 1)[numbers.flat]
    counts = csr_matrix((np.ones(len(columns), np.float32), columns, numbers.ends), shape=(len(numbers), len(which)))
    counts.sum_duplicates()
    return counts, which


def _batches(texts: Iterable[np.ndarray]) -> Iterator[Tensor]:
    """Padded ids, int64 [batch, tokens]."""
    remaining = iter(texts)
    while batch := list(islice(remaining, BATCH)):
        yield torch.nn.utils.rnn.pad_sequence([torch.tensor(text) for text in batch], batch_first=True).long()


def _one_against_rest(counts: csr_matrix, is_class: np.ndarray, weights: np.ndarray | None) -> tuple[np.ndarray, float]:
    """Each row's weight in the logarithm of the odds for a class, [rows], and what stands before any word."""
    inside, outside = (SMOOTHING + np.asarray(counts[chosen].sum(axis=0))[0] for chosen in (is_class, ~is_class))
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    weighed = ratio[counts.indices]
    weighed *= counts.data
    regression = LogisticRegression(C=INVERSE_DECAY, max_iter=MOST_STEPS, tol=1e-3)
    regression.fit(csr_matrix((weighed, counts.indices, counts.indptr), counts.shape), is_class, sample_weight=weights)
    return ratio * regression.coef_[0], float(regression.intercept_[0])
