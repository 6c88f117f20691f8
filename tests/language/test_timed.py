"""Patterns along time: a text's answer does not depend on what it is batched with."""

import pytest
import torch
from torch import Tensor, nn

from multicnn.language.chain import Link, chain
from multicnn.language.parse import parse
from multicnn.language.place import Place
from multicnn.language.timed import PROBED, TimedChain
from multicnn.language.tree import PatternError

CHANNELS, CLASSES = 6, 5
PATTERNS = [
    "conv3-8 relu gmp fc",
    "conv4-8 bn relu pool2 conv5-8/2 relu pool3/2 gap fc",
    "conv4-8 relu avg2 dwsep3-8 relu res8/2 res8 dense4*3 transition0.5 se2 fire2-4-4 att8 fc",
    "inception4-4-4-4-4-4 inverted8/2:t2 bottleneck4/2 preres8 bn relu gem fc",
    "conv5-8:p4 dkmax3 tanh conv3-8:p2 dkmax3 fc",
    "conv3-8 kmax4 conv2-6 fc",
    "conv3-8 relu region4 relu fc",
    "conv3-8/2 relu spp4-2-1 fc",
    "dyn3-8:k2 causal2-8:d2 lp2-2 sum2 ln gelu gem fc",
    "conv3-8:d2 relu stoch2 maxdrop2-0.5 mlpconv3-8-4 filter3 hyper3-8/2 convpool2 gmp fc",
]


class Texts(nn.Module):
    """A pattern's layers for vectors of words."""

    def __init__(self, pattern: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        links = links_of(pattern)
        self.timed = TimedChain([link for link in links if link.open], CHANNELS)
        self.rest = nn.Sequential(*(link.module for link in links if not link.open))
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                nn.init.normal_(module.running_mean)
                nn.init.normal_(module.bias)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        answer: Tensor = self.rest(self.timed(x, mask))
        return answer


def links_of(pattern: str) -> list[Link]:
    place = Place(CHANNELS, (PROBED,), (True,), open=True, classes=CLASSES)
    return chain(parse(pattern, {"classes": CLASSES}), place)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_padding_changes_nothing(pattern: str) -> None:
    network = Texts(pattern).eval()
    for length in (1, 2, 3, 5, 8, 13, 30):
        text = torch.randn(1, CHANNELS, length, generator=torch.Generator().manual_seed(length))
        alone = network(text, torch.ones(1, length, dtype=torch.bool))
        assert alone.shape == (1, CLASSES)
        assert alone.isfinite().all()
        for padding in (1, 2, 7, 40):
            noise = torch.full((1, CHANNELS, padding), 99.0)
            mask = torch.arange(length + padding)[None] < length
            torch.testing.assert_close(network(torch.cat([text, noise], 2), mask), alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_batch_of_different_lengths_answers_as_each_text_alone_and_learns(pattern: str) -> None:
    network = Texts(pattern).eval()
    lengths = torch.tensor([3, 9, 1])
    mask = torch.arange(9) < lengths[:, None]
    x = torch.randn(3, CHANNELS, 9, generator=torch.Generator().manual_seed(0))
    together = network(x, mask)
    for i, length in enumerate(lengths):
        alone = network(x[i : i + 1, :, :length], mask[i : i + 1, :length])
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-4, atol=1e-5)
    network.train()(x, mask).square().sum().backward()
    assert all(one.grad is not None and one.grad.isfinite().all() for one in network.parameters())


def test_a_maximum_of_negative_values_is_negative() -> None:
    timed = TimedChain(links_of("pool9 gap fc")[:1], CHANNELS)
    answer = timed(torch.full((1, CHANNELS, 4), -2.0), torch.ones(1, 4, dtype=torch.bool))
    assert (answer == -2).all()


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("conv3-8 fc", "fc: a text has no fixed length; pool over time first"),
        ("adapt3 fc", "the regions of a text are those of region4 or spp4-2-1"),
        ("gn2 gap fc", "it looks at a whole text, its padding included"),
        ("conv3-8/2:same gap fc", "depends on the whole text; say :p1"),
        ("deconv2-8 gap fc", "it makes maps larger"),
        ("local3-8 gap fc", "a text has no fixed length"),
        ("conv3-8", "the pattern ends with 8 x time"),
    ],
)
def test_what_has_no_meaning_for_texts_is_refused(pattern: str, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        links_of(pattern)
    assert message in str(caught.value)
