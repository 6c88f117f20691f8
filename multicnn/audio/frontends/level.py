"""One level for every clip, whatever the distance of the microphone."""

from torch import Tensor

LEVEL = 0.1  # root mean square, -20 dB of full scale, that every clip is brought to
QUIET = 1e-5  # a fainter clip isn't lifted that far: digital silence stays silence


def levelled(x: Tensor) -> Tensor:
    """Scales each clip so that its non-zero samples have the root mean square LEVEL: [batch, samples] -> the same."""
    sounding = (x != 0).to(x.dtype).sum(dim=-1, keepdim=True).clamp_min(1.0)
    level = (x.square().sum(dim=-1, keepdim=True) / sounding).sqrt()
    return x * (LEVEL / level.clamp_min(QUIET))
