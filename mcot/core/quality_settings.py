"""How translations are judged by models: quality estimation without references, and an LLM."""

from typing import Literal

from pydantic import Field

from mcot.core.chat_settings import ChatSettings
from mcot.core.settings_model import FilePath, PathOrName, SettingsModel

__all__ = ["JudgeSettings", "QualityEstimationSettings"]


class QualityEstimationSettings(SettingsModel):
    """A reference-free COMET model. Runs in an environment of its own, made on first use."""

    model: PathOrName = Field(
        "Unbabel/wmt22-cometkiwi-da",
        description="a Hub id, or a folder with hparams.yaml and checkpoints/model.ckpt, whose scores go from 0 to 1",
    )
    revision: str | None = Field(None, description="a Hub model's commit, tag or branch")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    batch_tokens: int | None = Field(
        None, ge=64, description="of a batch, padding included; by default 2048 on a CPU, 16384 on a GPU"
    )
    trust_checkpoint: bool = Field(
        False, description="load a checkpoint that holds more than weights: it can run any code on this machine"
    )
    environment: FilePath | None = Field(
        None, description="where COMET's environment is kept; ~/.cache/mcot/comet by default"
    )


class JudgeSettings(ChatSettings):
    """An LLM that judges translations by a fixed rubric."""

    rows: Literal["all", "undropped"] = Field(
        "undropped", description="which rows it is asked of: all, or those that the other checks don't drop"
    )
