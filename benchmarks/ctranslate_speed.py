"""CTranslate2 on a CPU against transformers: ``python -m benchmarks.ctranslate_speed``.

Speed: a checkpoint of NLLB-600M's shape and random weights, sentences of GSM8K's lengths, the same batches, and a
fixed number of tokens for each hypothesis; int8 by CTranslate2 and float32 by transformers in turn, in one run and on
the same number of threads. The ratio is of the medians.

Difference: the embedded model's hypotheses for the sentences of held-out problems, from English into every language
and back: how many are equal to those of transformers in float32, and chrF++ between the two. With `--gsm8k FILE` also
for GSM8K's sentences, which that model does not know: where it is unsure of every word, rounding decides more often.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from sacrebleu.metrics.chrf import CHRF

from benchmarks._random_nllb import SHAPES, Sentence, batches, check_lengths, draw_sentences, file_size, make_checkpoint
from benchmarks._record import record
from benchmarks.demo_model import sentences
from curation.translation.ctranslate import CTranslateTranslator
from curation.translation.nllb import NllbTranslator
from curation.translation.nllb_batches import BatchTranslator
from curation.translation.segments import split
from mcot.core.languages import ENGLISH, LANGUAGES, TARGETS, Language
from mcot.core.progress import say
from mcot.core.settings import TranslatorSettings

_CHRF = CHRF(word_order=2)


def opened(**settings: object) -> BatchTranslator:
    """A translator on the CPU with its model loaded."""
    made = TranslatorSettings.model_validate({"device": "cpu", **settings})
    translator = CTranslateTranslator(made) if made.backend == "ctranslate2" else NllbTranslator(made)
    translator.open()
    return translator


def seconds(translator: BatchTranslator, work: Sequence[Sequence[Sentence]], tokens: int) -> tuple[float, float]:
    """How long the batches take, each hypothesis of so many tokens: in all, and of processors."""
    began, began_working = time.perf_counter(), time.process_time()
    for batch in work:
        outputs = translator._decode([sentence.ids for sentence in batch], LANGUAGES["sw"], tokens)
        check_lengths(outputs, tokens)
    return time.perf_counter() - began, time.process_time() - began_working


def ratio(times: dict[str, list[float]]) -> float:
    """Of the medians: transformers' for one of CTranslate2's."""
    peer, ours = (statistics.median(values) for values in times.values())
    return round(peer / ours, 2)


def speed(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Both in turn."""
    import torch

    make_checkpoint(options.shape, folder, device="cpu")
    ours = opened(model=str(folder), backend="ctranslate2", quantization="int8")
    peer = opened(model=str(folder))
    work = batches(peer, draw_sentences(options.sentences))
    warm = [work[-1][:2]]
    translators = {"transformers float32": peer, "ctranslate2 int8": ours}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in translators}
    for translator in translators.values():
        seconds(translator, warm, 4)
    for number in range(options.runs):
        for name, translator in translators.items():
            times[name].append(seconds(translator, work, options.tokens))
        say(f"run {number + 1}: " + ", ".join(f"{name} {values[-1][0]:.1f} s" for name, values in times.items()))
    whole, working = ({name: [round(v[i], 2) for v in values] for name, values in times.items()} for i in (0, 1))
    median = {name: statistics.median(values) for name, values in whole.items()}
    return {
        "shape": options.shape,
        "ratio": ratio(whole),
        "ratio_of_processor_seconds": ratio(working),
        "tokens_a_second": {
            name: round(options.sentences * options.tokens / value, 1) for name, value in median.items()
        },
        "seconds": whole,
        "processor_seconds": working,
        "sentences": options.sentences,
        "source_tokens": sum(len(sentence.ids) for sentence in chain.from_iterable(work)),
        "tokens_of_a_hypothesis": options.tokens,
        "batches": [len(batch) for batch in work],
        "threads": torch.get_num_threads(),
    }


class Case(NamedTuple):
    """Sentences, from and into which language."""

    source: Language
    target: Language
    texts: list[str]


def known_cases(problems: int) -> Iterator[Case]:
    """The sentences of held-out problems, in every direction."""
    for language in TARGETS:
        pairs = sentences(7, problems, language)
        yield Case(ENGLISH, language, [english for english, _ in pairs])
        yield Case(language, ENGLISH, [translated for _, translated in pairs])


def unknown_cases(path: Path, problems: int) -> Iterator[Case]:
    """The sentences of GSM8K's first questions, into every language."""
    lines = path.read_text("utf-8").splitlines()[:problems]
    segments = chain.from_iterable(split(json.loads(line)["question"], ENGLISH) for line in lines)
    texts = list(dict.fromkeys(segment.text for segment in segments if segment.translate))
    for language in TARGETS:
        yield Case(ENGLISH, language, texts)


def difference(cases: Sequence[Case], beams: int) -> dict[str, Any]:
    """How far each quantization is from transformers, over all cases."""
    peer = opened(beams=beams)
    expected = [h.text for case in cases for h in peer.translate(case.texts, case.source, case.target)]
    found = {}
    for name, quantization in (("float32", "none"), ("int8", "int8")):
        ours = opened(backend="ctranslate2", quantization=quantization, beams=beams)
        got = [h.text for case in cases for h in ours.translate(case.texts, case.source, case.target)]
        found[name] = {
            "equal_percent": round(100 * sum(a == b for a, b in zip(got, expected, strict=True)) / len(got), 2),
            "chrf++": round(_CHRF.corpus_score(got, [expected]).score, 2),
            "hypotheses": len(got),
        }
    return found


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="600m")
    parser.add_argument("--sentences", type=int, default=48)
    parser.add_argument("--tokens", type=int, default=24, help="of each hypothesis")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--problems", type=int, default=24, help="whose sentences are compared")
    parser.add_argument("--gsm8k", type=Path, help="GSM8K's test.jsonl")
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4], help="with which they are compared")
    parser.add_argument("--dry-run", action="store_true", help="print, do not record")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        cases = {"held-out problems": list(known_cases(options.problems))}
        if options.gsm8k:
            cases["gsm8k"] = list(unknown_cases(options.gsm8k, options.problems))
        facts: dict[str, Any] = {
            "difference": {
                f"{name}, beams {beams}": difference(of_name, beams)
                for name, of_name in cases.items()
                for beams in options.beams
            },
            "signature": str(_CHRF.get_signature()),
        }
        say(str(facts["difference"]))
        checkpoint = Path(folder) / "random"
        facts = {"speed": speed(options, checkpoint), **facts}
        facts["speed"]["checkpoint_mib"] = round(file_size(checkpoint) / 2**20)
    if options.dry_run:
        print(facts)
    else:
        record("ctranslate_speed", facts, packages=("torch", "transformers", "ctranslate2", "sacrebleu"))


if __name__ == "__main__":
    main()
