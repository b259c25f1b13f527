"""Translation: what runs the models, and the stages that translate rows."""

from curation.translation.base import Translator
from mcot.core.settings import TranslatorSettings

__all__ = ["make_translator"]


def make_translator(settings: TranslatorSettings) -> Translator:
    """The translator of the settings, not yet opened.

    Raises:
        UserError: there is no such model or device, or a package is not installed.
    """
    match settings.backend:
        case "transformers":
            from curation.translation.nllb import NllbTranslator

            return NllbTranslator(settings)
        case "ctranslate2":
            from curation.translation.ctranslate import CTranslateTranslator

            return CTranslateTranslator(settings)
