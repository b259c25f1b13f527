"""Sources that are wrong or break off: one line that says so."""

import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.sources import read_problems, read_source, sources_signature
from mcot.core.errors import SourceError
from mcot.core.settings import SourceSettings
from tests.curation.problem_files import PLAIN, read, write_lines


def test_what_stands_before_a_broken_line_is_given_out(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", *({"question": f"{n}?", "answer": n} for n in range(5)))
    path.write_text(path.read_text("utf-8") + '{"question": \n', "utf-8")
    rows = read_source(SourceSettings(path=str(path)))
    assert [next(rows)["answer"] for _ in range(5)] == ["0", "1", "2", "3", "4"]
    with pytest.raises(SourceError, match="line 6"):
        next(rows)


LINE = json.dumps(PLAIN)


@pytest.mark.parametrize(
    ("name", "content", "settings", "parts"),
    [
        ("a.jsonl", LINE + '\n{"question": "x", \n', {}, ["a.jsonl, line 2: is not JSON", "column", "mend"]),
        ("a.jsonl", "[1, 2]\n", {}, ["a.jsonl, line 1: got a list, expected an object", ".json"]),
        ("a.jsonl", LINE + "\n7\n", {}, ["line 2: got a number", "expected an object"]),
        ("a.jsonl", "[" * 100_000, {}, ["line 1: is not JSON"]),
        ("a.jsonl", '{"query": "x", "answer": "1"}', {}, ["no column 'question'", "valid: query, answer", "`columns`"]),
        ("a.jsonl", '{"qestion": "x", "answer": "1"}', {}, ["did you mean 'qestion'?"]),
        (
            "a.jsonl", LINE + '\n{"rationale": "x"}', {},
            ["line 2: this record lacks the column 'question', which the first has; it has: rationale; mend or remove"],
        ),
        ("a.jsonl", LINE + "\n{}", {}, ["line 2: this record lacks the column 'question'", "it has: nothing"]),
        ("a.jsonl", '{"question": 5, "answer": "1"}', {}, ["line 1: column 'question': got int 5, expected text"]),
        ("a.jsonl", '{"question": "x", "answer": [1]}', {}, ["line 1: column 'answer': got list [1], expected text"]),
        ("a.jsonl", '{"question": "x", "solution": "1"}', {}, ["neither 'answer' nor 'rationale'", "solution"]),
        ("a.jsonl", LINE, {"columns": {"answer": "gold"}}, ["no column 'gold'", "valid: question, rationale, answer"]),
        ("a.jsonl", LINE, {"columns": {"id": "key"}}, ["no column 'key'"]),
        ("a.jsonl", LINE, {"format": "metamathqa"}, ["'metamathqa' needs the columns query, response", "`format`"]),
        ("a.jsonl", LINE, {"format": "mathinstruct"}, ["no 'instruction'"]),
        ("a.jsonl", "", {}, ["holds no problems"]),
        ("a.jsonl", "\n \n", {}, ["holds no problems"]),
        ("a.csv", "", {}, ["holds no problems"]),
        ("a.csv", "question,answer\n", {}, ["holds no problems"]),
        ("a.json", "[]", {}, ["holds no problems"]),
        ("a.jsonl", (LINE + "\n").encode() + b'{"question": "caf\xe9"}', {}, ["line 2: is not UTF-8", "save it"]),
        ("a.jsonl", LINE.encode("utf-16"), {}, ["line 1: is not UTF-8 text (UTF-16)"]),
        ("a.csv", b"question,answer\na,1\ncaf\xe9,1\n", {}, ["line 3: is not UTF-8 text"]),
        ("a.json", b'[{"question": "caf\xe9"}]', {}, ["is not UTF-8 text"]),
        ("a.csv", "quest,answer\na,1\n", {}, ["no column 'question'", "did you mean 'quest'?"]),
        ("a.csv", "question,answer\na,1\nb,1,2\n", {}, ["line 3: got 3 cells, the header has 2", "quotes"]),
        ("a.csv", 'question,answer\n"a\nb",1\nc\n', {}, ["line 4: got 1 cells"]),
        ("a.csv", 'question,answer\na,1\n"b,1\nc,1\n', {}, ["line 3: is not CSV", "quote is closed"]),
        ("a.csv", "question,answer,question\na,1,b\n", {}, ["line 1: the column 'question' is there twice"]),
        ("a.json", '[{"question": "x",\n "answer": "1"},\n {"question" 5}]', {}, ["line 3: is not JSON"]),
        ("a.json", '[{"question": "x", "answer": "1"},\n', {}, ["line 2: is not JSON"]),
        ("a.json", "[\n7]", {}, ["line 2 (item 1): got a number"]),
        ("a.parquet", "no parquet at all", {}, ["a.parquet: can't be read: the file is broken"]),
        ("a.xlsx", "x", {}, ["has the suffix '.xlsx'; valid: .jsonl"]),
        ("a.jsnl", "x", {}, ["did you mean '.json"]),
        ("noname", "x", {}, ["has no suffix; valid: .jsonl"]),
        (
            "a.jsonl", '{"instruction": "x", "output": "y", "source": "data/PoT/a"}', {"format": "mathinstruct"},
            ["all 1 records are programs of thought"],
        ),
    ],
)  # fmt: skip
def test_wrong_data_is_one_line(
    tmp_path: Path, name: str, content: str | bytes, settings: dict[str, Any], parts: list[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SourceError) as caught:
        read(path, **settings)
    message = str(caught.value)
    assert message.startswith(f"source {path}")
    assert "\n" not in message
    assert [part for part in parts if part not in message] == [], message


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        (
            "trian.jsonl",
            ["no such file", "its folder has: data, train.jsonl (did you mean 'train.jsonl'?)", "org/name"],
        ),
        ("data/train.jsonl", ["no such file", "no files of problems"]),
        ("nowhere/train.jsonl", ["no such file", "no folder 'nowhere'"]),
        ("data", ["the folder has no files of problems", ".parquet"]),
        # Tests run offline, which is one way not to reach the Hub.
        ("no-such/dataset", ["could not be reached or does not exist", "HF_TOKEN", "local file"]),
    ],
)
def test_wrong_paths_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, parts: list[str]
) -> None:  # fmt: skip
    write_lines(tmp_path / "train.jsonl", PLAIN)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("x", "utf-8")
    monkeypatch.chdir(tmp_path)
    source = SourceSettings(path=path)
    for attempt in (lambda: list(read_source(source)), lambda: sources_signature([source])):
        with pytest.raises(SourceError) as caught:
            attempt()
        message = str(caught.value)
        assert message.startswith(f"source {path}")
        assert "\n" not in message
        assert [part for part in parts if part not in message] == [], message


def test_a_missing_second_source_is_found_before_the_first_is_read(tmp_path: Path) -> None:
    sources = [SourceSettings(path=str(write_lines(tmp_path / "a.jsonl", PLAIN))), SourceSettings(path="b.jsonl")]
    with pytest.raises(SourceError, match=r"b\.jsonl"):
        next(read_problems(sources, limit=None, rows=1, counts=[]))


def test_a_parquet_file_that_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rng = random.Random(1)
    records = [{"question": f"{rng.random()}", "rationale": f"{rng.random()}", "answer": "1"} for _ in range(5000)]
    pq.write_table(pa.Table.from_pylist(records), path, row_group_size=2500, compression="zstd")
    content = bytearray(path.read_bytes())
    middle = len(content) * 3 // 4
    content[middle : middle + 2000] = bytes(2000)
    path.write_bytes(content)
    rows = read_source(SourceSettings(path=str(path)))
    assert len([next(rows) for _ in range(2000)]) == 2000
    with pytest.raises(SourceError, match="can't be read: the file is broken"):
        list(rows)
