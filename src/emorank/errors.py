"""The errors that a user can cause, each one clear sentence: what was wrong, where, what to do."""


class EmorankError(Exception):
    """Base of every error that a user can cause. The command line prints it without a traceback."""


class AudioError(EmorankError):
    """A recording that cannot be read. `reason` is the sentence without the path."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class MissingExtra(EmorankError):
    """What was asked for needs packages of an extra that are not installed. `what` begins the sentence."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra {extra}; run in emorank's own folder: pip install '.[{extra}]'")
