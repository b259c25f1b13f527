"""What the clients of OpenAI-compatible servers share: keys, waiting, and what is passing trouble."""

import math
import os
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from mcot.core.errors import ModelError

__all__ = ["PASSING", "back_off", "plain", "read_key", "read_retry_after"]

# Too many requests, and what a server or the proxy before it says when it is busy or being restarted.
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
# Seconds. A provider's minute of quota is over after the longest.
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
_LONGEST_RETRY_AFTER = 600.0
_SHOWN = 200


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
        except ValueError:
            return None
        # A date that names no zone is in GMT.
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        seconds = (then - datetime.now(UTC)).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def plain(text: str, key: str) -> str:
    """What a server says, on one line of at most 200 characters; a server may repeat the key that it was sent."""
    line = " ".join(text.split())
    return (line.replace(key, "[key]") if key else line)[:_SHOWN]
