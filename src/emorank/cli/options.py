"""What an option may be: checked before anything heavy is imported."""

from emorank.errors import EmorankError, MissingExtra


def require(good: bool, flag: str, what: str, given: object) -> None:
    """An option is what it must be.

    Raises:
        EmorankError: it is not; the sentence names the option, what it must be, and what was given.
    """
    if not good:
        raise EmorankError(f"{flag} must be {what}, not {given}.")


def require_ray(command: str) -> None:
    """Ray is installed, which is not imported.

    Raises:
        MissingExtra: it is not.
    """
    import importlib.util

    if importlib.util.find_spec("ray") is None:
        raise MissingExtra(command, "scale")
