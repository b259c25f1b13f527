"""Argilla's real page as an annotator uses it: from signing in to the corrected text in the run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from annotation.argilla import pull, push
from annotation.connection import connect
from annotation.run_folder import read_id
from annotation.server.control import LocalServer
from annotation.settings import ReviewSettings
from mcot.core.files import write_table
from mcot.core.reviews import QUEUE_SCHEMA, ReviewFiles, sign_source, sign_translation
from mcot.core.rows import SCHEMA
from tests.browser.argilla_page import open_dataset, question, submit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Each of these would set the title, or show as something else than text, if it were more than text.
RUN = "document.title='it ran'"
EVIL = (
    f'<img src=x onerror="{RUN}"><script>{RUN}</script><b onclick="{RUN}">nene</b> [kiungo](javascript:{RUN}) '
    f"**nyota** <svg/onload={RUN}> </span></div><iframe srcdoc='<script>parent.{RUN}</script>'></iframe> &lt;i&gt;"
)
SETTINGS = ReviewSettings(
    annotators={"sw": ["zawadi.page"], "zh": ["mei.page"]},
    adjudicators=["neema.page"],
    overlap={"share": 0},  # type: ignore[arg-type]
)


def shown_row(number: int, language: str, **texts: str | list[str] | None) -> dict[str, Any]:
    defaults = {
        "source_question": f"Ali has {number} apples and gives 3 away. How many are left?",
        "source_rationale": f"{number} - 3 = {number - 3}\nThe answer is {number - 3}.",
        "question": f"Ali ana tufaha {number} na anagawa 3. Ngapi zinabaki?",
        "rationale": f"{number} - 3 = {number - 3}\nJibu ni {number - 3}.",
        "back_question": f"Ali has {number} apples and shares 3. How many remain?",
    }
    row = dict.fromkeys(SCHEMA.names) | defaults | {"id": f"p{number}-{language}", "language": language} | texts
    return {
        "language": language,
        "id": row["id"],
        "review_round": 1,
        "stratum": "review",
        "probability": 1.0,
        "priority": float(-number),
        "min_submitted": 1,
        "source_signature": sign_source(row["source_question"], row["source_rationale"]),
        "translation_signature": sign_translation(row["question"], row["rationale"]),
        "row": row,
    }


@pytest.fixture(scope="module")
def run(argilla_server: LocalServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose queue is on the server: five rows of Swahili, one of them wrong, and an evil one of Chinese."""
    folder = tmp_path_factory.mktemp("runs") / "demo"
    wrong = {"reasons": ["numbers.changed"], "details": ["question: 20 -> 25"]}
    rows = [shown_row(number, "sw") for number in (21, 22, 23, 24)]
    rows.insert(0, shown_row(20, "sw", question="Ali ana tufaha 25 na anagawa 3. Ngapi zinabaki?", **wrong))
    evil = {"reasons": ["language.mixed"], "details": [f'question: English: "{EVIL}"']}
    texts = dict.fromkeys(("source_question", "question", "source_rationale", "rationale", "back_question"), EVIL)
    rows.append(shown_row(30, "zh", **texts, **evil))
    write_table(ReviewFiles(folder).queue, pa.Table.from_pylist(rows, schema=QUEUE_SCHEMA))
    client = connect(argilla_server.url, argilla_server.api_key)
    push(client, folder, SETTINGS, passwords=argilla_server.home / "users")
    client.http_client.close()
    return folder


def test_five_rows_are_reviewed(browser: "Browser", argilla_server: LocalServer, run: Path) -> None:
    page = open_dataset(browser, argilla_server, "zawadi.page", f"demo-{read_id(run)}-sw-1")
    corrected = 0
    for number in range(5):
        text = page.locator(".text_field_component", has_text="Question:").last.inner_text()
        focused = question(page, "verdict").locator(":focus")
        focused.wait_for(state="attached")
        if "tufaha 25" in text:
            correct_by_keyboard(page)
            corrected += 1
        elif "tufaha 22" in text:
            question(page, "verdict").get_by_text("Reject").click()
            question(page, "error_types").get_by_text("Grammar").click()
            question(page, "comment").locator("[contenteditable]").click()
            page.keyboard.type("Si sahihi.")
            submit(page, by_mouse=True)
        else:
            page.keyboard.press("1")
            submit(page)
        assert page.title() == "Argilla", number
    assert corrected == 1
    page.close()
    client = connect(argilla_server.url, argilla_server.api_key)
    pulled = pull(client, run, SETTINGS)
    client.http_client.close()
    assert (pulled.taken, pulled.merged.added, pulled.merged.refused) == (5, 5, ())
    found = {row["id"]: row for row in ReviewFiles(run).read_resolved().to_pylist()}
    assert {name: row["verdict"] for name, row in found.items()} == {
        "p20-sw": "fix", "p21-sw": "accept", "p22-sw": "reject", "p23-sw": "accept", "p24-sw": "accept",
    }  # fmt: skip
    assert found["p20-sw"]["question"] == "Ali ana tufaha 20 na anagawa 3. Ngapi zinabaki?"
    assert found["p20-sw"]["rationale"] == "20 - 3 = 17\nJibu ni 17."
    assert found["p20-sw"]["error_types"] == ["wrong_number"]
    said = {row["id"]: row["comment"] for row in ReviewFiles(run).read_verdicts().to_pylist() if row["comment"]}
    assert said == {"p22-sw": "Si sahihi."}


def correct_by_keyboard(page: "Page") -> None:
    """As the guidelines say: no hand leaves the keyboard."""
    assert page.locator(".text_field_component mark").all_inner_texts() == ["20", "25"]
    page.keyboard.press("2")
    question(page, "error_types").locator(":focus").wait_for(state="attached")
    page.keyboard.press("1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Enter")
    box = question(page, "corrected_question").locator("[contenteditable]")
    assert box.inner_text() == "Ali ana tufaha 25 na anagawa 3. Ngapi zinabaki?"
    page.keyboard.press("Control+Home")
    for _ in "Ali ana tufaha 25":
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Backspace")
    page.keyboard.type("0")
    page.keyboard.press("Escape")
    submit(page)


def test_text_of_the_dataset_is_text(browser: "Browser", argilla_server: LocalServer, run: Path) -> None:
    page = open_dataset(browser, argilla_server, "mei.page", f"demo-{read_id(run)}-zh-1")
    complaints: list[str] = []
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.wait_for_timeout(500)
    record = page.locator(".text_field_component")
    assert page.title() == "Argilla"
    for element in ("img", "script", "b", "i", "strong", "em", "a", "iframe", "[onclick]", "[onload]"):
        assert record.locator(element).count() == 0, element
    assert page.locator("iframe").count() == 0
    for box in ("corrected_question", "corrected_rationale"):
        assert question(page, box).locator("[contenteditable]").inner_text() == EVIL
        assert question(page, box).locator("[contenteditable] *").count() == 0
    shown = [cell.inner_text() for cell in record.locator("span[lang]").all()]
    assert shown == [EVIL] * 5
    assert f'English: "{EVIL}"' in record.first.inner_text()
    assert complaints == []
    tags = record.locator("span[lang]").evaluate_all("spans => spans.map(span => span.lang)")
    assert tags == ["en", "zh-Hans", "en", "zh-Hans", "en"]
    page.close()


def test_texts_stand_beside_each_other_with_their_lines(
    browser: "Browser", argilla_server: LocalServer, run: Path
) -> None:
    page = open_dataset(browser, argilla_server, "mei.page", f"demo-{read_id(run)}-zh-1")
    left, right = (page.locator(".text_field_component span[lang]").nth(n).bounding_box() for n in (0, 1))
    assert left is not None
    assert right is not None
    assert left["y"] == pytest.approx(right["y"], abs=2)
    assert left["x"] + left["width"] <= right["x"]
    page.get_by_role("button", name="Expand Panel").first.click()
    page.get_by_role("heading", name="Is this Chinese translation right?").wait_for()
    page.close()
