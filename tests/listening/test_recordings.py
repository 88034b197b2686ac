"""What counts as a recording of a folder, whatever is in it."""

import os
from pathlib import Path

import pytest

from emorank.errors import EmorankError
from emorank.listening.recordings import recordings, within


def names(root: Path) -> list[str]:
    return [os.path.relpath(found.path, root) for found in recordings(root).recordings]


def test_by_suffix_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ["b.WAV", "a/c.flac", "a/b.mp3", "notes.txt", ".hidden.wav", "._b.wav", ".git/x.wav", "видео.m4a"]:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(tmp_path) == ["a/b.mp3", "a/c.flac", "b.WAV", "видео.m4a"]


def test_link_loops_end_and_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "root" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "far.wav").write_bytes(b"x")
    (tmp_path / "root" / "deep" / "near.wav").write_bytes(b"x")
    (tmp_path / "root" / "deep" / "up").symlink_to(tmp_path / "root")
    (tmp_path / "root" / "self").symlink_to(tmp_path / "root" / "self")
    (tmp_path / "root" / "out").symlink_to(tmp_path / "elsewhere")
    assert names(tmp_path / "root") == ["deep/near.wav", "out/far.wav"]


def test_what_cannot_be_looked_at_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    bad = os.fsencode(tmp_path) + b"/\xff\xfe.wav"
    with open(bad, "wb") as file:
        file.write(b"x")
    listing = recordings(tmp_path)
    found, broken = listing.recordings, listing.broken
    assert found == []
    assert sorted(error.reason for error in broken) == [
        "it cannot be opened (No such file or directory).",
        "its name is not valid UTF-8; rename it.",
    ]


def test_one_recording_is_a_folder_of_one(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    assert names(tmp_path / "a.wav") == ["."]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match="no such file or folder"):
        recordings(tmp_path / "none")


def test_within_is_about_folders_not_prefixes() -> None:
    assert within("/a/b", "/a/b")
    assert within("/a/b/c", "/a/b/")
    assert within("/a", "/")
    assert not within("/a/bc", "/a/b")
