"""Sources: formats of problems, kinds of files, and what is rejected of them."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.sources import read_problems
from curation.sources.reader import SeenIds
from mcot.core.rows import SCHEMA
from mcot.core.settings import SourceSettings
from tests.curation.problem_files import GSM8K, PLAIN, read, write_lines


@pytest.mark.parametrize(
    ("settings", "record", "question", "rationale", "answer"),
    [
        pytest.param(
            {"format": "gsm8k"}, GSM8K,
            GSM8K["question"], "She has 3 + 4 = <<3+4=7>>7 pens.\nThe answer is 7.", "7",
            id="gsm8k",
        ),
        pytest.param(
            {"format": "gsm8k", "calculator_marks": "remove"}, GSM8K,
            GSM8K["question"], "She has 3 + 4 = 7 pens.\nThe answer is 7.", "7",
            id="gsm8k-without-marks",
        ),
        pytest.param(
            {"format": "gsm8k"}, {"question": "How much?", "answer": "Much.\n#### 1,200"},
            "How much?", "Much.\nThe answer is 1200.", "1200",
            id="gsm8k-thousands",
        ),
        pytest.param(
            {"format": "metamathqa"},
            {"query": "Two bags hold 6 figs each. How many figs?",
             "response": "2 * 6 = 12 figs.\n#### 12\nThe answer is: 12",
             "type": "GSM_Rephrased", "original_question": "Two bags of 6 figs. How many?"},
            "Two bags hold 6 figs each. How many figs?", "2 * 6 = 12 figs.\nThe answer is 12.", "12",
            id="metamathqa-gsm",
        ),
        pytest.param(
            {"format": "metamathqa"},
            {"query": "Halve a quarter of 4.",
             "response": "That is $\\boxed{\\frac{1}{2}}$.\nThe answer is: \\frac{1}{2}",
             "type": "MATH_AnsAug", "original_question": "Halve a quarter of 4."},
            "Halve a quarter of 4.", "That is $\\boxed{\\frac{1}{2}}$.\nThe answer is 1/2.", "1/2",
            id="metamathqa-math",
        ),
        pytest.param(
            {"format": "mathinstruct"},
            {"instruction": "A pen is $2. What do 9 cost?", "output": "9 * 2 = 18. So the answer is 18.",
             "source": "data/CoT/gsm_rft.json"},
            "A pen is $2. What do 9 cost?", "9 * 2 = 18. So the answer is 18.\nThe answer is 18.", "18",
            id="mathinstruct",
        ),
        pytest.param(
            {"format": "mathinstruct"},
            {"instruction": "9 times 2?", "output": "9 * 2 = 18\n#### 18", "source": "data/CoT/gsm_train.json"},
            "9 times 2?", "9 * 2 = 18\nThe answer is 18.", "18",
            id="mathinstruct-hashes",
        ),
        pytest.param({}, PLAIN, "What is 3 + 4?", "3 + 4 = 7.", "7", id="columns"),
        pytest.param(
            {"columns": {"question": "q", "rationale": "steps", "answer": None}},
            {"q": "1 + 1?", "steps": "It is \\boxed{2}."}, "1 + 1?", "It is \\boxed{2}.", "2",
            id="columns-answer-in-rationale",
        ),
        pytest.param({}, {"question": "1 + 1?", "answer": 2.0}, "1 + 1?", None, "2", id="question-and-number"),
        pytest.param({}, {"question": "1 + 1?", "answer": "1 + 1\n#### 2"}, "1 + 1?", None, "2", id="answer-stated"),
        pytest.param(
            {}, {"question": "  a\u0000\u001bb\r\nc\td \ud83d ", "answer": "1"},
            "ab\nc\td \ufffd", None, "1",
            id="control-characters",
        ),
        # Combining accents stay as they are.
        pytest.param({}, {"question": "cafe\u0301?", "answer": "1"}, "cafe\u0301?", None, "1", id="no-normalisation"),
    ],
)  # fmt: skip
def test_formats(
    tmp_path: Path, settings: dict[str, Any], record: object, question: str, rationale: str | None, answer: str
) -> None:
    [row] = read(write_lines(tmp_path / "some.jsonl", record), **settings)
    assert (row["question"], row["rationale"], row["answer"]) == (question, rationale, answer)
    assert (row["source_question"], row["source_rationale"]) == (question, rationale)
    assert row["license"] == ("MIT" if "format" in settings else "unknown")
    assert (row["source"], row["language"], row["reasons"], row.get("decision")) == ("some", "en", [], None)


def test_programs_of_thought_are_left_out_and_counted(tmp_path: Path) -> None:
    thought = {"instruction": "1 + 1?", "output": "The answer is 2", "source": "data/CoT/a.json"}
    program = {"instruction": "1 + 1?", "output": "print(1 + 1)", "source": "data/PoT/a.json"}
    path = write_lines(tmp_path / "some.jsonl", program, thought, program)
    counts: list[dict[str, Any]] = []
    settings = SourceSettings(path=str(path), format="mathinstruct")
    tables = list(read_problems([settings], limit=1, rows=10, counts=counts))
    assert [len(table) for table in tables] == [1]
    assert counts == [{"name": "some", "problems": 1, "rejected": {}, "skipped": 1}]


@pytest.mark.parametrize(
    ("settings", "records", "reasons", "detail"),
    [
        (
            {}, [PLAIN, PLAIN],
            [[], ["source.duplicate_id"]], "line 2: an earlier problem has the same question and solution",
        ),
        (
            {"columns": {"id": "key"}}, [{**PLAIN, "key": 5}, {"question": "Other?", "answer": "1", "key": "5"}],
            [[], ["source.duplicate_id"]], "line 2: an earlier problem has the same id",
        ),
        ({}, [{**PLAIN, "question": " \n"}], [["source.empty_question"]], "line 1: the question is empty"),
        ({}, [{**PLAIN, "question": None}], [["source.empty_question"]], "line 1: the question is empty"),
        ({}, [{**PLAIN, "answer": None}], [["source.no_answer"]], "line 1: no answer is stated"),
        ({}, [{**PLAIN, "answer": "seven"}], [["source.no_answer"]], "line 1: the answer is not one number: seven"),
        (
            {"format": "gsm8k"}, [{"question": "a?", "answer": "no end"}],
            [["source.no_answer"]], "line 1: no answer is stated",
        ),
        (
            {"format": "mathinstruct"},
            [{"instruction": "Which? (A) 1 (B) 2", "output": "The answer is B", "source": "data/CoT/aqua_rat.json"}],
            [["source.no_answer"]], "line 1: the answer is not one number: B",
        ),
        (
            {"format": "metamathqa"},
            [{"query": "Root of 2?", "response": "The answer is: \\sqrt{2}", "type": "MATH_SV"}],
            [["source.no_answer"]], "line 1: the answer is not one number: \\sqrt{2}",
        ),
    ],
)  # fmt: skip
def test_rejected_problems_are_kept_with_a_reason(
    tmp_path: Path, settings: dict[str, Any], records: list[object], reasons: list[list[str]], detail: str
) -> None:
    path = write_lines(tmp_path / "some.jsonl", *records)
    rows = read(path, **settings)
    assert [row["reasons"] for row in rows] == reasons
    assert rows[-1]["decision"] == "drop"
    assert rows[-1]["details"] == [f"some.jsonl, {detail}"]
    counts: list[dict[str, Any]] = []
    [table] = read_problems([SourceSettings(path=str(path), **settings)], limit=None, rows=10, counts=counts)
    assert table.schema == SCHEMA
    assert counts[0]["problems"] == len(records)
    assert counts[0]["rejected"] == {reasons[-1][0]: 1}


def test_a_rejected_problem_does_not_take_its_id_from_a_good_one(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "a.jsonl", {"id": 1, "question": "", "answer": "1"}, {"id": 1, "question": "x?", "answer": "1"}
    )
    assert [row["reasons"] for row in read(path, columns={"id": "id"})] == [["source.empty_question"], []]


@pytest.mark.parametrize(
    ("own", "expected"), [("7", "set-7"), (7, "set-7"), ("set-7", "set-7"), (" 7\u0000 ", "set-7")]
)  # fmt: skip
def test_own_ids_carry_the_name_of_their_source(tmp_path: Path, own: object, expected: str) -> None:
    [row] = read(write_lines(tmp_path / "a.jsonl", {**PLAIN, "key": own}), name="set", columns={"id": "key"})
    assert (row["problem_id"], row["id"]) == (expected, f"{expected}-en")


def test_ids_are_of_the_texts_wherever_they_stand(tmp_path: Path) -> None:
    records = [{"question": f"{n} + 1?", "rationale": f"It is {n + 1}.", "answer": n + 1} for n in range(50)]
    first = {row["question"]: row["id"] for row in read(write_lines(tmp_path / "a.jsonl", *records), name="s")}
    random.Random(1).shuffle(records)
    assert {row["question"]: row["id"] for row in read(write_lines(tmp_path / "b.jsonl", *records), name="s")} == first
    # sha256 of "0 + 1?", U+001F, "It is 1."
    assert first["0 + 1?"] == "s-c06096f948c4fc9d-en"


def _parquet(path: Path, records: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(records), path)


def _csv(path: Path, records: list[dict[str, Any]]) -> None:
    cells = [",".join('"' + str(value).replace('"', '""') + '"' for value in record.values()) for record in records]
    path.write_text("\ufeff" + "\r\n".join([",".join(records[0]), *cells]) + "\r\n\r\n", "utf-8")


def _json(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps(records, indent=1), "utf-8")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.jsonl", lambda path, records: write_lines(path, *records)),
        ("a.ndjson", lambda path, records: path.write_text("\n\n".join(map(json.dumps, records)), "utf-8-sig")),
        ("a.JSON", lambda path, records: write_lines(path, *records)),
        ("a.json", _json),
        ("a.parquet", _parquet),
        ("a.csv", _csv),
    ],
)
def test_kinds_of_files(tmp_path: Path, name: str, write: Callable[[Path, list[dict[str, Any]]], object]) -> None:
    # Past several blocks and batches, with what each kind must quote.
    records = [{"question": f'"{n}", or\n{n} + 1?' + "…" * 400, "rationale": "", "answer": str(n)} for n in range(2500)]
    write(tmp_path / name, records)
    rows = read(tmp_path / name)
    assert [row["question"] for row in rows] == [record["question"] for record in records]
    assert [row["answer"] for row in rows] == [record["answer"] for record in records]
    assert not any(row["reasons"] for row in rows)


def test_folders_are_read_in_order_of_names(tmp_path: Path) -> None:
    write_lines(tmp_path / "b.jsonl", {"question": "b", "answer": 1})
    _parquet(tmp_path / "a.parquet", [{"question": "a", "answer": "1"}])
    for other in ("README.md", ".hidden.jsonl", "dataset_infos.json"):
        (tmp_path / other).write_text("?", "utf-8")
    assert [row["question"] for row in read(tmp_path)] == ["a", "b"]


def test_limit_counts_each_source_and_reads_no_further(tmp_path: Path) -> None:
    first = write_lines(tmp_path / "a.jsonl", *({"question": f"{n}?", "answer": n} for n in range(3)))
    first.write_text(first.read_text("utf-8") + "broken", "utf-8")
    second = write_lines(tmp_path / "b.jsonl", PLAIN)
    sources = [SourceSettings(path=str(first)), SourceSettings(path=str(second))]
    counts: list[dict[str, Any]] = []
    tables = list(read_problems(sources, limit=3, rows=2, counts=counts))
    assert [table["source"].to_pylist() for table in tables] == [["a", "a"], ["a", "b"]]
    assert [count["problems"] for count in counts] == [3, 1]


def test_seen_ids_remember_every_id() -> None:
    seen = SeenIds()
    assert all(seen.add(f"id-{number}") for number in range(20_000))
    assert not any(seen.add(f"id-{number}") for number in range(20_000))
    assert seen.add("id-20000")


@pytest.mark.parametrize(("part", "count"), [("train", 7473), ("test", 1319)])
def test_every_problem_of_gsm8k_has_its_answer(shared_data: Path, part: str, count: int) -> None:
    path = shared_data / "gsm8k" / f"{part}.jsonl"
    rows = read(path, format="gsm8k", name="gsm8k")
    stated = [json.loads(line)["answer"].split("####")[1].strip() for line in path.read_text("utf-8").splitlines()]
    assert [row["answer"] for row in rows] == [answer.replace(",", "") for answer in stated]
    assert len({row["id"] for row in rows}) == len(rows) == count
    assert not any(row["reasons"] for row in rows)
