"""Translation by an NLLB checkpoint through CTranslate2: an extra, `mcot-math[ctranslate2]`.

Its kernels for int8 make a CPU several times as fast, and its weights take a quarter of the memory.
"""

from ctypes import CDLL, RTLD_GLOBAL
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from curation.translation.conversion import converted_model
from curation.translation.nllb_batches import BatchTranslator
from curation.translation.nllb_checkpoint import find_nllb, title
from mcot.core.checkpoints import first_line
from mcot.core.errors import MissingExtraError, ModelError
from mcot.core.hardware import choose_hardware
from mcot.core.languages import Language
from mcot.core.settings import TranslatorSettings

__all__ = ["CTranslateTranslator"]

# What CTranslate2's builds for GPUs load when they are first used.
_CUBLAS = "libcublas.so.12"


class CTranslateTranslator(BatchTranslator):
    """An NLLB checkpoint run by CTranslate2: a Hub id, a folder, or the embedded demo model.

    Raises:
        MissingExtraError: CTranslate2 is not installed.
        ModelError: there is no such model, it is no NLLB model that CTranslate2 can run, or it can't calculate so here.
    """

    def __init__(self, settings: TranslatorSettings) -> None:
        try:
            library = version("ctranslate2")
        except PackageNotFoundError:
            raise MissingExtraError("ctranslate2", "ctranslate2") from None
        found = find_nllb(settings, architectures=("m2m_100",), what="one that CTranslate2 can run (NLLB's m2m_100)")
        device, self._numbers = _choose(settings)
        super().__init__(
            settings, found, device=device, numbers=self._numbers, engine=(f"ctranslate2-{library}", self._numbers),
            libraries=("ctranslate2", "transformers", "tokenizers", "sentencex"),
        )  # fmt: skip

    def open(self) -> None:
        """Load tokenizer and weights, which are converted first if they never were."""
        import torch

        ctranslate2: Any = import_module("ctranslate2")
        self.open_tokenizer()
        folder = converted_model(self._found, self._numbers, title(self._settings, self._found))
        if self._device == "cuda":
            _load_cublas()
        try:
            self._engine: Any = ctranslate2.Translator(
                str(folder), device=self._device, compute_type=self._numbers, intra_threads=torch.get_num_threads()
            )
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"translator.model {self._settings.model!r}: can't be loaded by CTranslate2: {first_line(error)}; "
                f"if its file is damaged, remove {folder} to have it converted anew"
            ) from error

    def _decode(self, batch: list[list[int]], target: Language, longest: int) -> list[list[int]]:
        tokenizer = self._tokenizer
        results = self._engine.translate_batch(
            [tokenizer.convert_ids_to_tokens(ids) for ids in batch],
            [[target.flores]] * len(batch),
            beam_size=self._settings.beams,
            # The language's code is the first of them.
            max_decoding_length=longest,
            # By itself it would let no hypothesis be empty, and cut sources off that are not.
            min_decoding_length=0,
            max_input_length=0,
            return_end_token=True,
        )
        return [tokenizer.convert_tokens_to_ids(result.hypotheses[0]) for result in results]


def _choose(settings: TranslatorSettings) -> tuple[str, str]:
    """The device, and the numbers of the weights and of the calculation as CTranslate2 calls them.

    By default: int8 weights and float32 on a CPU; on a GPU bfloat16, or float16 on one that lacks it.
    """
    ctranslate2: Any = import_module("ctranslate2")
    device, dtype = choose_hardware(settings.device, settings.dtype, where="translator.device")
    if device not in ("cpu", "cuda") or (device == "cuda" and not ctranslate2.get_cuda_device_count()):
        raise ModelError(
            f"translator.device: got {settings.device!r}, but CTranslate2 sees no such device here; valid: cpu; or set "
            "`backend: transformers`"
        )
    supported = ctranslate2.get_supported_compute_types(device)
    if settings.dtype == "auto" and dtype not in supported:
        dtype = "float16"
    int8 = settings.quantization == "int8" or (settings.quantization == "auto" and device == "cpu")
    numbers = f"int8_{dtype}" if int8 else dtype
    if numbers not in supported:
        valid = [name for name in ("float32", "bfloat16", "float16") if name in supported]
        raise ModelError(
            f"translator.dtype: got {dtype!r}, but CTranslate2 can't calculate in {numbers} on this "
            f"{'CPU' if device == 'cpu' else 'GPU'}; valid: {', '.join(['auto', *valid])}"
        )
    return device, numbers


def _load_cublas() -> None:
    """Have CUDA 12's cuBLAS in this process, where CTranslate2 finds it.

    torch brings it if it was built for CUDA 12. The package `nvidia-cublas-cu12` puts it where no loader looks.

    Raises:
        ModelError: it is not there.
    """
    spec = find_spec("nvidia")
    places = [Path(place) / "cublas" / "lib" / _CUBLAS for place in (spec and spec.submodule_search_locations) or ()]
    for name in (_CUBLAS, *map(str, places)):
        try:
            CDLL(name, mode=RTLD_GLOBAL)
        except OSError:
            continue
        return
    raise ModelError(
        f"translator.backend 'ctranslate2': on a GPU it needs {_CUBLAS}, which is not here; "
        "pip install nvidia-cublas-cu12, or set `backend: transformers`"
    )
