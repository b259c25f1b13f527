"""How reports are made into pages: dataset text is escaped wherever it is shown."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mcot.core.languages import LANGUAGES

__all__ = ["make_environment"]

# BCP 47, where it is more than the code: the characters of the two writings of Chinese differ.
_TAGS = {"zh": "zh-Hans"}


def make_environment(templates: Path) -> Environment:
    """An environment for a folder of templates, with the filters that every page needs.

    `language` is a code's English name, `native` its own, `tag` what HTML's `lang` takes; a code that is none of ours
    stays as it is.
    """
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "language": lambda code: LANGUAGES[code].name if code in LANGUAGES else code,
        "native": lambda code: LANGUAGES[code].native_name if code in LANGUAGES else code,
        "tag": lambda code: _TAGS.get(code, code),
    }
    return environment
