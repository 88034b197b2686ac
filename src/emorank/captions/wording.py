"""How descriptions are worded: like something that is said, or with a part that is not wanted. Rules, no model."""

import re

from emorank.captions.rules import words

_LEAST_WORDS = 4  # of what is taken for speech; shorter cries, such as "how dare you!", are found well
_MOST_UNWANTED = 4  # words after "not" that can be one description
_PERSONS = {"i", "i'm", "i've", "i'd", "i'll", "my", "me", "we", "we're", "we've", "we'll", "us", "our", "let's"}
_OTHERS = {
    "you",
    "you're",
    "you've",
    "your",
}  # at the beginning; else it is who listens
_CALLS = {"oh", "wow", "hey", "hello", "hi", "yeah", "yes", "okay", "ok", "um", "uh", "hm", "thanks", "sorry", "please"}
_NOT = re.compile(r"(?:\b(?:but|and)\s+)?\bnot\s+(?P<unwanted>[^,;.!?]+)", re.IGNORECASE)
_FILLER = re.compile(r"^(?:(?:very|so|too|really|particularly|a|an|the)\s+)+|\s+at\s+all$", re.IGNORECASE)
_NO_PART = {"only", "just", "even", "quite", "yet", "until", "because", "one", "to", "that", "if", "at", "any", "much"}
_TIES = {"if", "or", "whether", "is", "are", "does", "do", "did", "can", "could", "will", "would", "was", "were", "it"}
_EDGES = " \t,;:-–"


def spoken(text: str, least: int = _LEAST_WORDS) -> bool:
    """Whether a text reads like what somebody says, not like how it sounds: "oh wow, you made it".

    Args:
        text: of any length.
        least: words; a shorter one does not.
    """
    tokens = [token.replace("’", "'") for token in words(text)]
    if len(tokens) < max(1, least):
        return False
    return tokens[0] in _CALLS | _OTHERS or not _PERSONS.isdisjoint(tokens) or text.rstrip().endswith("?")


def negated(text: str) -> tuple[str, str] | None:
    """What is wanted and what is not, of a description with one "not": "calm, not angry" -> ("calm", "angry").

    Returns:
        The two parts, the first empty where nothing but the "not" is there; None where there is no "not", or one that
        takes no part away, as in "not only".
    """
    found = _NOT.search(text)
    if found is None or _NOT.search(text, found.end()):
        return None
    first = words(found["unwanted"])[:1]
    unwanted = _FILLER.sub("", found["unwanted"].strip(_EDGES)).strip(_EDGES)
    before, after = text[: found.start()].strip(_EDGES), text[found.end() :].strip(_EDGES + ".!?")
    wanted = ", ".join(part for part in (before, after) if part)
    tied = _TIES.intersection(words(before)[-1:]) or _NO_PART.intersection(first)
    if tied or not 1 <= len(words(unwanted)) <= _MOST_UNWANTED:
        return None
    return wanted, unwanted
