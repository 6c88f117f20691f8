"""What all augmentations of pictures need: chances, edges, and bytes that stay bytes."""

import torch
from torch import Tensor


def draw(rows: int, batch: int, generator: torch.Generator, like: Tensor) -> Tensor:
    """Chances in [0, 1), [rows, batch], drawn where the generator lives and moved to where the pictures are."""
    return torch.rand(rows, batch, generator=generator, device=generator.device).to(like.device)


def swing(rows: int, batch: int, generator: torch.Generator, like: Tensor) -> Tensor:
    """As `draw`, but from -1 to 1."""
    return 2 * draw(rows, batch, generator, like) - 1


def reflect(at: Tensor, size: int) -> Tensor:
    """Positions beyond the edges mirrored at the edge pixel, any number of times: -1 -> 1, size -> size - 2."""
    period = max(2 * (size - 1), 1)
    at = at % period
    return torch.minimum(at, period - at) if size > 1 else at


def as_given(changed: Tensor, x: Tensor) -> Tensor:
    """Float pixels, kept within 0 to 255, in the type of the pictures that they come from; bytes are rounded."""
    changed = changed.clamp(0, 255)
    return (changed.add_(0.5) if x.dtype == torch.uint8 else changed).to(x.dtype)  # uint8 rounds down


def inside(start: Tensor, length: Tensor, size: tuple[int, int]) -> Tensor:
    """Where a rectangle lies in each picture.

    Args:
        start: of its rows and of its columns, in pixels, [2, batch].
        length: likewise.
        size: the pictures' height and width.

    Returns:
        True inside, [batch, height, width, 1].
    """
    within = []
    for side, first, count in zip(size, start, length, strict=True):
        at = torch.arange(side, device=start.device) - first[:, None]
        within.append((at >= 0) & (at < count[:, None]))
    rows, columns = within
    both: Tensor = rows[:, :, None] & columns[:, None, :]
    return both[..., None]
