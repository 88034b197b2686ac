"""The errors that a user can cause, each one clear sentence: what was wrong, where, what to do."""


class EmorankError(Exception):
    """Base of every error that a user can cause. The command line prints it without a traceback."""


class AudioError(EmorankError):
    """A recording that cannot be read. `reason` is the sentence without the path."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
