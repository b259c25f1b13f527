"""Translation by an NLLB checkpoint through transformers."""

from typing import Any

from curation.translation.nllb_batches import BatchTranslator
from curation.translation.nllb_checkpoint import DEMO_FOLDER, find_nllb, load_weights
from mcot.core.hardware import choose_hardware
from mcot.core.languages import Language
from mcot.core.settings import TranslatorSettings

__all__ = ["DEMO_FOLDER", "NllbTranslator"]


class NllbTranslator(BatchTranslator):
    """An NLLB checkpoint: a Hub id, a folder, or the embedded demo model.

    Raises:
        ModelError: there is no such model, or it is no NLLB model.
    """

    def __init__(self, settings: TranslatorSettings) -> None:
        found = find_nllb(settings, architectures=("m2m_100", "nllb-moe"), what="NLLB (m2m_100)")
        device, self._dtype = choose_hardware(settings.device, settings.dtype, where="translator.device")
        super().__init__(
            settings, found, device=device, numbers=self._dtype, engine=(),
            libraries=("transformers", "torch", "tokenizers", "sentencex"),
        )  # fmt: skip

    def open(self) -> None:
        """Load tokenizer and weights."""
        self.open_tokenizer()
        self._model: Any = load_weights(self._found, self._dtype).to(self._device)

    def _decode(self, batch: list[list[int]], target: Language, longest: int) -> list[list[int]]:
        import torch

        tokenizer, model = self._tokenizer, self._model
        inputs = tokenizer.pad({"input_ids": batch}, return_tensors="pt").to(model.device)
        with torch.inference_mode():
            output = model.generate(
                **inputs,
                forced_bos_token_id=tokenizer.convert_tokens_to_ids(target.flores),
                num_beams=self._settings.beams,
                do_sample=False,
                max_length=None,
                max_new_tokens=longest,
            )
        # Position 0 is the decoder's start token.
        return [list(ids) for ids in output[:, 1:].tolist()]
