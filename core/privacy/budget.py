"""How much may be spent with cloud models in a day and in a month: a hard stop before a request, never a surprise."""

from msgspec import Struct

from indexer.records import Problem

BYTES_PER_TOKEN = 3  # of UTF-8; fewer than the usual 4, so that an estimate errs on the dear side


class BudgetSpent(Problem):
    """The person's limit is reached; nothing was sent."""

    kind = "budget"


class Budget(Struct, frozen=True):
    """The limits, in tokens of requests and answers together; 0 is no limit."""

    day: int = 0
    month: int = 0

    def check(self, day: int, month: int, needed: int) -> None:
        """Pass, or not.

        Args:
            day, month: tokens spent so far today and this month.
            needed: tokens that the request and the longest answer to it come to.

        Raises:
            BudgetSpent: it would go beyond a limit.
        """
        for limit, spent, name, period in ((self.day, day, "day", "today"), (self.month, month, "month", "this month")):
            if limit and spent + needed > limit:
                raise BudgetSpent(
                    f"Your limit of {limit:,} cloud tokens a {name} leaves too few for this question "
                    f"({spent:,} spent {period}, about {needed:,} needed).",
                    f"Wait, or raise it: offhand settings budget_{name} TOKENS.",
                )


def estimate(text: str) -> int:
    """How many tokens a text comes to, about, and rather too many."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)
