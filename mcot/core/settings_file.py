"""One YAML file -> validated settings, or one line that says what is wrong. An unknown key is an error."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mcot.core.errors import SettingsError, choose
from mcot.core.settings_model import expand_home

Settings = TypeVar("Settings", bound=BaseModel)

__all__ = ["dump_settings", "load_settings", "parse_settings"]

# Of a wrong value, how much an error shows.
_SHOWN = 80


class _Loader(yaml.SafeLoader):
    """Reads `off`, `on`, `yes` and `no` as words, as YAML 1.2 has it; a switch takes them all the same.

    YAML 1.1, which the library implements, reads `comet: off` as false.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 the library's own name
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def load_settings(path: Path, model: type[Settings]) -> Settings:
    """Read a settings file.

    Args:
        path: a YAML file.
        model: what it should hold.

    Raises:
        SettingsError: there is none, it can't be read, it is no YAML, or a key or a value is wrong.
    """
    content = _parse_yaml(_read(path), path)
    if content is None:
        content = {}
    if not isinstance(content, dict):
        got = "a list" if isinstance(content, list) else repr(content)[:_SHOWN]
        raise SettingsError(f"settings file {path}: got {got}, expected keys; valid: {', '.join(model.model_fields)}")
    return parse_settings(content, f"settings file {path}", model)


def parse_settings(content: Mapping[str, Any], where: str, model: type[Settings]) -> Settings:
    """Settings from what a settings file holds.

    Args:
        content: values by key.
        where: how an error calls the place that they come from.
        model: what it should hold.

    Raises:
        SettingsError: a key or a value is wrong.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise SettingsError(f"{where}: {_explain(error, model)}") from None


def _read(path: Path) -> str:
    advice = "give the path of a YAML file"
    try:
        return Path(expand_home(str(path))).read_text("utf-8")
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
        return yaml.load(text, _Loader)  # noqa: S506 a safe loader
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


def _explain(error: ValidationError, model: type[BaseModel]) -> str:
    """One error of a validation on one line, and how many more there are."""
    faults = error.errors(include_url=False)
    # A key that is missing because it is misspelt is best explained by the misspelling.
    fault = next((fault for fault in faults if fault["type"] != "missing"), faults[0])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return _describe(fault, model) + more


def _describe(fault: ErrorDetails, model: type[BaseModel]) -> str:
    # The parts in brackets are pydantic's own: it was a key that was wrong.
    location = tuple(part for part in fault["loc"] if part != "[key]")
    of_key, where = location != fault["loc"], repr(".".join(map(str, location)))
    got = f"{fault['input']!r:.{_SHOWN}}"
    match fault["type"]:
        case "extra_forbidden" | "invalid_key":
            return f"unknown key {where}; {choose(str(location[-1]), _keys_at(model, location[:-1]))}"
        case "literal_error":
            # "'cpu', 'cuda' or 'mps'"
            valid = choose(str(fault["input"]), re.findall(r"'([^']*)'", fault["ctx"]["expected"]))
            return f"unknown key {where}; {valid}" if of_key else f"{where}: got {got}; {valid}"
        case "string_type" if of_key:
            return f"{where}: got the key {got}, which YAML reads as no text; put it in quotes"
        case "missing":
            return f"{where} is missing; add it"
        case "model_type":
            return f"{where}: got {got}, expected keys and values; valid: {', '.join(_keys_at(model, location))}"
        case "path_type":
            return f"{where}: got {got}, expected a path"
    shown = f" (got {got})" if not isinstance(fault["input"], dict | list) else ""
    message = fault["msg"].removeprefix("Value error, ") + shown
    # What several keys together get wrong is at none of them.
    return f"{where}: {message}" if location else message


def _keys_at(model: Any, location: tuple[str | int, ...]) -> list[str]:
    """The keys of the model inside a settings model that an error's location points to."""
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


def dump_settings(settings: BaseModel) -> str:
    """The settings as YAML, every default spelled out."""
    return yaml.safe_dump(settings.model_dump(mode="json"), allow_unicode=True, sort_keys=False)
