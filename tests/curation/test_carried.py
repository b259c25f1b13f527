"""What people accepted or corrected, when its rows are translated anew: what is sent to a model, and what comes out."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.finish import finish_again
from curation.pipeline import curate
from curation.translation.base import Hypothesis, Notify
from curation.translation.carried import CarriedTexts
from curation.translation.nllb import NllbTranslator
from mcot.core.errors import RunError
from mcot.core.languages import LANGUAGES, Language
from mcot.core.reviews import QUEUE_SCHEMA, RESOLVED_SCHEMA, ReviewFiles, sign_source, sign_translation
from mcot.core.settings import CurationSettings
from mcot.demo import write_problems
from tests.curation.test_verdicts import resolve, rows, settings

ANOTHER = {"max_length": 150}


class Counting:
    """The demo's model, which notes what it is sent, and may be stopped."""

    def __init__(self, run: CurationSettings, *, stop_after: int = 10**9) -> None:
        self._model, self._calls, self._stop_after = NllbTranslator(run.translator), 0, stop_after
        self.name, self.signature = self._model.name, self._model.signature
        self.sent: list[tuple[str, str, str]] = []

    def open(self) -> None:
        self._model.open()

    def translate(
        self, sentences: Sequence[str], source: Language, target: Language, notify: Notify | None = None
    ) -> list[Hypothesis]:
        self._calls += 1
        if self._calls > self._stop_after:
            raise KeyboardInterrupt
        self.sent += [(source.code, target.code, sentence) for sentence in sentences]
        return self._model.translate(sentences, source, target, notify)


def review(run: Path, resolved: list[dict[str, Any]], shown: Sequence[dict[str, Any]] = ()) -> None:
    """Write what annotation leaves: the queue with the rows as they were shown, and what came of the verdicts."""
    queue = [
        {
            "language": row["language"],
            "id": row["id"],
            "review_round": 1,
            "translation_signature": sign_translation(row["question"], row["rationale"]),
            "row": row,
        }
        for row in shown
    ]
    files = ReviewFiles(run)
    pq.write_table(pa.Table.from_pylist(queue, QUEUE_SCHEMA), files.queue)
    pq.write_table(pa.Table.from_pylist(resolved, RESOLVED_SCHEMA), files.resolved)


def carry(run: Path, problems: Path, **more: object) -> Counting:
    """Curate with a counting translator."""
    chosen = settings(run, problems, shard_rows=3, **more)
    translator = Counting(chosen)
    curate(chosen, translator=translator)
    return translator


def shards(run: Path, stage: str = "translate") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((run / stage).glob("shard-*.parquet"))}


@pytest.fixture(scope="module")
def problems(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("problems") / "problems.jsonl"
    write_problems(path, 8)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, problems: Path) -> Path:
    run = tmp_path_factory.mktemp("runs") / "trial"
    carry(run, problems)
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "run")
    return tmp_path / "run"


def german(run: Path) -> list[dict[str, Any]]:
    return [row for (language, _), row in sorted(rows(run).items()) if language == "de"]


def judge(run: Path) -> tuple[dict[str, Any], ...]:
    """Write a verdict of each kind on German rows. Gives the accepted, corrected, rejected and changed ones."""
    accepted, corrected, rejected, changed = shown = german(run)[:4]
    resolved = [
        resolve(accepted, "accept"),
        resolve(corrected, "fix", question=f"{corrected['question']} Bitte rechne genau."),
        resolve(rejected, "reject"),
        resolve(changed, "accept", source_signature=sign_source("Of another question.", None)),
    ]
    review(run, resolved, shown)
    return tuple(shown)


def sentences(translator: Counting, source: str, target: str) -> list[str]:
    return [sentence for *languages, sentence in translator.sent if languages == [source, target]]


def test_no_judged_translation_is_sent_to_the_model_again(run: Path, problems: Path, tmp_path: Path) -> None:
    accepted, corrected, *others = judge(run)
    again = carry(run, problems, translator=ANOTHER)
    # As if the two problems were not there at all.
    judged = {row["source_question"] for row in (accepted, corrected)}
    lines = problems.read_text("utf-8").splitlines(keepends=True)
    less = tmp_path / "less.jsonl"
    less.write_text("".join(line for line in lines if json.loads(line)["question"] not in judged), "utf-8")
    assert len(less.read_text("utf-8").splitlines()) == len(lines) - 2
    expected = carry(tmp_path / "less", less, translator=ANOTHER)
    sent = sentences(again, "en", "de")
    assert sorted(sent) == sorted(sentences(expected, "en", "de"))
    assert len(sentences(again, "en", "sw")) > len(sent) > 0
    # Into English what a model made is translated once, and what a person wrote not at all.
    back = sentences(again, "de", "en")
    assert len(back) == len(set(back)) > len(sentences(expected, "de", "en"))
    assert not [sentence for sentence in back if "Bitte rechne genau" in sentence]
    after = rows(run)
    assert after["de", accepted["id"]]["back_question"] == accepted["back_question"]
    assert after["de", corrected["id"]]["back_question"] is None
    # By whom a text was made stays with it.
    assert {after["de", row["id"]]["translator"] for row in (accepted, corrected)} == {accepted["translator"]}
    assert {after["de", row["id"]]["translator"] for row in others} == {again.name} != {accepted["translator"]}


def test_the_dataset_is_what_it_is_without(run: Path, problems: Path, tmp_path: Path) -> None:
    """Another language has every row translated anew, by the same model."""
    judge(run)
    languages = {"languages": ["sw", "de", "es"]}
    assert carry(run, problems, **languages).sent
    assert (run / "translate" / "carried.sqlite").exists()
    plain = tmp_path / "plain"
    carry(plain, problems, **languages)
    for path in (ReviewFiles(run).queue, ReviewFiles(run).resolved):
        shutil.copy2(path, plain / "review")
    finish_again(plain)
    assert not (plain / "translate" / "carried.sqlite").exists()
    assert rows(run) == rows(plain)


def test_another_translator_gives_the_same_texts_and_decisions(run: Path, problems: Path, tmp_path: Path) -> None:
    accepted, corrected, *_ = judge(run)
    carry(run, problems, translator=ANOTHER)
    plain = tmp_path / "plain"
    carry(plain, problems, translator=ANOTHER)
    for path in (ReviewFiles(run).queue, ReviewFiles(run).resolved):
        shutil.copy2(path, plain / "review")
    # Here every row was translated, and what people judged is given back afterwards.
    finish_again(plain)
    found, expected = rows(run), rows(plain)
    key = ("de", corrected["id"])
    assert found[key] | {"translator": None} == expected[key] | {"translator": None}
    # An accepted row has its scores too, which cannot be given back without the model.
    key = ("de", accepted["id"])
    assert found[key] | {"review": None} == accepted
    names = ("question", "rationale", "decision", "reasons", "details", "review")
    assert [found[key][name] for name in names] == [expected[key][name] for name in names]
    judged = {("de", accepted["id"]), ("de", corrected["id"])}
    assert {key: found[key] for key in found.keys() - judged} == {
        key: expected[key] for key in expected.keys() - judged
    }


def test_later_verdicts_translate_nothing(run: Path, problems: Path) -> None:
    judge(run)
    carry(run, problems, translator=ANOTHER)
    before = shards(run), shards(run, "back_translate")
    last = german(run)[-1]
    resolved = pq.read_table(ReviewFiles(run).resolved).to_pylist()
    review(run, [*resolved, resolve(last, "fix", question=f"{last['question']} Wie viele?")])
    assert carry(run, problems, translator=ANOTHER).sent == []
    assert (shards(run), shards(run, "back_translate")) == before
    assert rows(run)["de", last["id"]]["question"].endswith("Wie viele?")


@pytest.mark.parametrize("stop_after", [0, 3, 7])
def test_stopped_and_resumed_with_other_verdicts(run: Path, problems: Path, tmp_path: Path, stop_after: int) -> None:
    judge(run)
    last = german(run)[-1]
    shutil.copytree(run, tmp_path / "undisturbed")
    carry(tmp_path / "undisturbed", problems, translator=ANOTHER)
    chosen = settings(run, problems, shard_rows=3, translator=ANOTHER)
    with pytest.raises(KeyboardInterrupt):
        curate(chosen, translator=Counting(chosen, stop_after=stop_after))
    resolved = [*pq.read_table(ReviewFiles(run).resolved).to_pylist(), resolve(last, "reject")]
    for folder in (run, tmp_path / "undisturbed"):
        review(folder, resolved)
        carry(folder, problems, translator=ANOTHER)
    for stage in ("translate", "back_translate", "decide"):
        assert shards(run, stage) == shards(tmp_path / "undisturbed", stage)
    assert rows(run) == rows(tmp_path / "undisturbed")
    assert rows(run)["de", last["id"]]["decision"] == "drop"


def test_a_run_begun_without_verdicts_goes_on_without(run: Path, problems: Path, tmp_path: Path) -> None:
    chosen = settings(run, problems, shard_rows=3, translator=ANOTHER)
    with pytest.raises(KeyboardInterrupt):
        curate(chosen, translator=Counting(chosen, stop_after=1))
    judge(run)
    carry(run, problems, translator=ANOTHER)
    carry(tmp_path / "fresh", problems, translator=ANOTHER)
    assert shards(run) == shards(tmp_path / "fresh")


def test_a_faulty_correction_goes_to_review(run: Path, problems: Path) -> None:
    row = german(run)[0]
    number = next(word for word in row["question"].split() if word.isdigit())
    review(run, [resolve(row, "fix", question=row["question"].replace(number, f"{number}7"))], [row])
    finish_again(run)
    before = rows(run)["de", row["id"]]
    carry(run, problems, translator=ANOTHER)
    after = rows(run)["de", row["id"]]
    assert after == before
    assert after["decision"] == "review"


PROBLEM = {"problem_id": "p", "source_question": "Two and three?", "source_rationale": "It is 5."}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], None),
        ([("accept", 1, "A")], ("A", False)),
        ([("fix", 1, "B")], ("B", True)),
        ([("reject", 1, "A")], None),
        ([(None, 1, "A")], None),
        # The last round's, wherever it stands in the file.
        ([("fix", 2, "B"), ("accept", 1, "A")], ("B", True)),
        ([("accept", 1, "A"), ("reject", 2, "A")], None),
        ([("fix", 1, "B"), (None, 2, "B")], ("B", True)),
        # What a person wrote stays a person's.
        ([("fix", 1, "B"), ("accept", 2, "B")], ("B", True)),
        ([("fix", 1, "B"), ("accept", 2, "A")], ("A", False)),
    ],
)
def test_what_is_taken(
    tmp_path: Path, verdicts: list[tuple[str | None, int, str]], expected: tuple[str, bool] | None
) -> None:
    row = {**PROBLEM, "id": "p-sw", "language": "sw", "question": "A", "rationale": None}
    lines = [resolve(row, verdict, review_round=number, question=text) for verdict, number, text in verdicts]
    # Of another source, and so of no row.
    lines.append(resolve(row | {"source_question": "?"}, "fix", review_round=9, question="C"))
    (tmp_path / "review").mkdir()
    (tmp_path / "translate").mkdir()
    review(tmp_path, lines, [row | {"translator": "model", "scores": {"translation_ended": 0.5}}])
    carried = CarriedTexts(tmp_path / "translate")
    carried.freeze(ReviewFiles(tmp_path))
    carried.open()
    other = PROBLEM | {"problem_id": "q"}
    found, none = carried.look_up([PROBLEM, other], LANGUAGES["sw"])
    assert carried.look_up([PROBLEM], LANGUAGES["de"]) == [None]
    carried.close()
    assert none is None
    assert (found and (found.question, found.corrected)) == expected
    if found:
        assert (found.translator, found.ended) == ("model", None if found.corrected else 0.5)


def test_following_the_advice_gives_the_same_dataset(run: Path, problems: Path) -> None:
    judge(run)
    carry(run, problems, translator=ANOTHER)
    before = rows(run)
    damaged = run / "translate" / "carried.sqlite"
    damaged.write_bytes(b"no database" * 100)
    with pytest.raises(RunError) as error:
        carry(run, problems, translator=ANOTHER)
    assert f"remove the folder {damaged.parent}," in str(error.value)
    shutil.rmtree(damaged.parent)
    carry(run, problems, translator=ANOTHER)
    assert rows(run) == before


def test_what_is_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / "carried.sqlite").write_bytes(b"no database" * 100)
    carried = CarriedTexts(tmp_path)
    with pytest.raises(RunError, match=r"carried.sqlite: is damaged .*remove the folder"):
        carried.sign("")
    carried.open()
    with pytest.raises(RunError, match=r"carried.sqlite: is damaged .*remove the folder"):
        carried.look_up([PROBLEM], LANGUAGES["sw"])
    carried.close()
