"""The space of affect: valence, arousal and dominance, each 1..7 everywhere outside a corpus reader.

1 is very negative / very calm / very weak, 4 neutral, 7 very positive / very active / in control. Models can be taught
a fourth dimension, unpredictability (Fontaine et al. 2007): 1 is wholly expected, 4 neither, 7 startled. It tells
surprise from joy and fear from anger; places are given in the first three.
"""

from typing import NamedTuple

DIMENSIONS = ("valence", "arousal", "dominance")
UNPREDICTABILITY = "unpredictability"

#: What utterances and captions can be labelled with.
LABELS = (*DIMENSIONS, UNPREDICTABILITY)
LOWEST, NEUTRAL, HIGHEST = 1.0, 4.0, 7.0

#: The 14 steps of the paper's ordinality test (section 4.2.2). Its first, 0.5, lies below the scale of the labels.
STEPS = tuple(step / 2 for step in range(1, 15))


class Affect(NamedTuple):
    """A point of the space, each coordinate 1..7."""

    valence: float
    arousal: float
    dominance: float


#: Mean pleasure, arousal and dominance (-1..1) of emotion terms: Russell, J. A. & Mehrabian, A. (1977).
#: Evidence for a three-factor theory of emotions. Journal of Research in Personality, 11(3), 273-294.
#: Our category -> their term: happiness "happy", calm "relaxed", the others their adjective. Neutral is the origin.
_RUSSELL_MEHRABIAN_1977 = {
    "anger": (-0.51, 0.59, 0.25),
    "boredom": (-0.65, -0.62, -0.33),
    "calm": (0.68, -0.46, 0.06),
    "contempt": (-0.24, 0.31, 0.21),
    "disgust": (-0.60, 0.35, 0.11),
    "fear": (-0.64, 0.60, -0.43),
    "happiness": (0.81, 0.51, 0.46),
    "neutral": (0.0, 0.0, 0.0),
    "sadness": (-0.63, -0.27, -0.33),
    "surprise": (0.40, 0.67, -0.13),
}

CATEGORIES = tuple(sorted(_RUSSELL_MEHRABIAN_1977))

#: Our own numbers, 1..7. Fontaine, J. R. J., Scherer, K. R., Roesch, E. B. & Ellsworth, P. C. (2007). The world of
#: emotions is not two-dimensional. Psychological Science, 18(12), 1050-1057: surprise lies far from all others.
_UNPREDICTABILITY = {
    "anger": 4.0,
    "boredom": 1.5,
    "calm": 2.5,
    "contempt": 3.0,
    "disgust": 4.0,
    "fear": 5.0,
    "happiness": 4.0,
    "neutral": 2.5,
    "sadness": 3.0,
    "surprise": 6.5,
}

#: Other words for the categories, and for the two classes that are none: adjectives, nouns, abbreviations of corpora.
_SYNONYMS = {
    "anger": "angry ang",
    "boredom": "bored",
    "calm": "calmness relaxed relaxation",
    "contempt": "contemptuous",
    "disgust": "disgusted dis",
    "fear": "fearful afraid scared fea",
    "happiness": "happy hap joy joyful",
    "neutral": "neu",
    "sadness": "sad",
    "surprise": "surprised sur",
    "other": "oth",
    "no agreement": "xxx",
}
_CATEGORY = {word: category for category, words in _SYNONYMS.items() for word in words.split()}


def category_of(name: str) -> str:
    """The category that a word stands for: "Happy" is happiness, "ang" is anger.

    Args:
        name: as somebody's table writes it; case, `_` and surrounding blanks do not count.

    Returns:
        One of `CATEGORIES`, or the word itself in lower case where it is a synonym of none ("pride").
    """
    word = " ".join(name.replace("_", " ").casefold().split())
    return _CATEGORY.get(word, word)


def point(category: str, strength: float = 1.0, lift: float = 0.0) -> Affect:
    """Where a category lies, derived from Russell & Mehrabian (1977).

    Args:
        category: one of `CATEGORIES`.
        strength: how far the point is from neutral, 1 as published; 0 is neutral.
        lift: added to arousal on the 1..7 scale; an emotion acted more strongly is more activated, a sad one too.

    Returns:
        The point, clipped to 1..7.

    Raises:
        KeyError: a category that is not in the table.
    """
    displacement = (published * (HIGHEST - NEUTRAL) for published in _RUSSELL_MEHRABIAN_1977[category])
    shifted = (NEUTRAL + strength * by + more for by, more in zip(displacement, (0.0, lift, 0.0), strict=True))
    return Affect(*(round(min(max(value, LOWEST), HIGHEST), 3) for value in shifted))


def unpredictability(category: str) -> float:
    """How little what is felt was foreseen, 1..7, derived from the category alone.

    Args:
        category: one of `CATEGORIES`.

    Raises:
        KeyError: a category that is not in the table.
    """
    return _UNPREDICTABILITY[category]
