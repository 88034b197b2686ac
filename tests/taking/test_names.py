"""Names of files sort by rank and are good everywhere."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.taking.names import clip_names, recording_names, safe
from tests.taking.conftest import collection_of, moments

WINDOWS = {"con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(10))}


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_becomes_a_safe_name(text: str) -> None:
    name = safe(text)
    assert 1 <= len(name.encode("utf8")) <= 61
    assert all(letter.isalnum() or letter in "-_" for letter in name)
    assert name.casefold() not in WINDOWS
    assert safe(name) == name
    assert safe(unicodedata.normalize("NFD", text)) == safe(unicodedata.normalize("NFC", text))


def test_some_names() -> None:
    assert safe("голос 'x'") == "голос_x"
    assert safe("../../etc/passwd") == "etc_passwd"
    assert safe("con") == "_con"
    assert safe("...") == "_"


def test_clips_sort_by_rank() -> None:
    spans = [(f"/r/{'x' * (i % 7)}clip.{i % 3}.wav", i + 0.06, i + 0.9, 0) for i in range(11_000)]
    names = list(clip_names(moments(collection_of(spans)), ".wav").values())
    assert names == sorted(names)
    assert len(set(map(str.casefold, names))) == 11_000
    (one,) = clip_names(moments(collection_of([("/r/my talk.ogg", 723.44, 725.0, 2)])), ".flac").values()
    assert one == "0001-my_talk-12m03.4s-2.flac"


def test_recordings_of_one_name_get_numbers() -> None:
    names = recording_names(["/a/Talk.wav", "/b/talk.flac", "/c/talk-2.wav", "/d/talk.wav"], ".txt")
    assert list(names.values()) == ["Talk.txt", "talk-2.txt", "talk-2-2.txt", "talk-3.txt"]
