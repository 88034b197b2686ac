"""What to tell a person about a description: that it is hardly understood, or that another one finds more."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

#: unknown: the model hardly understands it; foreign: it is read as another language than English; unread: so it should
#: be, but what reads it is not installed; spoken: it reads like what is said; negated: it holds a "not".
Kind = Literal["unknown", "foreign", "unread", "negated", "spoken"]

#: What is suggested where nothing near is known: the captions nearest to a text that is not understood mislead.
EXAMPLES = ("furious, shouting", "tired and quiet", "a calm, warm voice")

_SHOWN = 60  # characters of a description that a hint repeats


@dataclass(frozen=True)
class Hint:
    """A hint on a description.

    Args:
        text: the description.
        familiarity: -1..1, mean cosine to the five nearest captions.
        kind: what there is to say.
        suggestions: descriptions to try instead.
        wanted: what a negated description asks for, "" where it only says what not; None for the other kinds.
        unwanted: what it does not; None for the other kinds.
    """

    text: str
    familiarity: float
    kind: Kind = "unknown"
    suggestions: tuple[str, ...] = EXAMPLES
    wanted: str | None = None
    unwanted: str | None = None

    @property
    def sentence(self) -> str:
        """What there is to tell, without the suggestions."""
        text = self.text if len(self.text) <= _SHOWN else f"{self.text[: _SHOWN - 1]}…"
        if self.kind == "negated":
            return f"'{text}' is read as one description; what is not wanted works better apart."
        if self.kind == "spoken":
            return f"'{text}' reads like something that is said; describe how it sounds."
        if self.kind == "foreign":
            return f"'{text}' is read as another language, by a second text encoder; English is understood better."
        if self.kind == "unread":
            return (
                f"'{text}' seems to be in another language, and what reads it is not installed (pip install "
                "'emorank[multilingual]'); results may mean nothing. Describe in English how it sounds."
            )
        return (
            f"'{text}' says little about a voice that the model knows; results may mean nothing. "
            "Describe in English how it sounds."
        )

    @property
    def advice(self) -> str:
        """How a negated description is asked better."""
        first = f"'{self.wanted}', but" if self.wanted else "what is"
        return f"Search for {first} not '{self.unwanted}'."

    @property
    def message(self) -> str:
        """What to tell a person, on one line if the description is."""
        if self.kind == "negated":
            return f"{self.sentence} {self.advice}"
        return f"{self.sentence[:-1]}, such as: {listed(self.suggestions)}." if self.suggestions else self.sentence


def listed(texts: Sequence[str]) -> str:
    """Descriptions in a sentence."""
    return ", ".join(f"'{text}'" for text in texts)
