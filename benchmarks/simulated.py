"""Do the paper's orderings hold where labels are what the paper had? The tables' rows on a simulated MSP-Podcast.

Nobody speaks in it, see `emorank.reproduce.simulated`. The noise of one rater is swept, and how much the category tells
of the place, each with the other one at its default; rows, tests and choices are those of `emorank reproduce`, without
ParaCLAP, which measures sound. A run that is killed goes on where it was when the same command is given again; picture
and table, in OUT, show what is finished.

    .venv/bin/python benchmarks/simulated.py --out OUT                         # at the paper's size: days on two cores
    .venv/bin/python benchmarks/simulated.py --out OUT --utterances 9000       # a tenth of it

`--noise 0.5 1 --telling 0.1 0.9 --seeds 3 --rates 0.0005 --jobs 1` are the sweep, and what to save time by.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from emorank.reproduce.plots import COLOURS
from emorank.reproduce.protocol import Protocol
from emorank.reproduce.rows import ROWS
from emorank.reproduce.run import train_and_test
from emorank.reproduce.simulated import ENCODER, FULL, World
from emorank.reproduce.summary import ORDINALITY, summary
from emorank.storage import written_whole

TESTED = {row: ("ordinality",) for row in ROWS if row.key != "paraclap"}
Done = dict[World, dict[str, Any]]  # what is finished -> its results


def worlds(noises: list[float], tellings: list[float], utterances: int) -> list[World]:
    """The middle first, then what differs in one thing alone."""
    middle = World(utterances=utterances)
    swept = [World(middle.noise, telling, utterances) for telling in tellings]
    swept += [World(noise, middle.telling, utterances) for noise in noises]
    return list(dict.fromkeys([middle, *swept]))


def table(done: Done) -> str:
    """VOC / AOC of every row in every world, and the paper's row against the best baseline and against SupCon."""
    names = [row.name for row in TESTED]
    lines = [f"| noise of a rater | category tells | {' | '.join(names)} | EmotionRankCLAP - SupCon |"]
    lines.append("|---" * (len(names) + 3) + "|")
    for world, results in done.items():
        voc, aoc = (summary(results, score) for score in ORDINALITY)
        cells = [f"{voc[row.key].mean:.3f} / {aoc[row.key].mean:.3f}" for row in TESTED]
        against = [each["emotionrankclap"].against["supconclap_av"] for each in (voc, aoc)]
        shown = " / ".join(f"{c.difference:+.3f}{'*' if c.significant else ''}" for c in against)
        lines.append(f"| {world.noise:g} | {world.telling:g} | {' | '.join(cells)} | {shown} |")
    return "\n".join(lines) + "\n"


def _along(done: Done, name: str, fixed: str) -> list[World]:
    """What is finished and differs from the middle in one thing alone, in its order."""
    middle = next(iter(done))
    return sorted((w for w in done if getattr(w, fixed) == getattr(middle, fixed)), key=lambda w: getattr(w, name))


def draw(done: Done, path: Path, seeds: int) -> None:
    """VOC and AOC of every row against the noise and against how much the category tells."""
    from matplotlib.figure import Figure

    middle = next(iter(done))
    swept = {
        "standard deviation of one rater, points of the scale": ("noise", "telling"),
        "share of the places' variance between categories": ("telling", "noise"),
    }
    lines = {label: _along(done, *names) for label, names in swept.items()}
    lines = {label: worlds for label, worlds in lines.items() if len(worlds) > 1} or lines
    figure = Figure(figsize=(4.75 * len(lines), 7.6), dpi=120)
    panels = figure.subplots(2, len(lines), sharey="row", sharex="col", squeeze=False)
    for panel, score in zip(panels, ORDINALITY, strict=True):
        for axis, (label, shown) in zip(panel, lines.items(), strict=True):
            places = [getattr(world, swept[label][0]) for world in shown]
            cells = [summary(done[world], score) for world in shown]
            for colour, row in zip(COLOURS, ROWS, strict=True):
                if row in TESTED:
                    means, spread = ([getattr(cell[row.key], of) for cell in cells] for of in ("mean", "seeds"))
                    axis.errorbar(places, means, np.nan_to_num(spread), marker="o", ms=4, color=colour, label=row.name)
            axis.spines[["top", "right"]].set_visible(False)
        panel[0].set_ylabel(score.upper())
    for axis, label in zip(panels[1], lines, strict=True):
        axis.set_xlabel(label)
    size = f"{middle.utterances:,} of {FULL['train']:,} utterances"
    figure.suptitle(f"Simulated MSP-Podcast, {size}, {seeds} seeds", fontsize=11)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="lower center", ncols=2, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0.09, 1, 1))
    with written_whole(path) as temporary:
        figure.savefig(temporary, format="png")


def main() -> None:
    """Train and test all rows in all worlds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for models, results, table and picture")
    parser.add_argument("--utterances", type=int, default=FULL["train"], help="in training; other splits in proportion")
    parser.add_argument("--noise", type=float, nargs="*", default=[0.25, 0.5, 1.0, 2.0], help="of one rater")
    parser.add_argument("--telling", type=float, nargs="*", default=[0.0, 0.2, 0.4, 0.7, 0.95], help="of the category")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rates", type=float, nargs="+", default=Protocol().learning_rates, help="to choose from")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--jobs", type=int, default=2, help="trainings side by side, a core each")
    options = parser.parse_args()
    protocol = Protocol(ENCODER, seeds=options.seeds, learning_rates=tuple(options.rates), epochs=options.epochs)
    done: Done = {}
    for world in worlds(options.noise, options.telling, options.utterances):
        name = f"noise{world.noise:g}-telling{world.telling:g}"

        def trained(count: int, total: int, row: str, name: str = name) -> None:
            print(f"{name}: {count} of {total} trainings: {row}", flush=True)

        done[world] = train_and_test(world, options.out / name, protocol, TESTED, options.jobs, trained)
        with written_whole(options.out / "simulated.md") as path:
            path.write_text(table(done), "utf8")
        draw(done, options.out / "simulated.png", options.seeds)
    print(table(done))


if __name__ == "__main__":
    main()
