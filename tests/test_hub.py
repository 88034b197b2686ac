"""The one downloader: real downloads from a hub on loopback, and every way in which there is nothing to be had."""

from pathlib import Path

import pytest

from emorank import EmotionRankCLAP
from emorank import hub as downloader
from emorank.errors import EmorankError
from emorank.hub import is_hub_id, local_folder
from tests.loopback_hub import Hub


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "config.json").write_text("{}", "utf8")
    (folder / "model.safetensors").write_bytes(bytes(100_000))
    (folder / "pipeline.py").write_text("raise SystemExit", "utf8")
    return folder


def test_a_folder_is_taken_as_it_is(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert local_folder(str(checkpoint), ["config.json"]) == checkpoint
    monkeypatch.setenv("HOME", str(checkpoint.parent))
    assert local_folder("~/published", ["config.json"]) == checkpoint


def test_what_is_asked_for_is_downloaded_once(loopback_hub: Hub, checkpoint: Path) -> None:
    loopback_hub.checkpoints["someone/small"] = checkpoint
    folder = local_folder("someone/small", ["config.json"], ["model.safetensors*"])
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == bytes(100_000)
    asked = len(loopback_hub.asked)
    assert local_folder("someone/small", ["config.json"], ["model.safetensors*"]) == folder
    assert len(loopback_hub.asked) == asked


def test_a_model_comes_from_the_hub(loopback_hub: Hub, tiny_model: Path) -> None:
    loopback_hub.checkpoints["someone/model"] = tiny_model
    here = EmotionRankCLAP.from_pretrained(tiny_model)
    assert EmotionRankCLAP.from_pretrained("someone/model").fingerprint == here.fingerprint


def refused(source: str, sentence: str) -> None:
    with pytest.raises(EmorankError, match=sentence) as caught:
        local_folder(source, ["config.json"], ["*.safetensors"])
    assert len(str(caught.value).splitlines()) == 1


def test_what_the_hub_does_not_have_or_give(loopback_hub: Hub, checkpoint: Path) -> None:
    refused(
        "someone/nothing",
        "no folder 'someone/nothing', and it could not be had from the hub: it has no such checkpoint",
    )
    loopback_hub.checkpoints["someone/gated"] = checkpoint
    loopback_hub.gated.add("someone/gated")
    refused("someone/gated", "accept its terms on https://huggingface.co/someone/gated")
    (checkpoint / "config.json").unlink()
    loopback_hub.checkpoints["someone/odd"] = checkpoint
    refused("someone/odd", r"someone/odd holds no such checkpoint: config\.json missing")


def test_half_a_download_is_no_checkpoint_and_goes_on(
    loopback_hub: Hub,
    checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import constants, file_download

    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)  # between its own attempts
    loopback_hub.checkpoints["someone/large"] = checkpoint
    loopback_hub.cut.add("model.safetensors")
    refused("someone/large", "could not be had from the hub: .*; try again")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused("someone/large", "only a part of it is in the cache")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    loopback_hub.cut.clear()
    assert (local_folder("someone/large", ["config.json"], ["*.safetensors"]) / "model.safetensors").is_file()


def test_without_a_connection_the_cache_answers(
    loopback_hub: Hub,
    checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from huggingface_hub import constants

    loopback_hub.checkpoints["someone/small"] = checkpoint
    folder = local_folder("someone/small", ["config.json"], ["*.safetensors"])
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
    downloader._downloaded.cache_clear()
    assert local_folder("someone/small", ["config.json"], ["*.safetensors"]) == folder
    refused("someone/other", "the hub cannot be reached and it is not in the cache")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    refused("someone/other", "HF_HUB_OFFLINE is set and it is not in the cache")


@pytest.mark.parametrize("name", ["nowhere", "/no/such", "./no/such", "~/nothing", "a/b/c", "trailing/", "..", ""])
def test_what_is_neither_folder_nor_id(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not is_hub_id(name)
    if name not in ("", ".."):
        refused(name, "There is no folder")


def test_an_impossible_id_is_one_sentence(loopback_hub: Hub) -> None:
    refused("some one/sp ace", "no checkpoint can have that name")
