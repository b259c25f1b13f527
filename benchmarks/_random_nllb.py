"""NLLB's shapes with random weights, sentences of realistic lengths, and what translating them takes."""

import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from curation.translation.nllb_batches import BatchTranslator
from curation.translation.nllb_checkpoint import DEMO_FOLDER

# nllb-200-distilled-600M's and nllb-200-3.3B's own configurations; one for a try.
SHAPES: dict[str, dict[str, int]] = {
    "600m": {"d_model": 1024, "ffn": 4096, "layers": 12, "heads": 16, "vocabulary": 256_206},
    "3.3b": {"d_model": 2048, "ffn": 8192, "layers": 24, "heads": 16, "vocabulary": 256_206},
    "tiny": {"d_model": 64, "ffn": 128, "layers": 2, "heads": 4, "vocabulary": 6_000},
}
# Tokens of a sentence of GSM8K: words and signs are a lognormal with a median of 15 and this spread (11,303 sentences
# of questions and solutions, split as the pipeline splits them); NLLB's pieces some 1.25 of a word, and two are added.
_MEDIAN_LOG, _SPREAD, _LONGEST = 3.0, 0.44, 200
# Tokens of its translation for one of its own: between Chinese, which needs fewer, and Telugu and Thai.
_RATIO_LOG, _RATIO_SPREAD = 0.14, 0.2
# The demo tokenizer's pieces; its special tokens are below and above.
_PIECES = range(10, 4900)


class Sentence(NamedTuple):
    """A source's tokens, and how many its hypothesis has, the language's code and the end among them."""

    ids: list[int]
    tokens: int


def make_checkpoint(shape: str, folder: Path, *, device: str) -> None:
    """Save a checkpoint of random weights in float16, with the embedded model's tokenizer.

    Args:
        shape: one of `SHAPES`.
        folder: where to.
        device: on which the weights are drawn: billions are slow to draw on a CPU.
    """
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    size = SHAPES[shape]
    config = M2M100Config(
        vocab_size=size["vocabulary"], d_model=size["d_model"], max_position_embeddings=1024,
        encoder_layers=size["layers"], decoder_layers=size["layers"],
        encoder_ffn_dim=size["ffn"], decoder_ffn_dim=size["ffn"],
        encoder_attention_heads=size["heads"], decoder_attention_heads=size["heads"],
        pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, scale_embedding=True,
    )  # fmt: skip
    torch.manual_seed(0)
    with torch.device(device):
        model = M2M100ForConditionalGeneration._from_config(config, dtype=torch.float16)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(DEMO_FOLDER / name, folder / name)


def draw_sentences(count: int) -> list[Sentence]:
    """Sentences of random tokens."""
    rng, sentences = random.Random(0), []
    for _ in range(count):
        length = min(_LONGEST, max(4, round(rng.lognormvariate(_MEDIAN_LOG, _SPREAD))))
        tokens = min(_LONGEST, max(4, round(length * rng.lognormvariate(_RATIO_LOG, _RATIO_SPREAD))))
        sentences.append(Sentence([_PIECES.start - 1, *rng.choices(_PIECES, k=length - 2), 2], tokens))
    return sentences


def batches(translator: BatchTranslator, sentences: Sequence[Sentence]) -> list[list[Sentence]]:
    """The batches that a translator makes of sentences."""
    found = translator._batches([len(sentence.ids) for sentence in sentences])
    return [[sentences[index] for index in batch] for batch in found]


def operations(shape: str, sentences: Sequence[Sentence]) -> float:
    """Floating-point operations that translating sentences greedily needs, without padding and what repeats itself.

    Two for each weight and token that it is multiplied with; attention's are the products with keys and values.
    """
    size = SHAPES[shape]
    width, layers = size["d_model"], size["layers"]
    feed = 2 * width * size["ffn"]
    # The keys and values of a source's tokens are made once for the decoder.
    source_weights = layers * (4 * width**2 + feed) + layers * 2 * width**2
    target_weights = layers * (6 * width**2 + feed) + width * size["vocabulary"]
    total = 0.0
    for ids, tokens in sentences:
        source = len(ids)
        attention = 4 * source**2 + 2 * tokens**2 + 4 * source * tokens
        total += 2 * (source_weights * source + target_weights * tokens) + layers * width * attention
    return total


def check_lengths(outputs: Sequence[Sequence[int]], tokens: int) -> None:
    """Raise `ValueError` if a hypothesis has not the length that was asked for: random weights may end one early."""
    if found := {len(output) for output in outputs} - {tokens}:
        raise ValueError(f"hypotheses of {sorted(found)} tokens instead of {tokens}; draw other weights")


def file_size(folder: Path) -> int:
    """Bytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def of_gpu() -> dict[str, Any]:
    """The GPU's name and its CUDA, if there is one."""
    import torch

    if not torch.cuda.is_available():
        return {"gpu": None}
    return {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda}
