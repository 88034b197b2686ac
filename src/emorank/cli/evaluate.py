"""emorank evaluate: measures a model on an utterance table."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from emorank.cli.console import name_broken, print_json, progress


def evaluate(
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    model: str = "emorank-base",
    test: Annotated[list[Literal["ordinality"]], Parameter(consume_multiple=True)] = ["ordinality"],  # noqa: B006
    split: str = "test",
    json: bool = False,
) -> None:
    """Measure a model on an utterance table.

    ordinality: 100 lists of 14 descriptions retrieve clips while valence (VOC) or arousal (AOC) rises; Kendall's tau-b
    between what was asked for and the labels of what came (paper section 4.2.2).

    Args:
        data: Utterance tables (.parquet or .csv) with path, valence, arousal.
        model: A packaged model, a folder made by emorank train, or a hub id.
        test: What to measure.
        split: Which split of the table; a table without splits is taken whole.
        json: Print one JSON document.
    """
    from emorank.corpora import read_tables
    from emorank.measure import measure_ordinality
    from emorank.model import EmotionRankCLAP

    with progress("listening") as bar:
        report, broken = measure_ordinality(EmotionRankCLAP.from_pretrained(model), read_tables(data), split, bar)
    name_broken(broken)
    if json:
        print_json({"ordinality": report.as_dict()})
        return
    speakers = f" of {report.speakers} speakers" if report.speakers else ""
    where = f", split {report.split}" if report.split else ""
    print(f"Ordinality test: {report.lists} lists of 14 descriptions, {report.clips} clips{speakers}{where}.")
    print(f"Labels: {report.label_source}. Kendall's tau-b, mean ± standard deviation over the lists:")
    print(f"  VOC {report.voc['mean']:.3f} ± {report.voc['std']:.3f}   (oracle {report.oracle['voc']:.3f})")
    print(f"  AOC {report.aoc['mean']:.3f} ± {report.aoc['std']:.3f}   (oracle {report.oracle['aoc']:.3f})")
