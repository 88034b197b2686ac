"""Any Hugging Face text encoder, frozen: the last layer's first token, as the paper's DistilRoBERTa, or its mean."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoTokenizer

from emorank.encoders.base import Spec, TextEncoder
from emorank.encoders.checkpoint import complete_folder, read_config, read_network
from emorank.encoders.device import inference, torch_device
from emorank.encoders.pooling import batches
from emorank.errors import EmorankError
from emorank.types import Array

LONGEST = 512  # tokens (paper section 4.1)
TOKENS_PER_BATCH = 4096


class TransformerTextEncoder:
    """A pooled last layer.

    Args:
        network: a transformers encoder.
        tokenizer: its own.
        spec: its name, and as pooling the `first` token, which stands for the text in models of the BERT family, or
            the `mean` over all.
        fingerprint: see `emorank.encoders.base`.
        on: the device, None is the best there is.
    """

    def __init__(self, network: Any, tokenizer: Any, spec: Spec, fingerprint: str = "", on: str | None = None) -> None:
        there = torch_device(on)
        self.name = spec.name
        self.fingerprint = fingerprint
        self.dim = int(network.config.hidden_size)
        self.device = str(there)
        self._network = network.to(there)
        self._tokenizer = tokenizer
        self._pooling = spec.pooling
        self._longest = min(LONGEST, tokenizer.model_max_length, _positions(network))

    def __call__(self, texts: list[str]) -> Array:
        """Encode texts; order is kept, and a text's vector does not depend on the others.

        Args:
            texts: any strings; what lies beyond 512 tokens, or what the model can take, is cut.

        Returns:
            (n, dim) float32.
        """
        there = torch.device(self.device)
        out = np.zeros((len(texts), self.dim), np.float32)
        ids = [
            np.array(self._tokenizer(text, truncation=True, max_length=self._longest)["input_ids"]) for text in texts
        ]
        for batch in batches(list(enumerate(ids)), int, TOKENS_PER_BATCH):
            rows = [torch.from_numpy(tokens) for _, tokens in batch]
            lengths = torch.tensor([len(row) for row in rows])
            padded = nn.utils.rnn.pad_sequence(rows, True, float(self._tokenizer.pad_token_id or 0))
            inside = (torch.arange(padded.shape[1]) < lengths[:, None]).long().to(self.device)
            with inference(there):
                states = self._network(input_ids=padded.to(self.device), attention_mask=inside).last_hidden_state
                out[[text for text, _ in batch]] = self._pooled(states, inside).cpu().numpy()
        return out

    def _pooled(self, states: Tensor, inside: Tensor) -> Tensor:
        """(batch, tokens, dim) and mask -> (batch, dim)."""
        if self._pooling == "first":
            return states[:, 0]
        weights = inside.to(states.dtype)[..., None]
        return (states * weights).sum(1) / weights.sum(1)


def load(spec: Spec, fingerprint: str, on: str | None) -> TextEncoder:
    """The encoder of a local folder or hub id.

    Raises:
        EmorankError: it is no text encoder, or weights or the vocabulary are missing.
    """
    source = spec.source
    config = read_config(source)
    if config.get("is_encoder_decoder"):
        raise EmorankError(
            f"Text encoder {spec.name!r}: a {config.get('model_type')} writes texts; an encoder is needed."
        )
    network = read_network(source)
    try:
        tokenizer = AutoTokenizer.from_pretrained(complete_folder(source), trust_remote_code=False)
    except Exception as error:  # tokenizers raises that itself
        raise EmorankError(f"{source} holds no vocabulary; put its tokenizer.json beside its config.json.") from error
    known, words = network.config.vocab_size, len(tokenizer)
    if not known // 2 < words <= known:  # without its files transformers makes up an almost empty one, silently
        raise EmorankError(f"{source} holds a vocabulary of {words} where its network knows {known}; get it again.")
    return TransformerTextEncoder(network, tokenizer, spec, fingerprint, on)


def _positions(network: Any) -> int:
    """How many tokens the network has places for; RoBERTa's begin after its padding's."""
    table = getattr(getattr(network, "embeddings", None), "position_embeddings", None)
    if not isinstance(table, nn.Embedding):
        return LONGEST
    return table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1)
