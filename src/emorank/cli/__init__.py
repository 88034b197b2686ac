"""The command line: one file a command, imported when it is called."""

import contextlib
import difflib
import itertools
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorank import __version__
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from cyclopts import App

#: Every command, in the order in which a person meets them; each is the function of its name in the file of its name.
COMMANDS = {
    "search": "Find the moments that sound like a description or like a clip.",
    "index": "Make, update or follow an index that lasts.",
    "embed": "Embed many recordings, with all cores or a cluster, as a dataset.",
    "serve": "Search a named index from a page and from other programs.",
    "collection": "Pick moments of a named index, and label them.",
    "export": "The segments of a named index, or what was found or picked, as lists and clips.",
    "locate": "Valence, arousal and dominance of every recording.",
    "timeline": "Valence and arousal over a recording.",
    "score": "How well each of some descriptions fits a recording.",
    "corpus": "Turn an official corpus folder into an utterance table.",
    "caption": "Describe the utterances of a table in words.",
    "train": "Train two heads on frozen encoders with an utterance table.",
    "evaluate": "Measure a model on an utterance table.",
    "reproduce": "The paper's two tables for your corpus.",
}


def make_app(arguments: Sequence[str] = ()) -> "App":
    """The command line, with the defaults of the file after --config where emorank train is asked for.

    Raises:
        EmorankError: there is no such command, or the file after --config cannot be used.
    """
    if arguments and not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        near = difflib.get_close_matches(arguments[0], COMMANDS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}."
        raise EmorankError(f"There is no command {arguments[0]!r}; {hint}")
    from cyclopts import App

    app = App(
        name="emorank",
        help="Find, rank and measure emotional speech by natural-language descriptions of how it sounds.",
        version=__version__,
        help_format="plaintext",
        config=_defaults(arguments),
    )
    for order, (name, summary) in enumerate(COMMANDS.items()):
        app.command(f"emorank.cli.{name}:{name}", name=name, help=summary, sort_key=order)
    app.register_install_completion_command(help="Let the shell complete commands and options.")
    return app


def _defaults(arguments: Sequence[str]) -> tuple[Any, ...]:
    """Where flags that are not given come from: the file after --config of emorank train."""
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the terminal cannot show is escaped, not the end of the run
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            make_app(sys.argv[1:])(sys.argv[1:])
        finally:
            sys.stdout.flush()
    except EmorankError as error:
        sys.exit(printable(f"emorank: {error}"))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        _drop_output()
    except OSError as error:  # of the disk, not of emorank: full, read-only, gone
        _drop_output()
        sys.exit(printable(f"emorank: {error.filename or 'the output'}: {error.strerror or error}."))


def printable(text: str) -> str:
    """Text on one line, in which control characters, such as a name may hold, are escaped."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def _drop_output() -> None:
    """What was not printed cannot be; the interpreter shall not try once more at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
