"""A peer of image_training.py: fastai's ImageDataLoaders, Learner and fit_one_cycle, as in its documentation.

It runs in a Python of its own that has fastai and multicnn (for the network):

    python -m venv fa && fa/bin/pip install fastai . && python benchmarks/image_training.py ... --fastai fa/bin/python
"""

import argparse
import time

from fastai.callback.core import Callback
from fastai.callback.schedule import fit_one_cycle  # noqa: F401  it becomes a method of Learner
from fastai.learner import Learner
from fastai.losses import LabelSmoothingCrossEntropyFlat
from fastai.metrics import accuracy
from fastai.vision.augment import Flip, RandomCrop
from fastai.vision.data import ImageDataLoaders
from peer import SIDE, SMOOTHING, network, parse, say, workers


class Says(Callback):
    """Prints the line of an epoch; the validation isn't counted in the speed."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked

    def before_train(self) -> None:
        self.began = time.monotonic()

    def after_train(self) -> None:
        self.seconds = time.monotonic() - self.began

    def after_epoch(self) -> None:
        seen = len(self.dls.train) * self.dls.train.bs
        say(self.epoch + 1, self.asked, float(self.recorder.metrics[0].value), seen / self.seconds)


def main() -> None:
    asked = parse()
    data = ImageDataLoaders.from_folder(
        asked.data,
        train="train",
        valid="val",
        bs=asked.batch_size,
        num_workers=workers(asked),
        item_tfms=RandomCrop(SIDE),
        batch_tfms=Flip(),
    )
    loss = LabelSmoothingCrossEntropyFlat(eps=SMOOTHING)
    learner = Learner(data, network(asked, data.c), loss_func=loss, metrics=accuracy, cbs=Says(asked))
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(asked.epochs, asked.lr)


if __name__ == "__main__":
    main()
