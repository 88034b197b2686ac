"""What an option may be: checked before anything heavy is imported."""

from emorank.errors import EmorankError


def require(good: bool, flag: str, value: object, rule: str) -> None:
    """Raises an `EmorankError` that names the option, what was given and the rule, unless it is good."""
    if not good:
        raise EmorankError(f"{flag} is {value}; {rule}.")
