"""Draws docs/plane.png: where emorank-base puts the recordings of the RAVDESS test actors, and what three queries find.

.venv/bin/python benchmarks/plane.py RAVDESS_FOLDER
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from emorank import EmotionRankCLAP, read_corpus
from emorank.encoders import audio_encoder
from emorank.listening.store import features as features_of

COLOURS = {
    "anger": "#c0392b",
    "disgust": "#7f6000",
    "fear": "#6c3483",
    "sadness": "#2e5c8a",
    "neutral": "#888888",
    "calm": "#2e8b7a",
    "happiness": "#e0a100",
    "surprise": "#e67e22",
}
QUERIES = ("furious, shouting", "sleepy, calm, soft voice", "joyful, laughing, excited")


def main() -> None:
    """Write the picture."""
    model = EmotionRankCLAP.from_pretrained("emorank-base")
    table = read_corpus("ravdess", sys.argv[1]).filter(split="test")
    features, _ = features_of(table["path"].to_list(), audio_encoder(model.config.audio_encoder))
    embeddings = model.audio(features)
    points = model.locate(embeddings)
    similarity = model.similarity(embeddings, model.encode_text(QUERIES))
    emotions = table["emotion"].to_numpy()
    figure, panels = plt.subplots(1, len(QUERIES), figsize=(13, 4.6), sharex=True, sharey=True)
    for panel, query, scores in zip(panels, QUERIES, similarity.T, strict=True):
        best = np.argsort(-scores)[:10]
        for name, colour in COLOURS.items():
            chosen = emotions == name
            panel.scatter(*points[chosen, :2].T, s=14, color=colour, alpha=0.55, linewidths=0, label=name)
        panel.scatter(*points[best, :2].T, s=90, facecolors="none", edgecolors="black", linewidths=1.3)
        panel.set_title(f"“{query}”", fontsize=12)
        panel.set_xlabel("valence")
        panel.set(xlim=(1, 7), ylim=(1, 7), xticks=range(1, 8), yticks=range(1, 8))
        panel.axhline(4, color="#dddddd", zorder=0)
        panel.axvline(4, color="#dddddd", zorder=0)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("arousal")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, ncols=len(names), loc="lower center", frameon=False, markerscale=1.8)
    figure.tight_layout(rect=(0, 0.07, 1, 1))
    figure.savefig(Path(__file__).parents[1] / "docs" / "plane.png", dpi=110)


if __name__ == "__main__":
    main()
