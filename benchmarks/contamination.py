"""Leaks planted and found: ``python -m benchmarks.contamination DATA``.

DATA holds `mgsm/test_{language}.json` and `gsm8k/{train,test}.jsonl`. Every problem of MGSM is planted in each of the
eleven languages, without its English source, in the ways in which leaks are disguised; every one of GSM8K's test in
English; and MGSM's English source beside a translation that no benchmark has. GSM8K's training problems, which must
not be found, are held against all benchmarks. Beside it stands the pre-training pipelines' rule: any 13 words in a row
(datatrove's `NGramDecontConfig.n_grams`), words split as here.
"""

import argparse
import json
import random
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks._record import record
from curation.contamination import ContaminationCheck, split_words
from mcot.core.benchmarks import make_benchmark
from mcot.core.languages import LANGUAGES
from mcot.core.numbers import read_numbers
from mcot.core.rows import from_rows
from mcot.core.settings import DEFAULT_BANDS

_PUNCTUATION = re.compile(r"[!-#%-.:-@\[-`{-~¿¡«»“”‘’、。！？，।]")
_NAME = re.compile(r"(?<=[^.!?:\s] )[A-ZА-ЯÁÉÍÓÚÄÖÜ][a-zа-яáéíóúñäöüßèêëçàâîïôûё]{2,}")
_OTHER_NAMES = ("Quentin", "Ottilie", "Bartholomew")
# A word of each language that no problem has much use for, to stand for another.
_OTHER_WORDS = {
    "en": "purple", "sw": "zambarau", "bn": "বেগুনি", "te": "ఊదారంగు", "th": "ม่วง", "ja": "紫", "zh": "紫",
    "ru": "фиолетовый", "es": "morado", "fr": "violet", "de": "lila",
}  # fmt: skip
_ZEROS = {"bn": "০", "te": "౦", "th": "๐", "ja": "０", "zh": "０"}


def plant(text: str, language: str, rng: random.Random) -> Iterator[tuple[str, str]]:
    """The ways to plant a problem, each with the text."""
    yield "exact", text
    yield "lower-cased", text.lower()
    yield "punctuation stripped", re.sub(r"\s+", " ", _PUNCTUATION.sub("", text))
    yield "spaces doubled", text.replace(" ", "  ")
    yield "one word changed", _change_word(text, language, rng)
    if name := _most_frequent_name(text):
        yield "one name changed", text.replace(name, rng.choice(_OTHER_NAMES))
    if zero := _ZEROS.get(language):
        yield "other digits", re.sub("[0-9]", lambda digit: chr(ord(zero) + int(digit[0])), text)
    yield "quoted in a prompt", f"### Question: {text}\n### Answer:"


def _change_word(text: str, language: str, rng: random.Random) -> str:
    """The text with one word, not a number, in another's place; two characters where words aren't spaced."""
    taken = {place for number in read_numbers(text, language) for place in range(number.start, number.end)}
    pattern = r"\S+" if LANGUAGES[language].spaced else r"[^\W\d][^\W\d]"
    words = [word for word in re.finditer(pattern, text) if taken.isdisjoint(range(*word.span()))]
    word = rng.choice(words)
    return text[: word.start()] + _OTHER_WORDS[language] + text[word.end() :]


def _most_frequent_name(text: str) -> str | None:
    counts = Counter(_NAME.findall(text))
    return max(counts, key=lambda name: (counts[name], name)) if counts else None


def _thirteen(texts: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text shares 13 words in a row with any of the texts."""
    known = {run for text in texts for run in _runs(text)}
    return lambda text: not known.isdisjoint(_runs(text))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = split_words(text)
    return {tuple(words[start : start + 13]) for start in range(len(words) - 12)}


def main() -> None:
    """Plant, look, and record the shares found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data: Path = parser.parse_args().data
    mgsm, gsm8k = make_benchmark("mgsm", data / "mgsm"), make_benchmark("gsm8k", data / "gsm8k")
    check = ContaminationCheck([mgsm, gsm8k])
    check.open()
    keep, rng = DEFAULT_BANDS["contamination"].keep, random.Random(3)

    planted: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    thirteen: dict[str, list[bool]] = defaultdict(list)
    missed: list[str] = []
    rightly = 0
    for benchmark in (mgsm, gsm8k):
        for language in benchmark.languages:
            rule = _thirteen([problem.question for problem in benchmark.read(language)])
            group = f"{benchmark.name} {language}"
            cases = [
                (problem.id, way, text)
                for problem in benchmark.read(language)
                for way, text in plant(problem.question, language, rng)
            ]
            scored = check.score(from_rows([{"language": language, "question": text,
                                             "source_question": text if language == "en" else None}
                                            for _, _, text in cases]))  # fmt: skip
            scores = scored.scores["contamination_question"]
            for (number, way, text), score, seen in zip(cases, scores, scored.observations, strict=True):
                found = score is not None and score < keep
                planted[way][group].append(found)
                thirteen[way].append(rule(text))
                rightly += any(f"problem {number}:" in observation.detail for observation in seen)
                if not found:
                    missed.append(f"{group} {number}, {way}: {score:.2f}")
    sources = [problem.question for problem in mgsm.read("en")]
    scored = check.score(from_rows([{"language": "sw", "source_question": source, "question": "Swali jingine kabisa."}
                                    for source in sources]))  # fmt: skip
    by_source = [score is not None and score < keep for score in scored.scores["contamination_question"]]
    planted["in translation, by its source"]["mgsm en"] = by_source

    train = [json.loads(line)["question"] for line in (data / "gsm8k" / "train.jsonl").open(encoding="utf-8")]
    table = from_rows([{"language": "en", "source_question": text, "question": text} for text in train])
    began = time.perf_counter()
    scored = check.score(table)
    seconds = time.perf_counter() - began
    flagged = [
        {"question": text, "seen": [observation.detail for observation in seen]}
        for text, score, seen in zip(train, scored.scores["contamination_question"], scored.observations, strict=True)
        if score is not None and score < keep
    ]
    rule = _thirteen([problem.question for problem in gsm8k.read("en")])
    every = [found for groups in planted.values() for founds in groups.values() for found in founds]
    figures = {
        "keep": keep,
        "planted": len(every),
        "found_percent": _percent(every),
        "right_problem_percent": round(100 * rightly / (len(every) - len(by_source)), 2),
        "found_percent_by_way": {
            way: {"all": _percent([f for founds in groups.values() for f in founds]),
                  "lowest": min((_percent(founds), group) for group, founds in groups.items()),
                  "thirteen_words": _percent(thirteen[way]) if way in thirteen else None}
            for way, groups in planted.items()
        },
        "missed": missed,
        "gsm8k_train": {"problems": len(train), "flagged": len(flagged),
                        "thirteen_words_flagged": sum(map(rule, train)),
                        "flagged_percent": round(100 * len(flagged) / len(train), 3), "rows": flagged,
                        "rows_a_second": round(len(train) / seconds)},
    }  # fmt: skip
    record("contamination", figures, packages=("numpy", "pyarrow"))


def _percent(found: Sequence[bool]) -> float:
    return round(100 * sum(found) / len(found), 2)


if __name__ == "__main__":
    main()
