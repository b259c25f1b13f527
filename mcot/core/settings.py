"""What can be set, and its defaults. `mcot.core.settings_file` reads it from YAML."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mcot.core.chat_settings import LlmSettings
from mcot.core.errors import choose
from mcot.core.languages import LANGUAGES, TARGETS
from mcot.core.quality_settings import JudgeSettings, QualityEstimationSettings
from mcot.core.settings_model import FilePath, Language, PathOrName, SettingsModel, check_each_once, check_languages

__all__ = [
    "BackTranslationSettings",
    "Band",
    "CheckSettings",
    "ColumnMapping",
    "CurationSettings",
    "DuplicateSettings",
    "SourceSettings",
    "TranslatorSettings",
]

DEMO_MODEL = "demo"
#: Translators by the names of their settings: `translator`'s, and `llm`'s.
NLLB, LLM = "nllb", "llm"
# The largest that the rows' Arrow column of 32 bits holds.
_LARGEST_ROUND = 2**31 - 1


class ColumnMapping(SettingsModel):
    """Which column holds what, for a source of no known format."""

    question: str = "question"
    rationale: str | None = "rationale"
    answer: str | None = "answer"
    id: str | None = None


class SourceSettings(SettingsModel):
    """English problems: a file, a folder of files, or a dataset of the Hugging Face Hub."""

    path: PathOrName = Field(description="a JSONL, Parquet or CSV file, a folder of them, or a Hub dataset's id")
    format: Literal["columns", "gsm8k", "metamathqa", "mathinstruct"] = "columns"
    name: str | None = Field(None, description="in the rows' `source`; by default the path's last part")
    license: str | None = Field(None, description="in the rows' `license`; known for the named formats")
    columns: ColumnMapping = ColumnMapping()
    subset: str | None = Field(None, description="a Hub dataset's configuration")
    split: str = Field("train", description="a Hub dataset's split")
    revision: str | None = Field(None, description="a Hub dataset's commit, tag or branch")
    calculator_marks: Literal["keep", "remove"] = Field("keep", description="GSM8K's <<48/2=24>>")


class TranslatorSettings(SettingsModel):
    """An NLLB checkpoint and how it is run."""

    model: PathOrName = Field(DEMO_MODEL, description="a Hub id, a folder, or `demo`: the embedded model")
    revision: str | None = None
    backend: Literal["transformers", "ctranslate2"] = Field(
        "transformers", description="what runs it; `ctranslate2` is faster, an extra"
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    quantization: Literal["auto", "none", "int8"] = Field(
        "auto", description="of CTranslate2's weights; by default int8 on a CPU, none on a GPU"
    )
    gpu_share: float = Field(1.0, gt=0, le=1, description="of a GPU, that each of Ray's workers takes")
    beams: int = Field(1, ge=1, le=16)
    max_length: int = Field(200, ge=8, le=1024, description="tokens of a hypothesis, at most")
    batch_tokens: int | None = Field(
        None,
        ge=64,
        description="source tokens of a batch, padding included; by default 2048 on a CPU, 16384 on a GPU",
    )
    protect: bool = Field(True, description="keep equations, amounts, LaTeX and code out of the model's hands")

    @model_validator(mode="after")
    def _quantized_by_ctranslate2(self) -> "TranslatorSettings":
        if self.backend != "ctranslate2" and self.quantization == "int8":
            raise ValueError("quantization 'int8' is CTranslate2's; set `backend: ctranslate2`, or leave it out")
        return self


# An LLM beside `llm`; its name is that of folders and files too.
LlmName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class BackTranslationSettings(SettingsModel):
    """Whether and by what model translations are translated back into English."""

    enabled: bool = True
    by: str | None = Field(None, description="`nllb`, `llm` or a name of `llms`; by default what translates")
    model: TranslatorSettings | None = Field(None, description="the translator itself by default")


class CheckSettings(SettingsModel):
    """What the checks need besides the rows."""

    language_model: PathOrName = Field(
        "lid.176.ftz", description="a fastText model: the built-in one, a file, or REPO_ID/FILE of the Hub"
    )


class DuplicateSettings(SettingsModel):
    """Whether near-duplicates are looked for, and what makes two rows the same."""

    enabled: bool = True
    by: Literal["row", "question"] = Field(
        "row", description="question and rationale together, or the question alone, whatever its solutions"
    )


class Band(SettingsModel):
    """Scores of at least `keep` are kept, those below `drop` dropped, those between reviewed."""

    keep: float = Field(allow_inf_nan=False)
    drop: float = Field(allow_inf_nan=False)

    @model_validator(mode="after")
    def _ordered(self) -> "Band":
        if self.drop > self.keep:
            raise ValueError(f"drop {self.drop} is above keep {self.keep}")
        return self


CheckName = Literal[
    "translation",
    "language",
    "numbers",
    "back_translation",
    "length",
    "untranslated",
    "mixed",
    "repetition",
    "equations",
    "answer",
    "duplicates",
    "contamination",
    "quality_estimation",
    "judge",
]

DEFAULT_BANDS: dict[str, Band] = {
    # Shares: hypotheses that ended by themselves, spans that survived.
    "translation": Band(keep=1.0, drop=0.5),
    # Probability of the language among the eleven.
    "language": Band(keep=0.7, drop=0.3),
    # Share of numbers that correspond; anything but all is at least a doubt.
    "numbers": Band(keep=1.0, drop=0.75),
    # chrF++, 0-100.
    "back_translation": Band(keep=55.0, drop=35.0),
    # Likeness to the length expected. Of MGSM's translations cut in half, 49% are below 0.52 and 94% lack their end,
    # which scores 0.5; of the whole ones, none. People say the same in far fewer words than at 0.6.
    "length": Band(keep=0.52, drop=0.3),
    # Share of the words that are not copied from the source.
    "untranslated": Band(keep=0.9, drop=0.5),
    # Share of the text that is in its language, segment by segment.
    "mixed": Band(keep=0.8, drop=0.4),
    # Share of the text that is no repetition of itself.
    "repetition": Band(keep=0.8, drop=0.5),
    # Share of the source's equations that stand in the translation, in order and unaltered.
    "equations": Band(keep=1.0, drop=0.75),
    # 1 if the translation's final answer is the gold one, 0 if it is another.
    "answer": Band(keep=1.0, drop=0.5),
    # 1 - likeness to an earlier row; to a benchmark's problem.
    "duplicates": Band(keep=0.2, drop=0.2),
    "contamination": Band(keep=0.5, drop=0.5),
    # A COMET model's estimate. Nobody has published a threshold for mathematics, and models differ: until verdicts
    # calibrate it a low one asks for a look, and drops nothing.
    "quality_estimation": Band(keep=0.6, drop=0.0),
    # 1 - MQM weights / 25: one major error of meaning is a doubt, more than three are a drop.
    "judge": Band(keep=0.9, drop=0.4),
}


DEFAULT_LANGUAGE_BANDS: dict[str, dict[str, Band]] = {
    # lid.176 is unsure of short Swahili texts, and gives English copies nothing at all.
    "sw": {"language": Band(keep=0.5, drop=0.1)},
}


class CurationSettings(SettingsModel):
    """Settings of `mcot curate`."""

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$", description="the run's name")
    output: FilePath | None = Field(None, description="the run's folder; runs/<name> by default")
    sources: list[SourceSettings] = Field(min_length=1)
    limit: int | None = Field(None, ge=1, description="problems of each source, at most")
    languages: list[Language] = Field([language.code for language in TARGETS], min_length=1)
    include_english: bool = Field(True, description="the English problems too, as language `en`")
    translator: TranslatorSettings = TranslatorSettings()
    translators: list[str] = Field(
        ["nllb"], min_length=1, description="`nllb`, set by `translator`, `llm`, set by `llm`, names of `llms`"
    )
    use_translators: Literal["best", "failed"] = Field(
        "best",
        description="of several: all for each row, and the best is taken; or each only where those before it failed",
    )
    llm: LlmSettings | None = Field(None, description="an LLM behind an OpenAI-compatible server")
    llms: dict[LlmName, LlmSettings] = Field({}, description="more of them, by names of your own")
    back_translation: BackTranslationSettings = BackTranslationSettings()
    checks: CheckSettings = CheckSettings()
    quality_estimation: QualityEstimationSettings | None = Field(
        None, description="a COMET model that estimates quality without references; by default none"
    )
    judge: JudgeSettings | None = Field(None, description="an LLM that judges translations; by default none")
    duplicates: DuplicateSettings = DuplicateSettings()
    contamination: dict[str, FilePath | None] | None = Field(
        None,
        description="benchmarks to keep out (mgsm, msvamp, gsm8k), each with its file or folder, or null for the "
        "Hub's; by default all of the Hub's that can be read; {} for none",
    )
    thresholds: dict[Language, dict[CheckName, Band]] = Field(
        {}, description="bands by language, or `default` for all, and check, over the built-in ones"
    )
    shard_rows: int = Field(200, ge=1, description="problems of a shard, the unit of resume")
    workers: int = Field(1, ge=1, description="processes for the stages without a model")
    retries: int = Field(1, ge=0, description="how often a failed shard is tried again")
    round: int = Field(0, ge=0, le=_LARGEST_ROUND)

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, codes: list[str]) -> list[str]:
        check_each_once(codes, {language.code for language in TARGETS})
        return codes

    @field_validator("thresholds")
    @classmethod
    def _known_threshold_languages(cls, bands: dict[str, dict[str, Band]]) -> dict[str, dict[str, Band]]:
        check_languages(bands, {"default", *LANGUAGES})
        return bands

    @field_validator("translators")
    @classmethod
    def _named_once(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError(f"got {names}, a translator twice; name each once")
        return names

    @model_validator(mode="after")
    def _translators_are_set(self) -> "CurationSettings":
        if taken := sorted({NLLB, LLM} & set(self.llms)):
            raise ValueError(f"llms has {taken[0]!r}, which is another translator's name; choose a name of your own")
        by = self.back_translation.by
        for name in (*self.translators, *([] if by is None else [by])):
            if name == LLM and self.llm is None:
                raise ValueError("llm is to translate and is not set; add llm: {url: ..., model: ...}")
            if name != NLLB and self.find_llm(name) is None:
                valid = choose(name, [NLLB, LLM, *self.llms])
                raise ValueError(f"{name!r} is to translate and is no translator; {valid}")
        return self

    def find_llm(self, name: str) -> LlmSettings | None:
        """The settings of a translator that is an LLM; None for one that is none."""
        return self.llm if name == LLM else self.llms.get(name)

    @property
    def back_translator(self) -> str:
        """What translates back."""
        if self.back_translation.by is not None:
            return self.back_translation.by
        return NLLB if self.back_translation.model is not None else self.translators[0]

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.output if self.output is not None else Path("runs") / self.name

    def bands(self, language: str) -> dict[str, Band]:
        """A language's band for each check."""
        given: dict[str, dict[Any, Band]] = dict(self.thresholds)
        defaults = DEFAULT_BANDS | DEFAULT_LANGUAGE_BANDS.get(language, {})
        return {**defaults, **given.get("default", {}), **given.get(language, {})}
