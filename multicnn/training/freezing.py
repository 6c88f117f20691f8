"""Which parts of a network learn, and how fast: frozen stages, gradual unfreezing, discriminative learning rates."""

from torch import nn

from multicnn.blocks.backbone import Network
from multicnn.errors import UsageError
from multicnn.recipe import Training
from multicnn.training.schedule import elapsed
from multicnn.training.stages import Stage, stages


class Freezing:
    """Keeps stages as they are, all through the training or until it is their turn.

    The weights of a frozen stage do not learn, and its batch normalisations use the means and deviations that they have
    instead of the batch's. Gradual unfreezing starts with the head alone and adds the stage below it again and again,
    so that what was learned before is not forgotten at once: Howard and Ruder 2018, "Universal Language Model
    Fine-tuning for Text Classification", section 3.3.

    Args:
        network: what learns.
        training: settled.
    """

    def __init__(self, network: Network, training: Training) -> None:
        self.every = training.unfreeze
        everything = training.freeze == "backbone" or (self.every and not training.freeze)
        self.stages = stages(network)[: None if everything else int(training.freeze)]
        self.weights = [
            [w for module in stage for w in module.parameters() if w.requires_grad] for stage in self.stages
        ]
        if not self.every:
            self.set(0.0, 0)

    def set(self, progress: float, epoch: int) -> None:
        """Freezes and unfreezes; called whenever the network was put into training mode, and before each step.

        Args:
            progress: the share of the training that is done.
            epoch: how many epochs are done.
        """
        free = elapsed(self.every, progress, epoch) if self.every else 0
        for depth, (stage, weights) in enumerate(zip(reversed(self.stages), reversed(self.weights), strict=True)):
            learns = depth < free
            for weight in weights:
                weight.requires_grad_(learns)
            for normalisation in _batch_normalisations(stage):
                normalisation.train(learns)


def check_freeze(network: Network, training: Training) -> None:
    """Makes sure that the stages that are to be frozen are there.

    Raises:
        UsageError: there are fewer.
    """
    there = len(stages(network))
    if training.freeze != "backbone" and training.freeze > there:
        raise UsageError(f"training.freeze (--freeze) {training.freeze}: the network has {there} stages below its head")


def _batch_normalisations(stage: Stage) -> list[nn.Module]:
    """What keeps running means and deviations."""
    inside = [inner for module in stage for inner in module.modules()]
    return [inner for inner in inside if "running_mean" in dict(inner.named_buffers(recurse=False))]


def rate_shares(network: Network, decay: float) -> dict[nn.Parameter, float]:
    """Discriminative learning rates: the head's share is 1, each stage below has `decay` times that of the one above.

    Howard and Ruder 2018, section 3.2; they divide by 2.6. The idea: what lies near the input is the more general.

    Args:
        network: what learns.
        decay: the factor per stage, at most 1.
    """
    return {
        weight: decay**depth
        for depth, stage in enumerate(reversed(stages(network)), start=1)
        for module in stage
        for weight in module.parameters()
    }
