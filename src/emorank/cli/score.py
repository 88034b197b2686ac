"""emorank score: how well each of some descriptions fits a recording."""

from emorank import DEFAULT_MODEL
from emorank.cli.console import name_hints, print_json, print_table
from emorank.cli.listen import clip as samples


def score(clip: str, /, *descriptions: str, json: bool = False, model: str = DEFAULT_MODEL) -> None:
    """Cosine similarity of a recording to each description, best first.

    The numbers of one recording compare with each other: the best description is the one that fits it best.

    Args:
        clip: A recording.
        descriptions: How it might sound, such as "tired and sad".
        json: Print a JSON list of {description, score}.
        model: A packaged model, a folder made by emorank train, or a hub id.
    """
    import numpy as np

    from emorank.captions.familiar import described
    from emorank.errors import EmorankError
    from emorank.model import EmotionRankCLAP

    if not descriptions:
        raise EmorankError('Give at least one description: emorank score clip.wav "tired and sad"')
    heard = samples(clip)
    clap = EmotionRankCLAP.from_pretrained(model)
    asked = described(clap, descriptions)
    name_hints(asked, searching=False)
    scores = clap.similarity(clap.encode_audio([heard]), np.stack([each.embedding for each in asked]))[0]
    ranked = sorted(zip(scores.tolist(), descriptions, strict=True), key=lambda pair: -pair[0])
    if json:
        print_json([{"description": text, "score": round(value, 4)} for value, text in ranked])
    else:
        print_table(
            ("score", "description"),
            [(f"{value:.3f}", text) for value, text in ranked],
            left=frozenset({"description"}),
        )
