"""A user's own descriptions of categories, from every kind of file."""

import json
from pathlib import Path

import pytest

from emorank.affect import CATEGORIES
from emorank.errors import EmorankError
from emorank.evaluation.prompts import PROMPTS, read_prompts

WANTED = {"happiness": ["a beaming voice", "laughing, bright"], "pride": ["chest out, head high"]}


def test_every_category_has_a_prompt() -> None:
    assert set(PROMPTS) == set(CATEGORIES)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.json", json.dumps({"Happy": WANTED["happiness"], "pride": WANTED["pride"][0]})),
        ("p.yaml", "Happy:\n- a beaming voice\n- laughing, bright\npride: chest out, head high\n"),
        ("p.yml", "happy: [a beaming voice]\nhappiness: ['laughing, bright']\nPride: chest out, head high\n"),
        ("p.toml", 'happy = ["a beaming voice", "laughing, bright"]\npride = "chest out, head high"\n'),
        (
            "p.csv",
            "\ufeffdescription,category\r\na beaming voice,happy\r\n"
            '"chest out, head high",pride\r\n"laughing, bright",joy',
        ),
    ],
)
def test_one_or_several_descriptions_a_category_from_any_file(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf8")
    assert read_prompts(tmp_path / name) == WANTED


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("p.txt", "", "are a .yaml, .json, .toml or .csv file"),
        ("gone.json", None, "cannot be read"),
        ("p.json", "{", "cannot be read"),
        ("p.yaml", "{", "cannot be read"),
        ("p.toml", "= 1", "cannot be read"),
        ("p.csv", "a,b\n1,2\n", "needs the columns category and description"),
        ("p.csv", "", "needs the columns category and description"),
        ("p.csv", "category,description\nanger\nfear,b\n", "'anger' needs a description"),
        ("p.json", '["anger", "fear"]', "map every category"),
        ("p.json", '{"anger": [], "fear": "x"}', "'anger' needs a description"),
        ("p.json", '{"anger": 3, "fear": "x"}', "'anger' needs a description"),
        ("p.yaml", "no: x\nfear: y\n", "False needs a description"),
        ("p.json", '{"anger": " ", "fear": "x"}', "'anger' needs a description"),
        ("p.json", '{"anger": "a", "angry": "b"}', "at least two categories are needed; it has 1"),
        ("p.json", b"\xff\xfe{", "cannot be read"),
    ],
)
def test_what_is_none_is_named(tmp_path: Path, name: str, text: str | bytes | None, sentence: str) -> None:
    if text is not None:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(EmorankError, match=sentence):
        read_prompts(tmp_path / name)
