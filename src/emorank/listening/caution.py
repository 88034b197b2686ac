"""What makes the place and the rank of a moment doubtful: that nobody, or hardly anybody, speaks in it."""

NOBODY, LITTLE = 0.3, 0.5  # seconds of speech; with less nobody is heard, or it says little (docs/results.md)


def caution(speech: float | None) -> str | None:
    """Why a moment is to be taken with caution, in a few words; None where it is not, or nobody knows.

    Args:
        speech: how long somebody speaks in it, in seconds; None where that is not known.
    """
    if speech is None or speech >= LITTLE:
        return None
    return "no speech heard" if speech < NOBODY else f"{speech:.1f} s of speech"


def clip_caution(name: str, speech: float) -> str | None:
    """A sentence on a clip that moments shall sound like, and that hardly anybody speaks in; else None."""
    doubt = caution(speech)
    return f"{name}: {doubt}; what it finds may mean nothing." if doubt else None
