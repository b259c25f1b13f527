"""The schema of a row."""

import pyarrow as pa
import pytest

from mcot.core.rows import SCHEMA, SCORES, cast, from_rows, renew, row_id, source_row


def test_source_row_fits_the_schema() -> None:
    row = source_row(problem_id="p", source="s", license="MIT", question="Q?", rationale=None, answer="3")
    table = from_rows([row])
    assert table.schema == SCHEMA
    assert table["id"].to_pylist() == ["p-en"] == [row_id("p", "en")]


def test_cast_orders_fills_and_converts() -> None:
    table = pa.table({"round": pa.array([1], pa.int64()), "id": ["a"], "rationale": pa.nulls(1)})
    assert cast(table).schema == SCHEMA
    assert cast(table)["round"].to_pylist() == [1]


def test_cast_refuses_what_is_unknown() -> None:
    with pytest.raises(ValueError, match=r"\['colour'\]"):
        cast(pa.table({"colour": [1]}))


def older(table: pa.Table) -> pa.Table:
    """The table as a version that knew two checks less would have written it."""
    names = [name for name in SCORES if not name.startswith(("judge", "quality_estimation"))]
    scores = [row and {name: row[name] for name in names} for row in table["scores"].to_pylist()]
    column = pa.array(scores, pa.struct([(name, pa.float64()) for name in names]))
    return table.set_column(table.column_names.index("scores"), "scores", column).replace_schema_metadata({"a": "b"})


def test_rows_of_an_earlier_version_lack_what_it_did_not_score() -> None:
    row = source_row(problem_id="p", source="s", license="MIT", question="Q?", rationale=None, answer="3")
    table = from_rows([{**row, "scores": dict.fromkeys(SCORES) | {"length_question": 0.5}}, row])
    renewed = renew(older(table))
    assert renewed.schema.equals(SCHEMA)
    assert renewed.schema.metadata == {b"a": b"b"}
    assert renewed["scores"].to_pylist() == table["scores"].to_pylist()


@pytest.mark.parametrize("table", [from_rows([]), pa.table({"id": ["a"]}), pa.table({"id": ["a"], "scores": [1.0]})])
def test_what_is_of_today_or_no_rows_is_left_as_it_is(table: pa.Table) -> None:
    assert renew(table) is table
