"""Which models are measured on which problems, and how: settings of `mcot evaluate`."""

import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from evaluation.metrics import RESAMPLES
from evaluation.score import ScorerName
from mcot.core.benchmarks import BENCHMARKS
from mcot.core.languages import LANGUAGES
from mcot.core.prompts import CHAT_TEMPLATE, TEMPLATE, Cue
from mcot.core.servers import check_address, check_key_variable
from mcot.core.settings_model import FilePath, Language, PathOrName, SettingsModel, check_each_once

__all__ = [
    "EvaluationSettings",
    "ModelSettings",
    "PromptSettings",
    "SamplingSettings",
    "ServerSettings",
]

Backend = Literal["transformers", "vllm", "server"]

# The name of a model or benchmark is a folder's too.
_NAME = r"^[A-Za-z0-9][\w.-]{0,99}$"
_NOT_IN_NAMES = re.compile(r"[^\w.-]+", re.ASCII)


class PromptSettings(SettingsModel):
    """How a problem is put to a model; mCoT's own prompt by default."""

    style: Literal["completion", "chat"] = Field(
        "completion", description="`completion`: the model goes on from a text; `chat`: by its chat template"
    )
    template: str | None = Field(
        None, description="with {question} and {cue}; by default mCoT's, or for a chat the two on a line each"
    )
    cue: Cue = Field("native", description="the sentence that asks for steps: in the problem's language, or English")
    system: str | None = Field(None, min_length=1, description="a chat's system message")
    few_shot: FilePath | None = Field(
        None, description="JSONL of solved problems to show: question, rationale and, for those of one, language"
    )
    shots: int | None = Field(None, ge=1, description="how many of them, the first; all by default")

    @model_validator(mode="after")
    def _fits(self) -> "PromptSettings":
        if self.template is not None and "{question}" not in self.template:
            raise ValueError(f"template {self.template!r:.60} has no {{question}}; put it where the problem goes")
        if self.system is not None and self.style != "chat":
            raise ValueError("system: only a chat has a system message; set style: chat, or write it in the template")
        if self.shots is not None and self.few_shot is None:
            raise ValueError("shots: there is no few_shot file to take them from; give one")
        return self

    @property
    def text(self) -> str:
        """The template that holds."""
        if self.template is not None:
            return self.template
        return CHAT_TEMPLATE if self.style == "chat" else TEMPLATE


class SamplingSettings(SettingsModel):
    """How an answer is drawn; the likeliest token at every step by default."""

    temperature: float | None = Field(
        0.0, ge=0, le=10, allow_inf_nan=False, description="0 is greedy; null says none to a server that refuses it"
    )
    top_p: float = Field(1.0, gt=0, le=1, description="of the probability; without effect where greedy")
    max_new_tokens: int = Field(512, ge=1, le=131_072, description="of an answer, at most")
    stop: list[Annotated[str, Field(min_length=1)]] | None = Field(
        None,
        description="texts before which an answer ends; by default where a completion with few_shot goes on to a "
        "next problem, and otherwise none",
    )


class ServerSettings(SettingsModel):
    """An OpenAI-compatible server. Its key is read from the environment, and nowhere else."""

    url: str = Field(description="up to and with the version, such as http://127.0.0.1:8000/v1")
    key_variable: str = Field("OPENAI_API_KEY", description="the environment variable that holds the key")
    connections: int = Field(8, ge=1, le=256, description="requests at a time")
    timeout: float = Field(600.0, gt=0, le=86_400, description="seconds for one answer")
    limit_key: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="how the server calls the limit of an answer's tokens"
    )
    tries: int = Field(6, ge=1, le=100, description="of one request, before the run stops")

    @model_validator(mode="after")
    def _has_an_address(self) -> "ServerSettings":
        # Not validators of the fields: their errors would show what may be a secret.
        check_address(self.url)
        check_key_variable(self.key_variable)
        return self


class ModelSettings(SettingsModel):
    """A model and how it is run."""

    model: PathOrName = Field(min_length=1, description="a folder, a Hub id, or a server's name for it")
    name: str | None = Field(None, pattern=_NAME, description="in tables and folders; the model's last part by default")
    revision: str | None = Field(None, description="a Hub model's commit, tag or branch")
    backend: Backend = "transformers"
    server: ServerSettings | None = Field(None, description="where backend is `server`")
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    batch_size: int | None = Field(
        None, ge=1, le=4096, description="prompts at a time; by default 8 on a CPU, 64 on a GPU, 256 in vLLM"
    )
    prompt: PromptSettings = PromptSettings()
    sampling: SamplingSettings = SamplingSettings()

    @model_validator(mode="after")
    def _has_its_server(self) -> "ModelSettings":
        if (self.server is not None) != (self.backend == "server"):
            wrong = "needs a server with its url" if self.server is None else "has no use for a server"
            raise ValueError(f"backend {self.backend!r} {wrong}; valid: backend: server with server: {{url: ...}}")
        if self.sampling.temperature is None and self.server is None:
            raise ValueError("sampling.temperature is null, which is for servers only; valid: 0 for greedy, or more")
        return self

    @property
    def title(self) -> str:
        """The name in tables and folders."""
        if self.name is not None:
            return self.name
        # A folder's own name, also where it was given as "." or "model/".
        last = Path(self.model).resolve().name if Path(self.model).is_dir() else self.model.rpartition("/")[2]
        return _NOT_IN_NAMES.sub("-", last).strip("-.")[:100] or "model"

    @property
    def stop(self) -> tuple[str, ...]:
        """The texts before which an answer ends."""
        if self.sampling.stop is not None:
            return tuple(self.sampling.stop)
        if self.prompt.style == "chat" or self.prompt.few_shot is None:
            return ()
        # What stands before every problem: a model that was shown several goes on with one more.
        label = self.prompt.text.partition("{question}")[0].strip()
        return (f"\n{label}",) if label else ()


class EvaluationSettings(SettingsModel):
    """Settings of `mcot evaluate`."""

    name: str = Field("evaluation", pattern=_NAME, description="the evaluation's name")
    output: FilePath | None = Field(None, description="its folder; runs/<name> by default")
    models: list[ModelSettings] = Field(min_length=1)
    benchmarks: dict[Annotated[str, Field(pattern=_NAME)], FilePath | None] = Field(
        {"mgsm": None},
        min_length=1,
        description="mgsm, msvamp or gsm8k with a file or folder, or null for the Hub's; any other name with a JSONL "
        "of question, answer, language, id and variant, or a folder of one file a language",
    )
    revisions: dict[str, str] = Field({}, description="commits, tags or branches of the Hub's benchmarks, by name")
    languages: list[Language] | None = Field(
        None, min_length=1, description="all that the benchmark has by default; each must be in every benchmark"
    )
    limit: int | None = Field(None, ge=1, description="problems of each benchmark, the first, at most")
    scorer: ScorerName = "robust"
    seed: int = Field(0, ge=0, lt=2**32, description="of sampling, and of the bootstrap")
    resamples: int = Field(RESAMPLES, ge=100, le=100_000, description="of the bootstrap, for the intervals")

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, codes: list[str] | None) -> list[str] | None:
        check_each_once(codes or [], set(LANGUAGES))
        return codes

    @model_validator(mode="after")
    def _names_are_told_apart(self) -> "EvaluationSettings":
        # Folders that differ only in case are one on some disks.
        counts = Counter(model.title.casefold() for model in self.models)
        if twice := [model.title for model in self.models if counts[model.title.casefold()] > 1]:
            raise ValueError(f"models: {twice[0]!r} is the name of {len(twice)} models; give each a `name` of its own")
        if reserved := [model.title for model in self.models if model.title.casefold() in _RESERVED]:
            raise ValueError(f"models: no model can have the name {reserved[0]!r}; give it another `name`")
        for name, path in self.benchmarks.items():
            if path is None and name not in BENCHMARKS:
                raise ValueError(
                    f"benchmarks: got {name!r} without a path; valid: {', '.join(BENCHMARKS)}, or any name with a path"
                )
        for name in self.revisions:
            if name not in self.benchmarks or self.benchmarks[name] is not None:
                raise ValueError(f"revisions: {name!r} is no benchmark that is read from the Hub here; leave it out")
        return self

    @property
    def folder(self) -> Path:
        """The evaluation's folder."""
        return self.output if self.output is not None else Path("runs") / self.name


# Names that the folder itself uses.
_RESERVED = ("generations",)
