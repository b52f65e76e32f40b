"""What rules can look at: every metric with its words, its unit, and how it is read from the store.

A metric's `value` is SQL over its source's tables; NULL is no event. Where prices decide, `worked_out` makes the value
of `columns` instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from conversations.spending.prices import PriceTable, summaries_cost
from conversations.spending.tally import Sums
from conversations.vocabulary import Aggregation, Direction, GroupBy, Overall

Columns = Sequence[float | None]
WorkOut = Callable[[PriceTable, str, date, Columns], float | None]  # prices, model, day, columns → value


class Source(StrEnum):
    """What the events of a metric are."""

    COMPACTIONS = "compactions"
    REVIEWS = "reviews"
    VERDICTS = "verdicts"
    OPINIONS = "opinions"
    JUDGEMENTS = "judgements"
    BATCHES = "batches"
    ARRIVALS = "arrivals"
    DAYS = "days"


#: What one event is called.
EVENTS = {
    Source.COMPACTIONS: "compaction",
    Source.REVIEWS: "review",
    Source.VERDICTS: "verdict",
    Source.OPINIONS: "second opinion",
    Source.JUDGEMENTS: "opinion",
    Source.BATCHES: "batch",
    Source.ARRIVALS: "arrival",
    Source.DAYS: "day of an agent and model",
}
#: The page that shows an event; of a day there is none.
EVIDENCE = {
    Source.COMPACTIONS: "compaction",
    Source.REVIEWS: "compaction",
    Source.VERDICTS: "compaction",
    Source.OPINIONS: "compaction",
    Source.JUDGEMENTS: "compaction",
    Source.BATCHES: "batch",
    Source.ARRIVALS: "batch",
}
_EVERY_GROUP = frozenset(GroupBy) - {GroupBy.LEDGER_ENTRY}
#: By what events can be told apart, and chosen; what looks at the ledger, by its entries, too.
_GROUPS = {
    Source.COMPACTIONS: _EVERY_GROUP,
    Source.REVIEWS: _EVERY_GROUP,
    Source.VERDICTS: _EVERY_GROUP,
    Source.OPINIONS: _EVERY_GROUP,
    Source.JUDGEMENTS: _EVERY_GROUP,
    Source.BATCHES: frozenset[GroupBy](),
    Source.ARRIVALS: _EVERY_GROUP - {GroupBy.MODEL},
    Source.DAYS: _EVERY_GROUP - {GroupBy.CONVERSATION},
}

_FIGURES = (Aggregation.MEAN, Aggregation.P50, Aggregation.P95, Aggregation.MAX)
#: An amount of each event; an amount that can be added up as well; yes or no; the event itself.
AMOUNT = (Aggregation.EACH, *_FIGURES)
SUMMED = (Aggregation.EACH, Aggregation.SUM, *_FIGURES, Aggregation.SHARE)
FLAG = (Aggregation.EACH, Aggregation.SUM, Aggregation.SHARE)
COUNTED = (Aggregation.COUNT,)
BEYOND_CHANCE = (Aggregation.ALPHA,)


@dataclass(frozen=True, slots=True)
class Metric:
    """Something that every event of a source has."""

    key: str
    label: str  # as in "facts forgotten"
    unit: str  # "" for plain numbers
    help: str
    source: Source
    aggregations: tuple[Aggregation, ...]
    value: str = ""
    columns: str = ""
    worked_out: WorkOut | None = None
    outcomes: tuple[str, ...] = ()  # of the findings counted where a kind or an importance is chosen
    checks: tuple[str, ...] = ()  # outcomes of entries of the ledger that are counted
    bad: Direction = Direction.ABOVE  # on which side one usually wants to be told

    @property
    def takes_facts(self) -> bool:
        """Whether it can be narrowed to a kind of fact, or to important ones."""
        return bool(self.outcomes) or self.key == "harm"

    @property
    def takes_entry(self) -> bool:
        """Whether it can be narrowed to one entry of the ledger, and told apart by them."""
        return bool(self.checks)

    @property
    def groups(self) -> frozenset[GroupBy]:
        """By what its events can be told apart, and chosen."""
        return _GROUPS[self.source] | ({GroupBy.LEDGER_ENTRY} if self.takes_entry else frozenset())

    @property
    def is_flag(self) -> bool:
        """Whether it is yes (1) or no (0)."""
        return self.aggregations == FLAG


def _audited(column: str) -> str:
    """Of a compaction whose audit is done."""
    return f"CASE WHEN a.state = 'done' THEN a.{column} END"


def _ledger(key: str, label: str, checks: tuple[str, ...], help_: str) -> "Metric":
    """Entries of the ledger with one of these outcomes; how they are read is said in `sources`."""
    return Metric(key, label, "rules", help_, Source.COMPACTIONS, SUMMED, checks=checks)


#: An opinion as one number, see `readings.OPINIONS`.
_OPINIONS = ", ".join(f"'{each}'" for each in Overall)
OPINION = f"r.item_id * {len(Overall)} + array_position(ARRAY[{_OPINIONS}], r.overall::text) - 1"
_BEFORE = "coalesce(c.tokens_before_observed, c.tokens_before_reported)"
_AFTER = "coalesce(c.tokens_after_observed, c.tokens_after_reported)"
_SUMMARY_TOKENS = "(summary_input_tokens + summary_read_tokens + summary_write_tokens + summary_output_tokens)"
_TURN_TOKENS = "(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens)"


def _cost(prices: PriceTable, model: str, day: date, columns: Columns) -> float | None:
    price = prices.price(model, day)
    if price is None or all(column is None for column in columns):
        return None
    plain, read, written, output = (int(column or 0) for column in columns)
    sums = Sums(
        summary_input_tokens=plain, summary_read_tokens=read, summary_write_tokens=written, summary_output_tokens=output
    )
    return summaries_cost(sums, price)


def _window_use(prices: PriceTable, model: str, day: date, columns: Columns) -> float | None:
    before, window = columns
    price = prices.price(model, day)
    size = window or (price.window if price else None)
    return None if before is None or not size or before > size else 100 * before / size


def _compactions(  # as the table below reads best
    key: str, label: str, unit: str, kind: tuple[Aggregation, ...], value: str, help_: str, **more: Any
) -> Metric:  # fmt: skip
    return Metric(key, label, unit, help_, Source.COMPACTIONS, kind, value, **more)


_ALL = (
    # what the agent forgot
    _compactions("forgotten", "facts forgotten", "facts", SUMMED, _audited("forgotten"),
                 "Facts that the summary does not tell any more.", outcomes=("forgotten",)),
    _compactions("altered", "facts altered", "facts", SUMMED, _audited("altered"),
                 "Facts that the summary tells otherwise than they were said.", outcomes=("altered",)),
    _compactions("lost", "facts lost", "facts", SUMMED, f"{_audited('forgotten')} + {_audited('altered')}",
                 "Facts forgotten or altered.", outcomes=("forgotten", "altered")),
    _compactions("added", "statements added", "statements", SUMMED, _audited("added"),
                 "Statements of the summary that nobody made."),
    _compactions("harm", "losses that did harm", "facts", SUMMED, _audited("harmful"),
                 "Lost facts with evidence afterwards that they were missed: asked again, done anyway, looked up."),
    _compactions("open_losses", "losses still open", "facts", SUMMED, _audited("open_losses"),
                 "Lost facts that still mattered: asks not done, rules that go on to hold, work in progress."),
    _compactions("retention", "retention", "%", AMOUNT, f"100 * ({_audited('retention')})",
                 "Share of the facts kept, weighted by importance.", bad=Direction.BELOW),
    # the ledger: what the team wants to survive
    _ledger("ledger_lost", "rules of the ledger lost", ("forgotten", "altered"),
            "Entries of the ledger that were in the context and are forgotten or altered after."),
    _ledger("ledger_forgotten", "rules of the ledger forgotten", ("forgotten",),
            "Entries of the ledger that were in the context and are not in it after."),
    _ledger("ledger_altered", "rules of the ledger altered", ("altered",),
            "Entries of the ledger that stand otherwise in the context than they did."),
    # the compactions themselves
    _compactions("compactions", "compactions", "", COUNTED, "1",
                 "How many there are. By conversation and hour it shows a death spiral: compacting over and over."),
    _compactions("since_last", "time since the compaction before", "min", AMOUNT,
                 "extract(epoch FROM c.at - (SELECT p.at FROM conversations_compaction p"
                 " WHERE p.workspace_id = c.workspace_id AND p.conversation_id = c.conversation_id"
                 " AND p.position < c.position ORDER BY p.position DESC, p.id DESC LIMIT 1)) / 60",
                 "Minutes between a compaction and the one before it in the same conversation.", bad=Direction.BELOW),
    _compactions("number", "compactions so far", "", AMOUNT, "c.number",
                 "How many compactions the conversation has had with this one."),
    _compactions("failed", "failed compactions", "", FLAG, "(c.summary_state = 'failed' OR c.error <> '')::int",
                 "The summary could not be written."),
    _compactions("opaque", "unreadable summaries", "", FLAG, "(c.summary_state = 'encrypted')::int",
                 "The summary is encrypted: what was forgotten cannot be told."),
    _compactions("unannounced", "unannounced truncations", "", FLAG, "(c.kind = 'truncation')::int",
                 "Messages vanished from the context without a summary."),
    _compactions("duration", "time a compaction takes", "s", AMOUNT, "c.duration_ms / 1000.0",
                 "Seconds until the summary was written, as the source tells."),
    # tokens and money
    _compactions("tokens_before", "tokens before", "tokens", AMOUNT, _BEFORE, "Size of the context compacted."),
    _compactions("tokens_after", "tokens after", "tokens", AMOUNT, _AFTER, "Size of the context that was left."),
    _compactions("freed", "tokens freed", "tokens", SUMMED, f"{_BEFORE}::bigint - {_AFTER}",
                 "Tokens before less tokens after.", bad=Direction.BELOW),
    _compactions("freed_share", "share of the context freed", "%", AMOUNT,
                 f"100.0 * ({_BEFORE}::bigint - {_AFTER}) / nullif({_BEFORE}, 0)",
                 "Percent of the tokens before that are gone after.", bad=Direction.BELOW),
    Metric("window_use", "context use", "%", "How full the model's window was when it compacted. Needs the window's"
           " size: from the source, or from the table of prices.", Source.COMPACTIONS, AMOUNT,
           columns=f"{_BEFORE}, v.context_window", worked_out=_window_use),
    _compactions("summary_length", "summary length", "characters", AMOUNT, "m.size",
                 "Characters of the summary, where it can be read."),
    _compactions("compression", "compression ratio", "×", AMOUNT, f"{_BEFORE}::float8 / nullif({_AFTER}, 0)",
                 "Tokens before divided by tokens after: 5 means that a fifth is left."),
    _compactions("compacting_tokens", "tokens spent on compacting", "tokens", SUMMED,
                 "c.cost_input_tokens + coalesce(c.cost_cache_read_tokens, 0) + coalesce(c.cost_cache_write_tokens, 0)"
                 " + coalesce(c.cost_output_tokens, 0)", "Input and output of the call that wrote the summary."),
    Metric("compacting_cost", "cost of compacting", "$", "US dollars for the calls that wrote summaries, by the"
           " workspace's prices.", Source.COMPACTIONS, SUMMED, worked_out=_cost,
           columns="c.cost_input_tokens, c.cost_cache_read_tokens, c.cost_cache_write_tokens, c.cost_output_tokens"),
    Metric("compacting_share", "share spent on compacting", "%", "Percent of all tokens of an agent and model on a day"
           " (UTC) that went into writing summaries. Known when the day is over.", Source.DAYS, AMOUNT,
           f"100.0 * {_SUMMARY_TOKENS} / nullif({_SUMMARY_TOKENS} + {_TURN_TOKENS}, 0)"),
    # what people say
    Metric("harmful_reviews", "reviews that say harmful loss", "", "A reviewer handed in “harmful loss”.",
           Source.REVIEWS, FLAG, "(r.overall = 'harmful_loss')::int"),
    Metric("lossy_reviews", "reviews that say any loss", "", "A reviewer handed in a minor or a harmful loss.",
           Source.REVIEWS, FLAG, "(r.overall IN ('minor_loss', 'harmful_loss'))::int"),
    Metric("verdicts_against", "findings that people correct", "", "A reviewer did not agree with a finding of the"
           " auditor.", Source.VERDICTS, FLAG, "(o.answer <> 'agree')::int"),
    Metric("agreement", "agreement of reviewers", "", "Two people reviewed the same item of a queue, and the second"
           " said the same overall as the first; of three people that makes three pairs.",
           Source.OPINIONS, FLAG, "(r.overall = p.overall)::int", bad=Direction.BELOW),
    Metric("agreement_alpha", "agreement of reviewers beyond chance", "", "Krippendorff's α of what reviewers say"
           " overall: 1 = always the same, 0 = as by chance. Of items of queues that two reviewed within the time.",
           Source.JUDGEMENTS, BEYOND_CHANCE, OPINION, bad=Direction.BELOW),
    # whether it works at all
    Metric("arrivals", "data that arrive", "", "Batches that bring something of a conversation. Below 1 in a time: an"
           " agent, or all, have gone silent.", Source.ARRIVALS, COUNTED, "1", bad=Direction.BELOW),
    Metric("rejected", "events rejected", "events", "Events or lines of a batch that could not be understood.",
           Source.BATCHES, SUMMED, "b.rejected"),
    Metric("failed_batches", "batches that failed", "", "A batch that raised while it was digested.",
           Source.BATCHES, FLAG, "(b.state = 'failed')::int"),
    Metric("digest_lag", "time until data are shown", "s", "Seconds from the arrival of a batch until its rows were"
           " there; of one that waits, so far.", Source.BATCHES, AMOUNT,
           "extract(epoch FROM coalesce(b.digested_at, %(now)s) - b.received_at)"),
    _compactions("audit_wait", "waiting for the audit", "min", AMOUNT,
                 "CASE WHEN a.id IS NULL THEN extract(epoch FROM %(now)s - b.digested_at) / 60 ELSE 0 END",
                 "Minutes for which a compaction that is not audited has waited; 0 once it is. Its past is not kept."),
)  # fmt: skip
METRICS = {metric.key: metric for metric in _ALL}

HOW_MANY = "how many"
#: Words of figures: after the metric's label.
_WORDS = {
    Aggregation.COUNT: "",
    Aggregation.SUM: "in all",
    Aggregation.MEAN: "on average",
    Aggregation.P50: "in the median",
    Aggregation.P95: "in the 95th percentile",
    Aggregation.MAX: "at most",
    Aggregation.ALPHA: "(Krippendorff’s α)",
}


def figure_words(metric: Metric, aggregation: Aggregation) -> str:
    """How a figure of the metric is made, as in "per compaction" or "on average"."""
    event = EVENTS[metric.source]
    if aggregation == Aggregation.EACH:
        return f"per {event}"
    if aggregation == Aggregation.SHARE:
        return f"percent of {event}s" if metric.is_flag else f"percent of {event}s with any"
    return HOW_MANY if aggregation == Aggregation.COUNT or metric.is_flag else _WORDS[aggregation]


def unit_of(metric: Metric, aggregation: Aggregation, direction: Direction) -> str:
    """The unit of a rule's thresholds."""
    if direction in {Direction.RISES, Direction.FALLS} or aggregation == Aggregation.SHARE:
        return "%"
    return metric.unit
