"""All faults, and a table of them: python -m tests.faults.run --most 40 --report FILE."""

import argparse
import contextlib
import math
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from tests.captions.loopback import Server, serving
from tests.faults.driver import KINDS
from tests.faults.injector import Injector, injecting
from tests.faults.scenarios import Scenario, begin, scenarios
from tests.faults.trial import Trial, trials


@contextmanager
def prepared(home: Path, bank: Callable[[], Path]) -> Iterator[tuple[Injector, list[Scenario], Path]]:
    """An injector, the scenarios, and the folder that they begin with.

    Args:
        home: an empty folder.
        bank: gives a feature store that knows the captions of the bank.
    """
    import torch
    from transformers import WhisperConfig, WhisperModel

    whisper = home / "whisper"
    torch.manual_seed(0)
    encoder = {"encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}
    decoder = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32}
    WhisperModel(WhisperConfig(d_model=16, **encoder, **decoder)).save_pretrained(whisper)
    with serving(Server()) as server, injecting(home) as injector:
        begin(injector.folder, home / "model", f"{whisper}/1+2")
        start = home / "start"
        shutil.copytree(injector.folder, start)
        yield injector, scenarios(home / "model", f"{whisper}/1+2", server.url, bank), start


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--most", type=int, default=30, help="operations of each kind and command that fail")
    parser.add_argument("--only", help="scenarios whose name begins so")
    parser.add_argument("--kind", choices=KINDS, help="faults of this kind alone")
    parser.add_argument("--bank", type=Path, help="folder of a feature store for the bank's captions, to be kept")
    parser.add_argument("--report", type=Path, help="a file for the table, in Markdown")
    given = parser.parse_args()
    done: list[Trial] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="emorank-faults-") as folder:
        home = Path(folder).resolve()
        with prepared(home, lambda: _bank(given.bank or home / "bank")) as (injector, every, start):
            for scenario in every:
                if not scenario.name.startswith(given.only or ""):
                    continue
                for trial in trials(
                    injector,
                    scenario,
                    start,
                    math.ceil(given.most * scenario.share),
                    [given.kind] if given.kind else KINDS,
                ):
                    done.append(trial)
                    if trial.wrong:
                        print(f"{trial.scenario}, {trial.kind} {trial.number}: {trial.wrong}", flush=True)
                print(f"{scenario.name}: {sum(t.scenario == scenario.name for t in done)} faults", flush=True)
    table = _table(done)
    wrong = sum(trial.wrong is not None for trial in done)
    table += f"\n{len(done)} faults in {time.monotonic() - began:.0f} s, {wrong} of them did not end as they should.\n"
    print(table)
    if given.report:
        given.report.write_text(table)
    sys.exit(wrong > 0)


@lru_cache
def _bank(folder: Path) -> Path:
    from emorank.captions import bundled
    from emorank.encoders import text_encoder
    from emorank.listening.store import FeatureStore, text_features

    store = FeatureStore(folder)
    for split in ("train", "development", "test"):
        text_features(bundled(split).texts, text_encoder(), store)
    with contextlib.closing(sqlite3.connect(store.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store.path


def _table(done: list[Trial]) -> str:
    tried = Counter((trial.scenario, trial.kind) for trial in done)
    there = {(trial.scenario, trial.kind): trial.operations for trial in done}
    lines = [f"| command | {' | '.join(KINDS)} |", "|---" * (len(KINDS) + 1) + "|"]
    for name in dict.fromkeys(trial.scenario for trial in done):
        cells = [f"{tried[name, kind]} of {there.get((name, kind), 0)}" for kind in KINDS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
