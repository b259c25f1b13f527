"""Sources: formats, ids, rejections, streaming, and every wrong input in one line."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi

from curation.sources import hub, read_problems, read_source, sources_signature
from curation.sources.hub import read_hub
from curation.sources.reader import SeenIds
from mcot.core.errors import SourceError
from mcot.core.rows import SCHEMA
from mcot.core.settings import SourceSettings

GSM8K = {"question": "Ann has 3 pens and buys 4. How many?", "answer": "She has 3 + 4 = <<3+4=7>>7 pens.\n#### 7"}
PLAIN = {"question": "What is 3 + 4?", "rationale": "3 + 4 = 7.", "answer": "7"}


def write_lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def read(path: Path, limit: int | None = None, **settings: Any) -> list[dict[str, Any]]:
    return list(read_source(SourceSettings(path=str(path), **settings), limit=limit))


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


def test_streaming_through_the_datasets_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Hub dataset's id opens a folder of that name too, and is streamed by the same code."""
    folder = tmp_path / "some-org" / "some-set"
    folder.mkdir(parents=True)
    write_lines(folder / "train.jsonl", {**PLAIN, "unused": 1}, {**PLAIN, "unused": 2})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    # A whole commit, for which the Hub need not be asked.
    settings = SourceSettings(path="some-org/some-set", revision="0" * 40)
    placed = list(read_hub(settings, lambda columns: [name for name in columns if name != "unused"]))
    assert [str(place) for place, _ in placed] == ["some-org/some-set, row 1", "some-org/some-set, row 2"]
    assert [record for _, record in placed] == [PLAIN, PLAIN]
    with pytest.raises(SourceError, match="set `subset`, `split`"):
        list(read_hub(settings.model_copy(update={"split": "nope"}), list))


def test_the_commit_that_was_signed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is pushed to the branch in between."""
    heads = iter(["1" * 40, "2" * 40, "3" * 40])
    loaded: list[str] = []

    def dataset_info(_: HfApi, name: str, **options: object) -> SimpleNamespace:
        return SimpleNamespace(sha=next(heads))

    def load_dataset(*arguments: object, revision: str, **options: object) -> list[dict[str, str]]:
        loaded.append(revision)
        return [PLAIN]

    monkeypatch.setattr(HfApi, "dataset_info", dataset_info)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    monkeypatch.setattr(hub, "_commits", {})
    source = SourceSettings(path="no-such/dataset", revision="main")
    for commit in ("1" * 40, "2" * 40):
        signature = sources_signature([source])
        assert len(list(read_source(source))) == 1
        assert loaded[-1] == commit
        assert signature == sources_signature([source.model_copy(update={"revision": commit})])
    # Another branch is another commit.
    list(read_source(source.model_copy(update={"revision": None})))
    assert loaded[-1] == "3" * 40


def test_signature_is_of_the_whole_of_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        # A hole takes no room on the disk.
        file.truncate(300 << 20)
    before = sources_signature([SourceSettings(path=str(path))])
    with path.open("r+b") as file:
        file.seek(150 << 20)
        file.write(b"x")
    assert sources_signature([SourceSettings(path=str(path))]) != before


def test_signature_is_of_contents_and_of_how_they_are_read(tmp_path: Path) -> None:
    def signature(path: Path, **settings: Any) -> str:
        return sources_signature([SourceSettings(path=str(path), **settings)])

    first = write_lines(tmp_path / "a.jsonl", PLAIN)
    (tmp_path / "other").mkdir()
    moved = write_lines(tmp_path / "other" / "a.jsonl", PLAIN)
    assert signature(first) == signature(moved)
    assert signature(first) != signature(first, name="b")
    assert signature(first) != signature(first, calculator_marks="remove")
    assert signature(first) != signature(write_lines(tmp_path / "other" / "a.jsonl", PLAIN, PLAIN))
    commit = "0123456789abcdef0123456789abcdef01234567"
    # A whole commit needs no Hub.
    assert signature(Path("org/set"), revision=commit) != signature(Path("org/set"), revision=commit[::-1])


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
