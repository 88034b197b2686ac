import pytest

from emorank.corpora.split import _DEVELOPMENT, _TEST, split_of


def test_the_split_never_changes() -> None:
    """Results of different versions are comparable only as long as this holds; do not edit it to make it pass."""
    assert _TEST["ravdess"] == {"21", "22", "23", "24"}
    assert _DEVELOPMENT["ravdess"] == {"17", "18", "19", "20"}
    assert (_TEST["emodb"], _DEVELOPMENT["emodb"]) == ({"15", "16"}, {"14"})
    assert (_TEST["nemo"], _DEVELOPMENT["nemo"]) == ({"EB0", "IC0"}, {"KD0"})


@pytest.mark.parametrize("corpus", sorted(_TEST))
def test_no_speaker_is_in_two_parts(corpus: str) -> None:
    assert not _TEST[corpus] & _DEVELOPMENT[corpus]
    assert {split_of(corpus, speaker) for speaker in _TEST[corpus]} == {"test"}
    assert {split_of(corpus, speaker) for speaker in _DEVELOPMENT[corpus]} == {"development"}
    assert split_of(corpus, "someone") == "train"
