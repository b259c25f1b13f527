"""Generation by vLLM, which serves many prompts at a time on a GPU: an extra, `mcot-math[vllm]`."""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from evaluation.backends.local import find_model
from evaluation.cache import Generation
from evaluation.prompts import Prompt
from evaluation.settings import ModelSettings
from mcot.core.checkpoints import first_line
from mcot.core.errors import MissingExtraError, ModelError
from mcot.core.runs import sign

__all__ = ["VllmBackend"]

# vLLM makes its own batches; this is how many answers a kill may cost.
_BATCH = 256


class VllmBackend:
    """A causal language model run by vLLM.

    Raises:
        MissingExtraError: vLLM is not installed.
        ModelError: there is no such model.
    """

    # What runs beside a prompt changes from run to run whatever is asked.
    apart = True

    def __init__(self, settings: ModelSettings) -> None:
        try:
            library = version("vllm")
        except PackageNotFoundError:
            raise MissingExtraError("vllm", "vllm") from None
        self._settings = settings
        self.revision: str | None
        self._found = find_model(settings)
        self.revision = self._found.revision
        self.batch_size = settings.batch_size or _BATCH
        name = settings.model if self._found.on_hub else ""
        self.signature = sign("vllm", 1, name, self.revision, settings.dtype, library)
        self._engine: Any = None

    def open(self) -> None:
        """Load the model."""
        # Not by an import statement: no type checker here has it.
        vllm: Any = import_module("vllm")

        revision = self._found.revision if self._found.on_hub else None
        try:
            self._engine = vllm.LLM(
                model=self._found.place, revision=revision, tokenizer_revision=revision, dtype=self._settings.dtype,
                trust_remote_code=False, seed=0,
            )  # fmt: skip
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"model {self._settings.model!r}: can't be loaded by vLLM: {first_line(error)}") from error

    def close(self) -> None:
        """Let go of the engine; vLLM frees the GPU when nothing refers to it."""
        self._engine = None

    def generate(
        self, prompts: Sequence[Prompt], seeds: Sequence[int], notify: Callable[[str], None] | None = None
    ) -> Iterator[tuple[int, Generation]]:
        """Answer prompts."""
        vllm: Any = import_module("vllm")

        sampling = self._settings.sampling
        parameters = [
            vllm.SamplingParams(
                temperature=sampling.temperature, top_p=sampling.top_p, max_tokens=sampling.max_new_tokens,
                stop=list(self._settings.stop) or None, seed=seed,
            )
            for seed in seeds
        ]  # fmt: skip
        if self._settings.prompt.style == "chat":
            outputs = self._engine.chat([prompt.chat for prompt in prompts], parameters, use_tqdm=False)
        else:
            outputs = self._engine.generate([prompt.text for prompt in prompts], parameters, use_tqdm=False)
        for place, output in enumerate(outputs):
            answer = output.outputs[0]
            yield place, Generation(answer.text, answer.finish_reason == "stop")
