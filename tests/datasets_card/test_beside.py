"""What is published beside the kept rows: nothing of a benchmark, and nothing that its licence forbids."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets_card.gates import check_run
from datasets_card.publication import Staged
from datasets_card.settings import PublishSettings
from datasets_card.staging import stage_data
from mcot.core.errors import SettingsError
from mcot.core.reviews import QUEUE_SCHEMA, VERDICT_SCHEMA
from mcot.publish import publish_to_folder
from tests.datasets_card.card_runs import make_row, make_run

CLEAN: dict[str, Any] = {"contamination_question": 0.9}
REJECTED: dict[str, Any] = {"decision": "drop", "reasons": ["numbers.missing"], "details": ["3"], "scores": CLEAN}
OF_A_BENCHMARK: dict[str, Any] = {
    "decision": "drop",
    "reasons": ["contamination.gsm8k"],
    "details": ["7"],
    "scores": CLEAN,
}


def settings_of(**changes: Any) -> PublishSettings:
    return PublishSettings.model_validate({"repo_id": "org/set", "rejected": True, "verdicts": True} | changes)


def make(folder: Path, *rejected: dict[str, Any]) -> Path:
    """A run of two kept rows and these rejected ones."""
    kept = [make_row(1, "en", scores=CLEAN), make_row(1, "sw", scores=CLEAN)]
    return make_run(folder, [*kept, *rejected], settings={"languages": ["sw"]})


def stage(run: Path, folder: Path, **changes: Any) -> Staged:
    folder.mkdir()
    settings = settings_of(**changes)
    return stage_data(run, folder, check_run(run, settings), settings)


def read(staged: Staged, name: str) -> list[dict[str, Any]]:
    config = staged.config(name)
    if config is None:
        return []
    paths = [staged.folder / path for paths in config.splits.values() for path in paths]
    return [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]


def judge(run: Path, *rows: dict[str, Any]) -> None:
    """Have somebody correct rows."""
    corrected = [
        {"language": row["language"], "id": row["id"], "review_round": 1, "annotator": "ana", "verdict": "fix",
         "question": f"corrected {row['id']}", "rationale": "2"}
        for row in rows
    ]  # fmt: skip
    queued = [{"language": row["language"], "id": row["id"], "review_round": 1, "row": row} for row in rows]
    pq.write_table(pa.Table.from_pylist(corrected, VERDICT_SCHEMA), run / "review" / "verdicts.parquet")
    pq.write_table(pa.Table.from_pylist(queued, QUEUE_SCHEMA), run / "review" / "queue.parquet")


@pytest.mark.parametrize(
    ("changed", "options", "published"),
    [
        (REJECTED, {}, True),
        (OF_A_BENCHMARK, {}, False),
        # Whatever band it was decided by.
        ({**REJECTED, "scores": {"contamination_question": 0.2}}, {}, False),
        # Looked for in none.
        ({**REJECTED, "scores": {}}, {}, False),
        ({**REJECTED, "scores": {}}, {"without_contamination_check": True}, True),
        ({**OF_A_BENCHMARK, "scores": {}}, {"without_contamination_check": True}, False),
    ],
)
def test_rejected_rows_and_verdicts_are_of_no_benchmark(
    tmp_path: Path, changed: dict[str, Any], options: dict[str, Any], published: bool
) -> None:
    row = make_row(2, "sw", **changed)
    run = make(tmp_path / "run", row)
    judge(run, row, make_row(1, "sw", scores=CLEAN))
    staged = stage(run, tmp_path / "staged", **options)
    assert [one["id"] for one in read(staged, "rejected")] == ["p2-sw"] * published
    assert [one["id"] for one in read(staged, "verdicts")] == ["p1-sw", *["p2-sw"] * published]
    told = check_run(run, settings_of(**options)).beside.left_out
    assert [line.partition(",")[0] for line in told] == (
        [] if published else ["rejected: 1 rows are of a benchmark", "verdicts: those on 1 rows"]
    )


def test_a_row_that_is_shown_only_in_the_queue(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    # One of a problem that the run has no more, of a benchmark; one that is nowhere at all.
    gone, lost = make_row(8, "sw", **OF_A_BENCHMARK), make_row(9, "sw", scores=CLEAN)
    judge(run, gone, lost, make_row(1, "sw", scores=CLEAN))
    queue = pq.ParquetFile(run / "review" / "queue.parquet").read()
    pq.write_table(pa.concat_tables([queue.slice(0, 1), queue.slice(2)]), run / "review" / "queue.parquet")
    assert [one["id"] for one in read(stage(run, tmp_path / "staged"), "verdicts")] == ["p1-sw"]


def test_verdicts_stand_though_they_came_before_the_check(tmp_path: Path) -> None:
    run = make(tmp_path / "run")
    judge(run, make_row(1, "sw", scores={}))
    assert len(read(stage(run, tmp_path / "staged"), "verdicts")) == 1


@pytest.mark.parametrize("options", [{"rejected": False}, {"verdicts": False}], ids=["verdicts", "rejected"])
def test_licences_of_what_is_published_beside_count(tmp_path: Path, options: dict[str, Any]) -> None:
    row = make_row(2, "sw", source="secret", license="cc-by-nd-4.0", **REJECTED)
    run = make(tmp_path / "run", row)
    judge(run, row)
    rows = check_run(run, settings_of(**options))
    assert rows.licenses == {"problems": "MIT", "secret": "cc-by-nd-4.0"}
    assert rows.only_beside == {"secret"}
    with pytest.raises(SettingsError) as raised:
        publish_to_folder(run, settings_of(**options, tag="t"), tmp_path / "dry")
    for part in ("'secret'", "lets nobody pass on a translation", "publish without `rejected` and `verdicts`"):
        assert part in str(raised.value)
    # A licence of what is not published is nobody's concern.
    assert check_run(run, settings_of(rejected=False, verdicts=False)).licenses == {"problems": "MIT"}
    assert check_run(run, settings_of(**options, languages=["en"])).licenses == {"problems": "MIT"}


def test_a_forbidden_source_that_is_left_out_forbids_nothing(tmp_path: Path) -> None:
    run = make(tmp_path / "run", make_row(2, "sw", source="secret", license="cc-by-nd-4.0", **OF_A_BENCHMARK))
    assert check_run(run, settings_of()).licenses == {"problems": "MIT"}
