"""Collections: what can be done with them, and that they outlive updates, moves, kills, damage and repair."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from emorank.errors import EmorankError
from emorank.index import picking, picks
from emorank.index.failures import DamagedIndex
from emorank.index.mend import mended
from emorank.index.named import NamedIndex
from emorank.index.picks import Label, Pick
from emorank.search import Collection
from emorank.taking.picked import by_content, keys_of, pick_of, rows_of
from tests.conftest import voice


def pick(number: int) -> Pick:
    return Pick(f"digest{number}", f"/r/{number}.wav", 0.5 * number, 0.5 * number + 1)


def test_what_can_be_done_with_a_collection() -> None:
    book = picks.described({}, "warm", "for the trailer", ["calm", " calm ", "narration", ""])
    assert (book["warm"].note, book["warm"].tags) == ("for the trailer", ("calm", "narration"))
    book = picks.added(book, "warm", [pick(2), pick(1), pick(2)])
    assert [one.path for one in book["warm"].moments] == ["/r/2.wav", "/r/1.wav"]
    book = picks.added(book, "cold", [pick(3)])
    book = picks.added(book, "warm", [pick(1), pick(4)])
    assert [one.path for one in book["warm"].moments] == ["/r/2.wav", "/r/1.wav", "/r/4.wav"]
    book = picks.renamed(book, "warm", "warmer")
    assert list(book) == ["warmer", "cold"]
    book = picks.removed(book, "warmer", [pick(1).key])
    assert [one.path for one in book["warmer"].moments] == ["/r/2.wav", "/r/4.wav"]
    book = picks.described(book, "warmer", tags=[])
    assert (book["warmer"].note, book["warmer"].tags) == ("for the trailer", ())
    assert list(picks.deleted(book, "cold")) == ["warmer"]


def test_each_person_has_one_label_a_moment() -> None:
    book = picks.added({}, "warm", [pick(1), pick(2)])
    book = picks.labelled(book, "warm", [pick(1).key], Label("ann", "t1", valence=5))
    book = picks.labelled(book, "warm", [pick(1).key, pick(2).key], Label("ben", "t2", category="calm"))
    book = picks.labelled(book, "warm", [pick(1).key], Label("ann", "t3", valence=6, arousal=2))
    assert [(one.by, one.valence) for one in book["warm"].moments[0].labels] == [("ben", None), ("ann", 6)]
    book = picks.labelled(book, "warm", [pick(1).key], Label("ben", "t4"))
    assert [one.by for one in book["warm"].moments[0].labels] == ["ann"]
    assert [one.category for one in book["warm"].moments[1].labels] == ["calm"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda book: picks.found(book, "cold"), "no collection 'cold' .there are warm."),
        (lambda book: picks.deleted({}, "cold"), "there are none yet"),
        (lambda book: picks.described(book, "../x"), "cannot name a collection"),
        (lambda book: picks.described(book, "x" * 65), "cannot name a collection"),
        (lambda book: picks.described(book, "warm", "x" * 2001), "note is 2001 characters"),
        (lambda book: picks.described(book, "warm", tags=["x" * 65]), "up to 32 tags"),
        (lambda book: picks.renamed(picks.described(book, "cold"), "cold", "warm"), "'warm' already"),
        (lambda book: picks.removed(book, "warm", [pick(9).key]), "is not in the collection"),
        (lambda book: picks.labelled(book, "warm", [pick(9).key], Label("a", "t", 3)), "add it first"),
        (lambda book: picks.labelled(book, "warm", [], Label("a", "t", 7.5)), "valence is 7.5; it runs from 1 to 7"),
        (lambda book: picks.labelled(book, "warm", [], Label("a", "t", float("nan"))), "valence is nan"),
        (lambda book: picks.labelled(book, "warm", [], Label(" ", "t", 3)), "words of 1 to 64"),
    ],
)
def test_mistakes_are_one_sentence(change: Callable[[picks.Book], object], said: str) -> None:
    with pytest.raises(EmorankError, match=said):
        change(picks.added({}, "warm", [pick(1)]))


@pytest.fixture
def named(tiny_model: Path, recordings: Callable[..., Path]) -> NamedIndex:
    """An index with a collection of two labelled moments."""
    made = NamedIndex.made("calls", [str(recordings(4))], str(tiny_model))
    made.update()
    collection, known = Collection.of(made), made.reading.recordings()

    def change(book: picks.Book) -> picks.Book:
        chosen = [pick_of(collection, row, known) for row in (2, 1)]
        book = picks.added(book, "warm", chosen)
        return picks.labelled(book, "warm", [chosen[0].key], Label("ann", picks.now(), valence=5.5))

    picking.change(made.folder, change)
    return made


def files(named: NamedIndex) -> list[str | None]:
    """The files of the moments of the collection, as the index has them now."""
    opened = NamedIndex.open("calls")
    collection = Collection.of(opened)
    rows = rows_of(collection, picking.read(opened.folder)["warm"], by_content(opened.reading.recordings()))
    return [None if row is None else os.path.basename(collection.segments.paths[row]) for row in rows]


def test_moments_are_found_where_their_recordings_lie_now(named: NamedIndex) -> None:
    root = Path(named.roots[0])
    assert files(named) == ["clip002.wav", "clip001.wav"]
    (root / "clip002.wav").rename(root / "other.wav")
    shutil.copy(root / "clip001.wav", root / "a-copy.wav")
    soundfile.write(root / "clip000.wav", voice(0.9, 300), 16_000)
    named.update()
    assert files(named) == ["other.wav", "clip001.wav"]
    kept = picking.read(named.folder)["warm"]
    collection = Collection.of(NamedIndex.open("calls"))
    keys = keys_of(kept, rows_of(collection, kept, by_content(named.reading.recordings())), collection)
    row = collection.segments.paths.index(str(root / "other.wav"))
    assert keys[collection.id_of(row)] == kept.moments[0].key


def test_what_is_gone_stays_in_the_collection_and_comes_back(named: NamedIndex, tmp_path: Path) -> None:
    root = Path(named.roots[0])
    shutil.move(root / "clip002.wav", tmp_path / "away.wav")
    soundfile.write(root / "clip001.wav", voice(0.7, 400, 9), 16_000)  # another content under the same name
    named.update()
    assert files(named) == [None, None]
    assert [one.labels[0].valence for one in picking.read(named.folder)["warm"].moments if one.labels] == [5.5]
    shutil.move(tmp_path / "away.wav", root / "back.wav")
    named.update()
    assert files(named) == ["back.wav", None]


def test_a_moment_that_is_cut_otherwise_now_is_the_one_it_shares_most_with(named: NamedIndex) -> None:
    collection, known = Collection.of(named), named.reading.recordings()
    one = pick_of(collection, 1, known)
    length = one.end - one.start
    for start, end, there in ((0.1, 1.0, True), (0.0, 0.6, True), (0.6, 1.0, False), (1.5, 2.0, False)):
        other = Pick(one.digest, one.path, one.start + start * length, one.start + end * length)
        (row,) = rows_of(collection, picks.Picks(moments=(other,)), by_content(known))
        assert row == (1 if there else None)
    channel = Pick(one.digest, one.path, one.start, one.end, 2)
    assert rows_of(collection, picks.Picks(moments=(channel,)), by_content(known)) == [None]


def test_damage_is_found_and_mended_from_the_copy(named: NamedIndex) -> None:
    file = named.folder / picking.PICKS_FILE
    good = file.read_bytes()
    for content in (good.replace(b"5.5", b"6.5"), b"", b"{", good[:-5]):
        file.write_bytes(content)
        with pytest.raises(DamagedIndex, match=r"collections.json is not what was written\); run: emorank index calls"):
            picking.read(named.folder)
        with pytest.raises(DamagedIndex):
            picking.change(named.folder, lambda book: {})
        assert mended("calls")[1].damaged == (picking.PICKS_FILE,)
        assert file.read_bytes() == good
    file.unlink()
    with pytest.raises(DamagedIndex):
        picking.read(named.folder)
    mended("calls")
    assert file.read_bytes() == good


def test_a_newer_emoranks_collections_are_left_alone(named: NamedIndex) -> None:
    from emorank.index import guarded

    newer = b'{"format": 2, "collections": []}'
    guarded.write(named.folder / picking.PICKS_FILE, lambda file: file.write_bytes(newer))
    with pytest.raises(EmorankError, match="of a newer emorank; upgrade"):
        picking.read(named.folder)
    assert mended("calls")[1].damaged == ()


def test_many_who_label_at_once_lose_nothing(named: NamedIndex) -> None:
    (_, second) = picking.read(named.folder)["warm"].moments

    def label(number: int) -> None:
        said = Label(f"person{number}", picks.now(), valence=1 + number % 7)
        picking.change(named.folder, lambda book: picks.labelled(book, "warm", [second.key], said))

    threads = [threading.Thread(target=label, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.by for one in picking.read(named.folder)["warm"].moments[1].labels} == {f"person{i}" for i in range(12)}
    assert (named.folder / picking.PICKS_FILE).stat().st_mode & 0o777 == 0o600
