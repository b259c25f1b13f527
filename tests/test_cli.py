"""The command line: what a user's mistakes are answered with."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from mcot.cli import main

GOOD = '{"question": "Ana has 3 cups. How many cups does Ana have?", "answer": "Ana has 3 cups.\\n#### 3"}\n'
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `mcot curate` on one good problem with changed settings, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.jsonl").write_text(GOOD)

    def curate(source: dict[str, object] | None = None, /, **changes: object) -> tuple[int, str]:
        content = {"name": "trial", "languages": ["sw"], **changes}
        content["sources"] = [{"path": "good.jsonl", "format": "gsm8k", "license": "MIT", **(source or {})}]
        (tmp_path / "settings.yaml").write_text(yaml.safe_dump(content))
        return call("curate", "settings.yaml")

    def call(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        return int(stop.value.code or 0), capsys.readouterr().err

    curate.call = call  # type: ignore[attr-defined]
    return curate


def refused(outcome: tuple[int, str], *parts: str) -> None:
    """Exit 2 and one line with all of the parts; progress lines may stand before it."""
    code, said = outcome
    line = said.strip().splitlines()[-1]
    assert code == 2, said
    assert line.startswith("mcot: ")
    assert "Traceback" not in said
    for part in parts:
        assert part in line


@pytest.mark.parametrize(
    ("source", "changes", "parts"),
    [
        ({"path": "god.jsonl"}, {}, ["god.jsonl", "good.jsonl"]),
        ({"path": "broken.jsonl"}, {}, ["broken.jsonl", "line 2"]),
        ({"path": "object.jsonl"}, {}, ["object.jsonl", "line 1"]),
        ({"path": "empty.jsonl"}, {}, ["empty.jsonl"]),
        ({"path": "data.xls"}, {}, ["data.xls", ".csv"]),
        ({"format": "columns", "columns": {"question": "query"}}, {}, ["'query'", "question, answer"]),
        ({"format": "metamathqa"}, {}, ["query"]),
        ({"format": "gsm"}, {}, ["sources.0.format", "gsm8k"]),
        ({}, {"languages": ["sw", "kiswahili"]}, ["'kiswahili'", "valid: bn"]),
        ({}, {"lnaguages": ["sw"]}, ["'lnaguages'", "did you mean 'languages'"]),
        ({}, {"translator": {"model": "no-folder"}}, ["no-folder", "give a Hub id"]),
        ({}, {"translator": {"model": "bert"}}, ["'bert' model, not NLLB"]),
        ({}, {"checks": {"language_model": "none.ftz"}}, ["none.ftz"]),
        ({}, {"output": "taken"}, ["run folder taken", "set another `output`"]),
        ({}, {"output": "good.jsonl"}, ["good.jsonl"]),
        ({}, {"output": "good.jsonl/run"}, ["good.jsonl"]),
    ],
)
def test_a_mistake_is_one_line(
    run: Run, tmp_path: Path, source: dict[str, object], changes: dict[str, object], parts: list[str]
) -> None:
    (tmp_path / "broken.jsonl").write_text(GOOD + '{"question": "Half a li\n')
    (tmp_path / "object.jsonl").write_text("[1, 2]\n")
    (tmp_path / "empty.jsonl").write_text("\n")
    (tmp_path / "data.xls").write_bytes(b"\xd0\xcf")
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").touch()
    refused(run(source, **changes), *parts)
    assert (tmp_path / "taken" / "thesis.tex").exists()


def test_a_run_of_other_sources_is_not_touched(run: Run, tmp_path: Path) -> None:
    assert run()[0] == 0
    before = {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()}
    (tmp_path / "other.jsonl").write_text(GOOD)
    refused(run({"path": "other.jsonl"}), "runs/trial", "run of other sources", "set another `output`")
    assert before == {path: path.read_bytes() for path in (tmp_path / "runs").rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["curate"], ["Missing argument"]),
        (["curate", "none.yaml"], ["none.yaml: not found"]),
        (["curate", "s.yaml", "--limit", "0"], ["--limit"]),
        (["curate", "s.yaml", "--engine", "spark"], ["--engine", "local"]),
        (["curat", "s.yaml"], ["curat"]),
        (["demo", "--problems", "many"], ["--problems", "integer"]),
    ],
)
def test_wrong_arguments(run: Run, arguments: list[str], parts: list[str]) -> None:
    refused(run.call(*arguments), *parts)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", [[], ["demo"], ["curate"]])
def test_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*command, "--help"])
    assert not stop.value.code
    assert "Usage: mcot" in capsys.readouterr().out


def test_limit(run: Run, tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_text(GOOD + GOOD.replace("Ana", "Ben"))
    assert run(limit=1)[0] == 0
    assert '"problems": 1' in (tmp_path / "runs" / "trial" / "report.json").read_text()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small file system for the test, which only root can."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a full or read-only disk is mounted for this test, which takes root")
        return folder

    yield mount
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


@pytest.mark.parametrize("size", ["16k", "48k", "80k"])
def test_a_full_disk(run: Run, disk: Callable[[str], Path], tmp_path: Path, size: str) -> None:
    folder = disk(f"size={size}")
    refused(run(output=str(folder / "run")), "can't write", "No space left", "run the same command again")
    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
    assert run(output=str(folder / "run"))[0] == 0


def test_a_read_only_disk(run: Run, disk: Callable[[str], Path]) -> None:
    refused(run(output=str(disk("ro") / "run")), "can't write", "Read-only")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(run(output="locked/run"), "can't write", "Permission denied")
