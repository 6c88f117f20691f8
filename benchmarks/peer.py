"""What the peers of image_training.py share: their command line, the network, the line after an epoch."""

import argparse
import os

import torch
from torch import Tensor, nn

from multicnn.architectures import build_image

SIDE = 32
SMOOTHING = 0.1
DECAY = 0.05


def parse() -> argparse.Namespace:
    """The command line of a peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", help="a folder with train/CLASS/* and val/CLASS/*")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--option", action="append", default=[])
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--given-ours", action="store_true", help="our precision, memory format and workers")
    return parser.parse_args()


class InHalf(nn.Module):
    """A network in bfloat16 and channels-last, its logits in float32."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, height, width] to [batch, classes]."""
        with torch.autocast(x.device.type, dtype=torch.bfloat16):
            logits: Tensor = self.network(x.contiguous(memory_format=torch.channels_last))
        return logits.float()


def network(asked: argparse.Namespace, classes: int) -> nn.Module:
    """The network that multicnn trains, as a plain module."""
    options = {key: int(value) for key, _, value in (option.partition("=") for option in asked.option)}
    built: nn.Module = build_image(asked.arch, classes=classes, size=(SIDE, SIDE), options=options)
    return InHalf(built) if asked.given_ours else built


def workers(asked: argparse.Namespace) -> int:
    """Processes that decode: two, as PyTorch's tutorial has, or one a core."""
    return (os.cpu_count() or 1) if asked.given_ours else 2


def say(epoch: int, asked: argparse.Namespace, accuracy: float, speed: float) -> None:
    """The line that image_training.py reads."""
    print(f"epoch {epoch}/{asked.epochs}  accuracy {accuracy:.2%}  {speed:,.0f} examples/s", flush=True)
