"""Benchmarks: the shapes in which they are passed on, read as the same problems."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mcot.core.benchmarks import BENCHMARKS, BenchmarkProblem, make_benchmark
from mcot.core.errors import SourceError
from mcot.core.languages import LANGUAGES

EGGS = BenchmarkProblem("1", 'Ana says "hi" and buys 12 eggs. How many?', "12")
RIBBON = BenchmarkProblem("2", "Half of 3 ribbons?", "1.5")
SHAPES: dict[str, list[dict[str, Any]]] = {
    "mgsm": [{"question": EGGS.question, "answer": "12"}, {"question": f" {RIBBON.question} ", "answer": 1.5}],
    "hub": [
        {"question": EGGS.question, "answer": None, "answer_number": 12},
        {"question": RIBBON.question, "answer": None, "answer_number": 1.5},
    ],
    "gsm8k": [
        {"question": EGGS.question, "answer": "6+6=<<6+6=12>>12 eggs.\n#### 12"},
        {"question": RIBBON.question, "answer": "3/2 = 1.50\n#### 1.50"},
    ],
    "msvamp": [
        {"query": "english", "equation": "+ 6 6", "response": "12.0", "m_query": EGGS.question},
        {"query": "english", "equation": "/ 3 2", "response": "1.5", "m_query": RIBBON.question},
    ],
}


def write(path: Path, shape: str) -> Path:
    records = SHAPES[shape]
    lines = "\n".join(json.dumps(record) for record in records) + "\n"
    match path.suffix:
        case ".json":
            # MSVAMP's files have a record a line.
            path.write_text(lines if shape == "msvamp" else json.dumps(records, indent=1), "utf-8")
        case ".jsonl":
            path.write_text(lines, "utf-8")
        case ".tsv":
            path.write_text("".join(f"{one['question']}\t{one['answer']}\r\n" for one in records), "utf-8")
        case _:
            pq.write_table(pa.Table.from_pylist(records), path)
    return path


@pytest.mark.parametrize(
    ("name", "file", "shape", "language"),
    [
        ("mgsm", "test_sw.json", "mgsm", "sw"),
        ("mgsm", "test_sw.jsonl", "hub", "sw"),
        ("mgsm", "mgsm_te.tsv", "mgsm", "te"),
        ("mgsm", "de.parquet", "hub", "de"),
        ("msvamp", "test_Swahili.json", "msvamp", "sw"),
        ("msvamp", "test_English.json", "msvamp", "en"),
        ("gsm8k", "test.jsonl", "gsm8k", "en"),
        ("gsm8k", "test.parquet", "gsm8k", "en"),
    ],
)
def test_every_shape_is_read(tmp_path: Path, name: str, file: str, shape: str, language: str) -> None:
    path = write(tmp_path / file, shape)
    for given in (tmp_path, path):
        benchmark = make_benchmark(name, given)
        assert benchmark.languages == (language,)
        assert list(benchmark.read(language)) == [EGGS, RIBBON]


def test_any_file_is_english_unless_its_name_says_otherwise(tmp_path: Path) -> None:
    assert make_benchmark("gsm8k", write(tmp_path / "my problems.jsonl", "gsm8k")).languages == ("en",)
    assert make_benchmark("mgsm", write(tmp_path / "other_ja.json", "mgsm").parent / "other_ja.json").languages == (
        "ja",
    )


def test_the_hubs_benchmarks_have_their_languages_without_being_asked() -> None:
    assert {name: len(make_benchmark(name).languages) for name in BENCHMARKS} == {"mgsm": 11, "msvamp": 10, "gsm8k": 1}


def test_the_signature_is_of_the_content(tmp_path: Path) -> None:
    benchmark = make_benchmark("mgsm", write(tmp_path / "test_sw.json", "mgsm").parent)
    before = benchmark.signature
    assert make_benchmark("mgsm", tmp_path).signature == before
    write(tmp_path / "test_de.json", "mgsm")
    assert benchmark.signature != before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "holds no problem"),
        ("{oops", "test_sw.json, line 1: is not valid JSON"),
        ('[{"question": "q"}]', "problem 1: got the columns question; valid: m_query, response;"),
        ('[{"question": "", "answer": "1"}]', "problem 1: question: got '', expected a question's text"),
        ('[{"question": "q", "answer": "many"}]', "problem 1: answer: got 'many', expected a number"),
        ("[3]", "problem 1: got int, expected a record"),
    ],
)
def test_bad_content_is_said_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "test_sw.json").write_text(content, "utf-8")
    with pytest.raises(SourceError) as error:
        make_benchmark("mgsm", tmp_path).read("sw")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_bad_requests_are_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"got 'mgms'; valid: mgsm, msvamp, gsm8k .did you mean 'mgsm'"):
        make_benchmark("mgms")
    with pytest.raises(SourceError, match="nowhere not found; give a folder"):
        make_benchmark("mgsm", tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"holds no file of it; valid: test_.language., mgsm_.language."):
        make_benchmark("mgsm", tmp_path)
    with pytest.raises(SourceError, match="got language 'te'; valid: en, sw"):
        make_benchmark("msvamp").read("te")
    # Tests are offline.
    with pytest.raises(SourceError, match=r"mgsm_sw\.tsv of the Hub's dataset juletxara/mgsm could not be read"):
        make_benchmark("mgsm", revision="0" * 40).read("sw")


def test_real_benchmarks(shared_data: Path) -> None:
    mgsm, gsm8k = make_benchmark("mgsm", shared_data / "mgsm"), make_benchmark("gsm8k", shared_data / "gsm8k")
    assert mgsm.languages == tuple(LANGUAGES)
    answers = [problem.answer for problem in mgsm.read("en")]
    assert len(answers) == 250
    for language in mgsm.languages:
        assert [problem.answer for problem in mgsm.read(language)] == answers
    assert len(gsm8k.read("en")) == 1319
    assert [problem.answer for problem in gsm8k.read("en")][:250] == answers
