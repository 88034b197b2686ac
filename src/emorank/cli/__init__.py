"""The command line: one file a command, imported when it is called."""

import os
import sys

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
app.command("emorank.cli.locate:locate", name="locate", help="Valence, arousal and dominance of every recording.")
app.command("emorank.cli.score:score", name="score", help="How well each of some descriptions fits a recording.")
app.command("emorank.cli.corpus:corpus", name="corpus", help="Turn an official corpus folder into an utterance table.")
app.command("emorank.cli.caption:caption", name="caption", help="Describe the utterances of a table in words.")
app.command("emorank.cli.train:train", name="train", help="Train two heads on frozen encoders with an utterance table.")
app.command("emorank.cli.evaluate:evaluate", name="evaluate", help="Measure a model on an utterance table.")
app.command("emorank.cli.reproduce:reproduce", name="reproduce", help="The paper's two tables for your corpus.")


def main() -> None:
    """The entry point: a user's mistake is one sentence on standard error and exit status 1."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    from emorank.errors import EmorankError

    try:
        app(sys.argv[1:])
    except EmorankError as error:
        sys.exit(f"emorank: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
