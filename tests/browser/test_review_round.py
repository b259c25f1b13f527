"""A review from end to end: a curated run, Argilla's real page, `mcot review pull`, and what is in `dataset/` then."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from annotation.run_folder import read_id
from annotation.server.control import LocalServer
from curation.pipeline import curate
from mcot.cli import main
from mcot.core.settings import CurationSettings
from mcot.demo import write_problems
from tests.browser.argilla_page import open_dataset, question, submit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# "Please": a correction that no check can find fault with.
PLEASE = " Tafadhali."
# Kept rows alone: what a person does to them is then what changes.
REVIEW = """
workspace: round
budget: 5
audits: {keep: 1, drop: 0}
overlap: {share: 0}
annotators: {sw: [zuri.round]}
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_problems(tmp_path / "problems.jsonl", 12)
    source = {"path": str(tmp_path / "problems.jsonl"), "format": "gsm8k", "license": "MIT"}
    content = {"name": "round", "output": tmp_path / "run", "sources": [source], "languages": ["sw"]}
    return curate(CurationSettings.model_validate({**content, "contamination": {}})).folder


def review(*arguments: object) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["review", *map(str, arguments)])
    assert not stop.value.code


def read(run: Path, folder: str) -> dict[str, dict[str, Any]]:
    files = sorted((run / folder / "sw").glob("*.parquet"))
    return {row["id"]: row for file in files for row in pq.ParquetFile(file).read().to_pylist()}


def judge(page: "Page", number: int) -> str:
    """Correct the first row, reject the second, accept the others; gives the question that was shown."""
    question(page, "verdict").locator(":focus").wait_for(state="attached")
    box = question(page, "corrected_question").locator("[contenteditable]")
    if number == 0:
        page.keyboard.press("2")
        question(page, "error_types").locator(":focus").wait_for(state="attached")
        page.keyboard.press("4")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+Enter")
        shown = str(box.inner_text())
        page.keyboard.press("Control+End")
        page.keyboard.type(PLEASE)
        page.keyboard.press("Escape")
        submit(page)
        return shown
    shown = str(box.inner_text())
    if number == 1:
        question(page, "verdict").get_by_text("Reject").click()
        question(page, "error_types").get_by_text("Mistranslation").click()
        submit(page, by_mouse=True)
        return shown
    page.keyboard.press("1")
    submit(page)
    return shown


def test_corrected_text_is_in_the_dataset(
    browser: "Browser", argilla_server: LocalServer, run: Path, tmp_path: Path
) -> None:
    before = read(run, "dataset")
    settings = tmp_path / "review.yaml"
    settings.write_text(REVIEW)
    review("push", run, "--settings", settings, "--home", argilla_server.home)
    page = open_dataset(browser, argilla_server, "zuri.round", f"run-{read_id(run)}-sw-1")
    shown = [judge(page, number) for number in range(5)]
    page.close()
    review("pull", run, "--settings", settings, "--home", argilla_server.home)

    by_question = {row["question"]: name for name, row in before.items()}
    corrected, rejected, *accepted = (by_question[text] for text in shown)
    after = read(run, "dataset")
    assert set(after) == set(before) - {rejected}
    assert after[corrected]["question"] == shown[0] + PLEASE
    assert after[corrected]["review"]["verdict"] == "fix"
    assert after[corrected]["rationale"] == before[corrected]["rationale"]
    for name in accepted:
        assert (after[name]["question"], after[name]["review"]["verdict"]) == (before[name]["question"], "accept")
    untouched = set(before) - {corrected, rejected, *accepted}
    assert untouched
    assert all(after[name] == before[name] for name in untouched)
    refused = read(run, "rejected")[rejected]
    assert (refused["review"]["verdict"], refused["review"]["error_types"]) == ("reject", ["mistranslation"])
