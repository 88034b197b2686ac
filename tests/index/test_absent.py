"""What cannot be looked at is not gone."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from emorank.index import Index
from emorank.model import EmotionRankCLAP


def test_a_folder_that_is_suddenly_empty_loses_nothing_unless_pruned(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    root = recordings(3)
    index = Index(tmp_path / "index", model)
    index.update(root)
    for path in root.iterdir():
        path.unlink()
    update = index.update(root)
    assert (update.removed, update.missing) == (0, 3)
    assert len(index.segments().paths) == 3
    assert index.update(root, prune=True).removed == 3
    assert index.segments().paths == []


def test_what_lies_in_a_folder_that_cannot_be_read_stays(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(2)
    recordings(2, "recordings/deep")
    index = Index(tmp_path / "index", model)
    index.update(root)
    (root / "clip000.wav").unlink()
    listed = os.scandir

    def failing(path: str) -> object:
        if str(path).endswith("deep"):
            raise OSError(5, "Input/output error")
        return listed(path)

    monkeypatch.setattr(os, "scandir", failing)
    update = index.update(root)
    assert update.removed == 1
    assert [error.reason for error in update.broken] == ["the folder cannot be read (Input/output error)."]
    assert len(index.segments().paths) == 3


def test_what_lies_on_a_disk_that_is_not_mounted_stays_unless_pruned(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    root = recordings(1)
    disk = recordings(2, "recordings/disk")
    recordings(1, "elsewhere/disk")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    index = Index(tmp_path / "index", model)
    index.update(root)
    shutil.rmtree(disk)
    disk.mkdir()
    shutil.rmtree(tmp_path / "elsewhere")
    update = index.update(root)
    assert (update.removed, update.missing, update.kept) == (0, 3, 1)
    assert len(index.segments().paths) == 4
    assert index.update(root, prune=True).removed == 3
    disk.rmdir()
    assert index.update(root).missing == 0


def test_a_file_whose_kind_cannot_be_seen_may_be_a_folder_of_recordings(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(1)
    recordings(2, "recordings/deep")
    index = Index(tmp_path / "index", model)
    index.update(root)
    listed = os.scandir

    class Unseen:
        name, path = "deep", str(root / "deep")

        def is_dir(self) -> bool:
            raise OSError(5, "Input/output error")

    def failing(path: str) -> object:
        found = listed(path)
        return [Unseen() if entry.name == "deep" else entry for entry in found] if path == str(root) else found

    monkeypatch.setattr(os, "scandir", failing)
    update = index.update(root)
    assert (update.removed, update.missing) == (0, 2)
