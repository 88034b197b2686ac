"""The command line: one file a command, imported when it is called."""

import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cyclopts import App

from emorank import __version__

app = App(
    name="emorank",
    help="Find, rank and measure emotional speech by natural-language descriptions of how it sounds.",
    version=__version__,
    help_format="plaintext",
)
app.command(
    "emorank.cli.search:search", name="search", help="Find the moments that sound like a description or like a clip."
)
app.command("emorank.cli.index:index", name="index", help="Make, update or follow an index that lasts.")
app.command("emorank.cli.serve:serve", name="serve", help="Search a named index from a page and from other programs.")
app.command("emorank.cli.export:export", name="export", help="The segments of a named index as a table.")
app.command("emorank.cli.locate:locate", name="locate", help="Valence, arousal and dominance of every recording.")
app.command("emorank.cli.timeline:timeline", name="timeline", help="Valence and arousal over a recording.")
app.command("emorank.cli.score:score", name="score", help="How well each of some descriptions fits a recording.")
app.command("emorank.cli.corpus:corpus", name="corpus", help="Turn an official corpus folder into an utterance table.")
app.command("emorank.cli.caption:caption", name="caption", help="Describe the utterances of a table in words.")
app.command("emorank.cli.train:train", name="train", help="Train two heads on frozen encoders with an utterance table.")
app.command("emorank.cli.evaluate:evaluate", name="evaluate", help="Measure a model on an utterance table.")
app.command("emorank.cli.reproduce:reproduce", name="reproduce", help="The paper's two tables for your corpus.")


def defaults(arguments: Sequence[str]) -> tuple[Any, ...]:
    """Where flags that are not given come from: the file after --config of emorank train.

    Raises:
        EmorankError: the file cannot be read, a key is not a field of a training, or a value cannot be.
    """
    if "train" not in arguments[:1]:
        return ()
    named = [after for flag, after in itertools.pairwise(arguments) if flag == "--config"]
    named += [argument.partition("=")[2] for argument in arguments if argument.startswith("--config=")]
    if not named:
        return ()
    from cyclopts.config import Dict

    from emorank.training.config import read_choices

    return (Dict(read_choices(Path(named[-1])), use_commands_as_keys=False, source=named[-1]),)


def main() -> None:
    """The entry point: a user's mistake is one sentence on standard error and exit status 1."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from emorank.errors import EmorankError

    try:
        arguments = sys.argv[1:]
        app.config = defaults(arguments)
        app(arguments)
    except EmorankError as error:
        sys.exit(f"emorank: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        app.config = ()  # of this call alone
