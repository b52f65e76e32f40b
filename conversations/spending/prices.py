"""What tokens cost: which price holds for a model on a day, and what sums come to in US dollars."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from conversations.spending.tally import Sums
from conversations.spending.terms import terms_of

MILLION = 1_000_000
#: How providers wrap a model's name: "us.anthropic.claude-opus-5-v1:0", "anthropic/claude-opus-5",
#: "claude-opus-4-5@20251101", "claude-opus-4-5-20251101", "claude-opus-5[1m]", "claude-opus-5-latest".
_BEFORE = re.compile(r"^(?:.*/)?(?:[a-z]{2,6}(?:-[a-z]+)?\.)?(?:anthropic\.|openai\.)?")
_AFTER = re.compile(r"(?:\[[^\]]*\]|-latest|-v\d+(?::\d+)?(?::\d+k)?|[-@]\d{8}|-\d{4}-\d{2}-\d{2}|@latest|@default)+$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens of the models whose name fits `pattern` (`*` is anything), from a day on.

    `since` None: as long as anybody remembers. `window` is the model's context window in tokens, None = not known."""

    pattern: str
    input: float
    cache_read: float
    cache_write: float
    output: float
    window: int | None = None
    since: date | None = None
    cache_write_1h: float | None = None  # None: as the others
    tier: str = ""  # of calls of this service tier only; "" = the standard one
    over: int = 0  # of prompts beyond so many tokens

    @property
    def for_an_hour(self) -> float:
        """Of what is written to the cache for an hour."""
        return self.cache_write if self.cache_write_1h is None else self.cache_write_1h

    def fits(self, name: str, day: date) -> bool:
        """Whether it holds for a model, named in lower case, on a day."""
        return (self.since is None or self.since <= day) and bool(_form(self.pattern.lower()).fullmatch(name))


@lru_cache(maxsize=1024)
def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))


@lru_cache(maxsize=1024)
def plain_name(model: str) -> str:
    """A model's name without what providers put around it: region, vendor, date, version of the wrapping."""
    name = model.strip().lower()
    return _AFTER.sub("", _BEFORE.sub("", name, count=1)) or name


class PriceTable:
    """A workspace's own prices before the built-in ones. A model in neither has no price: nothing is guessed."""

    def __init__(self, own: Iterable[Price], built_in: Iterable[Price] = ()) -> None:
        self._sides = (tuple(own), tuple(built_in))
        self._found: dict[tuple[str, date], Price | None] = {}

    @property
    def changes(self) -> list[date]:
        """The days from which some price holds, in order: between two of them none changes."""
        return sorted({price.since for side in self._sides for price in side if price.since})

    def price(self, model: str, day: date) -> Price | None:
        """Of a model, or of what a call is billed as (`terms`): the most exact pattern that fits the name, as written
        or plain; of equal ones that for the longest prompts, then the newest by that day."""
        key = (model, day)
        if key not in self._found:
            self._found[key] = self._look_up(model, day)
        return self._found[key]

    def _look_up(self, model: str, day: date) -> Price | None:
        name, tier, over = terms_of(model)
        names = {name.lower(), plain_name(name)}
        for side in self._sides:
            asked = [price for price in side if price.tier == tier and price.over <= over]
            fitting = [price for price in asked if any(price.fits(each, day) for each in names)]
            if fitting:
                return max(fitting, key=_exactness)
        return None


def _exactness(price: Price) -> tuple[int, int, date]:
    return (len(price.pattern.replace("*", "")), price.over, price.since or date.min)


def turns_cost(sums: Sums, price: Price) -> float:
    """What the turns cost, in US dollars."""
    return _cost(
        price, sums.input_tokens, sums.cache_read_tokens, sums.cache_write_tokens, sums.output_tokens,
        sums.cache_write_1h_tokens,
    )  # fmt: skip


def summaries_cost(sums: Sums, price: Price) -> float:
    """What the calls that wrote summaries cost, as far as their tokens are known."""
    return _cost(
        price, sums.summary_input_tokens, sums.summary_read_tokens, sums.summary_write_tokens,
        sums.summary_output_tokens, sums.summary_write_1h_tokens,
    )  # fmt: skip


def freed_cost(sums: Sums, price: Price) -> float:
    """What would have been paid on top without compaction."""
    return _cost(price, sums.freed_input_tokens, sums.freed_read_tokens, sums.freed_write_tokens, 0)


def _cost(price: Price, plain: int, read: int, written: int, output: int, written_1h: int = 0) -> float:
    write = (written - written_1h) * price.cache_write + written_1h * price.for_an_hour
    return (plain * price.input + read * price.cache_read + write + output * price.output) / MILLION
