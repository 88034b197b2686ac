"""Moments that hardly anybody speaks in are said to be such, and nothing is said where nobody knows."""

import pytest

from emorank.listening.caution import LITTLE, NOBODY, caution, clip_caution


@pytest.mark.parametrize(
    ("speech", "said"),
    [
        *((0.0, "no speech heard"), (NOBODY - 0.001, "no speech heard")),
        *((NOBODY, "0.3 s of speech"), (0.416, "0.4 s of speech")),
        *((LITTLE, None), (7.0, None), (None, None)),
    ],
)
def test_what_is_said(speech: float | None, said: str | None) -> None:
    assert caution(speech) == said


def test_a_clip_is_named() -> None:
    assert clip_caution("a.wav", 0.0) == "a.wav: no speech heard; what it finds may mean nothing."
    assert clip_caution("a.wav", 2.0) is None
