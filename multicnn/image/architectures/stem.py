"""The first layers: how soon a network gives up resolution."""

from multicnn.errors import did_you_mean

STEMS = ("auto", "imagenet", "small")
SMALL = 64  # pixels; ImageNet's stem leaves 8 x 8 of CIFAR's 32 x 32, too few for three more halvings


def is_small(stem: str, size: tuple[int, int]) -> bool:
    """Whether the stem keeps the resolution (3x3, stride 1, no pooling) instead of quartering it (7x7, then pooling).

    Args:
        stem: "imagenet", "small", or "auto": small where the input's smaller side is under 64 pixels.
        size: the input's height and width.

    Raises:
        ValueError: another stem.
    """
    if stem not in STEMS:
        raise ValueError(f"there is no stem {stem}{did_you_mean(stem, STEMS) or '; there are ' + ', '.join(STEMS)}")
    return stem == "small" or (stem == "auto" and min(size) < SMALL)
