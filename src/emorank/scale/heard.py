"""From recordings to rows through any engine: each recording once, whatever processes and machines are lost."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from emorank.errors import EmorankError
from emorank.listening.course import Told
from emorank.listening.recordings import Recording
from emorank.model import EmotionRankCLAP
from emorank.scale.units import Done, Unit, left_out, rows_of, units

Engine = Callable[[Iterable[Unit]], Iterator[Done]]

_TRIES = 1  # of a recording alone, after which it is left out
_ROWS_AT_ONCE = 65_536  # in one transaction, a fragment of the dataset
_SECONDS_AT_ONCE = 30.0  # after which there is a transaction in any case: no more is lost with the writer


def heard(
    recordings: Sequence[Recording], engine: Engine, model: EmotionRankCLAP, told: Told | None = None
) -> Iterator[Any]:
    """The rows of recordings, each recording's in one table; tables are as large as a transaction should be.

    Units that did not come back are divided, and recordings that do so alone are left out with that reason.

    Args:
        recordings: what is heard.
        engine: hears units.
        model: gives the embeddings.
        told: called with the seconds in all moments so far, and the bytes of the recordings that they are from.

    Raises:
        EmorankError: a mistake of the user's that no process can mend, such as other weights on other machines.
    """
    return _grouped(_each(recordings, engine, model, told or (lambda seconds, read: None)))


def _each(recordings: Sequence[Recording], engine: Engine, model: EmotionRankCLAP, told: Told) -> Iterator[Any]:
    import pyarrow.compute as pc

    waiting = list(units(recordings))
    count = len(waiting)
    seconds = read = 0.0
    while waiting:
        left = {unit.number: unit for unit in waiting}
        reasons: dict[int, str] = {}
        for done in engine(waiting):
            if done.mistake:
                raise EmorankError(done.mistake)
            if done.failed:
                reasons[done.number] = done.failed
            elif unit := left.pop(done.number, None):  # a unit that was heard twice counts once
                rows = rows_of(done)
                seconds += pc.sum(pc.subtract(rows["end"], rows["start"])).as_py() or 0.0
                read += sum(recording.size for recording in unit.recordings)
                told(seconds, read)
                yield rows
        waiting = []
        for unit in left.values():
            for part in _parts(unit):
                if len(part) == len(unit.recordings) and unit.tries >= _TRIES:
                    reason = reasons.get(unit.number, "the process that listened to it ended")
                    yield left_out([(part[0], f"it could not be listened to ({reason}).")], model)
                else:
                    tries = unit.tries + 1 if len(part) == 1 else 0
                    waiting.append(Unit(count, part, tries))
                    count += 1


def _parts(unit: Unit) -> Iterator[tuple[Recording, ...]]:
    """What a unit is divided into: as many parts as each has recordings, so that a bad one is alone soon."""
    size = max(1, math.isqrt(len(unit.recordings)))
    for start in range(0, len(unit.recordings), size):
        yield unit.recordings[start : start + size]


def _grouped(tables: Iterator[Any]) -> Iterator[Any]:
    import pyarrow as pa

    held: list[Any] = []
    begun = time.monotonic()
    for rows in tables:
        held.append(rows)
        if sum(map(len, held)) >= _ROWS_AT_ONCE or time.monotonic() - begun >= _SECONDS_AT_ONCE:
            yield pa.concat_tables(held)
            held, begun = [], time.monotonic()
    if held:
        yield pa.concat_tables(held)
