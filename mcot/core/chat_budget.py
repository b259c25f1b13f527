"""How much may still be asked: requests, tokens, money."""

from mcot.core.chat_settings import ChatSettings
from mcot.core.chat_store import Spent, cost
from mcot.core.errors import SettingsError

__all__ = ["Budget", "BudgetSpentError"]


class BudgetSpentError(SettingsError):
    """A budget of the settings is spent."""


class Budget:
    """Counts what is spent, and says when no more may be.

    What a request costs is known once it is answered, so a budget of tokens or money is passed by at most the
    requests that are in flight as it is reached; one of requests never.

    Args:
        settings: the budget, and the prices.
        where: the settings' key, to name in the error.
        spent: before this process began.

    Attributes:
        trouble: of the requests since the last answer, to name in the error; "" where there is none. A budget that is
            spent on trying again says little without it.
    """

    def __init__(self, settings: ChatSettings, where: str, spent: Spent) -> None:
        self._settings, self._where, self.spent = settings, where, spent
        self.trouble = ""

    @property
    def is_spent(self) -> bool:
        """Whether nothing may be sent any more."""
        return self._find_reached() is not None

    def check(self) -> None:
        """Whether anything may be sent.

        Raises:
            BudgetSpentError: nothing may be sent any more.
        """
        if (reached := self._find_reached()) is None:
            return
        name, limit = reached
        trouble = f"; the last request has no answer: {self.trouble}" if self.trouble else ""
        raise BudgetSpentError(
            f"{self._where}.budget.{name}: {limit:,} {self._currency() if name == 'money' else name} are spent "
            f"({self._describe()}); every answer is kept: set a larger budget, then run the same command again "
            f"to go on{trouble}"
        )

    def _find_reached(self) -> tuple[str, float] | None:
        budget, spent = self._settings.budget, self.spent
        limits = {"requests": budget.requests, "tokens": budget.tokens, "money": budget.money}
        reached = (
            (name, limit)
            for (name, limit), used in zip(limits.items(), spent, strict=True)
            if limit is not None and used >= limit
        )
        return next(reached, None)

    def take(self) -> None:
        """Count a request that is about to be sent. Raises what `check` does."""
        self.check()
        self.spent = self.spent._replace(requests=self.spent.requests + 1)

    def pay(self, prompt_tokens: int, completion_tokens: int) -> None:
        """Count what a request took."""
        tokens = self.spent.tokens + prompt_tokens + completion_tokens
        money = self.spent.money + cost(self._settings.prices, prompt_tokens, completion_tokens)
        self.spent = self.spent._replace(tokens=tokens, money=money)

    def _currency(self) -> str:
        return self._settings.prices.currency if self._settings.prices else ""

    def _describe(self) -> str:
        money = f", {self.spent.money:.2f} {self._currency()}" if self._settings.prices else ""
        return f"{self.spent.requests:,} requests, {self.spent.tokens:,} tokens{money} so far"
