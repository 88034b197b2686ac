"""The parts of a transformer in torch, with a batch in front of every shape, under the names of `numpy_layers`."""

import torch
from torch import Tensor
from torch.nn import functional

gelu = functional.gelu
linear = functional.linear


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Each row at mean 0 and variance 1, then scaled and moved."""
    return functional.layer_norm(x, weight.shape, weight, bias)


def attention(query: Tensor, key: Tensor, value: Tensor, inside: Tensor | None = None) -> Tensor:
    """(batch, heads, frames, width) three times; where a frame may look; (batch, heads, frames, width)."""
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=inside)


def convolution(x: Tensor, weight: Tensor, bias: Tensor, stride: int) -> Tensor:
    """(batch, frames, inputs) -> (batch, frames / stride, outputs), zeros around."""
    return functional.conv1d(x.mT, weight, bias, stride, padding=1).mT


def side_by_side(parts: list[Tensor]) -> Tensor:
    """Several (batch, frames, width) -> (batch, frames, all widths)."""
    return torch.cat(parts, -1)
