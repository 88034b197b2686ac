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

    figure = Figure(figsize=(11, 3.6), layout="constrained", dpi=150)
    FigureCanvasAgg(figure)
    axis: Any = figure.add_subplot()
    minutes = float(segments.end.max()) >= 120
    unit = 60.0 if minutes else 1.0
    start, end = segments.start / unit, segments.end / unit
    drawn = [name for name in segments.dimensions if name != "dominance"] or segments.dimensions
    for name in drawn:
        values, colour = segments.places[:, DIMENSIONS.index(name)], COLOURS[name]
        course = np.stack([start, end], 1).reshape(-1)
        axis.plot(course, np.repeat(values, 2), color=colour, linewidth=0.7, alpha=0.45)
        axis.hlines(values, start, end, color=colour, linewidth=3, label=name)
    axis.axhline((LOWEST + HIGHEST) / 2, color="#cccccc", linewidth=0.8, zorder=0)
    axis.set(ylim=(LOWEST, HIGHEST), xlim=(0, float(end.max())), xlabel="minutes" if minutes else "seconds")
    axis.set_title(title, loc="left", fontsize=11)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, ncols=2, loc="upper right", bbox_to_anchor=(1, 1.14))
    with written_whole(path) as temporary:
        figure.savefig(temporary, format=path.suffix.lstrip(".").lower())
