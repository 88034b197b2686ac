"""The rules of captions, whoever wrote them: no leaks, no markup, no refusals, neither too short nor too long."""

import re
import unicodedata
from collections.abc import Iterable

MOST_WORDS = 32
MOST_CHARACTERS = 240
_LEAST_LETTERS = 4
_PHRASE = 5  # words in a row that a caption and a transcript may not share

#: Phrases, as words in lower case, that a caption may not contain.
Phrases = frozenset[tuple[str, ...]]

_AXES = re.compile(
    r"\b(valen[cz]\w*|valência|walencj\w*|arousal\w*|dominan(ce|z|za|cia|cja)\b|dominância|pleasantness score)", re.I
)
_NUMBERS = re.compile(
    r"\b(two|three|four|five|six|seven|eight|nine|ten|hundred|percent|point (oh|zero|one)|out of (seven|ten|five)|"
    r"scores?|scored|ratings?|rated)\b",
    re.I,
)
_MARKUP = re.compile(r"[<>{}\[\]`|\\$#*_=^~@\"“”„«»]|https?:|www\.|//|\.\./")
_REFUSAL = re.compile(
    r"^(i['’]?m sorry|i am sorry|sorry[, ]|i can(no|['’])t|i won['’]?t|as an ai|as a language model|unfortunately)",
    re.I,
)
_TOKEN = re.compile(r"[぀-ヿ㐀-鿿가-힯]|[^\W\d_]+(?:['’][^\W\d_]+)*")


def tidy(text: str) -> str:
    """The same caption in one form: composed characters, single spaces, nothing around it."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def words(text: str) -> list[str]:
    """Its words in lower case; every character of scripts without spaces is one."""
    return [token.lower() for token in _TOKEN.findall(text)]


def normalised(text: str) -> str:
    """What two captions share that differ in case and punctuation alone."""
    return " ".join(words(text))


def phrases(transcripts: Iterable[str]) -> Phrases:
    """What a caption must not repeat of some transcripts: five words in a row, or a whole shorter one of three."""
    found = set()
    for transcript in transcripts:
        tokens = words(transcript)
        if 3 <= len(tokens) < _PHRASE:
            found.add(tuple(tokens))
        found.update(tuple(tokens[i : i + _PHRASE]) for i in range(len(tokens) - _PHRASE + 1))
    return frozenset(found)


def foreign_script(text: str) -> bool:
    """Whether more than a fifth of its letters are none of English."""
    letters = [character for character in text if character.isalpha()]
    return sum(not character.isascii() for character in letters) > 0.2 * len(letters)


def violation(text: str, forbidden: Phrases = frozenset(), english: bool = True) -> str | None:
    """Why a caption cannot be taken; None if it can.

    Args:
        text: the caption, tidy.
        forbidden: what it must not contain, see `phrases`.
        english: also holds it to the Latin script and to English number words.

    Returns:
        A sentence for the model that wrote it, which never repeats the caption.
    """
    tokens = words(text)
    letters = [character for character in text if character.isalpha()]
    if any(unicodedata.category(character)[0] == "C" for character in text):
        return "A caption holds control characters."
    if len(letters) < _LEAST_LETTERS:
        return "A caption is too short."
    if not text[0].isalpha():  # a bullet, a dash, or what a spreadsheet would run as a formula
        return "A caption does not begin with a letter."
    if len(tokens) > MOST_WORDS or len(text) > MOST_CHARACTERS:
        return "A caption is too long; 25 words at most."
    if any(character.isnumeric() for character in text if not character.isalpha()):
        return "A caption contains a number or digit."
    if _AXES.search(text):
        return "A caption names valence, arousal or dominance."
    if _MARKUP.search(text):
        return "A caption contains quotation marks, markup or a link; plain words only."
    if _REFUSAL.search(text):
        return "A caption is a refusal; describe a voice."
    if english and _NUMBERS.search(text):
        return "A caption contains a number word or a rating."
    if english and foreign_script(text):
        return "A caption is not in English."
    if _contains(tokens, forbidden):
        return "A caption repeats what the speaker says; say only how it sounds."
    return None


def _contains(tokens: list[str], forbidden: Phrases) -> bool:
    sizes = range(3, _PHRASE + 1) if forbidden else ()
    return any(tuple(tokens[i : i + size]) in forbidden for size in sizes for i in range(len(tokens) - size + 1))
