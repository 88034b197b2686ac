"""Searches that are kept in the index by a name."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from emorank.index import picks
from emorank.index.searches import SEARCHES, Book, Chosen, Like, Saved, Text, forgotten, saved
from emorank.search.order import BEST, FIT
from emorank.serve.collecting import Name
from emorank.serve.errors import Refused, documented
from emorank.serve.requests import Choice, Circle, Ordered, Outline, Rectangle
from emorank.serve.requests import Like as AskedLike
from emorank.serve.requests import Text as AskedText
from emorank.serve.seeing import KeptSearch
from emorank.serve.snapshots import ServedIndex

router = APIRouter(prefix="/api/searches", tags=["searches"], responses=documented(400, 401, 403, 422, 503))

Named = Annotated[Name, Path()]


@router.get("")
def searches(request: Request) -> list[KeptSearch]:
    """All searches that are kept, in the order in which they were made."""
    book = SEARCHES.read(_index(request).named.folder)
    return [KeptSearch(name=name, made=kept.made, search=_asked(kept)) for name, kept in book.items()]


@router.put("/{name}", responses=documented(408, 413))
async def keep(request: Request, name: Named, asked: Ordered) -> KeptSearch:
    """Keep a search under a name, in the place of what had it."""
    search = _saved(asked)
    folder = _index(request).named.folder
    await request.app.state.turns.run(SEARCHES.change, folder, lambda book: saved(book, name, search))
    return KeptSearch(name=name, made=search.made, search=asked)


@router.delete("/{name}", status_code=204, responses=documented(404))
async def forget(request: Request, name: Named) -> Response:
    """Forget a search."""

    def change(book: Book) -> Book:
        if name not in book:
            raise Refused(404, "not_found", f"There is no search {name!r}.")
        return forgotten(book, name)

    await request.app.state.turns.run(SEARCHES.change, _index(request).named.folder, change)
    return Response(None, 204)


def _index(request: Request) -> ServedIndex:
    index: ServedIndex = request.app.state.index
    return index


def _saved(asked: Ordered) -> Saved:
    near, region = asked.near, asked.region
    return Saved(
        made=picks.now(),
        texts=tuple(Text(text.text, text.weight) for text in asked.texts),
        likes=tuple(Like(like.id, like.weight) for like in asked.likes),
        near=(near.valence, near.arousal, near.radius) if near else None,
        region=(*region.valence, *region.arousal) if isinstance(region, Rectangle) else None,
        lasso=tuple(region.corners) if isinstance(region, Outline) else (),
        where=asked.where,
        choices=tuple(Chosen(choice.column, tuple(choice.values)) for choice in asked.choices),
        group=asked.group,
        sort=None if asked.sort == FIT else asked.sort,
        order=asked.order,
        best=None if asked.best == BEST else asked.best,
    )


def _asked(kept: Saved) -> Ordered:
    """As it was asked; not checked again, because bounds may have been others when it was kept."""
    region = Rectangle(valence=kept.region[:2], arousal=kept.region[2:]) if kept.region else None
    return Ordered.model_construct(
        texts=[AskedText.model_construct(text=text.text, weight=text.weight) for text in kept.texts],
        likes=[AskedLike.model_construct(id=like.id, weight=like.weight) for like in kept.likes],
        near=Circle(valence=kept.near[0], arousal=kept.near[1], radius=kept.near[2]) if kept.near else None,
        region=Outline.model_construct(corners=list(kept.lasso)) if kept.lasso else region,
        where=kept.where,
        choices=[Choice.model_construct(column=one.column, values=list(one.values)) for one in kept.choices],
        group=kept.group,
        sort=kept.sort or FIT,
        order=kept.order,
        best=kept.best or BEST,
    )
