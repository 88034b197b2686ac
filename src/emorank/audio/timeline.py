"""Where the next samples belong: timestamps count, as far as they can be believed."""

_JITTER = 0.15  # seconds by which a timestamp may be late and mean nothing
_AFTER_DAMAGE = 0.01  # the same where something was lost
_BACK = 1.0  # seconds; a timestamp that is earlier by more begins to count anew
_MOST_SILENCE = 12 * 3600.0  # seconds of pauses that a recording may have; later timestamps begin to count anew


class Timeline:
    """The time of the result while a recording is decoded.

    Args:
        zero: the timestamp of the beginning: the earliest of any track; None for that of the first samples.

    Attributes:
        place: its length so far, in seconds, pauses included.
    """

    def __init__(self, zero: float | None = None) -> None:
        self.place = 0.0
        self._zero = zero
        self._silence = 0.0

    def gap(self, timestamp: float, place: float, damaged: bool) -> float:
        """Seconds of silence that belong between what was decoded and samples with a timestamp.

        Args:
            timestamp: of the samples, in seconds.
            place: length of the result so far, in seconds.
            damaged: whether something before them was lost.
        """
        late = 0.0 if self._zero is None else timestamp - self._zero - place
        if self._zero is None or late < -_BACK or late + self._silence > _MOST_SILENCE:
            self._zero = timestamp - place
            return 0.0
        if late < (_AFTER_DAMAGE if damaged else _JITTER):
            return 0.0
        self._silence += late
        return late
