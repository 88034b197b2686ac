"""The fixed speaker splits of the open corpora. Test speakers are never trained or tuned on, in no version."""

_DEVELOPMENT = {
    "ravdess": {"17", "18", "19", "20"},
    "emodb": {"14"},
    "nemo": {"KD0"},
    "crema-d": {str(actor) for actor in range(1064, 1078)},
}
_TEST = {
    "ravdess": {"21", "22", "23", "24"},
    "emodb": {"15", "16"},
    "nemo": {"EB0", "IC0"},
    "crema-d": {str(actor) for actor in range(1078, 1092)},
}


def split_of(corpus: str, speaker: str) -> str:
    """train, development or test; a speaker is in one of them. The split of CREMA-D is ours, it has no official one."""
    if speaker in _TEST[corpus]:
        return "test"
    return "development" if speaker in _DEVELOPMENT[corpus] else "train"
