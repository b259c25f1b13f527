"""What is trained on what, and how: settings of `mcot train`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mcot.core.errors import choose
from mcot.core.languages import LANGUAGES
from mcot.core.prompts import Cue
from mcot.core.settings_model import FilePath, Language, PathOrName, SettingsModel, check_each_once
from training.presets_file import lay_over_preset, presets

__all__ = [
    "CheckpointSettings",
    "DataSettings",
    "HeldOutSettings",
    "LoraSettings",
    "ModelSettings",
    "OptimizerSettings",
    "PromptSettings",
    "ScratchSettings",
    "TrackingSettings",
    "TrainingSettings",
]

_NAME = r"^[A-Za-z0-9][\w.-]{0,99}$"


class ScratchSettings(SettingsModel):
    """A small model made here, with a tokenizer of the dataset's own words: no download, nothing known before."""

    architecture: Literal["llama", "gpt_neox"] = "llama"
    vocabulary: int = Field(3000, ge=300, le=1_000_000, description="tokens of the tokenizer, at most")
    hidden: int = Field(128, ge=8, le=16_384, description="width; a multiple of heads")
    layers: int = Field(4, ge=1, le=200)
    heads: int = Field(4, ge=1, le=256)
    intermediate: int = Field(384, ge=8, le=131_072, description="width of the feed-forward layers")
    positions: int = Field(1024, ge=16, le=1_048_576, description="the longest text that it can see, in tokens")

    @model_validator(mode="after")
    def _divides(self) -> "ScratchSettings":
        if self.hidden % self.heads or self.hidden // self.heads % 2:
            raise ValueError(
                f"hidden {self.hidden} is no even multiple of heads {self.heads}; give one, such as {self.heads * 32}"
            )
        return self


class ModelSettings(SettingsModel):
    """The model to go on from: one of a folder or of the Hub, or a small one made here."""

    path: PathOrName | None = Field(None, min_length=1, description="a folder or a Hub id")
    revision: str | None = Field(None, description="a Hub model's commit, tag or branch")
    scratch: ScratchSettings | None = Field(None, description="instead of `path`: make a small one")
    attention: Literal["sdpa", "eager", "flex_attention", "flash_attention_2", "varlen"] = Field(
        "sdpa", description="`varlen`: torch's own kernel for packed rows, on a GPU"
    )
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the weights; auto: bfloat16 where they are frozen (LoRA on a GPU), else float32"
    )

    @model_validator(mode="after")
    def _is_one(self) -> "ModelSettings":
        if (self.path is None) == (self.scratch is None):
            got = "neither" if self.path is None else "both"
            raise ValueError(f"got {got} of path and scratch; valid: one, such as path: mistralai/Mistral-7B-v0.1")
        if self.revision is not None and self.path is None:
            raise ValueError("revision: a model that is made here has none; leave it out")
        return self


class PromptSettings(SettingsModel):
    """How a problem is put to the model; mCoT's own prompt by default. Evaluate with the same."""

    style: Literal["completion", "chat"] = Field(
        "completion", description="`completion`: the paper's text; `chat`: the tokenizer's chat template"
    )
    cue: Cue = Field("native", description="the sentence that asks for steps: in the problem's language, or English")
    system: str | None = Field(None, min_length=1, description="a chat's system message")

    @model_validator(mode="after")
    def _fits(self) -> "PromptSettings":
        if self.system is not None and self.style != "chat":
            raise ValueError("system: only a chat has a system message; set style: chat, or leave it out")
        return self


class HeldOutSettings(SettingsModel):
    """Problems that are never trained on, in no language; the loss on them is measured."""

    share: float = Field(0.01, ge=0, lt=1, description="of the problems")
    rows: int | None = Field(2000, ge=1, description="of those, measured at most: as many of each language")
    every: int | None = Field(None, ge=1, description="measure every so many steps; by default at the end only")
    patience: int | None = Field(
        None, ge=1, description="stop after so many measurements without a better one, and take the best"
    )

    @model_validator(mode="after")
    def _can_stop(self) -> "HeldOutSettings":
        if self.patience is not None and (self.every is None or not self.share):
            raise ValueError("patience: there is nothing measured to stop by; set `every` and a `share` above 0")
        return self


class DataSettings(SettingsModel):
    """Which rows are learned, in what proportion, and how they are put together."""

    mixing: Literal["natural", "uniform", "temperature"] = Field(
        "natural", description="of the languages: every row once; as many rows of each; or between the two"
    )
    temperature: float = Field(
        3.0, ge=1, le=100, allow_inf_nan=False, description="of `temperature`: 1 is natural, the higher the more even"
    )
    max_length: int = Field(1024, ge=16, le=1_048_576, description="tokens of a row; longer ones are left out")
    packing: bool = Field(False, description="several rows in one of max_length, kept apart from one another")
    limit: int | None = Field(None, ge=1, description="rows of each language, the first, at most")


class LoraSettings(SettingsModel):
    """An adapter (Hu et al. 2022) in place of the whole model."""

    rank: int = Field(16, ge=1, le=1024)
    alpha: int = Field(32, ge=1, le=8192)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: Literal["all-linear"] | list[Annotated[str, Field(min_length=1)]] = Field(
        "all-linear", description="names of the layers that get an adapter"
    )
    merge: bool = Field(False, description="write the merged model too, into `merged/` of the trained folder")


class OptimizerSettings(SettingsModel):
    """AdamW and its learning rate; how many rows make a step."""

    epochs: float = Field(1.0, gt=0, le=10_000, allow_inf_nan=False)
    steps: int | None = Field(None, ge=1, description="in place of epochs")
    batch_size: int = Field(8, ge=1, le=65_536, description="rows at a time on each device")
    accumulation: int = Field(1, ge=1, le=65_536, description="batches of a step")
    learning_rate: float = Field(1e-5, gt=0, le=1, allow_inf_nan=False)
    schedule: Literal["linear", "cosine", "constant"] = "cosine"
    warmup: float = Field(0.03, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    weight_decay: float = Field(0.0, ge=0, le=10, allow_inf_nan=False)
    clip: float = Field(1.0, gt=0, allow_inf_nan=False, description="the gradient's norm, at most")
    recompute: bool = Field(True, description="activations anew in the backward pass: slower, in less memory")


class CheckpointSettings(SettingsModel):
    """How often training is saved, so that it can go on after a kill."""

    every: int = Field(500, ge=1, description="steps")
    keep: int = Field(2, ge=2, le=1000, description="the last ones; all go when training is done")


class TrackingSettings(SettingsModel):
    """Where metrics go besides `metrics.jsonl`."""

    comet: Literal["auto", "offline", "off"] = Field(
        "auto", description="auto: online where COMET_API_KEY is set, else an archive in the folder; off: not at all"
    )
    project: str = Field("mcot-math", min_length=1, description="Comet's project")
    workspace: str | None = Field(None, min_length=1, description="Comet's workspace; the key's own by default")
    every: int = Field(10, ge=1, description="steps between two lines of metrics")


class TrainingSettings(SettingsModel):
    """Settings of `mcot train`."""

    preset: str | None = Field(None, description="settings under these: see training/presets")
    name: str = Field("trained", pattern=_NAME, description="the trained model's name")
    output: FilePath | None = Field(None, description="its folder; runs/<name> by default")
    run: FilePath = Field(description="the folder of the run whose dataset/ is learned")
    languages: list[Language] | None = Field(None, min_length=1, description="all of the dataset by default")
    model: ModelSettings
    prompt: PromptSettings = PromptSettings()
    data: DataSettings = DataSettings()
    held_out: HeldOutSettings = HeldOutSettings()
    method: Literal["full", "lora", "qlora"] = "full"
    lora: LoraSettings = LoraSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    tracking: TrackingSettings = TrackingSettings()
    fsdp: bool = Field(False, description="weights spread over several GPUs; start it with `accelerate launch`")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = Field(0, ge=0, lt=2**32)

    @model_validator(mode="before")
    @classmethod
    def _on_preset(cls, content: Any) -> Any:
        # An unknown one is left to its own key's validator, whose error names the key.
        if isinstance(content, Mapping) and content.get("preset") in presets():
            return lay_over_preset(content)
        return content

    @field_validator("preset")
    @classmethod
    def _known_preset(cls, name: str | None) -> str | None:
        if name is not None and name not in presets():
            raise ValueError(f"there is no such preset; {choose(name, presets())}")
        return name

    @field_validator("languages")
    @classmethod
    def _known_languages(cls, codes: list[str] | None) -> list[str] | None:
        check_each_once(codes or [], set(LANGUAGES))
        return codes

    @model_validator(mode="after")
    def _fits_together(self) -> "TrainingSettings":
        scratch = self.model.scratch
        if scratch is not None and self.data.max_length > scratch.positions:
            raise ValueError(
                f"data.max_length {self.data.max_length} is above model.scratch.positions {scratch.positions}; "
                "lower it, or give the model more positions"
            )
        if scratch is not None and self.method != "full":
            raise ValueError(f"method {self.method!r}: a model made here knows nothing to adapt; valid: full")
        if scratch is not None and self.prompt.style == "chat":
            raise ValueError("prompt.style 'chat': a model made here has no chat template; valid: completion")
        every, saved = self.held_out.every, self.checkpoints.every
        if self.held_out.patience is not None and every is not None and saved % every:
            raise ValueError(
                f"checkpoints.every {saved} is no multiple of held_out.every {every}, so the best model would not be "
                f"there to be taken; set one, such as {every}"
            )
        return self

    @property
    def folder(self) -> Path:
        """The trained model's folder."""
        return self.output if self.output is not None else Path("runs") / self.name
