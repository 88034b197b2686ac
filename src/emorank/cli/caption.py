"""emorank caption: descriptions for the utterances of a table, or for the ordinality test."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from emorank.captions.llm import ServerOptions, is_loopback, shown
from emorank.cli.console import progress, say
from emorank.errors import EmorankError

if TYPE_CHECKING:
    import polars as pl

    from emorank.captions.llm.batch import Outcome
    from emorank.captions.llm.prompt import PromptName, Subject
    from emorank.captions.rules import Phrases

_BOUNDS = {"captions": (1, 1000), "lists": (2, 10_000), "step": (0.01, 3), "seed": (0, 2**63)}
_PROMPTS: "dict[str, PromptName]" = {"bank": "plane", "clap4emo": "clap4emo"}
Flag = Annotated[bool, Parameter(negative="")]


@dataclass(frozen=True)
class CaptionOptions:
    """How captions are made.

    Args:
        style: Captions of the bank or of a baseline. A model (--llm) writes by valence and arousal (bank) or by
            category (clap4emo).
        llm: Base address of a server with OpenAI's API, such as http://localhost:8000/v1.
        model: Name that the server knows the model by.
        batch_out: Write what is to be asked as a batch file of OpenAI or vLLM and end; --llm is not needed.
        batch_in: Take the answers from such batches' files of results, and of errors; --llm is not needed.
        dry_run: Print prompt, calls, tokens and cost; send and write nothing.
        per: One set of captions per point of the plane (or category), or one caption per utterance.
        captions: How many captions a model writes; 4 a point and 10 a category if not given.
        step: Labels are rounded to multiples of it; 0.5 per point and 0.1 per utterance if not given.
        dominance: Let captions fit the column dominance too.
        gender: Let captions fit the column gender too.
        grid: No table: the lists of descriptions for the ordinality test.
        lists: How many lists of each kind.
        seed: Of all random choices.
    """

    style: Literal["bank", "template", "clap4emo", "paraclap"] = "bank"
    llm: str | None = None
    model: str | None = None
    batch_out: Path | None = None
    batch_in: Annotated[tuple[Path, ...], Parameter(consume_multiple=True)] = ()
    dry_run: Flag = False
    per: Literal["point", "utterance"] = "point"
    captions: int | None = None
    step: float | None = None
    dominance: Flag = False
    gender: Flag = False
    grid: Flag = False
    lists: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (lowest, highest) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not lowest <= value <= highest:
                raise EmorankError(f"--{name} is {lowest} to {highest}, not {value}.")
        if self.style != "bank" and (self.grid or self.dominance or self.gender):
            raise EmorankError("--grid, --dominance and --gender go with --style bank, by valence and arousal.")
        ways = {"--llm": self.llm, "--batch-out": self.batch_out, "--batch-in": self.batch_in or None}
        given = [flag for flag, value in ways.items() if value is not None]
        if len(given) > 1:
            raise EmorankError(f"Give one of {' and '.join(given)}: a server is asked, or files are written or read.")
        if not given and (self.model is not None or self.dry_run):
            raise EmorankError("--model and --dry-run go with --llm, the base address of a server, or a batch.")
        if given and not self.model:
            raise EmorankError(f"{given[0]} needs --model, the name that the server knows the model by.")
        if given and self.style not in ("bank", "clap4emo"):
            raise EmorankError(f"{given[0]} goes with --style bank or clap4emo; style {self.style} needs no model.")

    @property
    def by_model(self) -> bool:
        """Whether a language model writes."""
        return self.model is not None

    @property
    def source(self) -> str:
        """What stands in the column `caption_source`."""
        return f"llm:{self.model}" if self.by_model else self.style


def caption(
    table: Path | None = None,
    /,
    *,
    out: Path | None = None,
    report: Path | None = None,
    options: Annotated[CaptionOptions | None, Parameter(name="*")] = None,
    server: Annotated[ServerOptions | None, Parameter(name="*")] = None,
) -> None:
    """Describe the utterances of a table, from the bank, by a baseline's way or by a language model.

    A key for the server is taken from $EMORANK_LLM_KEY or $OPENAI_API_KEY. Nothing but valence and arousal (and, when
    asked for, dominance and gender), or with --style clap4emo names of emotions, is sent. Accepted answers are kept at
    once: after a stop the same command goes on.

    Args:
        table: An utterance table (.parquet or .csv).
        out: Where the captioned table goes, .parquet or .csv.
        report: Picture of the captions' quality (.png, .svg or .pdf); the numbers are printed.
        options: How captions are made.
        server: How a server is asked.
    """
    options, server = options or CaptionOptions(), server or ServerOptions()
    if options.grid == (table is not None):
        raise EmorankError("Give either an utterance table or --grid.")
    if out is None and not (options.dry_run or options.batch_out):
        raise EmorankError("--out is missing: where the captions go, a .parquet or .csv file.")
    if out is not None and out.suffix.lower() not in (".parquet", ".csv"):
        raise EmorankError(f"{out}: a table is a .parquet or .csv file.")
    if report is not None and report.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise EmorankError(f"{report}: a picture is a .png, .svg or .pdf file.")
    if options.llm is not None and shown(options.llm).startswith("http://") and not is_loopback(options.llm):
        say(f"{shown(options.llm)} is not encrypted: a key and the prompts can be read on the way.")
    described = _grid(options, server) if table is None else _table(table, options, server)
    if described is None or out is None:
        return
    without = described["caption"].null_count()
    if without == len(described):
        raise EmorankError(f"No utterance got a caption of {options.source}, so {out} is not written.")
    from emorank.corpora import write_table

    write_table(described, out)
    say(f"{len(described)} rows written to {out}" + (f", {without} of them without a caption." if without else "."))
    if report is not None:
        _report(described, report, options, server)


def _table(path: Path, options: CaptionOptions, server: ServerOptions) -> "pl.DataFrame | None":
    import polars as pl

    from emorank.captions import paired
    from emorank.captions.clap4emo import by_category, without_captions
    from emorank.captions.llm.prompt import load_prompt
    from emorank.captions.points import categories_of, hand_out, points_of, splits_of, spoken, wanted
    from emorank.corpora import read_table

    table, by_emotion = read_table(path), options.style == "clap4emo"
    splits = splits_of(table)
    if "caption" in table.columns and table["caption"].null_count() < len(table):
        say("The table's captions are replaced.")
    if by_emotion and "emotion" in table.columns:
        known = load_prompt("clap4emo").words if options.by_model else by_category()
        if unknown := without_captions(table, known):
            say(f"No captions for the emotions {', '.join(unknown[:10])}; there are some for {', '.join(known)}.")
    if not options.by_model:
        if options.style == "bank":
            points_of(table, None, options.dominance, options.gender)  # names the columns that are missing
        own = table.with_columns(split=pl.Series(splits))
        with progress("listening") as bar:
            texts = paired(own, options.style, bar, options.seed, options.dominance, options.gender)
        return _captioned(table, texts, options)
    step, count = (0.5 if options.per == "point" else 0.1), options.captions or (10 if by_emotion else 4)
    subjects: Sequence[Subject | None]
    if by_emotion:
        subjects = categories_of(table)
    else:
        subjects = points_of(table, options.step or step, options.dominance, options.gender)
    found = _ask(wanted(subjects, splits, options.per, count), spoken(subjects, table), options, server)
    if found is None:
        return None
    return _captioned(table, hand_out(subjects, splits, found, options.per, count, options.seed), options)


def _captioned(table: "pl.DataFrame", texts: Sequence[str | None], options: CaptionOptions) -> "pl.DataFrame":
    import polars as pl

    from emorank.captions.llm.prompt import load_prompt

    columns = {"caption_source": options.source}
    if options.by_model:
        columns["caption_prompt"] = load_prompt(_PROMPTS[options.style]).version
    captioned = pl.col("caption").is_not_null()
    table = table.with_columns(pl.Series("caption", texts, dtype=pl.String))
    return table.with_columns(pl.when(captioned).then(pl.lit(value)).alias(name) for name, value in columns.items())


def _grid(options: CaptionOptions, server: ServerOptions) -> "pl.DataFrame | None":
    from emorank.affect import STEPS
    from emorank.captions import bundled
    from emorank.captions.llm.prompt import Point
    from emorank.evaluation.lists import table_of_lists

    cells = bundled("test").cells()
    if options.by_model:
        points = [Point(valence, arousal) for valence in STEPS for arousal in STEPS]
        each = -(-options.lists // len(STEPS))  # so often does every cell come up
        found = _ask(dict.fromkeys(points, each), {}, options, server)
        if found is None:
            return None
        empty = [str(point) for point in points if not found[point]]
        if empty:
            where = "; ".join(empty[:3])
            raise EmorankError(f"{len(empty)} points have no caption ({where}); run the same command again.")
        cells = {(point.valence, point.arousal): found[point] for point in points}
    table = table_of_lists(cells, options.lists)
    return _captioned(table, table["caption"].to_list(), options)


def _ask(
    wanted: "Mapping[Subject, int]",
    forbidden: "Mapping[Subject, Phrases]",
    options: CaptionOptions,
    server: ServerOptions,
) -> "dict[Subject, list[str]] | None":
    from emorank.captions.llm.batched import BatchJob

    with closing(BatchJob(options.model or "", wanted, server, forbidden, _PROMPTS[options.style])) as job:
        plan = job.plan()
        if options.dry_run:
            cost = server.cost(plan.prompt_tokens, plan.answer_tokens)
            print(f"{plan}\ncost: about {cost:.4f}, rejected answers come on top")
            return None
        say(f"{plan.wanted} captions for {plan.subjects} points, {plan.kept} known; {plan.calls} calls.")
        if options.batch_out is not None:
            files = job.write(options.batch_out)
            say(
                "\n".join(f"Requests written to {file}." for file in files)
                or "No caption is missing; nothing is written."
            )
            return None
        if options.batch_in:
            _told(job.read(options.batch_in), plan.wanted - plan.kept)
        else:
            with progress("captioning") as bar:
                job.run(options.llm or "", bar)
        for subject, reason in sorted(job.given_up.items(), key=lambda pair: str(pair[0]))[:10]:
            say(f"{subject}: captions are missing. {reason}")
        if job.given_up:
            say(f"{len(job.given_up)} points lack captions; the same command asks for them again.")
        sent, received = job.spent()
        say(f"Used {sent} tokens of prompt and {received} of answers ({server.cost(sent, received):.2f}).")
        return job.captions


def _told(outcome: "Outcome", missing: int) -> None:
    """Say what came of a batch."""
    say(f"{outcome.lines} lines read: {outcome.accepted} new captions of {missing} that were missing.")
    for reason, times in outcome.reasons.most_common(10):
        say(f"{times} x {reason} ({outcome.first[reason]})")
    if outcome.accepted < missing:
        say("What is still missing is asked for by another --batch-out, or by --llm.")


def _report(table: "pl.DataFrame", picture: Path, options: CaptionOptions, server: ServerOptions) -> None:
    from emorank.captions.plot import plot_quality
    from emorank.captions.quality import distances, quality
    from emorank.encoders import text_encoder
    from emorank.listening.store import text_features

    missing = {"valence", "arousal"} - set(table.columns)
    described = table if missing else table.drop_nulls(["caption", "valence", "arousal"])
    if missing or described.is_empty():
        raise EmorankError("The report needs captions whose valence and arousal are known.")
    captions, points = described["caption"].to_list(), described.select("valence", "arousal").to_numpy()
    embeddings = text_features(captions, text_encoder())
    result = quality(captions, points, embeddings, not options.by_model or server.english, options.seed)
    for name, value in result.as_dict().items():
        print(f"{name}\t{value if isinstance(value, int) else format(value, '.3f')}")
    plot_quality(picture, options.source, result, points, *distances(captions, points, embeddings, options.seed))
    say(f"The picture is in {picture}.")
