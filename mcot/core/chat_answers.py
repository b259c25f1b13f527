"""What an LLM answered, without what it thought aloud before."""

import re

__all__ = ["without_thought"]

# Some servers leave out the opening mark, which the prompt's template has already written.
_THOUGHT = re.compile(r"\A\s*(?:<think(?:ing)?>)?(?:(?!<think(?:ing)?>).)*?</think(?:ing)?>", re.DOTALL)


def without_thought(text: str) -> str:
    """The text behind a thought that it begins with, or all of it."""
    return _THOUGHT.sub("", text).strip()
