"""Which indexes are served, under which models, and what each is called there."""

import os
import re
from collections import Counter
from collections.abc import Sequence

from emorank.errors import EmorankError
from emorank.index.named import NamedIndex
from emorank.model import EmotionRankCLAP
from emorank.search.mapped.follow import Progress
from emorank.serve.batching import Cores
from emorank.serve.snapshots import ServedIndex

TAKEN = frozenset({"api", "static", "compare", "openapi.json"})  # paths of a server of several indexes


def chosen(names: Sequence[str], models: Sequence[str] = ()) -> dict[str, tuple[NamedIndex, str | None]]:
    """What is served by the name that it has there: an index, and a model where it is not the index's own.

    Where models are named, each index is searched under all of them that use the encoder which heard it.

    Args:
        names: of indexes.
        models: packaged names, folders or hub ids; none is the indexes' own.

    Raises:
        EmorankError: there is no such index or model, an index fits no model or a model no index, or a name is taken.
    """
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise EmorankError(f"{twice[0]} is named twice; name each index once, and several models with --model.")
    wanted = list(dict.fromkeys(map(NamedIndex.absolute, models)))
    encoders = {name: EmotionRankCLAP.from_pretrained(name).encoder_fingerprint for name in wanted}
    served: dict[str, tuple[NamedIndex, str | None]] = {}
    used: set[str] = set()
    for name in names:
        named = NamedIndex.open(name)
        own = named.model.encoder_fingerprint if wanted else ""
        fits = [model for model, encoder in encoders.items() if encoder == own]
        if wanted and not fits:
            encoder = named.model.config.audio_encoder
            raise EmorankError(
                f"Index {name!r} was heard with the encoder {encoder}, which {' and '.join(wanted)} "
                f"{'does' if len(wanted) == 1 else 'do'} not use; make an index for it with emorank index --model."
            )
        used.update(fits)
        called = _called(fits)
        for model in fits or (None,):
            other = None if model == named.model_name else model
            served[f"{name}@{called[model]}" if model and len(fits) > 1 else name] = named, other
    if idle := [model for model in wanted if model not in used]:
        raise EmorankError(f"{idle[0]} uses the encoder of none of these indexes; make one with emorank index --model.")
    if len(served) > 1 and (taken := sorted(TAKEN & served.keys())):
        raise EmorankError(f"An index called {taken[0]} cannot be served beside others; its path is the server's own.")
    return served


def opened(
    names: Sequence[str], models: Sequence[str] = (), memory: int | None = None, progress: Progress | None = None
) -> list[ServedIndex]:
    """The same, read and ready; their limits on encoding hold over all.

    Args:
        names: as for `chosen`.
        models: as for `chosen`.
        memory: bytes that each index may take, see `ServedIndex`.
        progress: see `ServedIndex`.

    Raises:
        EmorankError: as `chosen`, or one cannot be read.
    """
    cores = Cores()
    return [
        ServedIndex(named, name, model, cores, memory, progress)
        for name, (named, model) in chosen(names, models).items()
    ]


def _called(models: Sequence[str]) -> dict[str, str]:
    """A short name of each model, good in an address: that of its folder, numbered where several have the same."""
    called: dict[str, str] = {}
    for model in models:
        short = re.sub(r"[^A-Za-z0-9._-]+", "-", os.path.basename(model.rstrip("/\\"))) or "model"
        count = sum(other == short or other.startswith(f"{short}-") for other in called.values())
        called[model] = f"{short}-{count + 1}" if count else short
    return called
