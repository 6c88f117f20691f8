"""Convolution on a graph, in the basis of its Laplacian.

On a ring the Laplacian's eigenvectors are sines and cosines, and what follows is the Fourier transform that everyone
knows; any other graph has a basis of its own. An example: six places on a ring, each joined to its two neighbours.

>>> import torch
>>> from multicnn.blocks.graph import SpectralGraphConvolution
>>> ring = torch.eye(6).roll(1, 0) + torch.eye(6).roll(-1, 0)
>>> conv = SpectralGraphConvolution(1, 1, ring)

A filter that damps a frequency f by 1 - f, with f the Laplacian's eigenvalue, takes the mean of both neighbours:

>>> with torch.no_grad():
...     _ = conv.weight.copy_(1 - conv.frequencies)
>>> x = torch.tensor([[[0.0, 0.0, 4.0, 0.0, 0.0, 0.0]]])
>>> [round(value, 3) + 0.0 for value in conv(x).flatten().tolist()]
[0.0, 2.0, 0.0, 2.0, 0.0, 0.0]

As in language models, a gate can follow (`SpectralGraphUnit`). There is no classifier of graphs: the blocks are for
data whose places are joined in one known way, such as the sensors of a network or the joints of a body.
"""

import math
from collections import OrderedDict

import torch
from torch import Tensor, nn

from multicnn.blocks.precision import widened


def laplacian(adjacency: Tensor) -> Tensor:
    """The normalised Laplacian L = I - D^(-1/2) A D^(-1/2); a node without neighbours has a row of zeros.

    Chung 1997, "Spectral Graph Theory", section 1.2.

    Args:
        adjacency: A, how strongly two nodes are joined, [nodes, nodes]; symmetric, from 0 on; whole numbers will do.

    Raises:
        ValueError: no such matrix.
    """
    adjacency = widened(adjacency)
    if adjacency.dim() != 2 or adjacency.shape[0] != adjacency.shape[1] or not len(adjacency):
        raise ValueError(f"an adjacency matrix is [nodes, nodes], not {list(adjacency.shape)}")
    if not torch.equal(adjacency, adjacency.T) or adjacency.min() < 0:
        raise ValueError("an adjacency matrix is symmetric, with no number below 0; this one is not")
    degrees = adjacency.sum(1)
    scale = torch.where(degrees > 0, degrees.clamp(min=torch.finfo(degrees.dtype).tiny).rsqrt(), 0.0)
    return torch.diag((degrees > 0).to(degrees)) - scale[:, None] * adjacency * scale


class SpectralGraphConvolution(nn.Module):
    """Filters signals on a graph's nodes by their frequencies: X' = U Λ Uᵀ X.

    U's columns are the Laplacian's eigenvectors, from the smoothest signal to the roughest; Uᵀ X is the graph's Fourier
    transform, and Λ is diagonal and learned, one for each pair of an input and an output channel. Bruna et al. 2013,
    "Spectral Networks and Locally Connected Networks on Graphs", equation 3.2.

    Args:
        channels_in: the input's channels.
        channels_out: the output's channels.
        adjacency: how strongly two nodes are joined, [nodes, nodes]; symmetric, from 0 on.
        frequencies: how many of the lowest are kept; all where it is left out.
        bias: whether each output channel has a threshold.

    Raises:
        ValueError: no such matrix, or more frequencies than nodes.
    """

    basis: Tensor
    frequencies: Tensor

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        adjacency: Tensor,
        *,
        frequencies: int | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if min(channels_in, channels_out) < 1:
            raise ValueError(f"a convolution's channels cannot be {channels_in} and {channels_out}; 1 is the least")
        values, vectors = torch.linalg.eigh(laplacian(adjacency.double()))
        kept = len(values) if frequencies is None else frequencies
        if not 1 <= kept <= len(values):
            raise ValueError(f"a graph of {len(values)} nodes has 1 to {len(values)} frequencies, not {kept}")
        # saved with the weights: eigenvectors of equal frequency are not unique, and Λ is learned for these
        self.register_buffer("basis", vectors[:, :kept].to(torch.get_default_dtype()))
        self.register_buffer("frequencies", values[:kept].to(torch.get_default_dtype()))
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, kept))
        self.bias = nn.Parameter(torch.zeros(channels_out, 1)) if bias else None
        nn.init.normal_(self.weight, std=math.sqrt(2 / channels_in))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels_in, nodes] to [batch, channels_out, nodes]."""
        y = torch.einsum("bcf,ocf->bof", x @ self.basis, self.weight) @ self.basis.T
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        channels_out, channels_in, frequencies = self.weight.shape
        return f"{channels_in}, {channels_out}, nodes={len(self.basis)}, frequencies={frequencies}"


class SpectralGraphUnit(nn.Sequential):
    """A spectral graph convolution and a gated linear unit: half of the answers say how much of the other half passes.

    [batch, channels_in, nodes] to [batch, channels_out, nodes]. Dauphin et al. 2016, "Language Modeling with Gated
    Convolutional Networks", equation 1.

    Args:
        channels_in, channels_out, adjacency, frequencies: as in `SpectralGraphConvolution`.
    """

    def __init__(
        self, channels_in: int, channels_out: int, adjacency: Tensor, *, frequencies: int | None = None
    ) -> None:
        conv = SpectralGraphConvolution(channels_in, 2 * channels_out, adjacency, frequencies=frequencies)
        super().__init__(OrderedDict(conv=conv, gate=nn.GLU(dim=1)))
