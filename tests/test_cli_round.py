"""`mcot round` as a person types it: from its start to the next, and what it says on the way."""

import json
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mcot.cli import main
from tests.round_tables import curate_problems, evaluate, judge

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return curate_problems(tmp_path_factory.mktemp("runs"), 12)


@pytest.fixture
def call(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command beside a run in `run`: its exit code, what it printed and what it said."""
    shutil.copytree(finished, tmp_path / "run")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "review.yaml").write_text("budget: 6\noverlap: {share: 0}\nannotators: {sw: [amina], de: [amina]}\n")

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        return int(stop.value.code or 0), output.out, output.err

    return run


def following(call: Call) -> list[str]:
    """The command that `status` says to type next."""
    code, _, said = call("round", "status", "run")
    assert code == 0, said
    [line] = [line for line in said.splitlines() if line.startswith("next: ")]
    return shlex.split(line.removeprefix("next: "))[1:]


def test_two_rounds(call: Call) -> None:
    assert following(call) == ["round", "start", "run"]
    code, _, said = call("round", "start", "run", "--review", "review.yaml")
    assert code == 0, said
    assert "round 1: run/rounds/001 has settings.yaml, review.yaml and train.yaml" in said
    assert "  review: nothing was evaluated or judged yet" in said
    # What it says to type can be typed.
    assert call(*following(call))[0] == 0
    assert following(call) == ["review", "push", "run", "--settings", "run/rounds/001/review.yaml"]
    judge(Path("run"), 1)
    assert following(call)[0] == "calibrate"
    code, _, said = call("round", "status", "run")
    assert "  [x] review: 12 of 12 rows are judged; good: 100.0% (" in said
    assert "  or, without calibrate: mcot train run/rounds/001/train.yaml --evaluate mgsm" in said
    code, _, said = call("round", "finish", "run")
    assert code == 2
    assert said.startswith("mcot: round 1 is not done (train: no model is trained yet")
    evaluate(Path("run"), 1, 8, sw=4, de=6)
    code, _, said = call("round", "finish", "run", "--without", "train")
    assert (code, said.splitlines()[-2]) == (0, "round 1 is finished: run/rounds/001.json")
    code, _, said = call("round", "finish", "run")
    assert "round 1 was finished before" in said
    assert following(call) == ["round", "start", "run"]
    code, _, said = call("round", "start", "run", "--budget", 10)
    assert code == 0, said
    assert "de: 4 rows: lost 0 of 8 problems that most languages solve; at least " in said
    evaluate(Path("run"), 2, 8, sw=7, de=6)
    code, _, said = call("round", "finish", "run", "--without", "curate,review", "--without", "train")
    assert code == 0, said
    assert "predictions: 81.2% solved, +18.8 points since round 1 (95% interval " in said
    code, printed, said = call("round", "history", "run")
    assert code == 0, said
    assert "+18.8" in printed
    assert [entry["round"] for entry in json.loads(Path("run/rounds/history.json").read_text())] == [1, 2]
    assert Path("run/rounds/history.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status", "nowhere"), "run folder nowhere: not found; give the folder of a finished"),
        (("start", "."), "run folder .: holds no decided rows; give the folder of a finished"),
        (("finish", "run"), "run folder run: no round was started; start one with `mcot round start run`"),
        (("history", "run"), "run folder run: no round is finished; see what is next with `mcot round status run`"),
        (("start", "run", "--review", "none.yaml"), "settings file none.yaml: not found"),
        (("start", "run", "--budget", "0"), "Invalid value for '--budget'"),
    ],
)
def test_mistakes_are_one_line(call: Call, arguments: tuple[str, ...], said: str) -> None:
    code, _, line = call("round", *arguments)
    assert code == 2
    assert said in line
    assert len(line.splitlines()) == 1
    assert not Path("run/rounds").exists() or not list(Path("run/rounds").glob("*.json"))
