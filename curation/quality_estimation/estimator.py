"""This side of quality estimation: the process that runs COMET."""

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from curation.quality_estimation.model import CHECKPOINT, HPARAMS, download, find_model
from mcot.core.environments import Environment, cache_folder
from mcot.core.errors import ModelError, StageError
from mcot.core.progress import Progress
from mcot.core.quality_settings import QualityEstimationSettings
from mcot.core.runs import sign

__all__ = ["COMET", "Estimator", "default_folder"]

_HERE = Path(__file__).parent
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
        lock = COMET.lock.read_text("utf-8")
        self.signature = sign("comet", 2, self._model.revision, self._model.encoder_signature, lock)
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
        paths = {name: Path(self._model.place) / name for name in (HPARAMS, CHECKPOINT)}
        if self._model.on_hub:
            paths = {name: download(self._model.place, name, self._model.revision) for name in paths}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 closed with the process
        # A session of its own: Ctrl-C is for this process, which then ends the other. That one ends with its input.
        self._process = subprocess.Popen(
            [str(python), "-I", str(_HERE / "worker.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, start_new_session=True,
            # All that it loads is here, and signed.
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
        told = {
            "checkpoint": str(paths[CHECKPOINT].absolute()),
            "hparams": str(paths[HPARAMS].absolute()),
            "encoder": str(self._model.encoder),
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

        A process that died is begun anew, as an engine tries a shard again without opening the stage again.

        Args:
            pairs: of source and translation.
            notify: called with how many are done, and of how many.

        Raises:
            StageError: the process died.
            ModelError: the model can't be used.
        """
        if not pairs:
            return []
        self.open()
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
        assert process is not None  # noqa: S101 (it is: `open` comes first)
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 (pipes were asked for)
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
