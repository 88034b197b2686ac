"""The parts of a transformer in numpy: one sentence or one clip is through before torch would be imported."""

import numpy as np

from emorank.types import Array

#: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: erf to within 1.5e-7, faster than SciPy's.
_ERF = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def gelu(x: Array) -> Array:
    """x times the normal distribution's share below x."""
    size = np.abs(x)
    t = size * np.float32(0.3275911 * np.sqrt(0.5))
    t += 1
    np.reciprocal(t, out=t)
    tail = t * np.float32(_ERF[0])
    for coefficient in _ERF[1:]:
        tail += np.float32(coefficient)
        tail *= t
    t = x * x
    t *= np.float32(-0.5)
    tail *= np.exp(t, out=t)  # 1 - erf(|x| / sqrt(2))
    tail *= size
    tail *= np.float32(-0.5)
    tail += np.maximum(x, 0)
    return tail


def layer_norm(x: Array, weight: Array, bias: Array, epsilon: float = 1e-5) -> Array:
    """Each row of (rows, width) at mean 0 and variance 1, then scaled and moved."""
    centred = x - x.mean(-1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred)[:, None] / np.float32(x.shape[1])
    centred /= np.sqrt(variance + np.float32(epsilon))
    result: Array = centred * weight + bias
    return result


def attention(query: Array, key: Array, value: Array, inside: np.ndarray | None = None) -> Array:
    """Scaled dot-product attention.

    Args:
        query: (..., heads, tokens, width); so are the others.
        key: see `query`.
        value: see `query`.
        inside: broadcastable to (..., heads, tokens, tokens), where a token may look; None is everywhere.

    Returns:
        (..., heads, tokens, width).
    """
    scores: Array = query @ key.swapaxes(-1, -2) / np.sqrt(np.float32(query.shape[-1]))
    if inside is not None:
        np.putmask(scores, np.broadcast_to(~inside, scores.shape), np.finfo(np.float32).min)
    scores -= scores.max(-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(-1, keepdims=True)
    mixed: Array = scores @ value
    return mixed


def linear(x: Array, weight: Array, bias: Array) -> Array:
    """(rows, inputs), (outputs, inputs), (outputs,) -> (rows, outputs)."""
    result: Array = x @ weight.T
    result += bias
    return result


def convolution(x: Array, weight: Array, bias: Array, stride: int) -> Array:
    """(frames, inputs), (outputs, inputs, 3), (outputs,) -> (frames / stride, outputs), zeros around."""
    padded = np.pad(x, ((1, 1), (0, 0)))
    taps = np.concatenate([padded[tap : tap + len(x) : stride] for tap in range(3)], 1)
    return linear(taps, weight.transpose(0, 2, 1).reshape(len(weight), -1), bias)


def side_by_side(parts: list[Array]) -> Array:
    """Several (rows, width) -> (rows, all widths)."""
    return np.concatenate(parts, -1)
