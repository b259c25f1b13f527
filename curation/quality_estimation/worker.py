"""COMET's side of quality estimation: a program for COMET's own environment, which has nothing of this project.

It reads and writes JSON, an object a line. First it is told what to load (`checkpoint`, `hparams`, `encoder`, `device`,
`batch_tokens`, `trust`) and says that it is `ready`. Then each line holds `pairs` of a source and its translation; how
many are `done` is said on the way, and in the end their `scores`, null where a pair is too long for the model. An
`error` is one line for the user, and the last.
"""

import inspect
import json
import math
import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO

# Tokens of a batch, padding included: these keep a CPU's caches and a GPU's cores busy.
_BATCH_TOKENS = {"cpu": 2048, "cuda": 16384}
# Of a list of names in an error, how many are shown.
_SHOWN = 3


class UnusableError(Exception):
    """The model can't be used: one line for the user."""


class Scorer:
    """A COMET model.

    Args:
        checkpoint: Lightning's file of weights.
        hparams: the YAML file that names the model's class.
        encoder: the folder of its encoder's configuration and tokenizer.
        device: `auto`, `cpu` or `cuda`.
        batch_tokens: of a batch; None for the device's default.
        trust: whether the checkpoint may run code as it is loaded.

    Raises:
        UnusableError: it is no model, or none that does without references.
    """

    def __init__(
        self, *, checkpoint: str, hparams: str, encoder: str, device: str, batch_tokens: int | None, trust: bool
    ) -> None:
        import torch

        if device == "cuda" and not torch.cuda.is_available():
            raise UnusableError("device 'cuda': torch sees none here; valid: auto, cpu")
        self.device = "cuda" if device == "auto" and torch.cuda.is_available() else device.replace("auto", "cpu")
        self._batch_tokens = batch_tokens or _BATCH_TOKENS[self.device]
        self._model = _load(Path(checkpoint), Path(hparams), encoder, trust=trust).to(self.device).eval()
        if self._model.requires_references():
            raise UnusableError("the model compares with references; valid: one that does without, such as CometKiwi")
        # COMET cuts what is longer; half of a text says nothing of the whole.
        self._together = hasattr(self._model, "concat_inputs")
        self._longest = self._model.encoder.max_positions - 2 * self._model.encoder.size_separator - 2

    def score(self, pairs: Sequence[Sequence[str]], notify: Callable[[int], None]) -> list[float | None]:
        """A score a pair, in order; None where it is too long.

        Raises:
            UnusableError: a score is no number.
        """
        import torch

        scores: list[float | None] = [None] * len(pairs)
        done = 0
        with torch.inference_mode():
            for places in self._batches(pairs):
                samples = [{"src": pairs[place][0], "mt": pairs[place][1]} for place in places]
                batch = _move(self._model.prepare_sample(samples, stage="predict"), self.device)
                values = self._model.predict_step(batch).scores.float().tolist()
                if wrong := [value for value in values if not math.isfinite(value)]:
                    # Damaged weights say so of every text, and a row without a score would pass.
                    raise UnusableError(f"the score of a text is {wrong[0]}; valid: a model that gives numbers")
                for place, value in zip(places, values, strict=True):
                    scores[place] = value
                notify(done := done + len(places))
        return scores

    def _batches(self, pairs: Sequence[Sequence[str]]) -> Iterator[list[int]]:
        """The places of the pairs of each batch, alike in length: of those that are not too long."""
        sources, translations = ([self._count(text) for text in texts] for texts in zip(*pairs, strict=True))
        lengths = [
            source + translation if self._together else max(source, translation)
            for source, translation in zip(sources, translations, strict=True)
        ]
        batch: list[int] = []
        for place in sorted(range(len(pairs)), key=lambda place: (lengths[place], place)):
            if lengths[place] > self._longest:
                break
            # The last one is the longest, and the others are padded to it.
            if batch and (len(batch) + 1) * lengths[place] > self._batch_tokens:
                yield batch
                batch = []
            batch.append(place)
        if batch:
            yield batch

    def _count(self, text: str) -> int:
        return len(self._model.encoder.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _move(value: Any, device: str) -> Any:
    """A batch on a device: tensors in dictionaries in tuples, beside what is no tensor."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {key: _move(item, device) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_move(item, device) for item in value)
    return value.to(device) if hasattr(value, "to") else value


def _load(path: Path, hparams: Path, encoder: str, *, trust: bool) -> Any:
    """The model of a checkpoint, as COMET itself would load it, but without unpickling anything but weights."""
    import yaml

    kinds: dict[str, Any] = import_module("comet.models").str2model
    read = yaml.safe_load(hparams.read_text("utf-8"))
    name = read.get("class_identifier") if isinstance(read, dict) else None
    if name not in kinds:
        raise UnusableError(f"{hparams}: class_identifier is {name!r}; valid: {', '.join(kinds)}")
    content = _read_checkpoint(path, trust=trust)
    own = dict(content.get("hyper_parameters") or read)
    known = inspect.signature(kinds[name].__init__).parameters
    given = {key: value for key, value in own.items() if key in known}
    # Trained with a sparsemax that was none: https://github.com/Unbabel/COMET/issues/244
    if given.get("layer_transformation") == "sparsemax_patch":
        given["layer_transformation"] = "softmax"
    try:
        model = kinds[name](**{**given, "pretrained_model": encoder, "load_pretrained_weights": False})
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        # Whatever else it is: a file that is missing is met with errors of any kind.
        raise UnusableError(
            f"no model can be made of its encoder {encoder} and its hyperparameters ({_line(error)})"
        ) from None
    missing, _ = model.load_state_dict(content["state_dict"], strict=False)
    if lost := sorted(set(missing) & {name for name, _ in model.named_parameters()}):
        raise UnusableError(f"{path}: lacks {len(lost)} weights ({', '.join(lost[:_SHOWN])}, ...)")
    return model


def _read_checkpoint(path: Path, *, trust: bool) -> dict[str, Any]:
    import torch

    try:
        content = torch.load(path, map_location="cpu", weights_only=not trust, mmap=True)
    except pickle.UnpicklingError as error:
        try:
            names = ", ".join(sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))[:_SHOWN])
        except (RuntimeError, ValueError, pickle.UnpicklingError):
            raise UnusableError(f"{path}: is no checkpoint ({_line(error)})") from None
        raise UnusableError(
            f"{path}: holds more than weights ({names}), and loading that can run any code; if you trust where it "
            "comes from, set trust_checkpoint: true"
        ) from None
    except (RuntimeError, EOFError, ValueError) as error:
        raise UnusableError(f"{path}: is no checkpoint ({_line(error)})") from None
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise UnusableError(f"{path}: has no state_dict: it is no checkpoint of COMET's")
    return content


def _line(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:300]


def serve(lines: TextIO, answers: TextIO) -> int:
    """Answer until the input ends. Returns the exit status."""

    def say(**told: object) -> None:
        answers.write(json.dumps(told) + "\n")
        answers.flush()

    try:
        scorer: Scorer | None = None
        for line in lines:
            asked = json.loads(line)
            if scorer is None:
                scorer = Scorer(**asked)
                say(ready=scorer.device)
            else:
                say(scores=scorer.score(asked["pairs"], lambda done: say(done=done)))
    except BrokenPipeError:
        # Nobody is left to tell.
        os._exit(1)
    except UnusableError as error:
        say(error=str(error))
        return 2
    except MemoryError:
        say(error="out of memory; set a smaller batch_tokens")
        return 2
    except RuntimeError as error:
        # torch.OutOfMemoryError is one.
        advice = "; set a smaller batch_tokens" if "out of memory" in str(error).lower() else ""
        say(error=_line(error) + advice)
        return 2
    return 0


def main() -> int:
    """Serve standard input. What libraries print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return serve(sys.stdin, answers)


if __name__ == "__main__":
    sys.exit(main())
