"""Rules on how descriptions are worded."""

import pytest

from emorank.captions.wording import negated, spoken


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("not angry", ("", "angry")),
        ("calm, not angry", ("calm", "angry")),
        ("calm but not bored", ("calm", "bored")),
        ("Loud and not angry.", ("Loud", "angry")),
        ("not very happy at all", ("", "happy")),
        ("not angry, fast", ("fast", "angry")),
        ("NOT ANGRY", ("", "ANGRY")),
        ("warm; not the shouting", ("warm", "shouting")),
        ("not only sad", None),
        ("not at ease", None),
        ("is not angry", None),
        ("not angry, not sad", None),
        ("not somebody whom you would want to meet at night", None),
        ("knotted, angry", None),
        ("not", None),
        ("not ...", None),
        ("angry", None),
        ("", None),
    ],
)
def test_what_is_not_wanted_is_taken_apart(text: str, parts: tuple[str, str] | None) -> None:
    assert negated(text) == parts


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("oh wow that's amazing", True),
        ("I can’t do this anymore", True),
        ("you have to call him back", True),
        ("how do I reset my password", True),
        ("where is the nearest station?", True),
        ("how dare you!", False),
        ("calm, so that you lean in", False),
        ("furious, shouting", False),
        ("she lets her sentences wander along", False),
        ("", False),
        ("!!!", False),
    ],
)
def test_what_reads_like_speech(text: str, yes: bool) -> None:
    assert spoken(text) is yes
