"""The stages that translate, as the settings name them: NLLB's, an LLM's, or one there and the other back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from curation.checks.base import Check
from curation.translation import make_translator
from curation.translation.base import Translator
from curation.translation.carried import CarriedTexts
from curation.translation.llm.stage import LlmBackTranslateStage, LlmTranslateStage
from curation.translation.stage import BackTranslateStage, TranslateStage
from mcot.core.chat_store import read_spending
from mcot.core.settings import CurationSettings, TranslatorSettings

__all__ = ["find_spending", "make_translating_stages"]

# Beside the stages: an answer that was paid for outlives changed settings, which make a stage's folder anew.
_STORE = Path("llm") / "translator.sqlite"


def make_translating_stages(
    settings: CurationSettings,
    *,
    translator: Translator | None,
    checks: Sequence[Check],
    carried: CarriedTexts,
    inputs: Callable[[], Sequence[Path]],
    folder: Path | None = None,
    made: dict[str, Translator] | None = None,
) -> tuple[TranslateStage | LlmTranslateStage, BackTranslateStage | LlmBackTranslateStage | None]:
    """The stage that translates, and the one that translates back, where the settings want one.

    Args:
        settings: of the run.
        translator: instead of the settings' own, in both directions.
        checks: of the run: what an LLM gets wrong by them is asked for once more.
        carried: what people accepted or corrected.
        inputs: the shards of the stage before the one that runs.
        folder: where the stages are; the run's by default.
        made: translators that were made before; those that are made now are added.

    Raises:
        UserError: there is no such model or device, a package is not installed, or a key can't be sent.
    """
    known: dict[str, Translator] = {} if made is None else made

    def nllb(own: TranslatorSettings) -> Translator:
        key = own.model_dump_json()
        known[key] = translator or known.get(key) or make_translator(own)
        return known[key]

    folder, store = folder or settings.folder, settings.folder / _STORE
    protect = settings.translator.protect
    llm: dict[str, Any] = {"inputs": inputs, "carried": carried, "languages": settings.languages}
    forward: TranslateStage | LlmTranslateStage
    if settings.translators[0] == "llm" and settings.llm is not None and translator is None:
        forward = LlmTranslateStage(settings.llm, store, checks=checks, include_english=settings.include_english, **llm)
    else:
        forward = TranslateStage(
            nllb(settings.translator), folder / TranslateStage.name, protect=protect,
            languages=settings.languages, include_english=settings.include_english, carried=carried,
        )  # fmt: skip
    if not settings.back_translation.enabled:
        return forward, None
    if settings.back_translator == "llm" and settings.llm is not None and translator is None:
        return forward, LlmBackTranslateStage(settings.llm, store, **llm)
    model = nllb(settings.back_translation.model or settings.translator)
    back = BackTranslateStage(model, folder / BackTranslateStage.name, protect=protect, carried=carried)
    return forward, back


def find_spending(settings: CurationSettings) -> dict[str, Any]:
    """What a run's LLM was asked and what that cost, as `mcot.core.chat_store.read_spending` gives it."""
    return read_spending(settings.folder / _STORE, settings.llm.prices if settings.llm else None)
