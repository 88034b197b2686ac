"""The moments of a collection in an index as it is now, and what people say of them as a table to learn from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from emorank.affect import DIMENSIONS
from emorank.corpora.schema import COLUMNS
from emorank.errors import EmorankError
from emorank.index.picks import Key, Label, Pick, Picks
from emorank.index.plan import Indexed
from emorank.index.segments import segment_id
from emorank.search.rank import Searched
from emorank.taking.moments import Moment

if TYPE_CHECKING:
    import polars as pl

_ALIKE = 0.5  # share of two spans that they have in common, above which they are one moment that is cut otherwise now
_CARRIED = (
    "speaker",
    "gender",
    "language",
    "split",
    "corpus",
    "transcript",
)  # of the user's columns, if they are texts


def pick_of(collection: Searched, row: int, recordings: Mapping[str, Indexed]) -> Pick:
    """A row of a collection as it is kept.

    Raises:
        EmorankError: the index does not know the content of its recording.
    """
    segments = collection.segments
    path = segments.paths[row]
    entry = recordings.get(path)
    if entry is None or entry.digest is None:
        raise EmorankError(f"{path}: the index does not know its content; bring it up to date with emorank index.")
    return Pick(entry.digest, path, float(segments.start[row]), float(segments.end[row]), int(segments.channels[row]))


def by_content(recordings: Mapping[str, Indexed]) -> dict[str, list[str]]:
    """The paths of recordings, in order, by the digest of what is in them."""
    paths: dict[str, list[str]] = {}
    for path in sorted(recordings):
        if (digest := recordings[path].digest) is not None:
            paths.setdefault(digest, []).append(path)
    return paths


def rows_of(collection: Searched, picks: Picks, contents: Mapping[str, Sequence[str]]) -> list[int | None]:
    """The row of every moment; None of those that are not in the index now.

    A recording is found by its content, wherever it lies now: where it was, if it is still there, else at the first of
    its paths.

    Args:
        collection: the index as it is now.
        picks: the moments.
        contents: see `by_content`.
    """
    return [_row(collection, pick, contents.get(pick.digest, ())) for pick in picks.moments]


def keys_of(picks: Picks, rows: Sequence[int | None], collection: Searched) -> dict[str, Key]:
    """What every moment of a collection is known by, by the id that it has now, or had when it was picked."""
    ids = [
        segment_id(pick.path, pick.start, pick.channel) if row is None else collection.id_of(row)
        for pick, row in zip(picks.moments, rows, strict=True)
    ]
    return {id: pick.key for id, pick in zip(ids, picks.moments, strict=True)}


def with_labels(rows: "pl.DataFrame", labels: Mapping[str, Sequence[Label]]) -> "pl.DataFrame":
    """A table of moments with the latest label of each: own_valence, ..., own_category, labelled_by, labelled_at.

    Args:
        rows: with `id`, see `emorank.taking.moments.selection`.
        labels: of the moments by id.
    """
    import polars as pl

    latest = [(labels.get(id) or (None,))[-1] for id in rows["id"]]
    kinds: dict[str, Any] = {f"own_{name}": pl.Float64 for name in DIMENSIONS}
    kinds |= {"own_category": pl.String, "labelled_by": pl.String, "labelled_at": pl.String}
    fields = [*DIMENSIONS, "category", "by", "at"]
    columns = [
        pl.Series(name, [None if one is None else getattr(one, field) for one in latest], dtype=kind)
        for (name, kind), field in zip(kinds.items(), fields, strict=True)
    ]
    taken = {name: f"label_{name}" for name in kinds if name in rows.columns}
    return rows.rename(taken).with_columns(columns)


def utterances(
    moments: Sequence[Moment],
    labels: Mapping[str, Sequence[Label]],
    corpus: str,
    clips: Mapping[str, str] | None = None,
) -> "pl.DataFrame":
    """An utterance table for emorank train: a row for each moment and each person who labelled it.

    Args:
        moments: of a collection.
        labels: of them, by id.
        corpus: what the column `corpus` says where the user's table does not.
        clips: names of clips by id, which are the utterances; without them the recordings are, which have to be one
            moment each.

    Returns:
        The columns of `emorank.corpora.schema.COLUMNS`, `label_source` rated, `annotator`, `labelled_at`.

    Raises:
        EmorankError: nothing is labelled, or a moment is a part of its recording and there are no clips.
    """
    from emorank.corpora.schema import table_of

    rows: list[dict[str, Any]] = []
    parts = 0
    for moment in moments:
        hit = moment.hit
        own = labels.get(hit.id, ())
        if clips is not None and hit.id not in clips:
            continue
        parts += bool(own) and clips is None and (moment.start > 0 or moment.end < moment.seconds)
        known = {name: hit.labels[name] for name in _CARRIED if isinstance(hit.labels.get(name), str)}
        for label in own:
            rows.append(
                {
                    "path": hit.path if clips is None else clips[hit.id],
                    **{name: getattr(label, name) for name in DIMENSIONS},
                    "emotion": label.category,
                    "corpus": corpus,
                    **known,
                    "label_source": "rated",
                    "duration": round(moment.end - moment.start, 3),
                    "annotator": label.by,
                    "labelled_at": label.at,
                }
            )
    if parts:
        raise EmorankError(
            f"{parts} of the moments are parts of their recordings, and training hears these whole; "
            "cut them out with --cut DIR."
        )
    if not rows:
        raise EmorankError("Nobody has labelled any of the moments; do so with emorank collection --label.")
    return table_of(rows).select([name for name in COLUMNS if name in rows[0]] + ["annotator", "labelled_at"])


def _row(collection: Searched, pick: Pick, paths: Sequence[str]) -> int | None:
    ordered = sorted(paths, key=lambda path: path != pick.path)  # stable: where it was comes first
    for path in ordered:
        best, share = None, _ALIKE
        for row in collection.rows_of(path):
            segments = collection.segments
            if int(segments.channels[row]) == pick.channel:
                start, end = float(segments.start[row]), float(segments.end[row])
                common = min(end, pick.end) - max(start, pick.start)
                whole = max(end, pick.end) - min(start, pick.start)
                if whole > 0 and common / whole > share:
                    best, share = row, common / whole
        if best is not None:
            return best
    return None
