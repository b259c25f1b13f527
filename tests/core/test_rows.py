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
    scores = table["scores"].combine_chunks()
    names = [field.name for field in scores.type if not field.name.startswith(("judge", "quality_estimation"))]
    column = pa.StructArray.from_arrays([scores.field(name) for name in names], names=names, mask=scores.is_null())
    return table.set_column(table.column_names.index("scores"), "scores", column).replace_schema_metadata({"a": "b"})


def test_rows_of_an_earlier_version_lack_what_it_did_not_score() -> None:
    row = source_row(problem_id="p", source="s", license="MIT", question="Q?", rationale=None, answer="3")
    table = from_rows([{**row, "scores": dict.fromkeys(SCORES) | {"length_question": 0.5, "judge_question": 1.0}}, row])
    renewed = renew(older(table))
    assert renewed.schema.equals(SCHEMA)
    assert renewed.schema.metadata == {b"a": b"b"}
    scores = renewed["scores"].to_pylist()
    assert (scores[0]["length_question"], scores[0]["judge_question"], scores[1]) == (0.5, None, None)


@pytest.mark.parametrize("table", [from_rows([]), pa.table({"id": ["a"]}), pa.table({"id": ["a"], "scores": [1.0]})])
def test_what_is_of_today_or_no_rows_is_left_as_it_is(table: pa.Table) -> None:
    assert renew(table) is table
