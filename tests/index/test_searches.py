"""Searches that are kept: what can be, and that they outlive damage, newer files and kills as collections do."""

from pathlib import Path

import msgspec
import pytest

from emorank.errors import EmorankError
from emorank.index import guarded, searches
from emorank.index.failures import DamagedIndex
from emorank.index.mend import mended
from emorank.index.named import NamedIndex
from emorank.index.searches import SEARCHES, Chosen, Like, Saved, Text

ASKED = Saved(
    "2026-01-01T00:00:00+00:00",
    (Text("cold fury"), Text("crying", -0.5)),
    (Like("0" * 16),),
    lasso=((1.0, 1.0), (2.0, 5.5), (3.0, 1.0)),
    choices=(Chosen("speaker", ("ann", None, 3.0, True)),),
    sort="date",
)


@pytest.fixture
def named(tmp_path: Path, tiny_model: Path) -> NamedIndex:
    (tmp_path / "r").mkdir()
    return NamedIndex.made("calls", [str(tmp_path / "r")], str(tiny_model))


def test_kept_as_it_was_asked_in_the_place_of_what_had_the_name(named: NamedIndex) -> None:
    SEARCHES.change(named.folder, lambda book: searches.saved(book, "cold", ASKED))
    assert SEARCHES.read(named.folder) == {"cold": ASKED}
    other = Saved(where="duration > 3")
    SEARCHES.change(named.folder, lambda book: searches.saved(searches.saved(book, "b", ASKED), "cold", other))
    assert SEARCHES.read(named.folder) == {"cold": other, "b": ASKED}
    SEARCHES.change(named.folder, lambda book: searches.forgotten(book, "cold"))
    assert list(SEARCHES.read(named.folder)) == ["b"]
    assert (named.folder / SEARCHES.file).stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_kept() -> None:
    with pytest.raises(EmorankError, match="cannot name a search"):
        searches.saved({}, "../x", ASKED)
    full = {str(i): ASKED for i in range(searches.MOST_SEARCHES)}
    with pytest.raises(EmorankError, match="up to 1000 searches"):
        searches.saved(full, "x", ASKED)
    with pytest.raises(EmorankError, match=r"no search 'x' .there are cold"):
        searches.found({"cold": ASKED}, "x")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 0, "searches": {}}',
        b'{"format": 1}',
        b'{"format":1,"searches":{"a":{"near":[9,1,1]}}}',
    ],
)
def test_damage_is_named_and_mended_from_the_copy(named: NamedIndex, content: bytes) -> None:
    SEARCHES.change(named.folder, lambda book: searches.saved(book, "cold", ASKED))
    (named.folder / SEARCHES.file).write_bytes(content)
    with pytest.raises(DamagedIndex):
        SEARCHES.read(named.folder)
    assert mended("calls")[1].damaged == (SEARCHES.file,)
    assert SEARCHES.read(named.folder) == {"cold": ASKED}


def test_those_of_a_newer_emorank_are_left_alone(named: NamedIndex) -> None:
    newer = msgspec.json.encode({"format": 2, "searches": [1, 2]})
    guarded.write(named.folder / SEARCHES.file, lambda file: file.write_bytes(newer))
    with pytest.raises(EmorankError, match="the searches are of a newer emorank"):
        SEARCHES.read(named.folder)
    assert mended("calls")[1].damaged == ()
    assert (named.folder / SEARCHES.file).read_bytes() == newer
