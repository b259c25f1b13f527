"""This side of quality estimation: COMET's model, and the process that runs it."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from mcot.core.checkpoints import first_line
from mcot.core.environments import Environment, cache_folder
from mcot.core.errors import ModelError, StageError
from mcot.core.files import sign_files
from mcot.core.progress import Progress
from mcot.core.quality_settings import QualityEstimationSettings
from mcot.core.runs import sign

__all__ = ["COMET", "Estimator", "default_folder", "find_model"]

_HERE = Path(__file__).parent
_HPARAMS, _CHECKPOINT = "hparams.yaml", "checkpoints/model.ckpt"
_ADVICE = "valid: a reference-free COMET model of the Hub, or a folder with hparams.yaml and checkpoints/model.ckpt"
# Seconds for the worker to end once its input has.
_END_WAIT = 10.0

#: numpy 1.26, which unbabel-comet 2.2.7 needs, is published for no newer Python.
COMET = Environment(
    title="COMET",
    lock=_HERE / "requirements.txt",
    pythons=((3, 11), (3, 12)),
    cost="about a minute and 650 MB",
    otherwise="run mcot with one of those, or leave out `quality_estimation`",
    shared="torch",
)


def default_folder() -> Path:
    """Where environments are kept: `~/.cache/mcot/comet`, or the same below `XDG_CACHE_HOME`."""
    return cache_folder("comet")


class Model(NamedTuple):
    """A COMET model: a folder or a Hub id, and which version of it."""

    place: str
    revision: str
    on_hub: bool

    @property
    def name(self) -> str:
        """Its name without the folders above it."""
        return self.place if self.on_hub else Path(self.place).resolve().name


def find_model(settings: QualityEstimationSettings) -> Model:
    """Find the settings' model; of a Hub model nothing large is loaded yet.

    Raises:
        ModelError: there is none.
    """
    folder = Path(settings.model)
    where = f"quality_estimation.model {settings.model!r}"
    if folder.is_dir():
        if settings.revision is not None:
            raise ModelError(f"{where}: a folder has no revision; leave out revision {settings.revision!r}")
        if lacking := [name for name in (_HPARAMS, _CHECKPOINT) if not (folder / name).is_file()]:
            raise ModelError(f"{where}: the folder has no {lacking[0]}; {_ADVICE}")
        return Model(str(folder), sign_files([folder / _HPARAMS, folder / _CHECKPOINT]), on_hub=False)
    if folder.exists() or settings.model.count("/") != 1 or settings.model.startswith((".", "/")):
        raise ModelError(f"{where}: no such folder; {_ADVICE}")
    # The folder of a snapshot is named by its commit.
    return Model(settings.model, _download(settings.model, settings.revision, [_HPARAMS]).name, on_hub=True)


def _download(place: str, revision: str | None, files: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError

    where = f"quality_estimation.model {place!r}"
    try:
        folder = Path(snapshot_download(place, revision=revision, allow_patterns=files))
    except GatedRepoError:
        raise ModelError(
            f"{where}: is gated; accept its terms at https://huggingface.co/{place}, then log in with `hf auth login`"
        ) from None
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{where}: is no folder here and could not be had from the Hub ({first_line(error)}); {_ADVICE}"
        ) from None
    if lacking := [name for name in files if not (folder / name).is_file()]:
        raise ModelError(f"{where}: has no {lacking[0]}, so it is no COMET model; {_ADVICE}")
    return folder


class Estimator:
    """Scores translations by their sources.

    Args:
        settings: model and hardware.

    Attributes:
        name: of the model and its version.
        signature: of all that a score depends on.

    Raises:
        ModelError: there is no such model.
        StageError: COMET runs on no such Python.
    """

    def __init__(self, settings: QualityEstimationSettings) -> None:
        # Before anything is translated that could not be estimated.
        COMET.check_python()
        self._settings, self._model = settings, find_model(settings)
        self.name = f"{self._model.name}@{self._model.revision[:12]}"
        self.signature = sign("comet", 1, self._model.revision, COMET.lock.read_text("utf-8"))
        self._process: subprocess.Popen[str] | None = None

    def open(self) -> None:
        """Make the environment if it is not there, get the model, and load it.

        Raises:
            StageError: the environment can't be made, or the process died.
            ModelError: the model can't be used.
        """
        if self._process is not None:
            return
        python = COMET.ensure(self._settings.environment or default_folder())
        folder = Path(self._model.place)
        if self._model.on_hub:
            folder = _download(self._model.place, self._model.revision, [_HPARAMS, _CHECKPOINT])
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 closed with the process
        # A session of its own: Ctrl-C is for this process, which then ends the other. That one ends with its input.
        self._process = subprocess.Popen(
            [str(python), "-I", str(_HERE / "worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, start_new_session=True,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false"},
        )  # fmt: skip
        told = {
            "checkpoint": str((folder / _CHECKPOINT).absolute()),
            "hparams": str((folder / _HPARAMS).absolute()),
            "device": self._settings.device,
            "batch_tokens": self._settings.batch_tokens,
            "trust": self._settings.trust_checkpoint,
        }
        with Progress("COMET", total=1, unit="models loaded") as progress:
            self._ask(told, "ready")
            progress.advance()

    def estimate(
        self, pairs: Sequence[tuple[str, str]], notify: Callable[[int, int], None] | None = None
    ) -> list[float | None]:
        """The model's score of each source and its translation, in order; None where it is too long for the model.

        Args:
            pairs: of source and translation.
            notify: called with how many are done, and of how many.

        Raises:
            StageError: the process died.
            ModelError: the model can't be used.
        """
        if not pairs:
            return []
        scores: list[float | None] = self._ask({"pairs": pairs}, "scores", notify, len(pairs))
        return scores

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None or process.stdin is None or process.stdout is None:
            return
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(_END_WAIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
        self._log.close()

    def _ask(self, told: object, wanted: str, notify: Callable[[int, int], None] | None = None, total: int = 0) -> Any:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise StageError("COMET: is not open")
        # A process that has ended may have said why.
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            said = json.loads(line)
            if "error" in said:
                self.close()
                raise ModelError(f"quality_estimation.model {self._settings.model!r}: {said['error']}")
            if wanted in said:
                return said[wanted]
            if notify is not None:
                notify(said["done"], total)
        raise StageError(self._explain(process))

    def _explain(self, process: subprocess.Popen[str]) -> str:
        """Why the process ended without a word."""
        code = process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines() if line.strip()]
        self.close()
        if code < 0:
            name = signal.Signals(-code).name
            memory = ", perhaps for want of memory; set a smaller batch_tokens" if name == "SIGKILL" else ""
            return f"COMET's process was ended by {name}{memory}; run the same command again to go on"
        return f"COMET's process ended ({lines[-1][:300] if lines else f'status {code}'})"
