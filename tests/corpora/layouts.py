"""Tiny corpora in their official layouts."""

from pathlib import Path

import soundfile

from emorank.corpora import CorpusScan
from tests.conftest import voice

CLIP = voice(0.05)


def clip(path: Path) -> Path:
    """A recording of 0.05 s; the suffix chooses the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    opus = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
    soundfile.write(path, CLIP, 16_000, **opus)
    return path


def reasons(scan: CorpusScan) -> dict[str, str]:
    """Name of what was left out -> why."""
    return {Path(left.path).name: left.reason for left in scan.left_out}


def rows(scan: CorpusScan) -> dict[str, dict]:
    """Stem of a recording -> its row."""
    return {Path(row["path"]).stem: row for row in scan.table.iter_rows(named=True)}
