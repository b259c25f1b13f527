"""Converting NLLB checkpoints for CTranslate2, with the embedded model."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from curation.translation.conversion import cache_folder, converted_model
from curation.translation.ctranslate import CTranslateTranslator
from curation.translation.nllb import DEMO_FOLDER, NllbTranslator
from curation.translation.nllb_checkpoint import find_nllb
from mcot.core.errors import ModelError
from mcot.core.languages import ENGLISH, LANGUAGES
from mcot.core.settings import TranslatorSettings

CUPS = [f"Ana has {number} cups." for number in range(2, 12)]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def make(**more: object) -> CTranslateTranslator:
    return CTranslateTranslator(TranslatorSettings.model_validate({"backend": "ctranslate2", **more}))


def translations(translator: CTranslateTranslator | NllbTranslator) -> list[str]:
    translator.open()
    return [hypothesis.text for hypothesis in translator.translate(CUPS, ENGLISH, LANGUAGES["sw"])]


def fails(message: str, **more: object) -> str:
    with pytest.raises(ModelError, match=message) as error:
        make(**more).open()
    assert "\n" not in str(error.value)
    return str(error.value)


class Payload:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._mark),)


def test_bin_weights_are_read_but_not_unpickled(tmp_path: Path) -> None:
    """NLLB's own checkpoints have no safetensors."""
    folder, original = tmp_path / "model", NllbTranslator(TranslatorSettings())
    expected = translations(original)
    shutil.copytree(DEMO_FOLDER, folder, ignore=shutil.ignore_patterns("training"))
    (folder / "model.safetensors").unlink()
    torch.save(original._model.state_dict(), folder / "pytorch_model.bin")
    assert translations(make(model=str(folder), quantization="none")) == expected
    torch.save({"lm_head.weight": Payload(tmp_path / "ran")}, folder / "pytorch_model.bin")
    message = "can't be loaded as a translation model"
    fails(message, model=str(folder))
    with pytest.raises(ModelError, match=message):
        NllbTranslator(TranslatorSettings(model=str(folder))).open()
    assert not (tmp_path / "ran").exists()


def test_converted_once_and_by_one_process(capsys: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(make().open) for _ in range(2)]:
            done.result()
    said = capsys.readouterr().err
    assert said.count("which is done once") == 1
    make().open()
    assert capsys.readouterr().err == ""
    make(quantization="none").open()
    assert "which is done once" in capsys.readouterr().err
    names = sorted(path.name for path in cache_folder().iterdir())
    assert [name.split("-")[1] for name in names] == ["float32", "int8_float32"]


_KILLED = """
import os, signal
import curation.translation.conversion as conversion
from curation.translation import ctranslate, make_translator
from mcot.core.settings import TranslatorSettings
conversion.write_json = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
make_translator(TranslatorSettings(backend="ctranslate2")).open()
"""


def test_killed_while_converting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (place,) = cache_folder().iterdir()
    assert not (place / "model").exists()
    assert (place / ".model.new" / "model.bin").exists()
    after = translations(make())
    assert not (place / ".model.new").exists()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert translations(make()) == after


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal that would come with it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_for_the_conversion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with largest_file(1 << 20):
        fails("can't be written to .*: File too large; make room there, or set XDG_CACHE_HOME")
    (place,) = cache_folder().iterdir()
    assert [path.name for path in place.iterdir()] == [".lock"]
    usage = shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
        fails("it takes 0.0 GiB and 0.0 are free; make room there")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    fails("can't be written to .*: Not a directory")


def test_a_damaged_conversion() -> None:
    made = make()
    found = find_nllb(TranslatorSettings(), architectures=("m2m_100",), what="NLLB")
    folder = converted_model(found, "int8_float32", made.name.split()[0])
    contents = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(contents[: len(contents) // 2])
    message = fails("can't be loaded by CTranslate2")
    assert f"remove {folder}" in message
