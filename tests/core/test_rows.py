"""The schema of a row."""

import pyarrow as pa
import pytest

from mcot.core.rows import SCHEMA, cast, from_rows, row_id, source_row


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
