"""Valence and arousal over a recording, drawn."""

from pathlib import Path
from typing import Any

import numpy as np

from emorank.affect import DIMENSIONS, HIGHEST, LOWEST
from emorank.index import Segments
from emorank.storage import written_whole

COLOURS = {"valence": "#0b7a75", "arousal": "#b3470b", "dominance": "#7a5c9e"}


def draw(segments: Segments, title: str, path: Path) -> None:
    """Draw the segments of one recording; the suffix of the path chooses the format (png, svg, pdf).

    Speech is a bar as long as it is; a thin line leads over what lies between.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    channels = sorted(set(segments.channels.tolist()))
    figure = Figure(figsize=(11, 3.6 * len(channels)), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    for axis, channel in zip(figure.subplots(len(channels), squeeze=False)[:, 0], channels, strict=True):
        own = segments.take(np.flatnonzero(segments.channels == channel).tolist())
        _draw_channel(axis, own, float(segments.end.max()))
        axis.set_title(f"{title}, channel {channel}" if channel else title, loc="left", fontsize=11)
    with written_whole(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lstrip(".").lower())


def _draw_channel(axis: Any, segments: Segments, seconds: float) -> None:
    unit = 60.0 if seconds >= 120 else 1.0
    start, end = segments.start / unit, segments.end / unit
    for name in [name for name in segments.dimensions if name != "dominance"] or segments.dimensions:
        values, colour = segments.places[:, DIMENSIONS.index(name)], COLOURS[name]
        course = np.stack([start, end], 1).reshape(-1)
        axis.plot(course, np.repeat(values, 2), color=colour, linewidth=0.7, alpha=0.45)
        axis.hlines(values, start, end, color=colour, linewidth=3, label=name)
    axis.axhline((LOWEST + HIGHEST) / 2, color="#cccccc", linewidth=0.8, zorder=0)
    axis.set(ylim=(LOWEST, HIGHEST), xlim=(0, seconds / unit), xlabel="minutes" if unit > 1 else "seconds")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, ncols=2, loc="upper right", bbox_to_anchor=(1, 1.14))
