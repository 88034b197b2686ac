"""What four everyday queries bring up on the RAVDESS test actors, by the emotion that the actors portrayed.

.venv/bin/python benchmarks/queries.py RAVDESS_FOLDER [MODEL]
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from emorank import EmotionRankCLAP, Index, read_corpus
from emorank.search import Collection, Direction, Query, find

QUERIES = {
    "furious, shouting": {"anger"},
    "terrified, trembling, begging for help": {"fear"},
    "sleepy, calm, soft voice": {"calm", "neutral", "sadness"},
    "joyful, laughing, excited": {"happiness", "surprise"},
}
ACTORS = ("21", "22", "23", "24")


def main() -> None:
    """Print, for every query, how many of the first ten fit, and what they are."""
    root = Path(sys.argv[1])
    model = EmotionRankCLAP.from_pretrained(sys.argv[2] if len(sys.argv) > 2 else "emorank-base")
    table = read_corpus("ravdess", root).filter(split="test")
    emotion = dict(zip(table["path"], table["emotion"], strict=True))
    with tempfile.TemporaryDirectory() as folder:
        index = Index(Path(folder) / "index", model)
        for actor in ACTORS:
            index.update(root / f"Actor_{actor}")
        collection = Collection(index.segments())
        for query, wanted in QUERIES.items():
            hits = find(collection, Query((Direction(model.encode_text([query])[0]),), top=10)).hits
            found = Counter(emotion[hit.path] for hit in hits)
            right = sum(found[name] for name in wanted)
            listed = ", ".join(f"{name} {count}" for name, count in found.most_common())
            print(f"{right:2d} of 10  {query!r}: {listed}")


if __name__ == "__main__":
    main()
