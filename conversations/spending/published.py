"""Prices of Claude models as published, US dollars per million tokens; built in, and overruled by a workspace's own.

Taken in November 2026 from platform.claude.com/docs/en/about-claude/pricing. For every model: cache writes for an hour
cost twice the input, batches half of everything. Not known: what priority and fast calls cost, which have no price
rather than a wrong one. Without a window: models that are offered with two.
"""

from dataclasses import replace
from datetime import date

from conversations.spending.prices import Price

SOURCE = "platform.claude.com/docs/en/about-claude/pricing"
TAKEN_ON = date(2026, 11, 22)

_M = 1_000_000
_K = 1_000

_STANDARD = (
    Price("claude-fable-5-2", 8, 0.2, 10, 40, 1 * _M),
    Price("claude-fable-5-1", 10, 0.25, 12.5, 50, 1 * _M),
    Price("claude-mythos-5-1", 10, 0.25, 12.5, 50, 1 * _M),
    Price("claude-fable-5", 10, 1, 12.5, 50, 1 * _M),
    Price("claude-mythos-5", 10, 1, 12.5, 50, 1 * _M),
    Price("claude-opus-5-5", 4, 0.2, 5, 20, 1 * _M),
    Price("claude-opus-5", 5, 0.5, 6.25, 25, 1 * _M),
    Price("claude-opus-4-8", 5, 0.5, 6.25, 25, 1 * _M),
    Price("claude-opus-4-7", 5, 0.5, 6.25, 25, 1 * _M),
    Price("claude-opus-4-6", 5, 0.5, 6.25, 25, 1 * _M),
    Price("claude-opus-4-5", 5, 0.5, 6.25, 25, 200 * _K),
    Price("claude-opus-4-1", 15, 1.5, 18.75, 75, 200 * _K),
    Price("claude-opus-4", 15, 1.5, 18.75, 75, 200 * _K),
    Price("claude-sonnet-5-5", 2, 0.2, 2.5, 10, 1 * _M),
    Price("claude-sonnet-5-5", 2, 0.1, 2.5, 10, 1 * _M, since=date(2026, 10, 7)),
    Price("claude-sonnet-5", 2, 0.2, 2.5, 10, 1 * _M),
    Price("claude-sonnet-4-6", 3, 0.3, 3.75, 15, 1 * _M),
    Price("claude-sonnet-4-5", 3, 0.3, 3.75, 15),
    Price("claude-sonnet-4", 3, 0.3, 3.75, 15),
    Price("claude-haiku-5-5", 0.1, 0.01, 0.125, 0.5),
    Price("claude-haiku-5-5", 0.5, 0.05, 0.625, 2.5, over=100 * _K),
    Price("claude-haiku-4-5", 1, 0.1, 1.25, 5, 200 * _K),
)
STANDARD = tuple(replace(price, cache_write_1h=2 * price.input) for price in _STANDARD)


def _half(price: Price) -> Price:
    rates = (price.input / 2, price.cache_read / 2, price.cache_write / 2, price.output / 2)
    return Price(price.pattern, *rates, price.window, price.since, price.input, "batch", price.over)


PUBLISHED = (*STANDARD, *map(_half, STANDARD))
