"""How fast a GPU translates: tokens a second of transformers' usual recipe, of ours and of CTranslate2.

Usage: python -m benchmarks.translation_gpu [--shapes 600m 3.3b] [--ways recipe ours ctranslate2 ctranslate2-int8]
       [--dtypes bfloat16 float16] [--sentences N] [--batch-tokens N ...] [--peak TFLOPS] [--record]

The models have NLLB-600M's and NLLB-3.3B's shapes and random weights, so nothing is downloaded; the sentences are
random tokens of GSM8K's lengths, and each has a length for its translation. The usual recipe: batches of
`--recipe-batch` in the order of the rows, padded, each through `generate`; ours: sentences of like length together, as
many as `translator.batch_tokens` allows. Random weights end no hypothesis, so that a batch goes on to the longest
that it should have, as with real weights and transformers; CTranslate2, which takes a sentence out of its batch when it
has ended, is as fast with real weights or faster. Counted are the tokens of the translations, without what a batch has
beyond them. Greedy, as the settings' default.

Each combination runs in a process of its own, on as many sentences as `--seconds` may take; one that fails is recorded
with its reason. The share of the card's peak counts what the mathematics needs (`benchmarks._random_nllb.operations`)
and not padding. On a machine without a GPU `--shapes tiny --dtypes float32` shows that everything runs, and its figures
mean nothing else.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from benchmarks._random_nllb import (
    SHAPES,
    Sentence,
    batches,
    check_lengths,
    draw_sentences,
    make_checkpoint,
    of_gpu,
    operations,
)
from benchmarks._record import record
from curation.translation.ctranslate import CTranslateTranslator
from curation.translation.nllb import NllbTranslator
from curation.translation.nllb_batches import BatchTranslator
from mcot.core.languages import LANGUAGES
from mcot.core.progress import say
from mcot.core.settings import TranslatorSettings

WAYS = ("recipe", "ours", "ctranslate2", "ctranslate2-int8")
# Of an H100 and an H200 (SXM), dense bf16 and fp16, without sparsity: NVIDIA's data sheets. int8's is twice that.
PEAK = 989.0
_LIMIT_SECONDS = 540


def make(way: str, folder: str, dtype: str, batch_tokens: int | None) -> BatchTranslator:
    """A translator of a way, not yet opened."""
    settings: dict[str, Any] = {"model": folder, "dtype": dtype, "batch_tokens": batch_tokens}
    if way in ("recipe", "ours"):
        return NllbTranslator(TranslatorSettings(**settings))
    quantization: Literal["int8", "none"] = "int8" if way.endswith("int8") else "none"
    return CTranslateTranslator(TranslatorSettings(backend="ctranslate2", quantization=quantization, **settings))


def in_row_order(sentences: Sequence[Sentence], size: int) -> Iterator[list[Sentence]]:
    """The usual recipe's batches."""
    rows = iter(sentences)
    while batch := list(islice(rows, size)):
        yield batch


def translate(translator: BatchTranslator, batch: Sequence[Sentence]) -> None:
    """Translate a batch to the end of its longest hypothesis."""
    longest = max(sentence.tokens for sentence in batch)
    check_lengths(translator._decode([sentence.ids for sentence in batch], LANGUAGES["sw"], longest), longest)


def peak_memory() -> float | None:
    """What is taken of the GPU's memory now, in GiB; both libraries keep what they once took."""
    import torch

    if not torch.cuda.is_available():
        return None
    free, total = torch.cuda.mem_get_info()
    return round((total - free) / 2**30, 1)


def measure(shape: str, way: str, dtype: str, batch_tokens: int | None, options: argparse.Namespace) -> dict[str, Any]:
    """Translate as many batches as the time allows, over all lengths, and count."""
    began = time.perf_counter()
    translator = make(way, options.folder, dtype, batch_tokens)
    translator.open()
    opened = time.perf_counter() - began
    sentences = draw_sentences(options.sentences)
    recipe = way == "recipe"
    work = list(in_row_order(sentences, options.recipe_batch)) if recipe else batches(translator, sentences)
    # Kernels are chosen and memory is taken in the first of them, the largest that comes.
    translate(translator, work[0])
    times: list[float] = []
    done: list[Sentence] = []
    # Batches of ours go from long sentences to short ones: where not all are measured, every so-manieth is.
    order = sorted(range(len(work)), key=lambda index: (index * 0.618034) % 1)
    for index in order:
        start = time.perf_counter()
        translate(translator, work[index])
        times.append(time.perf_counter() - start)
        done += work[index]
        if sum(times) > options.seconds:
            break
    tokens, seconds = sum(sentence.tokens for sentence in done), sum(times)
    longest = sum(len(batch) * max(s.tokens for s in batch) for batch in (work[index] for index in order[: len(times)]))
    on_gpu = of_gpu()
    return {
        "tokens_a_second": round(tokens / seconds, 1),
        "sentences_a_second": round(len(done) / seconds, 1),
        "peak_percent": round(100 * operations(shape, done) / seconds / (options.peak * 1e12), 3)
        if on_gpu["gpu"]
        else None,
        "memory_gib": peak_memory(),
        "sentences": len(done),
        "batches": f"{len(times)} of {len(work)}",
        "median_batch": statistics.median(len(batch) for batch in work),
        "filled_percent": round(100 * tokens / longest, 1),
        "seconds": round(seconds, 2),
        "seconds_to_open": round(opened, 1),
        "numbers": translator._numbers if isinstance(translator, CTranslateTranslator) else dtype,
    }


def run_apart(given: Sequence[str], folder: Path, one: dict[str, Any]) -> dict[str, Any]:
    """Measure in a process of its own, which has the whole of the memory; gives why not if it fails."""
    command = [sys.executable, "-m", "benchmarks.translation_gpu", *given, "--folder", str(folder),
               "--one", json.dumps(one)]  # fmt: skip
    environment = os.environ | {"XDG_CACHE_HOME": str(folder.parent)}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False, env=environment
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"took longer than {_LIMIT_SECONDS} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["nothing said"])[-1]
        return {"failed": last[:300]}
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def ratios(runs: dict[str, dict[str, Any]]) -> dict[str, float]:
    """How many times as fast as the usual recipe in its faster numbers each is."""
    speeds = {name: run["tokens_a_second"] for name, run in runs.items() if "failed" not in run}
    recipe = max((speed for name, speed in speeds.items() if name.startswith("recipe")), default=None)
    return {} if recipe is None else {name: round(speed / recipe, 2) for name, speed in speeds.items()}


def measure_shape(shape: str, options: argparse.Namespace) -> dict[str, Any]:
    """Every way, number type and size of batch."""
    runs: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "random"
        say(f"{shape}: drawing random weights")
        make_checkpoint(shape, folder, device="cuda" if of_gpu()["gpu"] else "cpu")
        for way in options.ways:
            for dtype in options.dtypes:
                for tokens in [None] if way == "recipe" else options.batch_tokens:
                    name = f"{way} {dtype}" + (f" {tokens}" if tokens else "")
                    one = {"shape": shape, "way": way, "dtype": dtype, "batch_tokens": tokens or None}
                    runs[name] = run_apart(sys.argv[1:], folder, one)
                    say(f"{shape}, {name}: {json.dumps(runs[name])}")
    return {"runs": runs, "times the usual recipe": ratios(runs)}


def main() -> None:
    """Measure every combination, print and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=["600m", "3.3b"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--dtypes", nargs="+", choices=["bfloat16", "float16", "float32"],
                        default=["bfloat16", "float16"])  # fmt: skip
    parser.add_argument("--batch-tokens", nargs="+", type=int, default=[0], help="of ours; 0: the default")
    parser.add_argument("--recipe-batch", type=int, default=8, help="sentences of a batch of the usual recipe")
    parser.add_argument("--sentences", type=int, default=8192)
    parser.add_argument("--seconds", type=float, default=20.0, help="that each combination is measured for, about")
    parser.add_argument("--peak", type=float, default=PEAK, help="dense bf16 of the GPU, TFLOP/s")
    parser.add_argument("--record", action="store_true", help="write results/translation_gpu.json")
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--one", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(**options.one, options=options)))
        return
    figures: dict[str, Any] = {shape: measure_shape(shape, options) for shape in options.shapes}
    facts = {
        **of_gpu(), "peak_tflops": options.peak, "recipe_batch": options.recipe_batch,
        "sentences": options.sentences, **figures,
    }  # fmt: skip
    if options.record:
        record("translation_gpu", facts, packages=("torch", "transformers", "ctranslate2"))
    else:
        print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
