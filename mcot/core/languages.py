"""The eleven languages, and what every stage needs to know of each."""

from dataclasses import dataclass

from mcot.core.errors import UserError, choose

__all__ = ["ENGLISH", "LANGUAGES", "TARGETS", "Language", "get_language"]


@dataclass(frozen=True, slots=True)
class Language:
    """One language.

    Attributes:
        code: ISO 639-1, and the code of CLDR and of fastText's lid.176.
        name: in English.
        native_name: in the language itself.
        flores: FLORES-200 code, as NLLB names it.
        script: ISO 15924.
        zero: the native digit zero where people use native digits, else "0".
        sentence_separator: what stands between two sentences of a line. Thai has no full stop: a wide
            space (two spaces, the Royal Society of Thailand's "wak wak yai") ends a sentence.
        sentence_end: the punctuation that ends a statement.
        spaced: whether words are separated by spaces.
        cue: what makes a model reason in the language (Shi et al. 2022, table 7; mCoT's prompts).
        answer_phrase: how a solution states its result; `{answer}` is the number (MGSM's exemplars).
    """

    code: str
    name: str
    native_name: str
    flores: str
    script: str
    zero: str
    sentence_separator: str
    sentence_end: str
    spaced: bool
    cue: str
    answer_phrase: str


ENGLISH = Language(
    "en", "English", "English", "eng_Latn", "Latn", "0", " ", ".", True,
    "Let's think step by step.", "The answer is {answer}.",
)  # fmt: skip

# The ten that English is translated into.
TARGETS: tuple[Language, ...] = (
    Language("sw", "Swahili", "Kiswahili", "swh_Latn", "Latn", "0", " ", ".", True,
             "Hebu fikiria hatua kwa hatua.", "Jibu ni {answer}."),
    Language("bn", "Bengali", "বাংলা", "ben_Beng", "Beng", "০", " ", "।", True,
             "আসুন ধাপে ধাপে চিন্তা করি।", "উত্তর হল {answer}।"),
    Language("te", "Telugu", "తెలుగు", "tel_Telu", "Telu", "౦", " ", ".", True,
             "అంచెలంచెలుగా ఆలోచిద్దాం.", "సమాధానం {answer}."),
    Language("th", "Thai", "ไทย", "tha_Thai", "Thai", "๐", "  ", "", False,
             "ลองคิดทีละขั้นตอน", "คำตอบคือ {answer}"),
    Language("ja", "Japanese", "日本語", "jpn_Jpan", "Jpan", "0", "", "。", False,
             "段階的に考えてみましょう。", "答えは{answer}です。"),
    Language("zh", "Chinese", "中文", "zho_Hans", "Hans", "0", "", "。", False,
             "让我们一步步思考。", "答案是 {answer}。"),
    Language("ru", "Russian", "русский", "rus_Cyrl", "Cyrl", "0", " ", ".", True,
             "Давайте думать поэтапно.", "Ответ: {answer}."),
    Language("es", "Spanish", "español", "spa_Latn", "Latn", "0", " ", ".", True,
             "Pensemos paso a paso.", "La respuesta es {answer}."),
    Language("fr", "French", "français", "fra_Latn", "Latn", "0", " ", ".", True,
             "Réfléchissons étape par étape.", "La réponse est {answer}."),
    Language("de", "German", "Deutsch", "deu_Latn", "Latn", "0", " ", ".", True,
             "Denken wir Schritt für Schritt.", "Die Antwort ist {answer}."),
)  # fmt: skip

LANGUAGES: dict[str, Language] = {language.code: language for language in (ENGLISH, *TARGETS)}


def get_language(code: str) -> Language:
    """The language of an ISO 639-1 code. Raises `UserError` naming the valid ones."""
    if code not in LANGUAGES:
        raise UserError(f"language: got {code!r}; {choose(code, LANGUAGES)}")
    return LANGUAGES[code]
