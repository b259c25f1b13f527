"""How well the embedded model knows its domain: ``python -m benchmarks.demo_model``.

Held-out problems: people and goods that their template never had in training, numbers drawn anew. Every
sentence in both directions, as the pipeline gives it to the model (equations and amounts as stand-ins), and
whole problems through the pipeline's own splitting and reassembly.
"""

import argparse
import random
import time

from sacrebleu.metrics.chrf import CHRF

from benchmarks._record import record
from curation.demo.generator import draw_problem, held_out_words, load_texts, problem_templates
from curation.translation.nllb import NllbTranslator
from curation.translation.spans import protect, restore
from mcot.core.languages import ENGLISH, TARGETS, Language
from mcot.core.settings import TranslatorSettings

_CHRF = CHRF(word_order=2)


def sentences(seed: int, problems: int, language: Language) -> list[tuple[str, str]]:
    """Different sentences of held-out problems, English and translated."""
    rng, templates = random.Random(seed), problem_templates()
    english, texts = load_texts("en"), load_texts(language.code)
    pairs: dict[str, str] = {}
    for index in range(problems):
        template = templates[index % len(templates)]
        problem = draw_problem(rng, template, **held_out_words(template["id"]))
        for line in (*problem.question, *problem.solution):
            pairs[english.sentence(problem, line)] = texts.sentence(problem, line)
    return list(pairs.items())


def measure(
    translator: NllbTranslator, pairs: list[tuple[str, str]], source: Language, target: Language
) -> dict[str, float]:
    """Exact match in percent, and chrF++, of translations from the first of each pair to the second."""
    protected = [protect(text) for text, _ in pairs]
    hypotheses = translator.translate([p.text for p in protected], source, target)
    texts = [restore(h.text, p.spans)[0] for h, p in zip(hypotheses, protected, strict=True)]
    exact = sum(text == reference for text, (_, reference) in zip(texts, pairs, strict=True))
    chrf = _CHRF.corpus_score(texts, [[reference for _, reference in pairs]]).score
    return {"exact": round(100 * exact / len(pairs), 2), "chrf++": round(chrf, 2), "sentences": len(pairs)}


def main() -> None:
    """Measure every direction."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dry-run", action="store_true", help="print, do not record")
    options = parser.parse_args()
    translator = NllbTranslator(TranslatorSettings())
    translator.open()
    figures, began = {}, time.monotonic()
    for language in TARGETS:
        pairs = sentences(options.seed, options.problems, language)
        forward = measure(translator, pairs, ENGLISH, language)
        backward = measure(translator, [(target, english) for english, target in pairs], language, ENGLISH)
        figures[f"en-{language.code}"], figures[f"{language.code}-en"] = forward, backward
        print(f"{language.code}: from English {forward}, into English {backward}", flush=True)
    if not options.dry_run:
        signature = str(_CHRF.get_signature())
        facts = {"model": translator.name, "problems": options.problems, "seed": options.seed, "signature": signature,
                 "seconds": round(time.monotonic() - began, 1), "directions": figures}  # fmt: skip
        record("demo_model", facts, packages=("torch", "transformers", "sacrebleu"))


if __name__ == "__main__":
    main()
