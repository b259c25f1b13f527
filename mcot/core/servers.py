"""What the clients of OpenAI-compatible servers share: addresses, keys, waiting, and what is passing trouble."""

import math
import os
import random
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from mcot.core.errors import ModelError

__all__ = [
    "PASSING",
    "back_off",
    "blot_out",
    "check_address",
    "check_key_variable",
    "plain",
    "read_key",
    "read_retry_after",
]

# Too many requests, and what a server or the proxy before it says when it is busy or being restarted.
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
# Seconds. A provider's minute of quota is over after the longest.
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
_LONGEST_RETRY_AFTER = 600.0
_SHOWN = 200
_SHORTEST_KEY = 8
_HOST = re.compile(r"[\w.:%-]+")
# Of capitals: keys have small letters (`sk-...`, `gsk_...`, `hf_...`).
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def read_key(variable: str) -> str:
    """The key in an environment variable, "" where there is none.

    Raises:
        ModelError: it can't be sent.
    """
    key = os.environ.get(variable, "").strip()
    if not key.isascii() or not key.isprintable():
        raise ModelError(f"environment variable {variable}: holds characters that no key has; set it to the key alone")
    return key


def back_off(attempt: int) -> float:
    """Seconds before the next try, after the `attempt`-th, from 1: doubled each time, and drawn from its upper half.

    Clients that failed together don't come back together.
    """
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempt - 1, 16)) * random.uniform(0.5, 1.0)


def read_retry_after(value: str | None) -> float | None:
    """How many seconds a server asks to wait (RFC 9110, 10.2.3: seconds, or a date); None where it asks nothing."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            then = parsedate_to_datetime(value)
            # A date that names no zone is in GMT.
            then = then if then.tzinfo else then.replace(tzinfo=UTC)
            seconds = (then - datetime.now(UTC)).total_seconds()
        except (ValueError, OverflowError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def plain(text: str, key: str) -> str:
    """What a server says, on one line of at most 200 characters; a server may repeat the key that it was sent."""
    line = " ".join(text.split())
    return blot_out(line, key)[:_SHOWN]


def blot_out(text: str, key: str) -> str:
    """A text without the key. What people set for a server that asks for none ("test") is a word, and no secret."""
    return text.replace(key, "[key]") if len(key) >= _SHORTEST_KEY else text


def check_address(url: str) -> None:
    """Whether a server may be there. The error shows nothing of what may be a secret.

    Raises:
        ValueError: it is no address, or holds a user or a password.
    """
    try:
        parts = urlsplit(url)
        # Read for its error: it is no number, or too large a one.
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.username or parts.password:
        raise ValueError("url holds a user or a password; put the key into the environment (see key_variable)")
    wrong = not _HOST.fullmatch(host) or not url.isprintable() or " " in url
    if parts.scheme not in ("http", "https") or wrong or parts.query or parts.fragment:
        raise ValueError(
            "url is no address; valid: http:// or https://, host, port (at most 65535), version, and nothing behind"
        )


def check_key_variable(name: str) -> None:
    """Whether it is a variable's name. The error doesn't show it: a key may have been put there.

    Raises:
        ValueError: it is none.
    """
    if not _VARIABLE.fullmatch(name):
        raise ValueError(
            "key_variable is no name of an environment variable (capitals, digits and _, such as OPENAI_API_KEY); put "
            "the key into the environment, and here the variable's name"
        )
