"""How a server is asked: every choice, one field each."""

import re
from dataclasses import dataclass

from emorank.errors import EmorankError

_LANGUAGE = re.compile(r"[^\W\d_][^\W\d_ ()-]*(?:[ -]?\(?[^\W_]+\)?){0,4}")


@dataclass(frozen=True)
class Manners:
    """How a server is asked.

    Args:
        language: Language of the captions, as a code or a name.
        temperature: Of the sampling.
        points_per_call: Points in one call.
        concurrency: Calls at a time.
        timeout: Seconds that one call may take.
        tries: Calls in a row that may fail before the server counts as dead.
        attempts: Answers for a point that may be rejected before it is given up.
        first_wait: Seconds to wait after a failure; they double with every further one.
        price_in: Price of a million tokens of prompt, in any currency; 0 for a model of one's own.
        price_out: The same of the answers.
        budget: Most that the job may cost, in that currency, all its runs together.
    """

    language: str = "en"
    temperature: float = 1.0
    points_per_call: int = 8
    concurrency: int = 4
    timeout: float = 120.0
    tries: int = 8
    attempts: int = 5
    first_wait: float = 0.5
    price_in: float = 0.0
    price_out: float = 0.0
    budget: float | None = None

    def __post_init__(self) -> None:
        for name in ("points_per_call", "concurrency", "timeout", "tries", "attempts"):
            if not getattr(self, name) > 0:
                raise EmorankError(f"--{name.replace('_', '-')} must be above 0.")
        if self.points_per_call > 50 or self.concurrency > 256:
            raise EmorankError("--points-per-call is 50 at most, --concurrency 256.")
        if not (self.price_in >= 0 and self.price_out >= 0 and self.first_wait >= 0 and self.temperature >= 0):
            raise EmorankError("Prices, waits and the temperature cannot be below 0.")
        if self.budget is not None and not (self.budget > 0 and self.price_in + self.price_out > 0):
            raise EmorankError("--budget needs --price-in and --price-out, and is above 0.")
        if len(self.language) > 40 or not _LANGUAGE.fullmatch(self.language):
            raise EmorankError("--language is a code or a name, such as de or Brazilian Portuguese.")

    @property
    def english(self) -> bool:
        """Whether captions are to be in English, and can be checked as such."""
        return self.language.lower().split("-")[0] in ("en", "english")

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float:
        """What so many tokens cost."""
        return (prompt_tokens * self.price_in + answer_tokens * self.price_out) / 1e6
