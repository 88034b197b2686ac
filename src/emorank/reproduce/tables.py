"""The two tables, and what else was measured, as Markdown and LaTeX."""

import math
from typing import Any

import numpy as np

from emorank.reproduce.summary import ALIGNMENT, HEADLINE, ORDINALITY, Cell, Score, summary

_NAMES: dict[Score, str] = {
    "voc": "VOC",
    "aoc": "AOC",
    "mmd_squared": "MMD² (biased)",
    "mmd_squared_unbiased": "MMD² (unbiased)",
    "w2_squared": "W₂²",
    "w1": "W₁",
    "sliced_w2_squared": "sliced W₂²",
}
_LATEX: dict[Score, str] = {
    "voc": "VOC (KT) $\\uparrow$",
    "aoc": "AOC (KT) $\\uparrow$",
    "mmd_squared": "MMD$^2$ $\\downarrow$",
    "w2_squared": "W$_2^2$ $\\downarrow$",
}


def markdown(results: dict[str, Any]) -> str:
    """Both tables with all rows, the comparisons behind the stars, retrieval and zero-shot."""
    first = next(iter(results["rows"].values()))["seeds"][0]
    count = len(next(iter(results["rows"].values()))["seeds"])
    parts = [
        f"{about_line(results)}\n",
        "## Table 1: alignment\n",
        f"{len(_trials(results))} trials of {_pairs(results)}; lower is closer. {_reading(count, 'trials')}\n",
        _table(results, ALIGNMENT),
        "## Table 2: ordinality\n",
        f"{len(first['ordinality']['voc']['taus'])} lists of 14 descriptions each, Kendall's tau-b; higher is better. "
        f"A retrieval that knows the labels gets VOC {first['ordinality']['oracle']['voc']:.3f}, AOC "
        f"{first['ordinality']['oracle']['aoc']:.3f}. {_reading(count, 'lists')}\n",
        _table(results, ORDINALITY),
        "## Comparisons\n",
        "Difference of the means, and p of the two-tailed paired t-test after Holm's correction, over the lists and "
        "over the seeds; of the exact sign-flip test where all differences are the same; n/a for one seed.\n",
        _comparisons(results),
        "## Retrieval and zero-shot classification\n",
        f"Means over the seeds. The {first['retrieval']['pairs']} utterances share "
        f"{first['retrieval']['text_to_audio']['queries']} captions (test part of the bank); identical ones are one "
        "query. R@k: share of the captions with one of their utterances among the first k; clips in 10: mean share of "
        "a caption's utterances among the first 10; median rank: of its first one; mAP: right is every utterance of a "
        "category that the caption's utterances have. UAR, macro F1: categories by a description each.\n",
        _others(results),
    ]
    return "\n".join(parts)


def latex(results: dict[str, Any]) -> str:
    """Both tables for a paper, booktabs."""
    return "\n".join(_latex_table(results, scores) for scores in (HEADLINE, ORDINALITY))


def about_line(results: dict[str, Any]) -> str:
    """What the numbers were measured on, in a sentence or two."""
    about, protocol = results["about"], results["protocol"]
    corpora = ", ".join(f"{name} {clips}" for name, clips in about["corpora"].items())
    speakers = f" of {about['speakers']} speakers" if about["speakers"] else ""
    labels = {
        "derived": "Labels are derived from categories, not rated by listeners.",
        "rated": "Labels are listeners' ratings.",
    }.get(about["label_source"], f"Source of the labels: {about['label_source']}.")
    rates = ", ".join(f"{rate:g}" for rate in protocol["learning_rates"])
    chosen = "chosen for every row on development speakers among " if len(protocol["learning_rates"]) > 1 else ""
    how = [
        f"{protocol['epochs']} epochs",
        f"batch {protocol['batch_size']}",
        f"dropout {protocol['dropout']:g}",
        f"learning rate {chosen}{rates}",
        *([f"recordings cropped or zero-padded to {protocol['window']:g} s"] if protocol["window"] else []),
        *(f"{name} {value}" for name, value in protocol["training"].items()),
    ]
    left_out = ", ".join(f"{count} {why}" for why, count in results["left_out"].items())
    return (
        f"{about['clips']} test clips{speakers}{f' ({corpora})' if corpora else ''}, none of them trained on. {labels} "
        f"Encoders: {protocol['audio_encoder']} and {protocol['text_encoder']}. {', '.join(how)}; "
        f"{protocol['seeds']} seeds.{f' Left out of the corpus: {left_out}.' if left_out else ''}"
    )


def _reading(seeds: int, units: str) -> str:
    return (
        f"Mean ± standard deviation over the {units} (averaged over {seeds} seeds; in brackets over the seeds). "
        f"* better than every baseline, two-tailed paired t-test over the {units}, Holm, p < 0.05."
    )


def _table(results: dict[str, Any], scores: tuple[Score, ...]) -> str:
    cells = {score: summary(results, score) for score in scores}
    rows = [key for key in results["rows"] if key in cells[scores[0]]]
    lines = [f"| | {' | '.join(_NAMES[score] for score in scores)} |", "|---" * (len(scores) + 1) + "|"]
    for key in rows:
        shown = " | ".join(_cell(cells[score][key]) for score in scores)
        lines.append(f"| {results['rows'][key]['name']} | {shown} |")
    return "\n".join(lines) + "\n"


def _cell(cell: Cell) -> str:
    digits = 3 if abs(cell.mean) >= 0.01 else 5
    star = "*" if cell.starred else ""
    return f"{cell.mean:.{digits}f}{star} ± {cell.units:.{digits}f} ({_number(cell.seeds, digits)})"


def _comparisons(results: dict[str, Any]) -> str:
    lines = ["| | against | VOC | p lists | p seeds | AOC | p lists | p seeds |", "|---" * 8 + "|"]
    cells = {score: summary(results, score) for score in ORDINALITY}
    for key in (key for key in ("emotionrankclap", "plane") if key in results["rows"]):
        for other in (other for other in results["rows"] if other != key):
            shown = []
            for score in ORDINALITY:
                lists, seeds = cells[score][key].against[other], cells[score][key].against_seeds[other]
                shown += [f"{lists.difference:+.3f}", _p(lists.p_corrected), _p(seeds.p_corrected)]
            names = (results["rows"][key]["name"], results["rows"][other]["name"])
            lines.append(f"| {' | '.join((*names, *shown))} |")
    return "\n".join(lines) + "\n"


def _others(results: dict[str, Any]) -> str:
    head = "| | R@1 | R@5 | R@10 | clips in 10 | median rank | mAP | UAR | macro F1 |"
    lines = [head, "|---" * head.count(" |") + "|"]
    for row in results["rows"].values():
        found = [seed["retrieval"]["text_to_audio"] for seed in row["seeds"]]
        zero = [seed.get("zero-shot", {}) for seed in row["seeds"]]
        values = [
            *(_mean([each["recall"][k] for each in found]) for k in ("1", "5", "10")),
            _mean([each["item_recall"]["10"] for each in found]),
            _mean([each["median_rank"] for each in found], 0),
            _mean([each["map"] for each in found]),
            *(_mean([each.get(score) for each in zero]) for score in ("uar", "macro_f1")),
        ]
        lines.append(f"| {row['name']} | {' | '.join(values)} |")
    best = [*(found[0]["ceiling"][k] for k in ("1", "5", "10")), found[0]["item_ceiling"]["10"]]
    lines.append(
        f"| *a perfect ranking* | {' | '.join(f'{value:.3f}' for value in best)} | 1 | 1.000 | 1.000 | 1.000 |"
    )
    return "\n".join(lines) + "\n"


def _mean(values: list[float | None], digits: int = 3) -> str:
    """Of what was measured; n/a where nothing was."""
    known = [value for value in values if value is not None]
    return _number(float(np.mean(known)) if known else math.nan, digits)


def _number(value: float, digits: int) -> str:
    return "n/a" if math.isnan(value) else f"{value:.{digits}f}"


def _p(value: float) -> str:
    """A p value; it is never 0, and n/a where there is no test."""
    return "n/a" if math.isnan(value) else "< 1e-99" if value < 1e-99 else f"{value:.2g}"


def _latex_table(results: dict[str, Any], scores: tuple[Score, ...]) -> str:
    cells = {score: summary(results, score) for score in scores}
    body = []
    for key in (key for key in results["rows"] if key in cells[scores[0]]):
        shown = [_latex_cell(cells[score][key]) for score in scores]
        body.append(f"{results['rows'][key]['name']} & {' & '.join(shown)} \\\\")
    head = " & ".join(["Method", *(_LATEX[score] for score in scores)])
    labels = results["about"]["label_source"]
    note = f"% labels: {labels}; data {results['about']['data']}; emorank {results['about']['versions']['emorank']}"
    lines = [note, f"\\begin{{tabular}}{{l{'c' * len(scores)}}}", "\\toprule", f"{head} \\\\", "\\midrule", *body]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def _latex_cell(cell: Cell) -> str:
    star = "^{*}" if cell.starred else ""
    return f"${cell.mean:.3f} \\pm {cell.units:.3f}{star}$"


def _alignments(results: dict[str, Any]) -> list[dict[str, Any]]:
    return [row["seeds"][0]["alignment"] for row in results["rows"].values() if "alignment" in row["seeds"][0]]


def _trials(results: dict[str, Any]) -> list[Any]:
    found = _alignments(results)
    return found[0]["trials"] if found else []


def _pairs(results: dict[str, Any]) -> str:
    found = _alignments(results)
    if not found:
        return "no pairs"
    pairs, available = found[0]["pairs"], found[0]["available"]
    fewer = " (the paper's are 5,000; the corpus has fewer)" if pairs < 5000 else ""
    return f"{pairs} of {available} test pairs{fewer}"
