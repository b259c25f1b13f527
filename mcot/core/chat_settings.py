"""How a model behind an OpenAI-compatible server is asked, and how much that may cost."""

import re
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from mcot.core.servers import check_address, check_key_variable
from mcot.core.settings_model import SettingsModel

__all__ = ["BudgetSettings", "ChatSettings", "LlmSettings", "PriceSettings"]

# They are given by keys of their own, and would contradict those.
_OWN_KEYS = ("model", "messages", "temperature", "max_tokens", "max_completion_tokens", "response_format", "stream")
# `max_tokens` and its like are none, nor are the names of special tokens.
_SECRET_NAME = re.compile(
    r"api[_-]?key|secret|password|credential|authorization|bearer|cookie|(?<![be]os_)(?<!pad_)(?<!stop_)token$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(r"\s*(bearer\s|basic\s|sk-\w|gsk_\w|hf_\w)", re.IGNORECASE)


class PriceSettings(SettingsModel):
    """What a provider takes, in the currency of its price list."""

    input: float = Field(ge=0, allow_inf_nan=False, description="for a million tokens of the prompts")
    output: float = Field(ge=0, allow_inf_nan=False, description="for a million tokens of the answers")
    currency: str = Field("USD", pattern=r"^[A-Z]{3}$", description="ISO 4217, as it is written in reports")


class BudgetSettings(SettingsModel):
    """Where a run stops asking. What was spent before a restart counts."""

    requests: int | None = Field(None, ge=0, description="that are sent, those tried again too")
    tokens: int | None = Field(None, ge=0, description="of prompts and answers together")
    money: float | None = Field(None, ge=0, allow_inf_nan=False, description="by `prices`, in their currency")


class ChatSettings(SettingsModel):
    """A model behind an OpenAI-compatible server. Its key is read from the environment, and nowhere else."""

    url: str = Field(description="up to and with the version, such as http://127.0.0.1:8000/v1")
    model: str = Field(min_length=1, description="the server's name for it")
    key_variable: str = Field("OPENAI_API_KEY", description="the environment variable that holds the key, in capitals")
    concurrency: int = Field(16, ge=1, le=512, description="requests at a time")
    timeout: float = Field(120.0, gt=0, le=86_400, description="seconds for one answer")
    tries: int = Field(6, ge=1, le=100, description="of one request, where the trouble may pass")
    temperature: float | None = Field(
        0.0, ge=0, le=2, allow_inf_nan=False, description="null to leave it out, for models that refuse it"
    )
    max_tokens: int = Field(4096, ge=16, le=1_000_000, description="of an answer, at most")
    limit_key: Literal["max_tokens", "max_completion_tokens"] = Field(
        "max_tokens", description="how the server calls that limit"
    )
    structured: Literal["auto", "json_schema", "none"] = Field(
        "auto", description="whether the server is to hold answers to a JSON schema; `auto`: where it can"
    )
    extra: dict[str, Any] = Field({}, description="further parameters of every request, such as reasoning_effort")
    prices: PriceSettings | None = None
    budget: BudgetSettings = BudgetSettings()

    @field_validator("extra")
    @classmethod
    def _no_own_keys(cls, extra: dict[str, Any]) -> dict[str, Any]:
        if taken := [key for key in extra if key in _OWN_KEYS]:
            raise ValueError(f"extra may not hold {taken[0]}: it is set by a key of its own, or by the program")
        if _holds_secret(extra):
            raise ValueError("extra may hold no secret: put the key into the environment (see key_variable)")
        return extra

    @model_validator(mode="after")
    def _fits(self) -> "ChatSettings":
        # Not validators of the fields: their errors would show what may be a secret.
        check_address(self.url)
        check_key_variable(self.key_variable)
        if self.budget.money is not None and self.prices is None:
            raise ValueError("budget.money needs prices: {input: ..., output: ...}, for a million tokens each")
        return self


def _holds_secret(value: Any) -> bool:
    """Whether a name or a text at any depth is that of a key."""
    if isinstance(value, dict):
        return any(_SECRET_NAME.search(str(name)) or _holds_secret(inner) for name, inner in value.items())
    if isinstance(value, list):
        return any(_holds_secret(inner) for inner in value)
    return isinstance(value, str) and _SECRET_VALUE.match(value) is not None


class LlmSettings(ChatSettings):
    """An LLM that translates question and solution of a problem together."""

    repair: bool = Field(True, description="ask once again where the checks find fault, naming what they found")
