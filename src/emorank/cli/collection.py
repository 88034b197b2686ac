"""emorank collection: moments of a named index that were picked, with a note, tags, and labels of one's own."""

import getpass
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emorank.cli.asked import Asked
from emorank.cli.asking import found
from emorank.cli.console import clock, print_json, print_table, say, shown
from emorank.cli.cutting import Selected
from emorank.cli.opening import Place, opened
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.index.picks import Change, Key, Label, Picks

_TOP = 10  # moments that a query adds where nothing else is said


def collection(
    index: str,
    name: str | None = None,
    /,
    *,
    query: list[str] | None = None,
    asked: Annotated[Asked | None, Parameter(name="*")] = None,
    add: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    remove: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    label: Annotated[list[str] | None, Parameter(consume_multiple=True, negative="")] = None,
    valence: float | None = None,
    arousal: float | None = None,
    dominance: float | None = None,
    category: str | None = None,
    by: str | None = None,
    note: str | None = None,
    tag: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    rename: str | None = None,
    delete: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
    wide: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Pick moments of a named index, describe them, and say how they sound; without a name, list the collections.

    A collection is made when something is first added to it, or said of it. Its moments are known by the content of
    their recordings and stay when these are moved. emorank export --collection takes it out.

    Examples:

        emorank collection calls warm --query "warm, calm" --top 20 --note "for the trailer" --tag narration

        emorank collection calls warm --remove 7281e5dd5e6f54b6

        emorank collection calls warm --label 425992cf9b4ef2c6 --valence 5.5 --arousal 2.5 --category calm

    Args:
        index: The named index.
        name: The collection.
        query: A description, as for emorank search: what it finds is added. May be given several times.
        asked: What is looked for, beside the description; --top is 10 unless given.
        add: Ids of moments, as emorank search --json and emorank export give them.
        remove: Ids of moments of the collection.
        label: Ids of moments of the collection that sound as the next options say. Without any of them, what you said
            before of these moments is taken away.
        valence: 1 (very negative) to 7 (very positive).
        arousal: 1 (very calm) to 7 (very active).
        dominance: 1 (very weak) to 7 (in control).
        category: A word, such as anger.
        by: Who labels; by default your name on this computer.
        note: What the collection is; replaces the note of before.
        tag: Words about the collection; replace those of before. --empty-tag takes them away.
        rename: Another name for the collection.
        delete: Delete the collection. Recordings and the index stay as they are.
        json: Print it as JSON.
        wide: Show all columns, also where the terminal is too narrow for them.
    """
    asked = asked or Asked()
    asks = bool(query or asked.ranks or asked.where)
    says = not (valence is None and arousal is None and dominance is None and category is None and by is None)
    changes = bool(asks or add or remove or label or note is not None or tag is not None or rename)
    if name is None and (changes or delete or says):
        raise EmorankError("Name the collection: emorank collection INDEX NAME")
    if delete and (changes or says):
        raise EmorankError("--delete goes alone.")
    if says and not label:
        raise EmorankError("Say with --label which moments sound so.")
    from emorank.index import picking, picks
    from emorank.index.named import NamedIndex

    named = NamedIndex.open(index)
    if name is None:
        _print_all(picking.read(named.folder), json, wide)
        return
    if delete:
        picking.change(named.folder, lambda book: picks.deleted(book, name))
        say(f"{name}: deleted.")
        return
    steps: list[Change] = []
    if note is not None or tag is not None:
        steps.append(lambda book: picks.described(book, name, note, tag))
    place = opened(index, asked.where) if asks or add or remove or label or not changes else None
    if place:
        _pick(place, name, query or (), asked if asks else None, add or (), remove or (), steps)
    if place and label:
        said = picks.Label(by or getpass.getuser(), picks.now(), valence, arousal, dominance, category)
        steps.append(lambda book: picks.labelled(book, name, _keys(place, picks.found(book, name), label), said))
    if rename:
        steps.append(lambda book: picks.renamed(book, name, rename))
    if not changes and place:
        _print(place, name, picks.found(picking.read(named.folder), name), json, wide)
        return

    def change(book: picks.Book) -> picks.Book:
        for step in steps:
            book = step(book)
        return book

    after = picking.change(named.folder, change)[rename or name]
    labelled = sum(bool(pick.labels) for pick in after.moments)
    say(f"{rename or name}: {len(after.moments)} moments, {labelled} of them labelled.")


def selected(place: Place, name: str, top: int | None = None) -> Selected:
    """The moments of a collection that are in the index now, with their labels; how many are not is said.

    Raises:
        EmorankError: there is no such collection.
    """
    from emorank.index import picking, picks
    from emorank.search.rank import hit
    from emorank.taking.picked import rows_of

    assert place.named is not None
    kept = picks.found(picking.read(place.named.folder), name)
    rows = rows_of(place.collection, kept, place.by_content)
    pairs = [(row, pick) for row, pick in zip(rows, kept.moments, strict=True) if row is not None]
    if len(pairs) < len(rows):
        say(f"{len(rows) - len(pairs)} of {len(rows)} moments are not in the index now; they stay in the collection.")
    hits = [hit(place.collection, row) for row, _ in pairs[:top]]
    labels = {one.id: pick.labels for one, (_, pick) in zip(hits, pairs, strict=False)}
    return Selected(place, hits, labels)


def _pick(
    place: Place,
    name: str,
    query: Sequence[str],
    asked: Asked | None,
    add: Sequence[str],
    remove: Sequence[str],
    steps: "list[Change]",
) -> None:
    """The steps that add and remove moments."""
    from emorank.index import picks
    from emorank.taking.picked import pick_of

    rows = [one.row for one in found(place, query, asked, asked.top or _TOP).hits] if asked else []
    for id in add:
        if id not in place.collection.rows:
            raise EmorankError(f"There is no moment {id} in the index.")
        rows.append(place.collection.rows[id])
    if rows:
        chosen = [pick_of(place.collection, row, place.recordings or {}) for row in rows]
        steps.append(lambda book: picks.added(book, name, chosen))
    if remove:
        steps.append(lambda book: picks.removed(book, name, _keys(place, picks.found(book, name), remove)))


def _keys(place: Place, kept: "Picks", ids: Sequence[str]) -> "list[Key]":
    """What moments of a collection are known by.

    Raises:
        EmorankError: one of them is not in it.
    """
    from emorank.taking.picked import keys_of, rows_of

    keys = keys_of(kept, rows_of(place.collection, kept, place.by_content), place.collection)
    for id in ids:
        if id not in keys:
            raise EmorankError(f"There is no moment {id} in the collection.")
    return [keys[id] for id in ids]


def _print_all(book: "dict[str, Picks]", json: bool, wide: bool) -> None:
    if json:
        print_json(
            [
                {"name": name, "note": kept.note, "tags": kept.tags, "made": kept.made, "moments": len(kept.moments)}
                for name, kept in book.items()
            ]
        )
    elif not book:
        say('There is no collection yet; make one: emorank collection INDEX NAME --query "warm, calm"')
    else:
        rows = [
            (name, str(len(kept.moments)), str(sum(bool(pick.labels) for pick in kept.moments)), *_words(kept))
            for name, kept in book.items()
        ]
        columns = ("collection", "moments", "labelled", "tags", "note")
        print_table(columns, rows, left=frozenset({"collection"}), first=("moments", "labelled", "tags"), wide=wide)


def _print(place: Place, name: str, kept: "Picks", json: bool, wide: bool) -> None:
    chosen = selected(place, name)
    labels = chosen.labels or {}
    if json:
        rows = chosen.rows("csv").to_dicts()
        every = [{**row, "labels": [_plain(one) for one in labels[row["id"]]]} for row in rows]
        about = {"name": name, "note": kept.note, "tags": kept.tags, "made": kept.made}
        print_json({**about, "moments": every})
        return
    table = []
    for moment in chosen.moments:
        own = labels[moment.hit.id][-1] if labels[moment.hit.id] else None
        said = [shown(getattr(own, field, None)) for field in ("valence", "arousal", "dominance")]
        words = [getattr(own, field, None) or "" for field in ("category", "by")]
        table.append((moment.hit.id, *said, *words, clock(moment.start), clock(moment.end), moment.path))
    columns = ("id", "valence", "arousal", "dominance", "category", "by", "from", "to", "recording")
    print_table(columns, table, first=("id", "from", "category", "valence", "arousal"), wide=wide)
    tags, note = _words(kept)
    say("; ".join(part for part in (f"{name}: {len(table)} moments", tags, note) if part))


def _words(kept: "Picks") -> tuple[str, str]:
    return ", ".join(kept.tags), kept.note


def _plain(label: "Label") -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(label)
    return plain
