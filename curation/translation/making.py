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
from mcot.core.settings import LLM, CurationSettings, TranslatorSettings

__all__ = ["find_llms", "find_spending", "make_translating_stages"]

# Beside the stages: an answer that was paid for outlives changed settings, which make a stage's folder anew.
_FOLDER = "llm"


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

    folder = folder or settings.folder
    protect = settings.translator.protect
    shared: dict[str, Any] = {"inputs": inputs, "carried": carried, "languages": settings.languages}
    name = settings.translators[0]
    llm = settings.find_llm(name) if translator is None else None
    forward: TranslateStage | LlmTranslateStage
    if llm is not None:
        forward = LlmTranslateStage(
            llm, _store(settings, name), checks=checks, include_english=settings.include_english, where=_where(name),
            **shared,
        )  # fmt: skip
    else:
        forward = TranslateStage(
            nllb(settings.translator), folder / TranslateStage.name, protect=protect,
            languages=settings.languages, include_english=settings.include_english, carried=carried,
        )  # fmt: skip
    if not settings.back_translation.enabled:
        return forward, None
    name = settings.back_translator
    llm = settings.find_llm(name) if translator is None else None
    if llm is not None:
        return forward, LlmBackTranslateStage(llm, _store(settings, name), where=_where(name), **shared)
    model = nllb(settings.back_translation.model or settings.translator)
    back = BackTranslateStage(model, folder / BackTranslateStage.name, protect=protect, carried=carried)
    return forward, back


def _store(settings: CurationSettings, name: str) -> Path:
    return settings.folder / _FOLDER / ("translator.sqlite" if name == LLM else f"translator-{name}.sqlite")


def _where(name: str) -> str:
    """An LLM's key in the settings."""
    return name if name == LLM else f"llms.{name}"


def find_llms(settings: CurationSettings) -> list[str]:
    """The translators of a run that are LLMs, back-translation's among them."""
    names = [*settings.translators, *([settings.back_translator] if settings.back_translation.enabled else [])]
    return [name for name in dict.fromkeys(names) if settings.find_llm(name) is not None]


def find_spending(settings: CurationSettings) -> dict[str, Any]:
    """What a run's LLMs were asked and what that cost, as `mcot.core.chat_store.read_spending` gives it.

    Of one of `llms` the purposes have its name behind them: "translate qwen". One that translates no longer is told of
    as long as it is set: what it took was taken for this run.
    """
    told: dict[str, Any] = {}
    for name in (LLM, *settings.llms):
        llm = settings.find_llm(name)
        for purpose, by in read_spending(_store(settings, name), llm.prices if llm else None).items():
            told[purpose if name == LLM else f"{purpose} {name}"] = by
    return told
