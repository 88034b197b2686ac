"""emorank caption: descriptions for the utterances of a table, or for the ordinality test."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from emorank.captions.llm.manners import Manners
from emorank.captions.points import Per
from emorank.cli.console import progress, say
from emorank.errors import EmorankError

Style = Literal["bank", "template", "clap4emo", "paraclap"]

if TYPE_CHECKING:
    import polars as pl

    from emorank.captions.fault import Runs
    from emorank.captions.llm.plan import Plan
    from emorank.captions.llm.prompt import Point


@dataclass(frozen=True)
class Model:
    """Whom to ask, and how."""

    url: str
    name: str
    manners: Manners
    only_plan: bool


def caption(
    table: Path | None = None,
    /,
    *,
    out: Path | None = None,
    style: Style = "bank",
    llm: str | None = None,
    model: str | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    per: Per = "point",
    captions: int = 4,
    step: float | None = None,
    dominance: Annotated[bool, Parameter(negative="")] = False,
    gender: Annotated[bool, Parameter(negative="")] = False,
    grid: Annotated[bool, Parameter(negative="")] = False,
    lists: int = 100,
    report: Path | None = None,
    seed: int = 0,
    manners: Annotated[Manners | None, Parameter(name="*")] = None,
) -> None:
    """Describe the utterances of a table, from the bank, by a baseline's way or by a language model.

    A key for the server is taken from $EMORANK_LLM_KEY or $OPENAI_API_KEY. Nothing but valence and arousal (and, when
    asked for, dominance and gender) is sent. Accepted answers are kept at once: after a stop the same command goes on.

    Args:
        table: An utterance table (.parquet or .csv).
        out: Where the captioned table goes, .parquet or .csv.
        style: Without --llm: bank, or the captions of a baseline.
        llm: Base address of a server with OpenAI's API, such as http://localhost:8000/v1.
        model: Name that the server knows the model by.
        dry_run: Print prompt, calls, tokens and cost; send and write nothing.
        per: One set of captions per point of the plane, or one caption per utterance.
        captions: How many captions a point gets.
        step: Labels are rounded to multiples of it; 0.5 per point and 0.1 per utterance if not given.
        dominance: Let captions fit the column dominance too.
        gender: Let captions fit the column gender too.
        grid: No table: the lists of descriptions for the ordinality test.
        lists: How many lists of each kind.
        report: Picture of the captions' quality (.png, .svg or .pdf); the numbers are printed.
        seed: Of all draws.
        manners: How a server is asked.
    """
    asked = _model(llm, model, manners or Manners(), dry_run)
    _check(table, out, grid, dry_run, report, captions, lists, step)
    if grid:
        described = _grid(asked, lists)
    else:
        assert table is not None
        described = _table(table, asked, style, per, captions, step, dominance, gender, seed)
    if described is None or out is None:
        return
    from emorank.corpora import write_table

    write_table(described, out)
    without = described["caption"].null_count()
    say(f"{len(described)} rows written to {out}" + (f", {without} of them without a caption." if without else "."))
    if report is not None:
        _report(described, report, asked is None or asked.manners.english, seed)


def _model(llm: str | None, model: str | None, manners: Manners, dry_run: bool) -> Model | None:
    if llm is None:
        if model is not None or dry_run:
            raise EmorankError("--model and --dry-run go with --llm, the base address of a server.")
        return None
    if not model:
        raise EmorankError("--llm needs --model, the name that the server knows the model by.")
    from emorank.captions.llm.address import is_here, shown

    address = shown(llm)
    if address.startswith("http://") and not is_here(llm):
        say(f"{address} is not encrypted: a key and the prompts can be read on the way.")
    return Model(llm, model, manners, dry_run)


def _check(
    table: Path | None,
    out: Path | None,
    grid: bool,
    dry_run: bool,
    report: Path | None,
    captions: int,
    lists: int,
    step: float | None,
) -> None:
    """Find mistakes before anything is paid for."""
    if grid == (table is not None):
        raise EmorankError("Give either an utterance table or --grid.")
    if out is None and not dry_run:
        raise EmorankError("--out is missing: where the captions go, a .parquet or .csv file.")
    if out is not None and out.suffix.lower() not in (".parquet", ".csv"):
        raise EmorankError(f"{out}: a table is a .parquet or .csv file.")
    if report is not None and report.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise EmorankError(f"{report}: a picture is a .png, .svg or .pdf file.")
    if captions < 1 or lists < 2 or (step is not None and not 0.01 <= step <= 3):
        raise EmorankError("--captions is at least 1, --lists at least 2, --step 0.01 to 3.")


def _table(
    source: Path,
    asked: Model | None,
    style: Style,
    per: Per,
    count: int,
    step: float | None,
    dominance: bool,
    gender: bool,
    seed: int,
) -> "pl.DataFrame | None":
    import polars as pl

    from emorank.captions import paired
    from emorank.captions.llm.prompt import VERSION
    from emorank.captions.points import give_out, parts_of, points_of, said, wanted
    from emorank.corpora import read_table

    table = read_table(source)
    if "caption" in table.columns and table["caption"].null_count() < len(table):
        say("The table's captions are replaced.")
    if asked is None:
        if style == "bank":
            points_of(table, None, dominance, gender)  # names the columns that are missing
        with progress("listening") as bar:
            texts = paired(table.with_columns(split=pl.Series(parts_of(table))), style, bar, seed, dominance, gender)
        return _captioned(table, texts, style)
    points = points_of(table, step or (0.5 if per == "point" else 0.1), dominance, gender)
    parts = parts_of(table)
    found = _ask(asked, wanted(points, parts, per, count), said(points, table))
    if found is None:
        return None
    own = give_out(points, parts, found, per, count, seed)
    done = _captioned(table, own, f"llm:{asked.name}")
    return done.with_columns(pl.when(pl.col("caption").is_not_null()).then(pl.lit(VERSION)).alias("caption_prompt"))


def _captioned(table: "pl.DataFrame", texts: list[str | None], source: str) -> "pl.DataFrame":
    import polars as pl

    return table.with_columns(
        pl.Series("caption", texts, dtype=pl.String),
        pl.Series("caption_source", [None if text is None else source for text in texts], dtype=pl.String),
    )


def _grid(asked: Model | None, lists: int) -> "pl.DataFrame | None":
    import polars as pl

    from emorank.affect import STEPS
    from emorank.captions import bundled
    from emorank.captions.llm.prompt import VERSION, Point
    from emorank.evaluation.lists import table_of_lists

    if asked is None:
        return table_of_lists(bundled("test").cells(), lists).with_columns(caption_source=pl.lit("bank"))
    each = -(-lists // len(STEPS))  # so often does every cell come up
    found = _ask(asked, {Point(valence, arousal): each for valence in STEPS for arousal in STEPS}, {})
    if found is None:
        return None
    empty = [str(point) for point, texts in found.items() if not texts]
    if empty:
        raise EmorankError(f"{len(empty)} points have no caption ({'; '.join(empty[:3])}); run the same command again.")
    table = table_of_lists({(point.valence, point.arousal): texts for point, texts in found.items()}, lists)
    return table.with_columns(caption_source=pl.lit(f"llm:{asked.name}"), caption_prompt=pl.lit(VERSION))


def _ask(asked: Model, wanted: "Mapping[Point, int]", said: "Mapping[Point, Runs]") -> "dict[Point, list[str]] | None":
    from emorank.captions.llm.run import ask, foresee

    foreseen = foresee(asked.name, wanted, asked.manners)
    if asked.only_plan:
        _print_plan(foreseen, asked.manners)
        return None
    say(f"{foreseen.captions} captions for {foreseen.points} points, {foreseen.known} known; {foreseen.calls} calls.")
    with progress("captioning") as bar:
        outcome = ask(asked.url, asked.name, wanted, said, asked.manners, bar)
    for point, reason in sorted(outcome.given_up.items(), key=lambda pair: str(pair[0]))[:10]:
        say(f"{point}: captions are missing. {reason}")
    if outcome.given_up:
        say(f"{len(outcome.given_up)} points lack captions; the same command asks for them again.")
    cost = asked.manners.cost(outcome.prompt_tokens, outcome.answer_tokens)
    say(f"Used {outcome.prompt_tokens} tokens of prompt and {outcome.answer_tokens} of answers ({cost:.2f}).")
    return outcome.captions


def _print_plan(foreseen: "Plan", manners: Manners) -> None:
    for message in foreseen.first:
        print(f"--- {message['role']}\n{message['content']}")
    print("---")
    print(f"points: {foreseen.points}")
    print(f"captions: {foreseen.captions}, of which {foreseen.known} are known")
    print(f"calls: {foreseen.calls}")
    print(f"tokens: about {foreseen.prompt_tokens} of prompt, {foreseen.answer_tokens} of answers")
    print(
        f"cost: about {manners.cost(foreseen.prompt_tokens, foreseen.answer_tokens):.4f}, rejected answers come on top"
    )


def _report(table: "pl.DataFrame", picture: Path, english: bool, seed: int) -> None:
    from emorank.captions.plot import draw
    from emorank.captions.quality import distances, quality
    from emorank.encoders import text_encoder
    from emorank.listening.store import texts

    missing = {"valence", "arousal"} - set(table.columns)
    described = table if missing else table.drop_nulls(["caption", "valence", "arousal"])
    if missing or described.is_empty():
        raise EmorankError("The report needs captions whose valence and arousal are known.")
    captions, points = described["caption"].to_list(), described.select("valence", "arousal").to_numpy()
    embeddings = texts(captions, text_encoder())
    result = quality(captions, points, embeddings, english, seed)
    for name, value in result.as_dict().items():
        print(f"{name}\t{value if isinstance(value, int) else format(value, '.3f')}")
    source = described["caption_source"][0]
    draw(picture, source, result, points, *distances(captions, points, embeddings, seed))
    say(f"The picture is in {picture}.")
