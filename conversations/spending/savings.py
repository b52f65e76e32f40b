"""What compaction saved: sums and prices put together, with what is not known said."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from conversations.spending.prices import PriceTable, freed_cost, summaries_cost, turns_cost
from conversations.spending.tally import Sums


@dataclass(frozen=True, slots=True)
class Savings:
    """Tokens and US dollars, as sent and as they would have been. See `tally` for the model behind it.

    `cost` and `would_cost` are None where a price or a count they need is not known; `unpriced` names such models.
    """

    sums: Sums
    cost: float | None = None
    would_cost: float | None = None
    unpriced: tuple[str, ...] = ()

    @property
    def billed(self) -> int:
        """Input tokens that were sent, those of summarising calls included as far as they are known."""
        return self.sums.sent + self.sums.summary_sent

    @property
    def at_least(self) -> int:
        """Input tokens that would have been sent without compaction, or more."""
        return self.sums.sent + self.sums.freed

    @property
    def would(self) -> int | None:
        """Input tokens that would have been sent; None where some of it is not known."""
        return None if self.sums.uncertain_calls or self.sums.unknown_calls else self.at_least

    @property
    def saved(self) -> int:
        """Input tokens not sent, less those of the summarising calls; may be less than nothing."""
        return self.at_least - self.billed

    @property
    def saved_share(self) -> float | None:
        """Of what would have been sent, from minus something to 1."""
        return self.saved / self.at_least if self.at_least else None

    @property
    def is_certain(self) -> bool:
        """Whether nothing that it needs is missing."""
        return self.would is not None and not self.sums.unpriced_compactions

    @property
    def untold_calls(self) -> int:
        """Requests of which no service tier is told: they are priced as standard ones."""
        return self.sums.calls - self.sums.told_calls

    @property
    def saved_cost(self) -> float | None:
        """US dollars not paid; None where not known."""
        return None if self.cost is None or self.would_cost is None else self.would_cost - self.cost


def savings_of(rows: Iterable[tuple[str, date, Sums]], prices: PriceTable) -> Savings:
    """Of sums by model and day."""
    total, cost, freed, summaries = Sums(), 0.0, 0.0, 0.0
    unpriced: set[str] = set()
    for model, day, sums in rows:
        total += sums
        price = prices.price(model, day)
        if price is None:
            if sums.sent + sums.output_tokens + sums.summary_sent + sums.summary_output_tokens + sums.freed:
                unpriced.add(model)
            continue
        cost += turns_cost(sums, price)
        freed += freed_cost(sums, price)
        summaries += summaries_cost(sums, price)
    if unpriced or total.partial_calls or total.unknown_calls:
        return Savings(total, unpriced=tuple(sorted(unpriced)))
    return Savings(total, cost=cost + summaries, would_cost=cost + freed)
