"""Fingerprints: the same for the same weights wherever they lie, another for everything that changes a vector."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emorank.encoders import (
    AudioEncoder,
    audio_encoder,
    audio_fingerprint,
    names,
    packaged,
    text_encoder,
    text_fingerprint,
    whisper,
)
from emorank.encoders.deferred import Deferred
from emorank.encoders.names import audio_spec
from emorank.errors import EmorankError
from tests.conftest import voice
from tests.encoders.checkpoints import tiny_distilroberta, tiny_wavlm_ser
from tests.loopback_hub import Hub

MINILM = packaged.files("minilm")[0].parent


@pytest.fixture(scope="module")
def folders(tiny_whisper: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("fingerprints")
    return {
        "whisper": Path(tiny_whisper).parent,
        "ser": tiny_wavlm_ser(root / "ser"),
        "text": tiny_distilroberta(root / "text"),
        "minilm": MINILM,
    }


WHAT = {"whisper": "/1+2", "ser": "/ser", "text": "/first", "minilm": ""}


def fingerprint(kind: str, name: str) -> str:
    return (audio_fingerprint if kind in ("whisper", "ser") else text_fingerprint)(name)


def copied(folder: Path, target: Path) -> Path:
    shutil.copytree(folder, target)
    return target


@pytest.mark.parametrize("kind", WHAT)
def test_a_copy_has_the_same_and_the_encoder_says_it(kind: str, folders: dict[str, Path], tmp_path: Path) -> None:
    name, copy = f"{folders[kind]}{WHAT[kind]}", f"{copied(folders[kind], tmp_path / 'copy')}{WHAT[kind]}"
    assert fingerprint(kind, name) == fingerprint(kind, copy)
    build: Callable[[str], AudioEncoder] = audio_encoder if kind in ("whisper", "ser") else text_encoder  # type: ignore[assignment]
    assert build(copy).fingerprint == fingerprint(kind, name)
    assert build(copy).name == copy
    assert len(fingerprint(kind, name)) == 16


@pytest.mark.parametrize("kind", WHAT)
@pytest.mark.parametrize("file", ["config.json", "weights"])
def test_other_weights_or_another_config_are_another(
    kind: str, file: str, folders: dict[str, Path], tmp_path: Path
) -> None:
    copy = copied(folders[kind], tmp_path / "copy")
    before = fingerprint(kind, f"{copy}{WHAT[kind]}")
    if file == "config.json":
        config = json.loads((copy / file).read_text("utf8"))
        (copy / file).write_text(json.dumps(config | {"layer_norm_eps": 1e-3}), "utf8")
    elif (weights := copy / "model.safetensors").exists():
        state = load_file(weights)
        state[sorted(state)[0]] += 1
        save_file(state, weights)
    else:
        torch.save({}, copy / "pytorch_model.bin")
    assert fingerprint(kind, f"{copy}{WHAT[kind]}") != before


def test_the_vocabulary_and_the_preparation_count(folders: dict[str, Path], tmp_path: Path) -> None:
    copy = copied(folders["text"], tmp_path / "copy")
    before = text_fingerprint(f"{copy}/mean")
    (copy / "README.md").write_text("nothing that changes a vector", "utf8")
    assert text_fingerprint(f"{copy}/mean") == before
    vocabulary = (copy / "tokenizer.json").read_text("utf8")
    (copy / "tokenizer.json").write_text(vocabulary.replace('"calm"', '"clam"'), "utf8")
    assert text_fingerprint(f"{copy}/mean") != before


def test_layers_and_poolings_are_told_apart_and_their_spellings_are_not(folders: dict[str, Path]) -> None:
    different = ["whisper-base/3+4", "whisper-base/3", "whisper-base/3+4:mean", "whisper-base/34", "whisper-base/2+4"]
    different.remove("whisper-base/34")
    different += [f"{folders['whisper']}/{what}" for what in ("1", "2", "1+2", "1:mean")]
    different += [f"{folders['ser']}/ser:{pooling}" for pooling in ("mean", "mean_std", "hidden")]
    assert len({audio_fingerprint(name) for name in different}) == len(different)
    same = ["whisper-base/3+4", "whisper-base/4+3", "whisper-base/3+4:mean_std", "whisper-base/3+3+4"]
    assert len({audio_fingerprint(name) for name in same}) == 1
    assert text_fingerprint("minilm") == text_fingerprint(str(MINILM)) != text_fingerprint(f"{MINILM}/mean")


@pytest.mark.parametrize("constant", ["LEVEL", "SILENCE"])
def test_the_preprocessing_counts(constant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = audio_fingerprint()
    monkeypatch.setattr(whisper, constant, 0.5)
    assert audio_fingerprint() != before
    monkeypatch.undo()
    monkeypatch.setitem(names._CODE, "whisper", names._CODE["whisper"] + 1)
    assert audio_fingerprint() != before


def test_namesakes_do_not_collide(loopback_hub: Hub, folders: dict[str, Path], tmp_path: Path) -> None:
    """alice/mini and bob/mini; x/3+4 and a checkpoint that is called x/3_4."""
    other = copied(folders["whisper"], tmp_path / "other")
    state = load_file(other / "model.safetensors")
    save_file({name: tensor * 1.5 for name, tensor in state.items()}, other / "model.safetensors")
    loopback_hub.checkpoints |= {"alice/mini": folders["whisper"], "bob/mini": other}
    alice, bob = audio_encoder("alice/mini/1"), audio_encoder("bob/mini/1")
    assert alice.fingerprint == audio_fingerprint(f"{folders['whisper']}/1") != bob.fingerprint
    assert not np.allclose(alice([voice(0.5)]), bob([voice(0.5)]))


def test_new_weights_in_an_old_folder_are_loaded(folders: dict[str, Path], tmp_path: Path) -> None:
    copy = copied(folders["whisper"], tmp_path / "copy")
    first = audio_encoder(f"{copy}/1")
    assert audio_encoder(f"{copy}/1") is first
    before = first([voice(0.5)])
    state = load_file(copy / "model.safetensors")
    save_file({name: tensor * 1.5 for name, tensor in state.items()}, copy / "model.safetensors")
    second = audio_encoder(f"{copy}/1")
    assert second.fingerprint != first.fingerprint
    assert np.abs(second([voice(0.5)]) - before).max() > 1e-3


@pytest.mark.slow
def test_many_threads_may_ask_for_encoders_first(folders: dict[str, Path]) -> None:
    """In a process of its own: transformers is imported while others wait for it."""
    script = """
import sys, threading
from emorank.encoders import audio_encoder, text_encoder
found = []
def ask(kind, name):
    found.append(kind(name))
asked = [(audio_encoder, sys.argv[1]), (text_encoder, sys.argv[2])] * 4
threads = [threading.Thread(target=ask, args=one) for one in asked]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(found), len(set(map(id, found))))
"""
    names = [f"{folders['whisper']}/1", f"{folders['text']}/first"]
    run = subprocess.run([sys.executable, "-c", script, *names], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["8", "2"], run.stderr


def test_weights_that_change_while_they_are_read_are_refused(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copied(folders["whisper"], tmp_path / "copy")
    read = whisper.read_network

    def changing(*arguments: object, **options: object) -> object:
        network = read(*arguments, **options)
        state = load_file(copy / "model.safetensors")
        save_file({name: tensor * 1.5 for name, tensor in state.items()}, copy / "model.safetensors")
        return network

    monkeypatch.setattr(whisper, "read_network", changing)
    with pytest.raises(EmorankError, match="was changed while it was read"):
        audio_encoder(f"{copy}/1")


def test_neither_torch_nor_a_network_is_needed(folders: dict[str, Path]) -> None:
    asked = ["whisper-base/3+4", f"{folders['whisper']}/1", f"{folders['ser']}/ser"]
    code = (
        "import sys; from emorank.encoders import audio_fingerprint, text_fingerprint;"
        "print(*map(audio_fingerprint, sys.argv[1:4]), *map(text_fingerprint, sys.argv[4:]));"
        "print([name for name in ('torch', 'transformers', 'huggingface_hub') if name in sys.modules])"
    )
    texts = ["minilm", f"{folders['text']}/first"]
    run = subprocess.run([sys.executable, "-c", code, *asked, *texts], capture_output=True, text=True, check=True)
    found, imported = run.stdout.splitlines()
    assert found.split() == [*map(audio_fingerprint, asked), *map(text_fingerprint, texts)]
    assert imported == "[]"


def test_a_deferred_encoder_is_the_encoder(folders: dict[str, Path]) -> None:
    name = f"{folders['whisper']}/1"
    encoder, deferred = audio_encoder(name), Deferred(name, audio_encoder(name).dim)
    assert (deferred.fingerprint, deferred.device) == (encoder.fingerprint, encoder.device)
    np.testing.assert_array_equal(deferred([voice(0.5)]), encoder([voice(0.5)]))


def test_a_spec_says_what_is_taken() -> None:
    spec = audio_spec("whisper-base/4+3+3:mean")
    assert (spec.kind, spec.source, spec.layers, spec.pooling) == ("whisper", "whisper-base", (3, 4), "mean")
    assert audio_spec("wavlm-ser/hidden").source == "3loi/SER-Odyssey-Baseline-WavLM-Multi-Attributes"
