"""Writes the tables and plots of finished results."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from emorank.captions import paired
from emorank.evaluation.embedded import embed
from emorank.model import EmotionRankCLAP
from emorank.reproduce.plots import plot_curves, plot_retrieved, plot_spaces
from emorank.reproduce.protocol import Protocol
from emorank.reproduce.rows import row_of
from emorank.reproduce.tables import latex, markdown
from emorank.storage import written_whole
from emorank.training.loop import untrained
from emorank.training.prepare import prepare

_SHOWN = 600  # points of a modality in the plot of the spaces


def write_report(results: dict[str, Any], table: pl.DataFrame, out: Path, protocol: Protocol) -> None:
    """tables.md, tables.tex and three plots beside results.json.

    Args:
        results: what `reproduce` returned.
        table: the utterances that it was made with, of `Inputs`.
        out: its folder.
        protocol: its protocol.
    """
    for name, text in (("tables.md", markdown(results)), ("tables.tex", latex(results))):
        with written_whole(out / name) as path:
            path.write_text(text, "utf8")
    plot_retrieved(results, out / "retrieved.png")
    plot_curves(results, out / "curves.png")
    keys = [key for key in ("clap_sce_av", "emotionrankclap", "plane") if key in results["rows"]]
    if keys:
        _plot_spaces(results, table, out, protocol, keys)


def _plot_spaces(results: dict[str, Any], table: pl.DataFrame, out: Path, protocol: Protocol, keys: list[str]) -> None:
    """Before training and after it, of the first seed."""
    models = {}
    for key in keys:
        rate = results["rows"][key]["learning_rate"]
        folder = out / "runs" / key / f"lr{rate:g}-seed0"
        models[results["rows"][key]["name"]] = EmotionRankCLAP.from_pretrained(folder)
    config = protocol.config(row_of(keys[0]), 1.0, 0)
    models = {"before training": untrained(prepare(table, config, window=protocol.window).train, config), **models}
    spaces = {}
    for name, model in models.items():
        embedded = embed(model, table, "test", window=protocol.window)
        audio, points = embedded.labelled()
        chosen = np.random.default_rng(0).permutation(len(audio))[:_SHOWN]
        captions = [caption or "" for caption in paired(embedded.table[chosen], "bank")]
        spaces[name] = (audio[chosen], embedded.text(captions))
        valence = points[chosen, 0]
    plot_spaces(spaces, valence, out / "spaces.png")
