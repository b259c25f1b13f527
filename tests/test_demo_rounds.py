"""The demo's rounds: what the simulated annotators say against the truth, and the loop, killed and gone on with."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from annotation.spreadsheets import dump_csv, read_lines
from curation.demo.generator import Problem
from mcot.core.errors import RunError, SettingsError, SourceError
from mcot.core.files import read_json, write_table
from mcot.core.reviews import ReviewFiles
from mcot.core.rows import from_rows
from mcot.demo_annotators import Annotators, name_annotators
from mcot.demo_problems import (
    MOST,
    draw_sets,
    misspell,
    read_truth,
    true_texts,
    write_benchmark,
    write_sources,
)
from mcot.demo_rounds import Plan, run_rounds
from mcot.demo_steps import Steps
from mcot.round_record import read_rounds

LEARNED, MEASURED = draw_sets(30, 12)
SMALL = Plan(problems=24, measured=8, languages=("sw", "de"), epochs=2)


def english(problem: Problem) -> str:
    return true_texts(problem, "en").question


def cells(problem: Problem, language: str, **changed: str) -> dict[str, Any]:
    """A line of an exported file, its translation true but for what is changed."""
    truth = true_texts(problem, language)
    shown = {"id": f"demo-1-{language}", "key": "r1", "annotator": "anna", "role": "annotator"}
    texts = {"source_question": english(problem), "question": truth.question, "rationale": truth.rationale}
    empty = dict.fromkeys(("verdict", "error_types", "corrected_question", "corrected_rationale", "comment"), "")
    return {**shown, **texts, **empty, **changed}


def annotators(errors: float = 0.0) -> Annotators:
    return Annotators({english(problem): problem for problem in LEARNED}, errors)


def test_no_problem_is_learned_and_measured() -> None:
    texts = [english(problem) for problem in (*LEARNED, *MEASURED)]
    assert len(set(texts)) == len(texts) == 42
    assert draw_sets(30, 12) == (LEARNED, MEASURED)
    with pytest.raises(SettingsError, match=f"at most {MOST - 60}"):
        draw_sets(MOST, 60)


def test_sources_have_typing_mistakes_and_known_truth(tmp_path: Path) -> None:
    write_sources(tmp_path / "problems.jsonl", LEARNED)
    truth = read_truth(tmp_path / "problems.jsonl", LEARNED)
    assert list(truth.values()) == LEARNED
    wrong = [question for question, problem in truth.items() if question != english(problem)]
    assert 5 <= len(wrong) <= 20


def test_a_typing_mistake_changes_letters_of_one_word() -> None:
    rng, text = random.Random(0), "Ana has 12 apples. Ana buys 3 more apples."
    for _ in range(200):
        wrong = misspell(rng, text)
        changed = [(old, new) for old, new in zip(text.split(), wrong.split(), strict=True) if old != new]
        # Exchanging two equal letters changes nothing.
        assert len(changed) <= 1
        assert all(old[0] == new[0] and old[-1] == new[-1] and abs(len(old) - len(new)) <= 1 for old, new in changed)


def test_the_benchmark_is_the_same_problems_in_every_language(tmp_path: Path) -> None:
    write_benchmark(tmp_path, MEASURED, ["en", "th"])
    files = {code: (tmp_path / f"{code}.jsonl").read_text("utf-8") for code in ("en", "th")}
    read = {code: [json.loads(line) for line in text.splitlines()] for code, text in files.items()}
    assert [one["answer"] for one in read["en"]] == [one["answer"] for one in read["th"]]
    assert read["th"][0]["question"] == true_texts(MEASURED[0], "th").question


def swap_number(text: str) -> str:
    """The text with its first number another one."""
    at = next(place for place, letter in enumerate(text) if letter.isdigit())
    return f"{text[:at]}7{text[at:]}"


@pytest.mark.parametrize(
    ("change", "language", "verdict", "types"),
    [
        (lambda text: text, "sw", "accept", None),
        # The same in digits of another script, and with other blanks.
        (lambda text: text.translate({ord("0") + i: 0x09E6 + i for i in range(10)}), "bn", "accept", None),
        (lambda text: text.replace(" ", "  "), "de", "accept", None),
        (swap_number, "de", "fix", ["wrong_number"]),
        (lambda text: text + " Ja?", "de", "fix", ["mistranslation"]),
        (lambda text: text + " marbles", "ru", "fix", ["untranslated"]),
        (lambda _: "Nini?", "sw", "reject", ["wrong_number"]),
    ],
)
def test_verdicts_follow_the_truth(
    change: Callable[[str], str], language: str, verdict: str, types: list[str] | None
) -> None:
    truth = true_texts(LEARNED[0], language)
    said = annotators().judge(cells(LEARNED[0], language, question=change(truth.question)))
    assert (said["verdict"], said["error_types"] or None) == (verdict, types)
    # Corrected is what was wrong, and nothing else.
    assert said["corrected_question"] == (truth.question if verdict == "fix" else "")
    assert said["corrected_rationale"] == ""


def test_annotators_err_at_the_stated_rate_each_by_oneself() -> None:
    erring = annotators(0.1)
    good = [cells(LEARNED[n % 30], "sw", key=f"r{n}", annotator=name) for n in range(1000) for name in ("a", "b")]
    bad = [{**one, "question": one["question"] + " Ndiyo?"} for one in good]
    rejected = [erring.judge(one)["verdict"] == "reject" for one in good]
    accepted = [erring.judge(one)["verdict"] == "accept" for one in bad]
    # Of 2,000 with 10% four standard deviations are 2.7 points.
    assert 0.073 <= sum(rejected) / len(good) <= 0.127
    assert accepted == rejected
    both = sum(one and other for one, other in zip(rejected[::2], rejected[1::2], strict=True))
    assert both / 1000 <= 0.04
    assert rejected == [erring.judge(one)["verdict"] == "reject" for one in good]


def test_files_are_filled_in_in_their_place_and_again_the_same(tmp_path: Path) -> None:
    lines = [cells(LEARNED[n], "sw", key=f"r{n}", question=["=1+1", "Nini?"][n % 2]) for n in range(4)]
    path = tmp_path / "sw-round-1-simulated-sw-1.csv"
    path.write_bytes(dump_csv(list(lines[0]), lines))
    assert annotators().fill_in(tmp_path) == 4
    first = path.read_bytes()
    assert annotators().fill_in(tmp_path) == 4
    assert path.read_bytes() == first
    read = [line.cells for line in read_lines(path, ("verdict", "question"))]
    assert [(one["verdict"], one["question"]) for one in read] == [("reject", "=1+1"), ("reject", "Nini?")] * 2


def test_a_row_of_another_set_is_said_to_be_so(tmp_path: Path) -> None:
    line = cells(LEARNED[0], "sw", source_question="What?")
    (tmp_path / "sw.csv").write_bytes(dump_csv(list(line), [line]))
    with pytest.raises(SourceError, match="none of the demo's problems"):
        annotators().fill_in(tmp_path)


def test_good_rows_are_counted_by_the_truth(tmp_path: Path) -> None:
    texts = [cells(LEARNED[0], "sw"), cells(LEARNED[1], "sw"), cells(LEARNED[2], "sw", rationale="Jibu ni 1.")]
    names = ("source_question", "question", "rationale")
    rows = [{"language": "sw", **{name: one[name] for name in names}} for one in texts]
    write_table(tmp_path / "dataset" / "sw" / "train.parquet", from_rows(rows))
    write_table(tmp_path / "dataset" / "en" / "train.parquet", from_rows([{"language": "en"}]))
    assert annotators(1.0).count_good(tmp_path) == (2, 3)


def test_names_say_that_they_are_simulated() -> None:
    named = name_annotators(["sw", "th"])
    names = [name for some in named["annotators"].values() for name in some] + named["adjudicators"]
    assert len(set(names)) == 5
    assert all(name.startswith("simulated-") for name in names)


def test_steps_are_done_once_and_go_on_where_one_was_cut_off(tmp_path: Path) -> None:
    ran: list[list[str]] = []
    # As a shell would read it, a pattern itself.
    folder = tmp_path / "[a] b"
    folder.mkdir()

    def go(stop: str | None) -> None:
        def run(words: list[str]) -> None:
            if words[0] == stop:
                raise KeyboardInterrupt
            ran.append(words)

        steps = Steps(folder / "steps.json", total=4, run=run)
        steps.command("one", folder / "*.csv")
        steps.command("two", folder / "*.txt")
        steps.command("three", unless=lambda: stop is None)
        steps.command("four")

    for name in ("b.csv", "a.csv"):
        (folder / name).touch()
    with pytest.raises(KeyboardInterrupt):
        go("three")
    go(None)
    go(None)
    assert ran == [["one", str(folder / "a.csv"), str(folder / "b.csv")], ["four"]]


def test_a_refusal_is_said_and_an_error_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_: list[str]) -> None:
        raise RunError("too few verdicts")

    steps = Steps(tmp_path / "steps.json", total=2, run=refuse)
    steps.command("calibrate", may_refuse=True)
    assert "[1/2] $ mcot calibrate\nrefused: too few verdicts" in capsys.readouterr().err
    with pytest.raises(RunError):
        steps.command("curate")


@pytest.mark.parametrize("rounds", [0, 4])
def test_only_so_many_rounds_can_be_gone(tmp_path: Path, rounds: int) -> None:
    with pytest.raises(SettingsError, match=rf"--rounds: got {rounds}; valid: 1 to 3"):
        run_rounds(tmp_path, rounds, SMALL)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"notes.txt": "mine"}, "is not empty and holds no demo of rounds"),
        ({"demo.json": '{"version": 1, "problems": 9}'}, r"begun otherwise \(problems 9 there, 24 now\)"),
    ],
)
def test_another_folder_is_left_as_it_is(tmp_path: Path, content: dict[str, str], message: str) -> None:
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(RunError, match=message):
        run_rounds(tmp_path, 2, SMALL)
    assert {path.name for path in tmp_path.iterdir()} == set(content)


_PROGRAM = """
import sys
from pathlib import Path
from mcot.demo_rounds import Plan, run_rounds
run_rounds(Path(sys.argv[1]), 2, Plan(problems=24, measured=8, languages=("sw", "de"), epochs=2))
"""


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def kill_when(folder: Path, ready: Callable[[], bool]) -> None:
    with start(folder) as process:
        try:
            deadline = time.monotonic() + 120
            while process.poll() is None and not ready() and time.monotonic() < deadline:
                time.sleep(0.01)
            assert process.poll() is None, process.communicate()[1]
            assert ready()
        finally:
            process.kill()


@pytest.mark.timeout(300)
def test_two_rounds_killed_in_training_and_in_review_go_on_where_they_were(tmp_path: Path) -> None:
    folder, run = tmp_path / "demo", tmp_path / "demo" / "run"
    training = run / "rounds" / "001" / "training"
    kill_when(folder, (training / ".work").is_dir)
    assert read_json(folder / "steps.json") == {"done": 11}
    kill_when(folder, lambda: read_json(folder / "steps.json").get("done") == 19)
    trained = (training / "training.json").stat().st_mtime_ns
    with start(folder) as process:
        _, said = process.communicate()
    assert process.returncode == 0, said
    assert "translations now kept are good" in said
    assert "19 steps were done before" in said
    assert "[19/29]" not in said
    assert "[20/29] $ mcot review import" in said
    assert (training / "training.json").stat().st_mtime_ns == trained
    # Both rounds are whole: reviewed, trained, measured, compared, published.
    first, second = read_rounds(run)
    assert [first["state"], second["state"]] == ["finished", "finished"]
    assert second["comparison"]["benchmarks"].keys() == {"held-out"}
    files = ReviewFiles(run)
    assert set(files.read_queue()["review_round"].to_pylist()) == {1, 2}
    assert files.read_resolved()["verdict"].null_count == 0
    history = json.loads((run / "rounds" / "history.json").read_text("utf-8"))
    assert [one["round"] for one in history] == [1, 2]
    assert read_json(folder / "published" / "mcot.json")["round"] == 2
