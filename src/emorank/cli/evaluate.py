"""emorank evaluate: measures a model on an utterance table."""

from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from emorank.cli.console import name_broken, print_json, progress

Test = Literal["ordinality", "alignment", "retrieval", "zero-shot"]
Captions = Literal["bank", "template", "clap4emo", "paraclap", "column"]


def evaluate(
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    model: str = "emorank-base",
    test: Annotated[list[Test], Parameter(consume_multiple=True)] = ["ordinality"],  # noqa: B006
    split: str = "test",
    captions: Captions = "bank",
    lists: Path | None = None,
    json: bool = False,
) -> None:
    """Measure a model on an utterance table.

    ordinality: 100 lists of 14 descriptions retrieve clips while valence (VOC) or arousal (AOC) rises; Kendall's tau-b
    between what was asked for and the labels of what came (paper section 4.2.2).
    alignment: how far apart the embeddings of utterances and of their captions lie (paper section 4.2.1).
    retrieval: utterances by their captions, and back.
    zero-shot: classification by a description of every category.

    Args:
        data: Utterance tables (.parquet or .csv) with path, valence, arousal; for zero-shot also emotion.
        model: A packaged model, a folder made by emorank train, or a hub id.
        test: What to measure.
        split: Which split of the table; a table without splits is taken whole.
        captions: The captions of alignment and retrieval: the bank's, those of a baseline, or the column caption.
        lists: Descriptions for ordinality, made by emorank caption --grid; the bank's if not given.
        json: Print one JSON document.
    """
    from emorank.corpora import read_tables
    from emorank.evaluation.lists import lists_of_table, read_lists
    from emorank.evaluation.report import listen, measure
    from emorank.model import EmotionRankCLAP

    own = None if lists is None else lists_of_table(read_lists(lists))
    with progress("listening") as bar:
        measured = listen(EmotionRankCLAP.from_pretrained(model), read_tables(data), split, bar)
    name_broken(measured.broken)
    document = measure(measured, test, captions, own)
    if json:
        print_json(document)
        return
    about = document["about"]
    speakers = f" of {about['speakers']} speakers" if about["speakers"] else ""
    where = f", split {about['split']}" if about["split"] else ""
    print(f"{about['clips']} clips{speakers}{where}. Labels: {about['label_source']}.")
    for name in test:
        print()
        _SHOW[name](document[name])


def _ordinality(found: dict[str, Any]) -> None:
    print(f"Ordinality: {found['lists']} lists of 14 descriptions; Kendall's tau-b, mean ± standard deviation:")
    for name in ("voc", "aoc"):
        row = found[name]
        print(f"  {name.upper()} {row['mean']:.3f} ± {row['std']:.3f}   (oracle {found['oracle'][name]:.3f})")


def _alignment(found: dict[str, Any]) -> None:
    trials = f"{len(found['trials'])} trials of {found['pairs']} pairs out of {found['available']}"
    print(
        f"Alignment with captions of style {found['captions']}: {trials}; mean ± standard deviation, lower is closer:"
    )
    names = {
        "mmd_squared": "squared MMD (biased)",
        "mmd_squared_unbiased": "squared MMD (unbiased)",
        "w2_squared": "squared W2",
        "w1": "W1",
        "sliced_w2_squared": "squared sliced W2",
    }
    for key, name in names.items():
        print(f"  {name:23} {found[key]['mean']:.4f} ± {found[key]['std']:.4f}")


def _retrieval(found: dict[str, Any]) -> None:
    print(f"Retrieval among {found['pairs']} pairs, captions of style {found['captions']}:")
    for key, name in (("text_to_audio", "utterance by caption"), ("audio_to_text", "caption by utterance")):
        row = found[key]
        recall = "  ".join(f"R@{k} {value:.3f}" for k, value in row["recall"].items())
        precision = "" if row["map"] is None else f"  mAP by category {row['map']:.3f}"
        print(f"  {name}  {recall}  median rank {row['median_rank']:.0f}{precision}")


def _zero_shot(found: dict[str, Any]) -> None:
    print(f"Zero-shot: {found['clips']} clips, {len(found['recall'])} categories:")
    scores = f"UAR {found['uar']:.3f} (chance {found['chance']:.3f})  macro F1 {found['macro_f1']:.3f}"
    print(f"  {scores}  accuracy {found['accuracy']:.3f}")


_SHOW = {"ordinality": _ordinality, "alignment": _alignment, "retrieval": _retrieval, "zero-shot": _zero_shot}
