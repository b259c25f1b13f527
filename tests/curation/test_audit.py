"""`mcot audit`: what is read, what is dropped as a bad row, what is written."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import curation.audit as module
from curation.audit import audit
from curation.audit_rows import LONGEST, read_rows
from curation.audit_settings import AuditSettings, load_audit_settings
from curation.checks.numbers import NumbersCheck
from mcot.core.errors import SettingsError, SourceError
from mcot.core.rows import SCORES
from mcot.core.settings import SourceSettings

ENGLISH = "Mary bought 12 apples and gave 5 of them to her brother. How many apples does she have now?"
GOOD: dict[str, Any] = {
    "language": "es",
    "source_question": ENGLISH,
    "question": "María compró 12 manzanas y le dio 5 a su hermano. ¿Cuántas manzanas tiene ahora?",
}
CHANGED = {**GOOD, "question": GOOD["question"].replace("12", "13")}
ONE = AuditSettings(workers=1)


def write(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows in the format of the path's suffix."""
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        case ".json":
            path.write_text(json.dumps(rows))
        case ".csv":
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
        case _:
            pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def decide(path: Path, settings: AuditSettings = ONE) -> list[dict[str, Any]]:
    """The rows of `decisions.parquet`."""
    audit(str(path), path.parent / "out", settings)
    return pq.read_table(path.parent / "out" / "decisions.parquet").to_pylist()


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
def test_every_format_is_decided_in_order(tmp_path: Path, suffix: str) -> None:
    rows = decide(write(tmp_path / f"set{suffix}", [GOOD, CHANGED, GOOD]))
    assert [row["id"] for row in rows] == ["row-000001", "row-000002", "row-000003"]
    assert [row["decision"] == "keep" for row in rows] == [True, False, True]
    assert rows[1]["reasons"] == ["numbers.changed"]
    assert rows[1]["details"] == ["question: 12 -> 13"]
    assert list(rows[0]) == ["id", "decision", "reasons", "details", "scores"]
    assert list(rows[0]["scores"]) == list(SCORES)


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"question": None}, "row.empty_question", "question: is null"),
        ({"question": " \n"}, "row.empty_question", "question: is empty"),
        ({"source_question": ""}, "row.empty_source_question", "source_question: is empty"),
        ({"language": "xx"}, "row.bad_language", "got 'xx'; valid: en, sw"),
        ({"language": None}, "row.bad_language", "got null"),
        ({"language": 3}, "row.bad_language", "got 3"),
        ({"language": "esp"}, "row.bad_language", "did you mean 'es'"),
        ({"language": "en"}, "row.bad_language", "got 'en'"),
        ({"question": 12}, "row.bad_type", "question: got the number 12, expected text"),
        ({"question": ["a"]}, "row.bad_type", "got the list ['a']"),
        ({"answer": [7]}, "row.bad_type", "answer: got the list [7]"),
        ({"answer": True}, "row.bad_type", "answer: got the truth value True"),
        ({"id": {"a": 1}}, "row.bad_type", "id: got the object"),
        ({"question": "x" * 1_000_000}, "row.too_long", "question: has 1,000,000 characters, 20,000 at most"),
        ({"rationale": "y" * (LONGEST + 1)}, "row.too_long", "rationale: has 20,001 characters"),
        ({"question": "María\x00 compró 12 y 5"}, "row.bad_characters", "question: U+0000 at character 6"),
        ({"question": "Mar\x9f 12 y 5"}, "row.bad_characters", "U+009F"),
        ({"question": "Mar\ud800a 12 y 5"}, "row.bad_characters", "U+D800"),
        ({"back_question": "Mar\ufffda"}, "row.bad_characters", "back_question: U+FFFD"),
        ({"source_rationale": "12 - 5 = 7", "rationale": None}, "row.empty_rationale", "rationale: is empty"),
    ],
)
def test_a_bad_row_is_dropped_and_stops_no_other(
    tmp_path: Path, changes: dict[str, Any], reason: str, detail: str
) -> None:
    rows = decide(write(tmp_path / "set.jsonl", [GOOD, {**GOOD, **changes}, GOOD]))
    assert [row["decision"] for row in rows] == ["keep", "drop", "keep"]
    assert rows[1]["reasons"] == [reason]
    assert detail in rows[1]["details"][0]


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (b'{"language": "es", "question": "a', "line 2 is not JSON"),
        (b"[1, 2]", "line 2: got [1, 2], expected an object"),
        (b"null", "line 2: got null"),
        (b'{"question": "\xff"}', "line 2 is not UTF-8"),
        (b"[" * 100_000, "line 2 is not JSON"),
        (b'{"id": ' + b"9" * 5000 + b"}", "line 2 is not JSON"),
    ],
)
def test_a_broken_line_is_a_row(tmp_path: Path, line: bytes, detail: str) -> None:
    good = json.dumps(GOOD).encode()
    (tmp_path / "set.jsonl").write_bytes(b"\xef\xbb\xbf" + b"\n".join([good, line, b"", good]))
    rows = decide(tmp_path / "set.jsonl")
    assert [row["decision"] for row in rows] == ["keep", "drop", "keep"]
    assert rows[1]["reasons"] == ["row.broken"]
    assert detail in rows[1]["details"][0]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('es,a\nes,a,b\n"es","x\ny","z"\n', ["line 2: got 2 cells", None, None]),
        ('es,"a,b\nes,a,b\nes,c,d\n', ["line 2: is not CSV", None, None]),
        ('es,"a"x,b\nes,a,b\n', ["line 2: is not CSV", None]),
        ("es,a,b,c\n\nes,a,b\n", ["line 2: got 4 cells", None]),
    ],
)
def test_a_broken_row_of_csv_costs_no_other(tmp_path: Path, lines: str, expected: list[str | None]) -> None:
    (tmp_path / "set.csv").write_text(f"language,source_question,question\n{lines}")
    rows = list(read_rows(SourceSettings(path=str(tmp_path / "set.csv"))))
    assert [row["details"][0].startswith(why) if why else "decision" not in row
            for row, why in zip(rows, expected, strict=True)] == [True] * len(expected)  # fmt: skip


def test_a_parquet_cell_may_hold_any_bytes(tmp_path: Path) -> None:
    texts = pa.array([b"12 manzanas y 5", b"\xff\xfe", b"12 manzanas y 5"]).view(pa.binary())
    strings = pa.Array.from_buffers(pa.string(), 3, texts.buffers())
    columns: dict[str, Any] = {"language": ["es"] * 3, "source_question": [ENGLISH] * 3, "question": strings}
    pq.write_table(pa.table(columns), tmp_path / "set.parquet")
    rows = list(read_rows(SourceSettings(path=str(tmp_path / "set.parquet"))))
    assert [row.get("reasons") for row in rows] == [None, ["row.broken"], None]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"id": "a-1"}, {"id": "a-1"}),
        ({"id": 17}, {"id": "17"}),
        ({"id": 17.0}, {"id": "17"}),
        ({"id": ""}, {"id": "row-000001"}),
        ({"language": " ES "}, {"language": "es"}),
        ({"answer": 7}, {"answer": "7"}),
        ({"answer": 7.0}, {"answer": "7"}),
        ({"answer": "$1,200.00"}, {"answer": "1200"}),
        ({"answer": "(B)"}, {"answer": None}),
        ({"answer": 10**400}, {"answer": None}),
        ({"question": "a\r\nb\u2028c"}, {"question": "a\nb\nc"}),
        ({"rationale": "", "source_rationale": ""}, {"rationale": None, "source_rationale": None}),
    ],
)
def test_cells_are_read(tmp_path: Path, given: dict[str, Any], expected: dict[str, Any]) -> None:
    path = write(tmp_path / "set.jsonl", [{**GOOD, **given}])
    row = next(read_rows(SourceSettings(path=str(path))))
    assert "decision" not in row
    assert {key: row[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        ("set.jsonl", "", ["holds no rows"]),
        ("set.jsonl", "{\n{\n", ["none of its first 2 rows", "line 1"]),
        ("set.jsonl", '{"language": "es", "question": "a"}\n', ["no column 'source_question'", "language, question"]),
        ("set.csv", "language,question\nes,a\n", ["no column 'source_question'"]),
        ("set.csv", "", ["holds no rows"]),
        ("set.json", '[{"a": 1}, {', ["not JSON"]),
        ("set.json", "[1]", ["got a number"]),
        ("set.parquet", "nothing", ["broken"]),
        ("set.xls", "", ["'.xls'", ".csv"]),
        ("missing.jsonl", None, ["no such file", "org/name"]),
    ],
)
def test_a_set_that_cannot_be_read(tmp_path: Path, name: str, content: str | None, parts: list[str]) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(SourceError) as error:
        audit(str(tmp_path / name), tmp_path / "out", ONE)
    assert "\n" not in str(error.value)
    assert all(part in str(error.value) for part in parts)
    assert not (tmp_path / "out").exists()


def test_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    path = write(tmp_path / "set.jsonl", [GOOD, CHANGED, {**GOOD, "language": "xx"}, GOOD] * 2)
    alone = decide(path)
    report = (tmp_path / "out" / "report.json").read_bytes()
    assert decide(path, AuditSettings(workers=2)) == alone
    assert (tmp_path / "out" / "report.json").read_bytes() == report
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        ".audit", ".facts.json", ".lock", "dataset", "decide", "decisions.parquet", "manifest.json", "rejected",
        "report.html", "report.json", "review", "settings.yaml",
    ]  # fmt: skip


def test_a_check_that_fails_on_a_row_costs_that_row_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score: Callable[..., Any] = NumbersCheck.score

    def fail(self: NumbersCheck, table: pa.Table) -> Any:
        if "13" in str(table["question"].to_pylist()):
            raise ArithmeticError("no number")
        return score(self, table)

    monkeypatch.setattr(NumbersCheck, "score", fail)
    rows = decide(write(tmp_path / "set.jsonl", [GOOD, GOOD, CHANGED, GOOD]))
    assert [row["decision"] for row in rows] == ["keep", "keep", "drop", "keep"]
    assert rows[2]["reasons"] == ["row.failed"]
    assert rows[2]["details"] == ["a check failed on this row: ArithmeticError: no number"]


def test_what_was_not_run_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "set.jsonl", [GOOD])
    not_run = audit(str(path), tmp_path / "out", ONE).not_run
    assert {"back_translation", "equations", "answer", "contamination", "numbers of rationales"} <= set(not_run)
    assert "numbers" not in not_run
    assert json.loads((tmp_path / "out" / "report.json").read_text())["not_run"] == not_run
    assert "contamination" in (tmp_path / "out" / "report.html").read_text()
    full = {**GOOD, "back_question": ENGLISH, "source_rationale": "12 - 5 = 7", "rationale": "Le quedan 12 - 5 = 7."}
    not_run = audit(str(write(path, [full])), tmp_path / "out", ONE).not_run
    assert not {"back_translation", "numbers of rationales"} & set(not_run)


def test_english_rows_are_their_own_translation(tmp_path: Path) -> None:
    rows = decide(write(tmp_path / "set.jsonl", [{**GOOD, "language": "en", "question": ENGLISH}]))
    assert rows[0]["decision"] == "keep"


def test_contamination_runs_where_the_settings_ask(tmp_path: Path) -> None:
    (tmp_path / "test_en.json").write_text(json.dumps([{"question": ENGLISH, "answer": "7"}]))
    settings = AuditSettings(workers=1, contamination={"mgsm": tmp_path})
    rows = decide(write(tmp_path / "set.jsonl", [GOOD]), settings)
    assert rows[0]["decision"] == "drop"
    assert rows[0]["reasons"] == ["contamination.mgsm"]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("workrs: 2", ["unknown key 'workrs'", "did you mean 'workers'"]),
        ("checks: {model: a}", ["unknown key 'checks.model'", "language_model"]),
        ("thresholds: {sw: {numbers: {keep: 1, drop: 0, low: 0}}}", ["unknown key", "low"]),
        ("thresholds: {xx: {numbers: {keep: 1, drop: 0}}}", ["'xx'", "valid: "]),
        ("thresholds: {sw: {numbers: {keep: 0, drop: 1}}}", ["drop 1.0 is above keep 0.0"]),
        ("workers: 0", ["'workers'", "(got 0)"]),
        ("quality_estimation: {modle: a}", ["unknown key 'quality_estimation.modle'", "did you mean 'model'"]),
        ("judge: {model: a}", ["'judge.url'"]),
        ("judge: {url: ftp://a, model: b}", ["judge", "url is no address"]),
        ("judge: {url: http://a/v1, model: b, budget: {money: 1}}", ["budget.money needs prices"]),
        ("[1]", ["got a list", "thresholds"]),
        ("a: [", ["not valid YAML"]),
        (None, ["not found"]),
    ],
)
def test_settings_that_are_wrong(tmp_path: Path, content: str | None, parts: list[str]) -> None:
    path = tmp_path / "settings.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError) as error:
        load_audit_settings(path)
    assert "\n" not in str(error.value)
    assert all(part in str(error.value) for part in parts)


def test_thresholds_are_followed(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("thresholds: {es: {numbers: {keep: 0, drop: 0}}}\nworkers: 1\n")
    rows = decide(write(tmp_path / "set.jsonl", [CHANGED]), load_audit_settings(tmp_path / "settings.yaml"))
    assert rows[0]["decision"] == "keep"
