"""The Croissant metadata, by MLCommons' own reader."""

import hashlib
import json
from pathlib import Path
from typing import Any

import mlcroissant
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_card.card import make_card
from datasets_card.croissant import make_croissant
from datasets_card.publication import Config, Staged
from mcot.core.files import write_file
from mcot.core.reviews import VERDICT_SCHEMA
from mcot.core.rows import SCHEMA
from tests.datasets_card.card_runs import SETTINGS, make_row, make_run, stage, summary

ROWS = [
    *(make_row(number, code) for code in ("sw", "bn", "en") for number in range(1, 6)),
    make_row(6, "sw", reasons=["numbers.changed"], details=["12 became 21"],
             review={"verdict": "accept", "reviewers": [], "error_types": [], "agreement": 1.0, "round": 1}),
]  # fmt: skip

# Its readers of pandas and of JSON paths.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    place = tmp_path_factory.mktemp("croissant")
    run = make_run(place / "run", ROWS, reviews=summary())
    staged = stage(run, place / "repository")
    for name, content in make_card(run, staged, SETTINGS).items():
        write_file(staged.folder / name, content)
    return staged


@pytest.fixture(scope="module")
def dataset(staged: Staged) -> mlcroissant.Dataset:
    # Without the network: the repository is the folder.
    return mlcroissant.Dataset(str(staged.folder / "croissant.json"), mapping={"repo": str(staged.folder)})


def test_it_is_valid(dataset: mlcroissant.Dataset) -> None:
    issues = dataset.metadata.ctx.issues
    assert (set(issues.errors), set(issues.warnings)) == (set(), set())


def test_what_it_says_of_the_dataset(dataset: mlcroissant.Dataset) -> None:
    told = dataset.metadata
    assert (told.name, told.version, told.license) == ("Word problems", "2.0.0", ["mit"])
    assert told.in_language == ["sw", "bn", "en"]
    assert "2406.02301" in told.cite_as
    assert any(limit.startswith("Machine translation: ") for limit in told.data_limitations)
    assert told.date_published is not None


@pytest.mark.parametrize(("config", "rows"), [("sw", 6), ("bn", 5), ("en", 5), ("all", 16)])
def test_records_are_the_rows(staged: Staged, dataset: mlcroissant.Dataset, config: str, rows: int) -> None:
    records = list(dataset.records(config))
    assert len(records) == rows
    found = staged.config(config)
    assert found is not None
    table = pa.concat_tables(pq.read_table(staged.folder / path) for path in found.splits["train"])
    expected = {row["id"]: row for row in table.to_pylist()}
    for record in records:
        row = expected[_read(record[f"{config}/id"])]
        assert _read(record[f"{config}/rationale"]) == row["rationale"]
        assert [_read(reason) for reason in record[f"{config}/reasons"]] == row["reasons"]
        score = record[f"{config}/scores"][f"{config}/scores/back_translation_question"]
        assert score == (row["scores"] or {}).get("back_translation_question")
        assert _read(record[f"{config}/review"][f"{config}/review/verdict"]) == (row["review"] or {}).get("verdict")


def _read(text: bytes | None) -> str | None:
    return None if text is None else text.decode()


def test_every_file_has_its_checksum(staged: Staged) -> None:
    content = json.loads((staged.folder / "croissant.json").read_text("utf-8"))
    files = {one["@id"]: one for one in content["distribution"] if one["encodingFormat"] == "application/x-parquet"}
    for path in staged.files:
        data = (staged.folder / path).read_bytes()
        assert files[path]["sha256"] == hashlib.sha256(data).hexdigest()
        assert files[path]["contentSize"] == f"{len(data)} B"
    assert content["distribution"][0]["contentUrl"].endswith("/group/word-problems/tree/refs%2Ftags%2Fround-2")


@pytest.mark.parametrize(("name", "schema"), [("rejected", SCHEMA), ("verdicts", VERDICT_SCHEMA)])
def test_configs_beside_the_languages(tmp_path: Path, name: str, schema: pa.Schema) -> None:
    path = f"data/{name}/train-00000-of-00001.parquet"
    (tmp_path / path).parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([{"language": "sw", "id": "p1-sw"}], schema=schema), tmp_path / path)
    staged = Staged(tmp_path, (Config(name, {"train": (path,)}, {"train": 1}, 1),), {path: "0" * 64})
    facts: dict[str, Any] = {"name": "x", "description": "x", "license": "mit", "version": "1.0.0", "citeAs": "x"}
    content = make_croissant(staged, {**facts, "datePublished": "2026-01-01"}, repo_id="group/x", tag="round-1")
    write_file(tmp_path / "croissant.json", json.dumps(content))
    dataset = mlcroissant.Dataset(str(tmp_path / "croissant.json"), mapping={"repo": str(tmp_path)})
    assert not dataset.metadata.ctx.issues.errors
    (record,) = dataset.records(name)
    assert record[f"{name}/id"] == b"p1-sw"
    assert {field["name"] for field in content["recordSet"][0]["field"]} == set(schema.names)
