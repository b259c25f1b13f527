"""How much may still be asked: requests, tokens, money."""

from mcot.core.chat_settings import ChatSettings
from mcot.core.chat_store import Reply, Spent, cost
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
    """

    def __init__(self, settings: ChatSettings, where: str, spent: Spent) -> None:
        self._settings, self._where, self.spent = settings, where, spent

    def check(self) -> None:
        """Whether anything may be sent.

        Raises:
            BudgetSpentError: nothing may be sent any more.
        """
        budget, spent = self._settings.budget, self.spent
        limits = {"requests": budget.requests, "tokens": budget.tokens, "money": budget.money}
        for (name, limit), used in zip(limits.items(), spent, strict=True):
            if limit is not None and used >= limit:
                raise BudgetSpentError(
                    f"{self._where}.budget.{name}: {limit:,} {self._currency() if name == 'money' else name} are spent "
                    f"({self._describe()}); every answer is kept: set a larger budget, then run the same command again "
                    "to go on"
                )

    def take(self) -> None:
        """Count a request that is about to be sent. Raises what `check` does."""
        self.check()
        self.spent = self.spent._replace(requests=self.spent.requests + 1)

    def pay(self, reply: Reply) -> None:
        """Count what an answer took."""
        tokens = self.spent.tokens + reply.prompt_tokens + reply.completion_tokens
        money = self.spent.money + cost(self._settings.prices, reply.prompt_tokens, reply.completion_tokens)
        self.spent = self.spent._replace(tokens=tokens, money=money)

    def _currency(self) -> str:
        return self._settings.prices.currency if self._settings.prices else ""

    def _describe(self) -> str:
        money = f", {self.spent.money:.2f} {self._currency()}" if self._settings.prices else ""
        return f"{self.spent.requests:,} requests, {self.spent.tokens:,} tokens{money} so far"
