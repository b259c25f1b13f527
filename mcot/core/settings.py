"""One YAML file -> validated settings. An unknown key is an error."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from mcot.core.errors import SettingsError, choose
from mcot.core.languages import LANGUAGES, TARGETS

__all__ = [
    "BackTranslationSettings",
    "Band",
    "CheckSettings",
    "ColumnMapping",
    "CurationSettings",
    "SourceSettings",
    "TranslatorSettings",
    "dump_settings",
    "load_settings",
    "parse_settings",
]

DEMO_MODEL = "demo"
# The largest that the rows' Arrow column of 32 bits holds.
_LARGEST_ROUND = 2**31 - 1
# Of a wrong value, how much an error shows.
_SHOWN = 80


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _writable(cls, value: Any) -> Any:
        """YAML's escapes can make texts that no file name has and no file can hold."""
        text = str(value) if isinstance(value, str | Path) else ""
        if found := _UNWRITABLE.search(text):
            raise ValueError(f"holds the character {found[0]!r}, which no file name can have; remove it")
        return value


_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


def _expand_home(text: str) -> str:
    """A path whose leading `~` is the home folder; any other text as it is."""
    if not text.startswith("~"):
        return text
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        raise ValueError(f"there is no home folder {Path(text).parts[0]!r} here; give the path in full") from None


# Expanded before it is a Path: `./~x` is a name, and a Path forgets the `./`.
_OutputPath = Annotated[Path, BeforeValidator(lambda v: _expand_home(str(v)) if isinstance(v, str | Path) else v)]
_PathOrName = Annotated[str, AfterValidator(_expand_home)]


class ColumnMapping(_Model):
    """Which column holds what, for a source of no known format."""

    question: str = "question"
    rationale: str | None = "rationale"
    answer: str | None = "answer"
    id: str | None = None


class SourceSettings(_Model):
    """English problems: a file, a folder of files, or a dataset of the Hugging Face Hub."""

    path: _PathOrName = Field(description="a JSONL, Parquet or CSV file, a folder of them, or a Hub dataset's id")
    format: Literal["columns", "gsm8k", "metamathqa", "mathinstruct"] = "columns"
    name: str | None = Field(None, description="in the rows' `source`; by default the path's last part")
    license: str | None = Field(None, description="in the rows' `license`; known for the named formats")
    columns: ColumnMapping = ColumnMapping()
    subset: str | None = Field(None, description="a Hub dataset's configuration")
    split: str = Field("train", description="a Hub dataset's split")
    revision: str | None = Field(None, description="a Hub dataset's commit, tag or branch")
    calculator_marks: Literal["keep", "remove"] = Field("keep", description="GSM8K's <<48/2=24>>")


class TranslatorSettings(_Model):
    """An NLLB checkpoint and how it is run."""

    model: _PathOrName = Field(DEMO_MODEL, description="a Hub id, a folder, or `demo`: the embedded model")
    revision: str | None = None
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    beams: int = Field(1, ge=1, le=16)
    max_length: int = Field(200, ge=8, le=1024, description="tokens of a hypothesis, at most")
    batch_tokens: int = Field(8192, ge=64, description="source tokens of a batch, padding included")
    protect: bool = Field(True, description="keep equations, amounts, LaTeX and code out of the model's hands")


class BackTranslationSettings(_Model):
    """Whether and by what model translations are translated back into English."""

    enabled: bool = True
    model: TranslatorSettings | None = Field(None, description="the translator itself by default")


class CheckSettings(_Model):
    """What the checks need besides the rows."""

    language_model: _PathOrName = Field(
        "lid.176.ftz", description="a fastText model: the built-in one, a file, or REPO_ID/FILE of the Hub"
    )


class Band(_Model):
    """Scores of at least `keep` are kept, those below `drop` dropped, those between reviewed."""

    keep: float = Field(allow_inf_nan=False)
    drop: float = Field(allow_inf_nan=False)

    @model_validator(mode="after")
    def _ordered(self) -> "Band":
        if self.drop > self.keep:
            raise ValueError(f"drop {self.drop} is above keep {self.keep}")
        return self


Language = Annotated[str, Field(description="ISO 639-1")]
CheckName = Literal["translation", "language", "numbers", "back_translation", "length", "untranslated"]

DEFAULT_BANDS: dict[str, Band] = {
    # Shares: hypotheses that ended by themselves, spans that survived.
    "translation": Band(keep=1.0, drop=0.5),
    # Probability of the language among the eleven.
    "language": Band(keep=0.7, drop=0.3),
    # Share of numbers that correspond; anything but all is at least a doubt.
    "numbers": Band(keep=1.0, drop=0.75),
    # chrF++, 0-100.
    "back_translation": Band(keep=55.0, drop=35.0),
    # Likeness to the length expected. At 0.6 a third of the texts cut in half and 0.4% of MGSM's human
    # translations fail; at 0.4 nothing does.
    "length": Band(keep=0.6, drop=0.3),
    # Share of the words that are not copied from the source.
    "untranslated": Band(keep=0.9, drop=0.5),
}


DEFAULT_LANGUAGE_BANDS: dict[str, dict[str, Band]] = {
    # lid.176 is unsure of short Swahili texts, and gives English copies nothing at all.
    "sw": {"language": Band(keep=0.5, drop=0.1)},
}


class CurationSettings(_Model):
    """Settings of `mcot curate`."""

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$", description="the run's name")
    output: _OutputPath | None = Field(None, description="the run's folder; runs/<name> by default")
    sources: list[SourceSettings] = Field(min_length=1)
    limit: int | None = Field(None, ge=1, description="problems of each source, at most")
    languages: list[Language] = Field([language.code for language in TARGETS], min_length=1)
    include_english: bool = Field(True, description="the English problems too, as language `en`")
    translator: TranslatorSettings = TranslatorSettings()
    back_translation: BackTranslationSettings = BackTranslationSettings()
    checks: CheckSettings = CheckSettings()
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
        _check_languages(codes, {language.code for language in TARGETS})
        if len(set(codes)) < len(codes):
            raise ValueError(f"got {codes}, a language twice; name each once")
        return codes

    @field_validator("thresholds")
    @classmethod
    def _known_threshold_languages(cls, bands: dict[str, dict[str, Band]]) -> dict[str, dict[str, Band]]:
        _check_languages(bands, {"default", *LANGUAGES})
        return bands

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.output if self.output is not None else Path("runs") / self.name

    def bands(self, language: str) -> dict[str, Band]:
        """A language's band for each check."""
        given: dict[str, dict[Any, Band]] = dict(self.thresholds)
        defaults = DEFAULT_BANDS | DEFAULT_LANGUAGE_BANDS.get(language, {})
        return {**defaults, **given.get("default", {}), **given.get(language, {})}


def _check_languages(codes: Iterable[str], valid: set[str]) -> None:
    for code in codes:
        if code not in valid:
            raise ValueError(f"got language {code!r}; {choose(code, sorted(valid))}")


def load_settings(path: Path) -> CurationSettings:
    """Read a settings file.

    Raises:
        SettingsError: there is none, it can't be read, it is no YAML, or a key or a value is wrong.
    """
    content = _parse_yaml(_read(path), path)
    if not isinstance(content, dict):
        raise SettingsError(
            f"settings file {path}: got {type(content).__name__}, expected keys such as `name` and `sources`"
        )
    return parse_settings(content, f"settings file {path}")


def parse_settings(content: Mapping[str, Any], where: str) -> CurationSettings:
    """Settings from what a settings file holds.

    Args:
        content: values by key.
        where: how an error calls the place that they come from.

    Raises:
        SettingsError: a key or a value is wrong.
    """
    try:
        return CurationSettings.model_validate(content)
    except ValidationError as error:
        raise SettingsError(f"{where}: {_explain(error)}") from None


def _read(path: Path) -> str:
    advice = "give the path of a YAML file"
    try:
        return Path(_expand_home(str(path))).read_text("utf-8")
    except FileNotFoundError:
        raise SettingsError(f"settings file {path}: not found; {advice}") from None
    except IsADirectoryError:
        raise SettingsError(f"settings file {path}: is a folder; {advice}") from None
    except OSError as error:
        raise SettingsError(f"settings file {path}: can't be read: {error.strerror}; {advice}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"settings file {path}: is not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except ValueError as error:
        # A name that no file can have, or the `~` of nobody.
        raise SettingsError(f"settings file {path}: {error}; {advice}") from None


def _parse_yaml(text: str, path: Path) -> Any:
    where = f"settings file {path}"
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        raise SettingsError(f"{where}{line}: is not valid YAML: {problem}; mend it") from None
    except RecursionError:
        raise SettingsError(f"{where}: is nested too deeply to be read; valid: four levels at most") from None
    except ValueError as error:
        # A day that no month has, a number of five thousand digits.
        raise SettingsError(f"{where}: holds a value that can't be read: {error}; put it in quotes") from None


def _explain(error: ValidationError) -> str:
    """One error of a validation on one line, and how many more there are."""
    faults = error.errors(include_url=False)
    # A key that is missing because it is misspelt is best explained by the misspelling.
    fault = next((fault for fault in faults if fault["type"] != "missing"), faults[0])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return _describe(fault) + more


def _describe(fault: ErrorDetails) -> str:
    # The parts in brackets are pydantic's own: it was a key that was wrong.
    location = tuple(part for part in fault["loc"] if part != "[key]")
    of_key, where = location != fault["loc"], repr(".".join(map(str, location)))
    got = f"{fault['input']!r:.{_SHOWN}}"
    match fault["type"]:
        case "extra_forbidden" | "invalid_key":
            return f"unknown key {where}; {choose(str(location[-1]), _keys_at(location[:-1]))}"
        case "literal_error":
            # "'cpu', 'cuda' or 'mps'"
            valid = choose(str(fault["input"]), re.findall(r"'([^']*)'", fault["ctx"]["expected"]))
            return f"unknown key {where}; {valid}" if of_key else f"{where}: got {got}; {valid}"
        case "string_type" if of_key:
            return f"{where}: got the key {got}, which YAML reads as no text; put it in quotes"
        case "missing":
            return f"{where} is missing; add it"
        case "model_type":
            return f"{where}: got {got}, expected keys and values; valid: {', '.join(_keys_at(location))}"
        case "path_type":
            return f"{where}: got {got}, expected a path"
    shown = f" (got {got})" if not isinstance(fault["input"], dict | list) else ""
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}{shown}"


def _keys_at(location: tuple[str | int, ...]) -> list[str]:
    """The keys of the settings model that an error's location points to."""
    model: Any = CurationSettings
    for part in location:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            model = _inner_model(model.model_fields[part].annotation) if part in model.model_fields else model
    return list(model.model_fields)


def _inner_model(annotation: Any) -> Any:
    """The model inside `Model`, `Model | None`, `list[Model]` or nested dictionaries of it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _inner_model(argument)) is not None:
            return found
    return None


def dump_settings(settings: CurationSettings) -> str:
    """The settings as YAML, every default spelled out."""
    return yaml.safe_dump(settings.model_dump(mode="json"), allow_unicode=True, sort_keys=False)
