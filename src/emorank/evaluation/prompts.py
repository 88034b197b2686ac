"""Descriptions of categories for zero-shot classification: ours, or a user's own from a file."""

import csv
import io
import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from emorank.affect import category_of
from emorank.errors import EmorankError

#: How a voice of each category is described to the model.
PROMPTS = {
    "anger": ["an angry voice"],
    "boredom": ["a bored voice"],
    "calm": ["a calm voice"],
    "contempt": ["a contemptuous voice"],
    "disgust": ["a disgusted voice"],
    "fear": ["a fearful voice"],
    "happiness": ["a happy voice"],
    "neutral": ["a neutral voice"],
    "sadness": ["a sad voice"],
    "surprise": ["a surprised voice"],
}


def read_prompts(path: Path) -> dict[str, list[str]]:
    """Category -> its descriptions, as `emorank.affect.category_of` writes the category.

    Args:
        path: a .yaml, .json or .toml file that maps categories to a description or a list of them, or a .csv file with
            the columns category and description, one description a row.

    Raises:
        EmorankError: the file cannot be read, or it is not of that form.
    """
    read = _READERS.get(path.suffix.lower())
    if read is None:
        raise EmorankError(f"{path}: prompts are a .yaml, .json, .toml or .csv file.")
    try:
        found = read(path.read_text("utf-8-sig"))
    except (OSError, ValueError, csv.Error) as error:  # ValueError: what is no JSON, TOML, YAML, UTF-8
        raise EmorankError(f"{path}: the prompts cannot be read ({' '.join(str(error).split())}).") from error
    if not isinstance(found, Mapping):
        raise EmorankError(f"{path}: prompts map every category to a description or a list of them.")
    prompts: dict[str, list[str]] = {}
    for category, given in found.items():
        texts = given if isinstance(given, list) else [given]
        if not texts or not all(isinstance(text, str) and text.strip() for text in (category, *texts)):
            raise EmorankError(f"{path}: category {category!r} needs a description or a list of them, as text.")
        prompts.setdefault(category_of(category), []).extend(texts)
    if len(prompts) < 2:
        raise EmorankError(f"{path}: prompts for at least two categories are needed; it has {len(prompts)}.")
    return prompts


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(error) from error


def _csv(text: str) -> dict[str, list[str]]:
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    if not rows or not {"category", "description"} <= rows[0].keys():
        raise ValueError("it needs the columns category and description, separated by commas, and a row")
    prompts: dict[str, list[str]] = {}
    for row in rows:
        prompts.setdefault(row["category"], []).append(row["description"])
    return prompts


_READERS: dict[str, Callable[[str], Any]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".csv": _csv,
}
