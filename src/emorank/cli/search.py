"""emorank search: the moments of a folder that sound like a description, or like a clip."""

import dataclasses
import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from emorank.cli.console import as_typed, clock, print_json, print_table, say
from emorank.cli.listen import listened
from emorank.errors import EmorankError


def search(
    *words: str,
    like: Path | None = None,
    top: Annotated[int, Parameter(alias="-n")] = 10,
    json: Annotated[bool, Parameter(negative="")] = False,
    model: str = "emorank-base",
    index: Path | None = None,
) -> None:
    """Find the moments of recordings that sound like a description or like a clip.

    The first search of a folder encodes its recordings and keeps an index; the next ones start from that and look
    only at what was added, changed or removed.

    Examples:

        emorank search "furious, shouting" recordings/

        emorank search --like clip.wav recordings/

    Args:
        words: The description, then the folder (or recording) to search; with --like the folder alone.
        like: A recording; find what sounds like it.
        top: How many moments to show.
        json: Print a JSON list of {path, start, end, score, valence, arousal, dominance}, best first, times in seconds.
        model: A packaged model, a folder made by emorank train, or a hub id.
        index: Where the index is kept; by default in the user's cache.
    """
    needed = 1 if like is not None else 2
    if len(words) != needed:
        raise EmorankError(
            "Name the clip and one folder: emorank search --like clip.wav DIR"
            if like is not None
            else 'Give one description in quotes and one folder: emorank search "a calm, warm voice" DIR'
        )
    if top < 1:
        raise EmorankError(f"--top is {top}; ask for at least 1.")
    root = words[-1]
    if not os.path.exists(root):
        raise EmorankError(f"{root}: there is no such file or folder.")

    from emorank.model import EmotionRankCLAP
    from emorank.search import rank

    clap = EmotionRankCLAP.from_pretrained(model)
    query = clap.encode_audio([like])[0] if like is not None else clap.encode_text([words[0]])[0]
    segments = listened(root, clap, index)
    hits = rank(segments, query, top, without=os.path.abspath(like) if like is not None else None)
    hits = [dataclasses.replace(hit, path=as_typed(hit.path, root)) for hit in hits]
    if json:
        print_json([dataclasses.asdict(hit) for hit in hits])
        return
    print_table(
        ("score", "valence", "arousal", "dominance", "from", "to", "recording"),
        [
            (
                f"{hit.score:.3f}",
                f"{hit.valence:.1f}",
                f"{hit.arousal:.1f}",
                f"{hit.dominance:.1f}",
                clock(hit.start),
                clock(hit.end),
                hit.path,
            )
            for hit in hits
        ],
    )
    say(f"{len(hits)} of {len(segments.paths)} segments in {len(set(segments.paths))} recordings.")
