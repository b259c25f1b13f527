"""The stages that translate, with a translator of a few rules in the model's place."""

import re
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curation.translation.base import Hypothesis, Notify
from curation.translation.memory import TranslationMemory
from curation.translation.stage import BackTranslateStage, TranslateStage, read_counts
from mcot.core.files import write_table
from mcot.core.languages import ENGLISH, LANGUAGES, Language
from mcot.core.rows import SCHEMA, from_rows, source_row


class Rules:
    """Writes sentences in capitals, loses numbers over 50 and never ends a sentence with "loop" in it."""

    name = signature = "rules"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def open(self) -> None:
        pass

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language, notify: Notify | None = None
    ) -> list[Hypothesis]:
        self.asked += [(target.code, sentence) for sentence in sentences]
        texts = [re.sub(r"(?<!= )\b[5-9]\d\b(?! \+)", "MANY", sentence.upper()) for sentence in sentences]
        stops = str.maketrans(".", "。") if target.code == "ja" else str.maketrans("。", ".")
        texts = [text.translate(stops) for text in texts]
        return [Hypothesis(text, "LOOP" not in text) for text in texts]


RATIONALE = "So 3 + 4 = 7 in all.\nThe answer is 7."


def problem(question: str, rationale: str | None = RATIONALE, id: str = "p") -> dict[str, object]:
    return source_row(problem_id=id, source="s", license="MIT", question=question, rationale=rationale, answer="7")


@pytest.fixture
def rules() -> Rules:
    return Rules()


def stage(rules: Rules, folder: Path, *, protect: bool = True, include_english: bool = True) -> TranslateStage:
    made = TranslateStage(rules, folder, protect=protect, languages=["sw", "ja"], include_english=include_english)
    made.open()
    return made


def test_translate(rules: Rules, tmp_path: Path) -> None:
    table = stage(rules, tmp_path).process(from_rows([problem("Ana has 3. Ben has 4.")]), 0)
    assert table.schema == SCHEMA
    rows = {row["language"]: row for row in table.to_pylist()}
    assert list(rows) == ["en", "sw", "ja"]
    assert rows["en"]["question"] == "Ana has 3. Ben has 4."
    assert rows["sw"]["id"] == "p-sw"
    assert rows["sw"]["question"] == "ANA HAS 3. BEN HAS 4."
    assert rows["ja"]["question"] == "ANA HAS 3。BEN HAS 4。"
    # The equation went through the model as its result; the answer not at all.
    assert rows["sw"]["rationale"] == "SO 3 + 4 = 7 IN ALL.\nJibu ni 7."
    assert ("sw", "So 7 in all.") in rules.asked
    assert rows["sw"]["scores"]["translation_spans"] == rows["sw"]["scores"]["translation_ended"] == 1.0
    assert rows["sw"]["source_rationale"] == rows["en"]["rationale"]


def test_rejected_problems_are_passed_on_and_english_is_left_out(rules: Rules, tmp_path: Path) -> None:
    rejected = {**problem("?", id="r"), "decision": "drop", "reasons": ["source.no_answer"], "details": ["none"]}
    table = stage(rules, tmp_path, include_english=False).process(from_rows([rejected, problem("Ana.")]), 0)
    assert table["id"].to_pylist() == ["r-en", "p-sw", "p-ja"]


def test_null_texts_stay_null(rules: Rules, tmp_path: Path) -> None:
    table = stage(rules, tmp_path).process(from_rows([problem("Ana has 3.", None)]), 0)
    assert table["rationale"].to_pylist() == [None] * 3


def test_an_unfinished_hypothesis_is_flagged(rules: Rules, tmp_path: Path) -> None:
    row = stage(rules, tmp_path).process(from_rows([problem("Ana has a loop. Ben.", None)]), 0).to_pylist()[1]
    assert row["scores"]["translation_ended"] == 0.5
    assert row["reasons"] == ["translation.unfinished"]
    assert row["details"] == ["question: 1 of 2 sentences were cut off"]


def test_what_does_not_survive_is_tried_unprotected_and_flagged(rules: Rules, tmp_path: Path) -> None:
    """Neither the stand-in 77 nor the amount itself comes through."""
    rows = stage(rules, tmp_path).process(from_rows([problem("It is ~$77 now.", None)]), 0).to_pylist()
    assert ("sw", "It is ~77 now.") in rules.asked
    assert ("sw", "It is ~$77 now.") in rules.asked
    assert rows[1]["scores"]["translation_spans"] == 0.0
    assert rows[1]["reasons"] == ["translation.spans_lost"]
    assert rows[1]["details"] == ["question: '$77' did not survive"]


def test_unprotected_candidate_is_kept_when_better(rules: Rules, tmp_path: Path) -> None:
    rows = stage(rules, tmp_path).process(from_rows([problem("It is ~(70 + 7 = 77) now.", None)]), 0).to_pylist()
    assert rows[1]["question"] == "IT IS ~(70 + 7 = 77) NOW."
    assert rows[1]["scores"]["translation_spans"] == 1.0


def test_repeated_sentences_are_translated_once_a_run(rules: Rules, tmp_path: Path) -> None:
    first, second = stage(rules, tmp_path), stage(rules, tmp_path)
    for index, made in enumerate((first, second)):
        table = made.process(from_rows([problem("Ana. Ben.", None, "a"), problem("Ben. Cy.", None, "b")]), index)
        write_table(tmp_path / f"shard-{index}.parquet", table)
    assert sorted(sentence for code, sentence in rules.asked if code == "sw") == ["Ana.", "Ben.", "Cy."]
    counts = read_counts(sorted(tmp_path.glob("*.parquet")))
    assert counts["sw"] == {"sentences": 8, "translated": 3, "unprotected": 0, "unfinished": 0, "saved": 5}


def test_a_shard_sees_only_the_memory_of_those_before_it(tmp_path: Path) -> None:
    memory = TranslationMemory(tmp_path / "memory.sqlite")
    sw = LANGUAGES["sw"]
    memory.store({"Ana.": Hypothesis("A", True)}, ENGLISH, sw, shard=3)
    assert memory.look_up(["Ana.", "Ben."], ENGLISH, sw, before=4) == {"Ana.": Hypothesis("A", True)}
    assert memory.look_up(["Ana."], ENGLISH, sw, before=3) == {}
    assert memory.look_up(["Ana."], ENGLISH, LANGUAGES["de"], before=4) == {}
    memory.store({"Ana.": Hypothesis("later", False)}, ENGLISH, sw, shard=5)
    assert memory.look_up(["Ana."], ENGLISH, sw, before=9)["Ana."].text == "A"
    many = {f"{number}.": Hypothesis(str(number), True) for number in range(2000)}
    memory.store(many, ENGLISH, sw, shard=0)
    assert memory.look_up(list(many), ENGLISH, sw, before=1) == many


def test_back_translate(rules: Rules, tmp_path: Path) -> None:
    forward = stage(rules, tmp_path).process(from_rows([problem("Ana has 3. Ben has 4.")]), 0)
    back = BackTranslateStage(rules, tmp_path, protect=True)
    back.open()
    rows = {row["language"]: row for row in back.process(forward, 0).to_pylist()}
    assert rows["en"]["back_question"] is None
    assert rows["ja"]["back_question"] == "ANA HAS 3. BEN HAS 4."
    assert rows["ja"]["back_rationale"] == "SO 3 + 4 = 7 IN ALL.\nThe answer is 7."
    write_table(tmp_path / "shard.parquet", back.process(forward, 0))
    assert pq.read_schema(tmp_path / "shard.parquet").remove_metadata() == SCHEMA
