"""The fixed split of the open corpora by speaker.

The speakers are written down instead of drawn, so that every version of emorank, and every result ever reported with
it, means the same ones. Test speakers are never trained or tuned on, also not by the weights that ship: whoever
measures those weights on them must hear voices that are new to the model.
"""

#: None of these corpora has an official split, so these are ours. RAVDESS: two women, two men; EmoDB: a man, a woman;
#: nEMO: two women; CREMA-D: the last 14 of its 91 actors, and the 14 before them for development.
_TEST = {
    "ravdess": frozenset({"21", "22", "23", "24"}),
    "emodb": frozenset({"15", "16"}),
    "nemo": frozenset({"EB0", "IC0"}),
    "crema-d": frozenset(str(actor) for actor in range(1078, 1092)),
}
_DEVELOPMENT = {
    "ravdess": frozenset({"17", "18", "19", "20"}),
    "emodb": frozenset({"14"}),
    "nemo": frozenset({"KD0"}),
    "crema-d": frozenset(str(actor) for actor in range(1064, 1078)),
}


def split_of(corpus: str, speaker: str) -> str:
    """The part that a speaker belongs to, with all of her recordings.

    Args:
        corpus: one of ravdess, emodb, nemo, crema-d.
        speaker: as the corpus names her, without our prefix.

    Returns:
        "train", "development" or "test".
    """
    if speaker in _TEST[corpus]:
        return "test"
    return "development" if speaker in _DEVELOPMENT[corpus] else "train"
