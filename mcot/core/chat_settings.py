"""How a model behind an OpenAI-compatible server is asked, and how much that may cost."""

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from mcot.core.settings_model import SettingsModel

__all__ = ["BudgetSettings", "ChatSettings", "LlmSettings", "PriceSettings"]

# They are given by keys of their own, and would contradict those.
_OWN_KEYS = ("model", "messages", "temperature", "max_tokens", "max_completion_tokens", "response_format", "stream")
_SECRET = re.compile(r"api[_-]?key|secret|password|authorization", re.IGNORECASE)


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
    key_variable: str = Field(
        "OPENAI_API_KEY", pattern=r"^[A-Za-z_]\w*$", description="the environment variable that holds the key"
    )
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
        if any(_SECRET.search(key) for key in extra):
            raise ValueError("extra may hold no secret: put the key into the environment (see key_variable)")
        return extra

    @model_validator(mode="after")
    def _fits(self) -> "ChatSettings":
        # Not a validator of the field: its error would show what may be a secret.
        parts = urlsplit(self.url)
        if parts.username or parts.password:
            raise ValueError("url holds a user or a password; put the key into the environment (see key_variable)")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("url is no address; valid: http:// or https://, host, port, version, and nothing behind")
        if self.budget.money is not None and self.prices is None:
            raise ValueError("budget.money needs prices: {input: ..., output: ...}, for a million tokens each")
        return self


class LlmSettings(ChatSettings):
    """An LLM that translates question and solution of a problem together."""

    repair: bool = Field(True, description="ask once again where the checks find fault, naming what they found")
