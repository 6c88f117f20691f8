"""Examples that are read in pieces count as one."""

import numpy as np

from multicnn.data.recordings import first_pieces, means


def test_the_mean_is_over_the_pieces_of_each_example_that_are_there() -> None:
    owner = np.array([0, 0, 0, 2, 5, 5])  # nothing of 1, 3 and 4 could be read
    probabilities = np.random.default_rng(0).uniform(size=(6, 3)).astype(np.float32)
    expected = [probabilities[owner == place].astype(float).mean(axis=0) for place in (0, 2, 5)]
    found = means(probabilities, owner)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-7)
    np.testing.assert_array_equal(first_pieces(owner), [0, 3, 4])


def test_examples_of_one_piece_keep_their_numbers_to_the_last_bit() -> None:
    probabilities = np.random.default_rng(0).uniform(size=(100, 3)).astype(np.float32)
    np.testing.assert_array_equal(means(probabilities, np.arange(100)), probabilities)


def test_nothing_has_no_means() -> None:
    assert means(np.empty((0, 3), np.float32), np.empty(0, np.int64)).shape == (0, 3)
