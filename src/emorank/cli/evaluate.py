"""emorank evaluate: measures a model on an utterance table."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from emorank.cli.console import name_broken, print_json, progress, renamed_as
from emorank.cli.options import require
from emorank.errors import EmorankError

Test = Literal["ordinality", "alignment", "retrieval", "zero-shot"]
Captions = Literal["bank", "template", "clap4emo", "paraclap", "column"]


def evaluate(
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    model: str = "emorank-base",
    test: Annotated[list[Test], Parameter(consume_multiple=True, alias="--tests")] = ["ordinality"],  # noqa: B006
    split: str = "test",
    captions: Captions = "bank",
    lists: Path | None = None,
    prompts: Path | None = None,
    trials: int = 30,
    pairs: int = 5000,
    jobs: int | None = None,
    json: bool = False,
) -> None:
    """Measure a model on an utterance table.

    ordinality: 100 lists of 14 descriptions retrieve clips while valence (VOC) or arousal (AOC) rises; Kendall's tau-b
    between what was asked for and the labels of what came (paper section 4.2.2).
    alignment: how far apart the embeddings of utterances and of their captions lie (paper section 4.2.1).
    retrieval: utterances by their captions, and back; identical captions are one query.
    zero-shot: classification by descriptions of every category.

    Args:
        data: Utterance tables (.parquet or .csv) with path; ordinality and the bank's captions need valence and
            arousal, zero-shot needs emotion. Emotions other and "no agreement" are left out.
        model: A packaged model, a folder made by emorank train, or a hub id.
        test: What to measure.
        split: Which split of the table; a table without splits is taken whole.
        captions: The captions of alignment and retrieval: the bank's, those of a baseline, or the column caption.
        lists: Descriptions for ordinality, made by emorank caption --grid; the bank's if not given.
        prompts: Descriptions for zero-shot, a .yaml, .json, .toml or .csv file: category -> one or several, whose mean
            embedding stands for it.
        trials: Draws of the alignment test.
        pairs: Pairs in a draw, at most half of those there are.
        jobs: Threads of alignment and retrieval; as many as there are cores, up to 8.
        json: Print one JSON document, for zero-shot with the probabilities of every clip.
    """
    require(trials >= 2, "--trials", "at least 2", trials)
    require(pairs >= 2, "--pairs", "at least 2", pairs)
    require(jobs is None or jobs >= 1, "--jobs", "at least 1", jobs)
    for flag, given, needed in (("--lists", lists, "ordinality"), ("--prompts", prompts, "zero-shot")):
        if given is not None and needed not in test:
            raise EmorankError(f"{flag} goes with --test {needed}, not {' '.join(test)}.")
    from emorank.corpora import read_tables
    from emorank.evaluation.lists import lists_of_table, read_lists
    from emorank.evaluation.prompts import read_prompts

    described = None if prompts is None else read_prompts(prompts)
    own = None if lists is None else lists_of_table(read_lists(lists))
    table = read_tables(data)
    from emorank.evaluation.embedded import embed
    from emorank.evaluation.report import measure
    from emorank.model import EmotionRankCLAP

    with progress("listening") as bar:
        embedded = embed(EmotionRankCLAP.from_pretrained(model), table, split, bar)
    name_broken(embedded.broken)
    tests = list(dict.fromkeys(test))
    document = measure(embedded, tests, captions, own, described, trials, pairs, jobs or min(os.cpu_count() or 1, 8))
    if json:
        print_json(document)
        return
    _about(document["about"])
    for name in tests:
        print()
        _SHOW[name](document[name])


def _about(about: dict[str, Any]) -> None:
    speakers = f" of {about['speakers']} speakers" if about["speakers"] else ""
    where = f", split {about['split']}" if about["split"] else ""
    print(f"{about['clips']} clips{speakers}{where}. Labels: {about['label_source']}.")
    if about["no_agreement"]:
        print(f"{about['no_agreement']} clips of emotion other or without agreement are left out.")
    if about["renamed"]:
        print(renamed_as(about["renamed"]))


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
    queries = found["text_to_audio"]["queries"]
    print(
        f"Retrieval among {found['pairs']} utterances with {queries} different captions of style {found['captions']}; "
        "in brackets what a perfect ranking reaches:"
    )
    for key, name in (("text_to_audio", "utterances by caption"), ("audio_to_text", "captions by utterance")):
        row = found[key]
        precision = "" if row["map"] is None else f"  mAP by category {row['map']:.3f}"
        print(f"  {name}  {_recall(row, '')}  median rank {row['median_rank']:.0f}{precision}")
    print(f"  all of a caption's utterances  {_recall(found['text_to_audio'], 'item_')}")


def _recall(row: dict[str, Any], kind: str) -> str:
    recall, ceiling = row[f"{kind}recall"], row[f"{kind}ceiling"]
    return "  ".join(f"R@{k} {value:.3f} ({ceiling[k]:.3f})" for k, value in recall.items())


def _zero_shot(found: dict[str, Any]) -> None:
    print(f"Zero-shot: {found['clips']} clips, {len(found['recall'])} categories:")
    scores = f"UAR {found['uar']:.3f} (chance {found['chance']:.3f})  macro F1 {found['macro_f1']:.3f}"
    print(f"  {scores}  accuracy {found['accuracy']:.3f}")
    if found["left_out"]:
        names = ", ".join(f"{name} ({clips} clips)" for name, clips in found["left_out"].items())
        print(f"  left out for want of a description, see --prompts: {names}")
    if found["unlabelled"]:
        print(f"  left out without an emotion: {found['unlabelled']} clips")


_SHOW = {"ordinality": _ordinality, "alignment": _alignment, "retrieval": _retrieval, "zero-shot": _zero_shot}
