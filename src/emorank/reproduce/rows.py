"""The rows of table 2, each a file in configs/."""

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.training.config import TrainConfig


@dataclass(frozen=True)
class Row:
    """A row of the tables.

    Args:
        key: name of its file in configs/, without the suffix.
        name: as the paper calls it.
        ours: it is proposed, not a baseline.
        attributes: its captions come from valence and arousal, so it stands in table 1.
        category: its captions or its loss need the category of every utterance.
    """

    key: str
    name: str
    ours: bool = False
    attributes: bool = False
    category: bool = False


ROWS = (
    Row("clap_template", "CLAP-template", category=True),
    Row("clap4emo", "CLAP4emo", category=True),
    Row("paraclap", "ParaCLAP", category=True),
    Row("clap_sce_av", "CLAP-SCE (A-V)", attributes=True),
    Row("supconclap_av", "SupConCLAP (A-V)", attributes=True, category=True),
    Row("emotionrankclap", "EmotionRankCLAP", ours=True, attributes=True),
    Row("plane", "EmotionRankCLAP, plane captions", ours=True, attributes=True),
)


def row_of(key: str) -> Row:
    """A row by its key.

    Raises:
        EmorankError: there is no such row.
    """
    for row in ROWS:
        if row.key == key:
            return row
    raise EmorankError(f"There is no row {key!r}; the rows are {', '.join(row.key for row in ROWS)}.")


def config_of(row: Row, **changes: Any) -> "TrainConfig":
    """The config of a row, with some fields changed."""
    from emorank.training.config import read_config  # not needed to check the names of rows

    return dataclasses.replace(read_config(folder() / f"{row.key}.yaml"), **changes)


@lru_cache
def folder() -> Path:
    """configs/: inside an installed package, else beside src/ in a checkout."""
    installed = Path(__file__).parents[1] / "configs"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "configs"
