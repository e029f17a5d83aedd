"""What a run would ask: which answers, how much there is to read and write, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.judging.asks import REPLY_TOKENS, Ask
from eval.judging.client import GROQ_URL

MILLION = 1_000_000

LIST_PRICES = {"llama-3.1-8b-instant": (0.05, 0.08)}
"""Groq's list prices, dollars a million tokens read and written; they may have changed since this was written."""

Price = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to judge and what of it is still to be asked, in groups of one key."""

    asks: Sequence[Ask]
    groups: Sequence[Sequence[Ask]]

    @property
    def settled(self) -> int:
        """How many asks need nothing any more."""
        return len(self.asks) - sum(map(len, self.groups))

    @property
    def tokens(self) -> tuple[int, int]:
        """About how many tokens the judge will read and write."""
        read = sum(group[0].prompt_tokens for group in self.groups)
        return read, sum(REPLY_TOKENS[group[0].subject.kind] for group in self.groups)

    def cost(self, price: Price) -> float:
        """About how many dollars it costs, prices being a million tokens'."""
        return sum(tokens * each / MILLION for tokens, each in zip(self.tokens, price, strict=True))


def price_of(model: str, base_url: str, given: Sequence[float] | None) -> Price | None:
    """Return the price of a judge: the one given, Groq's list price, or None if it isn't known."""
    if given is not None:
        return given[0], given[1]
    return LIST_PRICES.get(model) if base_url == GROQ_URL else None


def plan_lines(plan: Plan, model: str, base_url: str, keys: int, given: Sequence[float] | None) -> list[str]:
    """Return what a person has to know before they confirm."""
    with_keys = {0: "no API key", 1: "1 API key"}.get(keys, f"{keys} API keys")
    same = sum(map(len, plan.groups)) - len(plan.groups)
    lines = [
        f"Judge    {model} at {base_url}, {with_keys}",
        f"Asks     {len(plan.asks):,}, of which {plan.settled:,} are judged already"
        + (f" and {same:,} are the same as another" if same else ""),
    ]
    if not plan.groups:
        return lines
    read, written = plan.tokens
    lines.append(f"To ask   {len(plan.groups):,}: about {_count(read)} tokens to read and {_count(written)} to write")
    if (price := price_of(model, base_url, given)) is None:
        lines.append("Cost     not known here; --price READ WRITE (dollars a million tokens) sets it")
    else:
        whose = "the price given" if given else "Groq's list price, which may have changed"
        lines.append(f"Cost     about ${plan.cost(price):,.2f} at ${price[0]:g} and ${price[1]:g} a million ({whose})")
    return lines


def _count(tokens: int) -> str:
    return f"{tokens / MILLION:.1f} million" if tokens >= MILLION else f"{tokens:,}"
