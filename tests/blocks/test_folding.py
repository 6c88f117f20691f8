import numpy as np
import pytest
import torch
from block_checks import assert_same_in_onnx

from multicnn.blocks.folding import Folding


def test_adds_neighbouring_rows_of_each_map() -> None:
    x = torch.randn(2, 6 * 3, 5)
    rows = x.numpy().reshape(2, 6, 3, 5)
    expected = np.stack([rows[:, 0] + rows[:, 1], rows[:, 2] + rows[:, 3], rows[:, 4] + rows[:, 5]], axis=1)
    np.testing.assert_allclose(Folding(6, 3)(x).numpy(), expected.reshape(2, 9, 5), rtol=1e-6)


def test_onnx_agrees_for_any_batch_and_time() -> None:
    for rows in (4, 5):
        examples = [torch.randn(batch, 2 * rows, time) for batch, time in ((2, 5), (3, 1), (1, 9))]
        assert_same_in_onnx(Folding(rows, 2), *examples, free=(0, 2))


def test_the_last_of_an_odd_number_of_rows_stays_by_itself() -> None:
    x = torch.randn(2, 5 * 3, 4)
    folded = Folding(5, 3)(x)
    assert folded.shape == (2, 3 * 3, 4)
    assert torch.equal(folded[:, :6], Folding(4, 3)(x[:, :12]))
    assert torch.equal(folded[:, 6:], x[:, 12:])


@pytest.mark.parametrize(("rows", "maps"), [(0, 2), (4, 0)])
def test_refuses_what_does_not_fold(rows: int, maps: int) -> None:
    with pytest.raises(ValueError, match=f"not {rows} and {maps}"):
        Folding(rows, maps)
