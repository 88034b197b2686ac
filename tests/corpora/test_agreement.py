"""Utterances that listeners did not agree on, by one rule for all corpora."""

from pathlib import Path

import polars as pl

from emorank.corpora import read_corpus
from emorank.corpora.agreement import with_agreement, with_categories
from tests.corpora.test_crema_d import corpus as crema_d
from tests.corpora.test_msp_podcast import corpus as msp_podcast


def emotions(*names: str | None) -> pl.DataFrame:
    return pl.DataFrame({"path": [f"{i}.wav" for i in range(len(names))], "emotion": pl.Series(names, dtype=pl.String)})


def test_the_two_classes_go_and_everything_else_stays() -> None:
    table = emotions("anger", "other", "pride", None, "no agreement", "No_Agreement", "Other ", "xxx", "another")
    kept, left_out = with_agreement(table)
    assert (kept["emotion"].to_list(), left_out) == (["anger", "pride", None, "another"], 5)


def test_as_the_readers_of_corpora_write_them(tmp_path: Path) -> None:
    msp_podcast(tmp_path / "msp", [f"{letter}.wav,{letter},4,4,4,1,Male,Train" for letter in "AOXN"])
    kept, left_out = with_agreement(read_corpus("msp-podcast", tmp_path / "msp"))
    assert (sorted(kept["emotion"]), left_out) == (["anger", "neutral"], 2)
    crema_d(tmp_path / "crema", {"1001_IEO_ANG_MD": ("A:N", "50:60"), "1001_IEO_ANG_HI": ("A", "39")})
    kept, left_out = with_agreement(read_corpus("crema-d", tmp_path / "crema"))
    assert (kept["emotion"].to_list(), left_out) == (["anger"], 1)


def test_tables_without_emotions_pass() -> None:
    for table in (emotions().drop("emotion"), emotions(None, None), emotions()):
        kept, left_out = with_agreement(table)
        assert kept.equals(table)
        assert left_out == 0
        assert with_categories(table)[0].equals(table)


def test_synonyms_get_the_name_of_their_category() -> None:
    table, renamed = with_categories(emotions("Happy", "anger", None, "sad", "Pride", "happy"))
    assert table["emotion"].to_list() == ["happiness", "anger", None, "sadness", "pride", "happiness"]
    assert renamed == {"Happy": "happiness", "Pride": "pride", "happy": "happiness", "sad": "sadness"}
