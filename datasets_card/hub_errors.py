"""What the Hub's refusals and a lost connection mean, in one line each, and which of them are worth a second try."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils._http import parse_ratelimit_headers

from mcot.core.errors import MCoTError, StageError, UserError

__all__ = ["Fault", "explain", "find_fault", "find_status"]

# https://huggingface.co/docs/hub/rate-limits and the codes that huggingface_hub itself tries again after.
_TRANSIENT = {408, 429, 500, 502, 503, 504}
_HUB = "https://huggingface.co"
# Of the storage's errors none tells that a server has none.
_NO_XET = "HF_HUB_DISABLE_XET=1"
# Of its messages, how much is shown.
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """What went wrong on the way to the Hub.

    Attributes:
        status: the HTTP status; None where there was no answer.
        transient: whether a second try may do.
        wait: for how many seconds the Hub asks to wait; None where it doesn't.
        said: the Hub's own words.
    """

    status: int | None
    transient: bool
    wait: float | None = None
    said: str = ""


def find_fault(error: BaseException) -> Fault | None:
    """What an error of the Hub's library is about; None where it is about something else."""
    if isinstance(error, MCoTError):
        return None
    for one in _chain(error):
        if isinstance(one, OfflineModeIsEnabled):
            return Fault(None, transient=False, said="HF_HUB_OFFLINE is set")
        if isinstance(one, HfHubHTTPError):
            status = one.response.status_code
            said = " ".join((one.server_message or "").split())[:_SHOWN]
            return Fault(status, status in _TRANSIENT, _find_wait(one.response.headers), said)
        # The HTTP library below it, whose name changes from version to version; and the storage's, which raises these.
        if type(one).__module__.startswith("httpx") or isinstance(one, ConnectionError | TimeoutError):
            return Fault(None, transient=True, said=type(one).__name__)
    return None


def find_status(error: BaseException) -> int | None:
    """The HTTP status that an error is about; None where it is about none."""
    fault = find_fault(error)
    return fault.status if fault is not None else None


def explain(fault: Fault, repo_id: str, endpoint: str, token: str | None) -> MCoTError:
    """What to raise for a fault that no further try mends.

    Args:
        fault: what went wrong.
        repo_id: the repository.
        endpoint: the Hub's address.
        token: what must not be shown, whatever the Hub says.
    """
    said = fault.said.replace(token, "***") if token else fault.said
    quoted = f" ({said})" if said else ""
    owner = repo_id.partition("/")[0]
    again = "run the same command again: what it has is not sent again"
    match fault.status:
        case None if not fault.transient:
            return UserError("HF_HUB_OFFLINE is set, so the Hub can't be asked; unset it, or give --dry-run DIR")
        case None:
            xet = (
                "" if constants.HF_HUB_DISABLE_XET or endpoint == _HUB else "; if it has no Xet storage, set " + _NO_XET
            )
            return StageError(f"the connection to {endpoint} was lost{quoted}; when it is back, {again}{xet}")
        case 401:
            return UserError(
                f"{endpoint} does not know the token: it is wrong or has expired; make one that may write at "
                f"{endpoint}/settings/tokens and set HF_TOKEN to it, or run `hf auth login`"
            )
        case 403:
            return UserError(
                f"the token may not write to {repo_id}{quoted}; give it the permission to write to {owner!r} at "
                f"{endpoint}/settings/tokens, or give another --repo-id"
            )
        case 404:
            return UserError(
                f"{repo_id} was not found, or the token may not see it{quoted}; check --repo-id, and that {owner!r} "
                "is a user or an organisation that the token may write to"
            )
        case 409 | 412:
            return UserError(
                f"something else changed {repo_id} at the same time{quoted}; look at it there, then {again}"
            )
        case status if fault.transient:
            wait = f" in {fault.wait:,.0f} s" if fault.wait else " later"
            return StageError(f"{endpoint} answers {status} again and again{quoted};{wait} {again}")
        case status:
            return UserError(f"{endpoint} refuses {repo_id} with {status}{quoted}; mend that, then {again}")


def _find_wait(headers: Mapping[str, str]) -> float | None:
    """For how many seconds an answer asks to wait."""
    limit = parse_ratelimit_headers(headers)
    if limit is not None and limit.remaining == 0:
        return float(limit.reset_in_seconds)
    after = headers.get("retry-after", "").strip()
    return float(after) if after.isdecimal() else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it came of: threads of an upload wrap theirs."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
