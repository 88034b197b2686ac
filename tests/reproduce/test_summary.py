"""From results to tables: means, stars and wording, on results made up for the purpose."""

import dataclasses
import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("yaml")

from emorank.cli.reproduce import reproduce as command
from emorank.errors import EmorankError
from emorank.evaluation.significance import holm, paired_t
from emorank.reproduce.plots import plot_curves, plot_retrieved
from emorank.reproduce.protocol import Protocol
from emorank.reproduce.rows import ROWS, config_of, row_of
from emorank.reproduce.summary import summary
from emorank.reproduce.tables import about_line, latex, markdown
from emorank.training.config import read_config

ALIGNMENT = ("mmd_squared", "mmd_squared_unbiased", "mmd", "w2_squared", "w1", "sliced_w2_squared", "bandwidth")


FOUND = {
    "recall": {"1": 0.1, "5": 0.2, "10": 0.3},
    "ceiling": {"1": 1.0, "5": 1.0, "10": 1.0},
    "item_recall": {"1": 0.01, "5": 0.05, "10": 0.07},
    "item_ceiling": {"1": 0.11, "5": 0.4, "10": 0.62},
    "median_rank": 9,
    "map": 0.4,
    "queries": 145,
}


def made_up(levels: dict[str, float], seeds: int = 3, label_source: str = "derived") -> dict[str, Any]:
    """Rows whose taus lie around a level, and whose distances shrink with it."""
    rng = np.random.default_rng(0)
    rows = {}
    for key, level in levels.items():
        found = []
        for _ in range(seeds):
            taus = {name: (level + 0.05 * rng.standard_normal(100)).tolist() for name in ("voc", "aoc")}
            retrieved = rng.uniform(1, 7, (100, 14)).tolist()
            seed: dict[str, Any] = {
                "ordinality": {k: {"taus": v, "retrieved": retrieved} for k, v in taus.items()}
                | {"oracle": {"voc": 0.9, "aoc": 0.91}},
                "retrieval": {"text_to_audio": FOUND, "pairs": 1400},
                "zero-shot": {"uar": 0.5, "macro_f1": 0.45},
                "development_losses": [3.0, 2.5],
            }
            if row_of(key).attributes:
                trials = [{name: 1 - level + 0.01 * rng.standard_normal() for name in ALIGNMENT} for _ in range(30)]
                seed["alignment"] = {"trials": trials, "pairs": 700, "available": 1400}
            found.append(seed)
        rows[key] = {"name": row_of(key).name, "learning_rate": 1e-3, "seeds": found}
    about = {
        "clips": 1400,
        "speakers": 8,
        "corpora": {"a": 1400},
        "label_source": label_source,
        "data": "0123",
        "versions": {"emorank": "0"},
    }
    protocol = {
        "audio_encoder": "a/1",
        "text_encoder": "t",
        "seeds": seeds,
        "learning_rates": [1e-3],
        "epochs": 2,
        "batch_size": 64,
        "dropout": 0.0,
        "window": None,
        "training": {},
    }
    return {"rows": rows, "about": about, "protocol": protocol, "left_out": {}}


LEVELS = {row.key: 0.1 * i for i, row in enumerate(ROWS, start=1)}


def test_the_unit_is_the_list_and_beside_it_the_seed() -> None:
    results = made_up({"clap_sce_av": 0.3, "supconclap_av": 0.3, "emotionrankclap": 0.5})
    cell = summary(results, "voc")["emotionrankclap"]

    def taus(key: str) -> np.ndarray:
        return np.array([seed["ordinality"]["voc"]["taus"] for seed in results["rows"][key]["seeds"]])

    own, others = taus("emotionrankclap"), [taus("clap_sce_av"), taus("supconclap_av")]
    assert cell.mean == pytest.approx(own.mean())
    assert cell.units == pytest.approx(own.mean(0).std(ddof=1))
    assert cell.seeds == pytest.approx(own.mean(1).std(ddof=1))
    expected = holm([paired_t(own.mean(0).tolist(), other.mean(0).tolist()) for other in others])
    assert [c.p_corrected for c in cell.against.values()] == pytest.approx(expected)
    expected = holm([paired_t(own.mean(1).tolist(), other.mean(1).tolist()) for other in others])
    assert [c.p_corrected for c in cell.against_seeds.values()] == pytest.approx(expected)


def test_a_star_needs_to_beat_every_baseline() -> None:
    assert summary(made_up(LEVELS), "voc")["plane"].starred
    assert summary(made_up(LEVELS), "mmd_squared")["plane"].starred  # lower is better there
    assert not summary(made_up(LEVELS), "voc")["supconclap_av"].starred
    beaten = summary(made_up(LEVELS | {"clap_template": 0.9}), "voc")
    assert not beaten["plane"].starred
    assert not beaten["emotionrankclap"].starred
    assert not summary(made_up({"clap_sce_av": 0.5, "plane": 0.5}), "voc")["plane"].starred


def test_the_tables_say_what_they_are() -> None:
    text = markdown(made_up(LEVELS))
    assert "derived from categories, not rated" in text
    assert "700 of 1400 test pairs (the paper's are 5,000; the corpus has fewer)" in text
    table_1, table_2 = text.split("## Table 2")
    assert "CLAP-template" not in table_1
    assert all(row.name in table_2 for row in ROWS)
    assert re.search(r"\| EmotionRankCLAP, plane captions \| 0\.\d{3}\* ± ", table_2)
    assert "Labels are listeners' ratings" in markdown(made_up(LEVELS, label_source="rated"))
    assert latex(made_up(LEVELS)).count("\\toprule") == 2


def test_retrieval_stands_beside_what_a_perfect_ranking_reaches() -> None:
    table = markdown(made_up(LEVELS)).split("## Retrieval")[1]
    assert "The 1400 utterances share 145 captions" in table
    assert "| EmotionRankCLAP | 0.100 | 0.200 | 0.300 | 0.070 | 9 | 0.400 | 0.500 | 0.450 |" in table
    assert "| *a perfect ranking* | 1.000 | 1.000 | 1.000 | 0.620 | 1 | 1.000 | 1.000 | 1.000 |" in table
    assert len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1


def test_what_was_not_measured_is_not_a_number() -> None:
    results = made_up({"emotionrankclap": 0.2, "plane": 0.3}, seeds=1)
    del results["rows"]["plane"]["seeds"][0]["zero-shot"]
    results["rows"]["plane"]["seeds"][0]["retrieval"] = {"text_to_audio": FOUND | {"map": None}, "pairs": 1400}
    text = markdown(results)
    assert re.search(r"\| EmotionRankCLAP \| 0\.\d{3} ± 0\.\d{3} \(n/a\) \|", text)  # one seed has no deviation
    assert "| 9 | n/a | n/a | n/a |" in text
    comparison = next(line for line in text.splitlines() if line.startswith("| EmotionRankCLAP | EmotionRankCLAP, p"))
    assert comparison.count("n/a") == 2  # one seed has no test
    assert "nan" not in text


def test_differences_that_are_all_the_same_have_a_p_that_is_not_zero() -> None:
    results = made_up({"emotionrankclap": 0.2, "plane": 0.3}, seeds=2)
    for row, level in (("emotionrankclap", 0.25), ("plane", 0.5)):
        for seed in results["rows"][row]["seeds"]:
            seed["ordinality"]["voc"]["taus"] = [level] * 100
    comparison = next(
        line for line in markdown(results).splitlines() if line.startswith("| EmotionRankCLAP | EmotionRankCLAP, p")
    )
    assert f"| -0.250 | {2.0**-99:.2g} | 0.5 |" in comparison


def test_the_tables_say_how_it_was_trained_and_who_was_left_out() -> None:
    fair = made_up(LEVELS)
    assert "2 epochs, batch 64, dropout 0, learning rate 0.001; 3 seeds." in about_line(fair)
    fair["protocol"]["learning_rates"] = [1e-4, 1e-3]
    assert "learning rate chosen for every row on development speakers among 0.0001, 0.001; 3 seeds." in about_line(
        fair
    )
    strict = made_up(LEVELS)
    strict["protocol"] |= dataclasses.asdict(Protocol.strict(seeds=3))
    strict["left_out"] = {"with emotion other or without agreement": 7}
    assert (
        "15 epochs, batch 64, dropout 0, learning rate 0.0001, recordings cropped or zero-padded to 10 s, "
        "standardise False, optimizer adam; 3 seeds. Left out of the corpus: 7 with emotion other or without agreement."
    ) in about_line(strict)


def test_strict_is_the_papers_training() -> None:
    """Its fields of TrainConfig are there."""
    protocol = Protocol.strict("wavlm-ser/mean", "distilroberta-emotion")
    assert (protocol.window, protocol.learning_rates, protocol.seeds) == (10.0, (1e-4,), 5)
    config = protocol.config(row_of("emotionrankclap"), 1e-4, 0)
    assert (config.standardise, config.optimizer) == (False, "adam")
    assert (config.learning_rate, config.epochs, config.batch_size, config.dropout) == (1e-4, 15, 64, 0.0)
    assert (config.audio_hidden, config.text_hidden, config.embedding_dim, config.weight_decay) == ((), (), 512, 0.0)
    assert (config.audio_encoder, config.text_encoder) == ("wavlm-ser/mean", "distilroberta-emotion")


def test_the_command_line_has_the_protocols_defaults() -> None:
    defaults = {name: each.default for name, each in inspect.signature(command).parameters.items()}
    protocol = Protocol()
    for name in ("seeds", "learning_rates", "epochs", "batch_size", "dropout"):
        assert defaults[name] == getattr(protocol, name), name


def test_plots_are_pictures(tmp_path: Path) -> None:
    plot_retrieved(made_up(LEVELS), tmp_path / "retrieved.png")
    plot_curves(made_up(LEVELS), tmp_path / "curves.png")
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in tmp_path.iterdir())


def test_only_loss_and_captions_differ_between_the_rows() -> None:
    differ = {"loss", "captions", "anchors", "negatives"}
    configs = [vars(config_of(row)) for row in ROWS]
    for config in configs[1:]:
        assert {key for key in config if config[key] != configs[0][key]} <= differ
    assert len({(config["loss"], config["captions"]) for config in configs}) == len(ROWS)
    paper = config_of(row_of("emotionrankclap"))
    assert (paper.learning_rate, paper.batch_size, paper.epochs, paper.dimensions) == (
        1e-4,
        64,
        15,
        ("valence", "arousal"),
    )


def test_a_wrong_row_or_config_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match="no row 'x'; the rows are clap_template"):
        row_of("x")
    (tmp_path / "c.yaml").write_text("loss: rank_n_contrast\nepoch: 3\n")
    with pytest.raises(EmorankError, match="not fields of a training: epoch"):
        read_config(tmp_path / "c.yaml")
    (tmp_path / "c.yaml").write_text("{")
    with pytest.raises(EmorankError, match="cannot be read"):
        read_config(tmp_path / "c.yaml")
