"""Named collections of the index: picked segments, with a note, tags, and labels of people's own."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from emorank.index import picking, picks
from emorank.search.rank import hit
from emorank.serve.collecting import Described, Labelled, Member, Members, Name, OwnLabel, Summary
from emorank.serve.errors import Refused, documented
from emorank.serve.requests import Chosen, Offset, Top
from emorank.serve.routes.segments import segment_of
from emorank.serve.snapshots import ServedIndex, Snapshot
from emorank.taking.picked import keys_of, pick_of, rows_of

router = APIRouter(prefix="/api/collections", tags=["collections"], responses=documented(400, 401, 403, 422, 503))

Named = Annotated[Name, Path()]
_CHANGED = documented(404, 408, 413)


@router.get("")
def collections(request: Request) -> list[Summary]:
    """All collections, in the order in which they were made."""
    index = _index(request)
    return [_summary(index.snapshot, name, kept) for name, kept in picking.read(index.named.folder).items()]


@router.get("/{name}", responses=documented(404))
def collection(request: Request, name: Named, offset: Offset = 0, limit: Top = 50) -> Members:
    """A collection with a page of its segments, in the order in which they were added."""
    index = _index(request)
    snapshot, kept = index.snapshot, _found(picking.read(index.named.folder), name)
    rows = rows_of(snapshot.collection, kept, snapshot.by_content)
    there = [(row, pick) for row, pick in zip(rows, kept.moments, strict=True) if row is not None]
    members = [
        Member(
            segment=segment_of(snapshot, hit(snapshot.collection, row)),
            labels=[OwnLabel(**{field: getattr(one, field) for field in OwnLabel.model_fields}) for one in pick.labels],
        )
        for row, pick in there[offset : offset + limit]
    ]
    return Members(**_summary(snapshot, name, kept, len(rows) - len(there)).model_dump(), members=members)


@router.put("/{name}", responses=_CHANGED)
async def describe(request: Request, name: Named, asked: Described) -> Summary:
    """Make a collection, or change its note, tags or name."""

    def change(book: picks.Book) -> picks.Book:
        book = picks.described(book, name, asked.note, asked.tags)
        return picks.renamed(book, name, asked.name) if asked.name else book

    return await _changed(request, asked.name or name, change)


@router.delete("/{name}", status_code=204, responses=documented(404))
async def delete(request: Request, name: Named) -> Response:
    """Delete a collection; recordings and the index stay as they are."""

    def change(book: picks.Book) -> picks.Book:
        _found(book, name)
        return picks.deleted(book, name)

    await request.app.state.turns.run(picking.change, _index(request).named.folder, change)
    return Response(None, 204)


@router.post("/{name}/add", responses=_CHANGED)
async def add(request: Request, name: Named, asked: Chosen) -> Summary:
    """Add segments at the end of a collection, those that it does not have yet; it is made where it is not there."""
    snapshot = _index(request).snapshot

    def change(book: picks.Book) -> picks.Book:
        rows = [_row(snapshot, id) for id in asked.ids]
        return picks.added(book, name, [pick_of(snapshot.collection, row, snapshot.recordings) for row in rows])

    return await _changed(request, name, change)


@router.post("/{name}/remove", responses=_CHANGED)
async def remove(request: Request, name: Named, asked: Chosen) -> Summary:
    """Remove segments from a collection."""
    snapshot = _index(request).snapshot
    return await _changed(
        request, name, lambda book: picks.removed(book, name, _keys(snapshot, _found(book, name), asked.ids))
    )


@router.post("/{name}/labels", responses=_CHANGED)
async def label(request: Request, name: Named, asked: Labelled) -> Summary:
    """Say how segments of a collection sound, in the place of what the same person said of them before."""
    snapshot = _index(request).snapshot
    said = picks.Label(asked.by, picks.now(), asked.valence, asked.arousal, asked.dominance, asked.category)
    return await _changed(
        request, name, lambda book: picks.labelled(book, name, _keys(snapshot, _found(book, name), asked.ids), said)
    )


async def _changed(request: Request, name: str, change: Callable[[picks.Book], picks.Book]) -> Summary:
    """What a collection is after a change, which is on disk when this returns."""
    index = _index(request)

    def changed() -> Summary:
        return _summary(index.snapshot, name, picking.change(index.named.folder, change)[name])

    summary: Summary = await request.app.state.turns.run(changed)
    return summary


def _index(request: Request) -> ServedIndex:
    index: ServedIndex = request.app.state.index
    return index


def _found(book: picks.Book, name: str) -> picks.Picks:
    if name not in book:
        raise Refused(404, "not_found", f"There is no collection {name!r}.")
    return book[name]


def _row(snapshot: Snapshot, id: str) -> int:
    row = snapshot.collection.rows.get(id)
    if row is None:
        raise Refused(404, "not_found", f"There is no segment {id} in the index.")
    return row


def _keys(snapshot: Snapshot, kept: picks.Picks, ids: Sequence[str]) -> list[picks.Key]:
    keys = keys_of(kept, rows_of(snapshot.collection, kept, snapshot.by_content), snapshot.collection)
    for id in ids:
        if id not in keys:
            raise Refused(404, "not_found", f"There is no segment {id} in the collection.")
    return [keys[id] for id in ids]


def _summary(snapshot: Snapshot, name: str, kept: picks.Picks, missing: int | None = None) -> Summary:
    if missing is None:
        missing = rows_of(snapshot.collection, kept, snapshot.by_content).count(None)
    labelled = sum(bool(pick.labels) for pick in kept.moments)
    numbers: dict[str, Any] = {"moments": len(kept.moments), "labelled": labelled, "missing": missing}
    return Summary(name=name, note=kept.note, tags=list(kept.tags), made=kept.made, **numbers)
