"""Sentences a second against transformers' usual recipe: ``python -m benchmarks.translation_speed``.

The recipe: batches of 8 in the order of the rows, padded, each through `generate`. Same model, same
sentences, same beams, one run, the two in turn; the ratio is of the medians.
"""

import argparse
import statistics
import time
from collections.abc import Callable

from benchmarks._record import record
from benchmarks.demo_model import sentences
from curation.translation.nllb import NllbTranslator
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.settings import TranslatorSettings


def usual_recipe(translator: NllbTranslator, texts: list[str], target: str, beams: int) -> list[str]:
    """What the model's documentation shows, in a loop."""
    import torch

    tokenizer, model = translator._tokenizer, translator._model
    tokenizer.src_lang = ENGLISH.flores
    outputs: list[str] = []
    for start in range(0, len(texts), 8):
        inputs = tokenizer(texts[start : start + 8], return_tensors="pt", padding=True)
        with torch.inference_mode():
            generated = model.generate(
                **inputs,
                forced_bos_token_id=tokenizer.convert_tokens_to_ids(LANGUAGES[target].flores),
                num_beams=beams,
                max_length=200,
            )
        outputs += tokenizer.batch_decode(generated, skip_special_tokens=True)
    return outputs


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Measure both in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--problems", type=int, default=150)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--language", default="sw")
    options = parser.parse_args()
    target = LANGUAGES[options.language]
    texts = [english for english, _ in sentences(3, options.problems, target)]
    figures = {}
    for beams in options.beams:
        translator = NllbTranslator(TranslatorSettings(model=options.model, beams=beams))
        translator.open()
        ours = [hypothesis.text for hypothesis in translator.translate(texts, ENGLISH, target)]
        recipe = usual_recipe(translator, texts, options.language, beams)
        times: dict[str, list[float]] = {"ours": [], "recipe": []}
        for _ in range(options.runs):
            times["ours"].append(seconds(lambda t=translator: t.translate(texts, ENGLISH, target)))  # type: ignore[misc]
            times["recipe"].append(
                seconds(lambda t=translator, b=beams: usual_recipe(t, texts, options.language, b))  # type: ignore[misc]
            )
        median = {name: statistics.median(values) for name, values in times.items()}
        figures[f"beams {beams}"] = {
            "ratio": round(median["recipe"] / median["ours"], 2),
            "sentences_a_second": {name: round(len(texts) / value, 1) for name, value in median.items()},
            "seconds": {name: [round(value, 2) for value in values] for name, values in times.items()},
            "equal_hypotheses_percent": round(
                100 * sum(a == b for a, b in zip(ours, recipe, strict=True)) / len(texts), 2
            ),
        }
    facts = {"model": options.model, "language": options.language, "sentences": len(texts), **figures}
    record("translation_speed", facts, packages=("torch", "transformers"))


if __name__ == "__main__":
    main()
