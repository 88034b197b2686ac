"""From results to tables: means, stars and wording, on results made up for the purpose."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("yaml")

from emorank.errors import EmorankError
from emorank.evaluation.significance import holm, paired_t
from emorank.reproduce.plots import plot_curves, plot_retrieved
from emorank.reproduce.rows import ROWS, config_of, row_of
from emorank.reproduce.summary import summary
from emorank.reproduce.tables import latex, markdown
from emorank.training.config import read_config

ALIGNMENT = ("mmd_squared", "mmd_squared_unbiased", "mmd", "w2_squared", "w1", "sliced_w2_squared", "bandwidth")


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
                "retrieval": {
                    "text_to_audio": {"recall": {"1": 0.1, "5": 0.2, "10": 0.3}, "median_rank": 9, "map": 0.4}
                },
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
    }
    return {"rows": rows, "about": about, "protocol": protocol}


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
    one = markdown(made_up({"clap_template": 0.2, "clap4emo": 0.3}, seeds=1))
    assert "CLAP4emo" in one


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
