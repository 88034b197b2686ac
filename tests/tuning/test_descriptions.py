"""The text encoder that is tuned on descriptions: what is learnt, what a kill leaves, what the written folder gives."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn
from transformers import BertConfig, BertModel

from emorank.encoders import packaged, text_encoder, text_fingerprint
from emorank.errors import EmorankError
from emorank.tuning.descriptions import DescriptionsConfig, TunedDescriptions, tune, write

CONFIG = DescriptionsConfig(rank=4, epochs=6, batch_size=8)
TEXTS = [f"{how} {what}" for how in ("very", "quite", "hardly", "so") for what in ("calm", "loud", "sad", "glad")]
POINTS = np.array([[2.0 + 4 * ("glad" in text), 2.0 + 4 * ("loud" in text)] for text in TEXTS], np.float32)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A narrow BERT that knows the words."""
    folder = tmp_path / "base"
    torch.manual_seed(0)
    vocabulary = {word: index for index, word in enumerate(["[UNK]", *sorted({w for t in TEXTS for w in t.split()})])}
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes), add_pooling_layer=False).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_places_are_learnt_and_the_weights_that_stay_stay(base: Path, tmp_path: Path) -> None:
    losses: list[float] = []
    config = DescriptionsConfig(rank=4, epochs=60, batch_size=8, learning_rate=1e-2)
    network = tune(TEXTS, POINTS, config, tmp_path / "out", lambda _, loss: losses.append(loss), base)
    assert losses[-1] < 0.3 * losses[0]
    with torch.no_grad():
        found = network(network.tokens(TEXTS)).numpy()
    assert np.corrcoef(found[:, 0], POINTS[:, 0])[0, 1] > 0.9
    before = load_file(base / "model.safetensors")
    after = {name.replace(".linear.", "."): weight.numpy() for name, weight in network.bert.state_dict().items()}
    for name, weight in before.items():
        np.testing.assert_array_equal(after[name], weight)
    updates = load_file(tmp_path / "out" / "update.safetensors")
    assert len(updates) == 2 * 2 * 6
    assert all(weight.dtype == np.float16 for weight in updates.values())


def test_a_killed_run_goes_on_to_the_same_updates(base: Path, tmp_path: Path) -> None:
    whole = tune(TEXTS, POINTS, CONFIG, tmp_path / "whole", base=base).updates()

    def kill(epoch: int, _: float) -> None:
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(TEXTS, POINTS, CONFIG, tmp_path / "killed", kill, base)
    seen: list[int] = []
    resumed = tune(TEXTS, POINTS, CONFIG, tmp_path / "killed", lambda epoch, _: seen.append(epoch), base).updates()
    assert seen == [4, 5, 6]
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array)
    assert not (tmp_path / "killed" / "run.pt").exists()


def test_other_choices_or_a_damaged_file_are_one_sentence(base: Path, tmp_path: Path) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(TEXTS, POINTS, CONFIG, tmp_path, kill, base)
    with pytest.raises(EmorankError, match="other choices or data"):
        tune(TEXTS, POINTS + 1, CONFIG, tmp_path, base=base)
    (tmp_path / "run.pt").write_bytes(b"no state")
    with pytest.raises(EmorankError, match="damaged"):
        tune(TEXTS, POINTS, CONFIG, tmp_path, base=base)
    with pytest.raises(EmorankError, match="epochs must be"):
        DescriptionsConfig(epochs=0)


def test_the_encoder_of_a_written_folder_is_the_tuned_network(tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = TunedDescriptions(packaged.files("minilm")[0].parent, 3, CONFIG).eval()
    for name, parameter in network.bert.named_parameters():
        if name.endswith(".up"):
            nn.init.normal_(parameter, std=0.02)
    write(network.updates(), tmp_path)
    for name, parameter in network.bert.named_parameters():
        if name.endswith((".up", ".down")):
            parameter.data = parameter.data.half().float()
    texts = ["cold fury, quiet", "glad", "a voice that is about to break into tears"]
    identity = nn.Linear(network.width, network.width)
    nn.init.eye_(identity.weight)
    nn.init.zeros_(identity.bias)
    network.readout = identity
    with torch.no_grad():
        pooled = (network(network.tokens(texts)) - 4) / np.sqrt(network.width)
    encoder = text_encoder(str(tmp_path))
    np.testing.assert_allclose(encoder(texts), pooled.numpy(), atol=2e-5)
    assert np.abs(encoder(texts) - text_encoder("minilm")(texts)).max() > 0.01
    assert text_fingerprint(str(tmp_path)) != text_fingerprint("minilm")
