"""The one training loop: forward, backward, step; a look at the validation part after each epoch."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from multicnn.blocks.classifier import Classifier
from multicnn.blocks.loss import LOSSES, Loss
from multicnn.data.recordings import means
from multicnn.errors import MulticnnError
from multicnn.pipeline import Augmentation
from multicnn.recipe import Training
from multicnn.training.batches import Feed, class_weights
from multicnn.training.ema import Ema
from multicnn.training.freezing import Freezing, rate_shares
from multicnn.training.memory import in_halves
from multicnn.training.micro_batches import MicroBatches
from multicnn.training.optimiser import build_optimiser, limit_rows
from multicnn.training.passes import Passes
from multicnn.training.schedule import Schedule
from multicnn.training.stages import output_layer

EVALUATION_BATCH = 256
# Sets the chances of turns apart from those of epochs, which have the epoch's number in its place.
TURNS = 2**32


@dataclass(slots=True)
class Scores:
    """What a part of the data says about the weights."""

    loss: float
    accuracy: float
    span_f1: float | None = None  # of words


class Learner:
    """A model, its optimiser and everything that a step needs.

    Args:
        model: on its device already.
        feed: the training part.
        classes: how many there are.
        training: settled settings, without any `auto` left.
        augmentation: what is done to the examples in training only.
        precision: the type in which the network multiplies; the front end and the loss stay in float32.
        warn: told, in one line, of what did not go as it should.
    """

    def __init__(
        self,
        model: Classifier,
        feed: Feed,
        classes: int,
        training: Training,
        augmentation: Augmentation,
        precision: torch.dtype,
        warn: Callable[[str], None],
    ) -> None:
        self.model = model
        self.feed = feed
        self.training = training
        self.augmentation = augmentation
        self.device = feed.device
        self.classes = classes
        first = np.random.default_rng([training.seed, TURNS])
        self.first_turn = first.permutation(len(feed)) % 2 == 0
        self.output = output_layer(model.network)
        self.freezing = Freezing(model.network, training)
        shares = rate_shares(model.network, training.layer_decay) if training.layer_decay < 1 else None
        self.optimiser = build_optimiser(model, training, self.output, shares)
        self.schedule = Schedule(training)
        self.ema = Ema(model, training.ema) if training.ema else None
        self.scaler = torch.amp.GradScaler(enabled=precision == torch.float16)
        truth = feed.truth.cpu().numpy()
        weights = class_weights(truth, classes)
        self.chances = weights[truth] / weights[truth].sum() if training.class_balance == "sampling" else None
        loss = _loss(training, weights if training.class_balance == "weights" else None).to(self.device)
        self.passes = Passes(model.network, loss, precision)
        self.micro_batches = MicroBatches(self.passes, training, self.scaler, warn)

    def step(
        self, inputs: Tensor, truth: Tensor, generator: torch.Generator, progress: float, turn: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """One step of the optimiser.

        Args:
            inputs: a reader's batch.
            truth: classes, [batch].
            generator: decides the augmentation.
            progress: the share of the training that is done, for the learning rate.
            turn: whose turn it is, where something happens to an example in every other epoch, [batch].

        Returns:
            The loss and the number of right answers, both still on the device.
        """
        settings = self.training
        self.schedule.set(self.optimiser, progress)
        if settings.unfreeze:
            self.freezing.set(progress, self.schedule.epoch)
        with torch.no_grad():
            inputs = self.augmentation.inputs(inputs, generator, turn)
            inputs, target = self.augmentation.mix(inputs, truth, self.classes, generator)
            seen = self.augmentation.features(self.model.frontend(inputs), generator)
        loss, right = self.micro_batches.gradients(self.optimiser, seen, target)
        if settings.clip:
            self.scaler.unscale_(self.optimiser)
            nn.utils.clip_grad_norm_(self.model.parameters(), float(settings.clip))
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if settings.max_norm:
            limit_rows(self.output, settings.max_norm)
        if self.ema:
            self.ema.update(self.model)
        return loss, right

    def epoch(
        self,
        number: int,
        steps: int,
        progress: Callable[[int], float],
        after_step: Callable[[int], int],
        losses: Sequence[float] = (),
    ) -> tuple[Scores, int]:
        """One epoch. All that is random in it follows from the seed and its number, so a resumed run repeats it.

        Args:
            number: of the epoch, from 0.
            steps: how many batches to take.
            progress: from the number of steps done in this epoch to the share of the training that is done.
            after_step: told the steps that are done, says how many the epoch is to have.
            losses: on the validation part, of the epochs before.

        Returns:
            The mean loss and accuracy over the steps, and how many steps there were.

        Raises:
            MulticnnError: the loss is no number any more.
        """
        rng, generator = self.begin(number, progress(0), losses)
        # Sums on the device: a small tensor kept of each step would lie between larger ones that come and go in other
        # sizes, and the heap would grow by 0.1 MB a step.
        total, right = torch.zeros((), device=self.device), torch.zeros((), dtype=torch.int64, device=self.device)
        seen = done = 0
        for inputs, truth, turn in self.batches(number, rng):
            loss, correct = self.step(inputs, truth, generator, progress(done), turn)
            total += loss
            right += correct
            seen += len(truth)
            done += 1
            steps = after_step(done)
            if done >= steps:
                break
        mean = total.item() / done
        if not np.isfinite(mean):
            raise MulticnnError(
                f"the loss became {mean} in epoch {number + 1}; train again with a lower --lr than {self.training.lr:g}"
            )
        return Scores(mean, right.item() / seen), done

    def begin(
        self, number: int, progress: float, losses: Sequence[float] = ()
    ) -> tuple[np.random.Generator, torch.Generator]:
        """Makes everything ready for an epoch; the arguments are those of `epoch`.

        Returns:
            What decides the order of the examples, and what decides their augmentation.
        """
        rng = np.random.default_rng([self.training.seed, number])
        torch.manual_seed(int(rng.integers(2**62)))
        generator = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        self.model.train()
        self.freezing.set(progress, number)
        self.schedule.begin_epoch(number, losses)
        return rng, generator

    def batches(self, number: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The batches of an epoch: inputs, [batch, ...], classes, [batch], and whose turn it is, [batch]."""
        choices = self.feed.shuffled(int(self.training.batch_size), rng, self.chances)
        for chosen, (inputs, truth) in zip(choices, self.feed.batches(choices), strict=True):
            turn = torch.from_numpy(self.first_turn[chosen] ^ bool(number % 2)).to(self.device)
            yield inputs, truth, turn

    def weights(self) -> dict[str, Tensor]:
        """The weights that count: the running mean, where there is one."""
        return self.ema.mean if self.ema else self.model.state_dict()

    @torch.no_grad()
    def probabilities(self, feed: Feed, views: bool = True) -> np.ndarray:
        """What the model says of each example of a part, [examples, classes], with the weights that count.

        Args:
            feed: the part.
            views: ask for each view that prediction asks for; without, the network answers once, which is quicker.

        It is the softmax of the logits whatever the loss was. A hinge loss asks only that the true class leads by 1, so
        after it these numbers rank the classes and are not calibrated.
        """
        own = {name: tensor.clone() for name, tensor in self.model.state_dict().items()} if self.ema else None
        if self.ema:
            self.model.load_state_dict(self.ema.mean)
        self.model.eval()
        answers: np.ndarray | None = None
        choices = feed.in_order(EVALUATION_BATCH)
        for chosen, (inputs, _) in zip(choices, feed.batches(choices), strict=True):
            one = in_halves(lambda part: self._answers(part, views), inputs)
            answers = np.empty((len(feed), one.shape[1]), dtype=np.float32) if answers is None else answers
            answers[chosen] = one
        if own:
            self.model.load_state_dict(own)
        assert answers is not None
        return means(answers, feed.owner)

    def _answers(self, inputs: Tensor, views: bool) -> np.ndarray:
        """Probabilities of a batch, [batch, classes], with the weights in the model."""
        seen, network = self.model.frontend(inputs), self.passes.logits
        logits = self.model.answer(seen, network) if views else network(seen)
        answers: np.ndarray = logits.float().softmax(1).cpu().numpy()
        return answers

    def scores(self, feed: Feed) -> Scores:
        """Log loss, accuracy and, of words, span F1 of the network's own answers on a part."""
        answers, truth = self.probabilities(feed, views=False), feed.truth_of_examples()
        chosen = answers[np.arange(len(truth)), truth]
        loss, predicted = float(-np.log(np.maximum(chosen, 1e-12)).mean()), answers.argmax(1)
        return Scores(loss, float((predicted == truth).mean()), feed.span_f1(predicted) if feed.span_f1 else None)


def _loss(training: Training, weights: np.ndarray | None) -> Loss:
    """The loss of a settled recipe; label smoothing belongs to cross-entropy."""
    smoothing = {"label_smoothing": float(training.label_smoothing)} if training.loss == "cross_entropy" else {}
    return LOSSES[training.loss](weights=None if weights is None else torch.from_numpy(weights), **smoothing)


def now(device: torch.device) -> float:
    """The clock, once the device has done all that it was told to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic()
