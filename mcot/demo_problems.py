"""The problems of the demo's rounds: few kinds and small numbers, some with a typing mistake, and their true texts.

Simple enough that a model of less than a million parameters learns some of it in a minute, and hard enough that the
embedded translator errs: over a misspelt word it puts another of those that it knows.
"""

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.demo.generator import Problem, draw_problem, held_out_words, load_texts, problem_templates
from mcot.core.errors import SettingsError
from mcot.core.files import write_file
from mcot.core.languages import get_language
from mcot.demo import show_as_gsm8k

__all__ = ["MOST", "Truth", "draw_sets", "misspell", "read_truth", "true_texts", "write_benchmark", "write_sources"]

# The simplest of the demo's kinds, and the largest number in them.
_KINDS = ("buy_more", "give_away", "fewer_than")
_LARGEST = 12
# Of the problems to translate, the share with a typing mistake in the question.
_TYPOS = 0.4
#: Problems that can be drawn at most, to learn and to be measured on: there are no many more with such numbers.
MOST = 1000

_SEED = 2024
_WORD = re.compile(r"[A-Za-z]{4,}")


@dataclass(frozen=True, slots=True)
class Truth:
    """A problem's texts in a language, as somebody would write who knows the language.

    Attributes:
        question: its sentences, as the language puts them together.
        rationale: a line for each step, and the answer.
    """

    question: str
    rationale: str


def draw_sets(learned: int, measured: int) -> tuple[list[Problem], list[Problem]]:
    """Problems to learn from and problems to be measured on, none of which is one of the first.

    Raises:
        SettingsError: there are no so many.
    """
    if learned + measured > MOST:
        raise SettingsError(
            f"--problems: got {learned:,}; valid with --rounds: at most {MOST - measured:,}, as the demo's simplest "
            "kinds have no many more; give fewer"
        )
    rng, by_name = random.Random(_SEED), {template["id"]: template for template in problem_templates()}
    drawn: dict[str, Problem] = {}
    while len(drawn) < learned + measured:
        template = by_name[_KINDS[len(drawn) % len(_KINDS)]]
        # People and goods that the embedded translator never saw in this kind of problem.
        problem = draw_problem(rng, template, **held_out_words(template["id"]))
        if all(quantity.value <= _LARGEST for quantity in problem.quantities.values()):
            drawn.setdefault(true_texts(problem, "en").question, problem)
    problems = list(drawn.values())
    return problems[:learned], problems[learned:]


def true_texts(problem: Problem, language: str) -> Truth:
    """What a problem says in a language."""
    texts, known = load_texts(language), get_language(language)
    answer = known.answer_phrase.format(answer=problem.answer)
    question = known.sentence_separator.join(texts.question(problem))
    return Truth(question, "\n".join([*texts.solution(problem), answer]))


def misspell(rng: random.Random, text: str) -> str:
    """The text with two letters of a word exchanged, one left out or one doubled."""
    word = rng.choice(list(_WORD.finditer(text)))
    # Not the first letter and not the last, which people seldom mistype.
    at = word.start() + rng.randrange(1, len(word[0]) - 2)
    wrong = rng.choice([text[at + 1] + text[at], text[at + 1], text[at] + text[at] + text[at + 1]])
    return text[:at] + wrong + text[at + 2 :]


def write_sources(path: Path, problems: Iterable[Problem]) -> None:
    """Write problems as GSM8K's JSONL, some with a typing mistake in the question."""
    rng, lines = random.Random(_SEED), []
    for problem in problems:
        question = true_texts(problem, "en").question
        lines.append(show_as_gsm8k(problem, misspell(rng, question) if rng.random() < _TYPOS else question))
    write_file(path, "\n".join(lines) + "\n")


def read_truth(path: Path, problems: Sequence[Problem]) -> Mapping[str, Problem]:
    """The problems by their English question as `write_sources` wrote it."""
    lines = [line for line in path.read_text("utf-8").split("\n") if line]
    return {json.loads(line)["question"]: problem for line, problem in zip(lines, problems, strict=True)}


def write_benchmark(folder: Path, problems: Sequence[Problem], languages: Iterable[str]) -> None:
    """Write problems as a benchmark of one's own: a file for each language, without typing mistakes."""
    for code in languages:
        records = [
            {"id": str(number), "question": true_texts(problem, code).question, "answer": problem.answer}
            for number, problem in enumerate(problems, 1)
        ]
        lines = [json.dumps(record, ensure_ascii=False) for record in records]
        write_file(folder / f"{code}.jsonl", "\n".join(lines) + "\n")
