"""Check a language's table of sentences: ``python -m curation.demo.lint_texts sw``.

Complete, every number kept, and no two sentences alike (back-translation could not tell them apart).
"""

import random
import re
import sys
from collections.abc import Iterator

import yaml

from curation.demo.generator import FOLDER, draw_problem, load_texts, problem_templates

__all__ = ["faults"]


def faults(language: str, seeds: int = 40) -> Iterator[str]:
    """What is wrong with a language's table, one line each."""
    tables = {code: yaml.safe_load((FOLDER / "texts" / f"{code}.yaml").read_text("utf-8")) for code in ("en", language)}
    for part in ("names", "items", "sentences"):
        missing, extra = (set(tables[a][part]) - set(tables[b][part]) for a, b in (("en", language), (language, "en")))
        if missing or extra:
            yield f"{part}: missing {sorted(missing)}, unknown {sorted(extra)}"
            return
    texts, english = load_texts(language), load_texts("en")
    for part, words in (("names", texts.names), ("items", texts.items)):
        if len({str(word) for word in words.values()}) < len(words):
            yield f"{part}: two are alike"
    seen: dict[str, str] = {}
    for seed in range(seeds):
        for template in problem_templates():
            problem = draw_problem(random.Random(seed), template)
            for line in (*problem.question, *problem.solution):
                text, source = texts.sentence(problem, line), english.sentence(problem, line)
                for argument in line[1:]:
                    quantity = problem.quantities[argument]
                    if quantity.shown is not None and quantity.shown not in text:
                        yield f"{line[0]}: {quantity.shown!r} is not in {text!r}"
                if seen.setdefault(text, source) != source:
                    yield f"{line[0]}: {text!r} is both {seen[text]!r} and {source!r}"
                if re.search(r"[{}]|None|  |\s[.,](?!\d)| $", text):
                    yield f"{line[0]}: odd characters in {text!r}"


def main() -> None:
    """Lint the languages named on the command line, then print some problems of each to read."""
    wrong = 0
    for language in sys.argv[1:]:
        for fault in sorted(set(faults(language))):
            wrong += 1
            print(f"{language}: {fault}")
        if not wrong:
            for template in problem_templates():
                problem = draw_problem(random.Random(template["id"]), template)
                for code in ("en", language):
                    texts = load_texts(code)
                    print(" ".join(texts.question(problem)), "|", " ".join(texts.solution(problem)))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
