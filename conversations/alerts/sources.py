"""How the events of each source are read: SQL, put together of constants."""

from collections.abc import Sequence
from typing import NamedTuple

from conversations.alerts.definition import Definition
from conversations.alerts.metrics import METRICS, Metric, Source
from conversations.vocabulary import GroupBy


class Need(NamedTuple):
    """What must be read: a metric, narrowed to a kind of fact and to important ones, or to an entry of the ledger."""

    metric: str
    fact_kind: str = ""
    least_importance: float = 0
    ledger_entry: str = ""  # its name
    by_entry: bool = False  # an event for each entry of the ledger, not one for each compaction


def need_of(definition: Definition) -> Need:
    """What a rule needs."""
    if METRICS[definition.metric].takes_entry:
        by_entry = definition.group_by == GroupBy.LEDGER_ENTRY
        return Need(definition.metric, ledger_entry=definition.selection.ledger_entry, by_entry=by_entry)
    if not METRICS[definition.metric].takes_facts:
        return Need(definition.metric)
    return Need(definition.metric, definition.selection.fact_kind, definition.selection.least_importance)


class _Tables(NamedTuple):
    """Where events are, and what of their rows says when and whose they are."""

    tables: str
    at: str
    id: str
    where: str
    agent: str = "v.agent_id"
    model: str = "coalesce(nullif(c.model, ''), v.model_names[1], '')"
    conversation: str = "c.conversation_id"
    entry: str = "''"  # of the ledger


_CONVERSATION = "JOIN conversations_conversation v ON v.workspace_id = c.workspace_id AND v.id = c.conversation_id"
# Of the joined rows Postgres reads only those that a value names: each is found by its key.
_COMPACTIONS = f"""conversations_compaction c {_CONVERSATION}
    LEFT JOIN conversations_compactionaudit a ON a.workspace_id = c.workspace_id AND a.compaction_id = c.id
    LEFT JOIN conversations_message m ON m.workspace_id = c.workspace_id AND m.id = c.summary_message_id
    LEFT JOIN conversations_batch b ON b.workspace_id = c.workspace_id AND b.id = c.batch_id"""
_REVIEWS = f"""conversations_review r
    JOIN conversations_compaction c ON c.workspace_id = r.workspace_id AND c.id = r.compaction_id {_CONVERSATION}"""
_VERDICTS = f"{_REVIEWS} JOIN conversations_verdict o ON o.workspace_id = r.workspace_id AND o.review_id = r.id"
_JUDGED = "r.item_id IS NOT NULL AND NOT r.settles AND r.overall <> ''"
# Checks of entries of the ledger that were in the context.
_CHECKS = """conversations_ledgercheck l
    JOIN conversations_ledgerentry e ON e.workspace_id = l.workspace_id AND e.id = l.entry_id"""
_CHECKED = "l.outcome IN ('kept', 'altered', 'forgotten') AND e.retired_at IS NULL AND %(entry)s IN ('', e.name)"
# What was handed in with an overall verdict in a queue, before it was settled, and each that somebody else had before.
_OPINIONS = f"""{_REVIEWS}
    JOIN conversations_review p ON p.workspace_id = r.workspace_id AND p.item_id = r.item_id
        AND p.reviewer_id <> r.reviewer_id AND (p.submitted_at, p.id) < (r.submitted_at, r.id)
        AND NOT p.settles AND NOT r.settles AND p.overall <> '' AND r.overall <> ''"""
_ARRIVALS = """conversations_batch b
    CROSS JOIN LATERAL jsonb_array_elements_text(
        CASE jsonb_typeof(b.found -> 'conversations') WHEN 'array' THEN b.found -> 'conversations' ELSE '[]' END) e
    JOIN conversations_conversation v
        ON v.workspace_id = b.workspace_id AND v.source = ANY(%(sources)s) AND v.external_id = e"""
_OURS = "{0}.workspace_id = %(workspace)s".format
_SOURCES = {
    Source.COMPACTIONS: _Tables(_COMPACTIONS, "c.at", "c.id", f"{_OURS('c')} AND c.copy_of_id IS NULL"),
    Source.REVIEWS: _Tables(_REVIEWS, "r.submitted_at", "c.id", _OURS("r")),
    Source.VERDICTS: _Tables(_VERDICTS, "r.submitted_at", "c.id", _OURS("r")),
    Source.OPINIONS: _Tables(_OPINIONS, "r.submitted_at", "c.id", _OURS("r")),
    Source.JUDGEMENTS: _Tables(_REVIEWS, "r.submitted_at", "c.id", f"{_OURS('r')} AND {_JUDGED}"),
    Source.BATCHES: _Tables(
        "conversations_batch b", "b.received_at", "b.id", _OURS("b"), "NULL::bigint", "''", "NULL::bigint"
    ),
    Source.ARRIVALS: _Tables(_ARRIVALS, "b.received_at", "b.id", _OURS("b"), model="''", conversation="v.id"),
    Source.DAYS: _Tables(
        "conversations_agentday d", "((d.day + 1)::timestamp AT TIME ZONE 'UTC')", "d.id", _OURS("d"), "d.agent_id",
        "d.model", "NULL::bigint",
    ),
}  # fmt: skip
_BY_ENTRY = _SOURCES[Source.COMPACTIONS]._replace(
    tables=f"{_COMPACTIONS} JOIN ({_CHECKS}) ON l.workspace_id = c.workspace_id AND l.compaction_id = c.id",
    where=f"{_OURS('c')} AND c.copy_of_id IS NULL AND {_CHECKED}",
    entry="e.name",
)
#: NULL where none of them was in the context before.
_COUNTED_CHECKS = f"""(SELECT count(*) FILTER (WHERE l.outcome IN ({{which}})) FROM {_CHECKS}
    WHERE l.workspace_id = c.workspace_id AND l.compaction_id = c.id AND {_CHECKED} HAVING count(*) > 0)"""  # noqa: S608 -- constants
#: Findings are counted one by one only where a rule looks at some of them.
_SOME_FACTS = """CASE WHEN a.state = 'done' THEN (
    SELECT count(*) FROM conversations_finding f
    WHERE f.workspace_id = c.workspace_id AND f.compaction_id = c.id AND {which}
        AND (%(kind)s = '' OR f.kind = %(kind)s) AND f.importance >= %(importance)s) END"""


def sql_of(needs: Sequence[Need], *, chosen: bool, limited: bool) -> str:
    """The events after %(since)s up to %(until)s, the newest first, so that a limit leaves them: when (microseconds
    since 1970), agent, model, conversation, row, entry of the ledger, and a value (or the columns of it) for each need,
    NULL where there is none. The needs are of one source and of the same facts. `chosen`: only of %(agents)s;
    `limited`: at most %(most)s that have a value."""
    tables = _BY_ENTRY if needs[0].by_entry else _SOURCES[METRICS[needs[0].metric].source]
    values = ", ".join(f"{_value_of(need)} AS value{number}" for number, need in enumerate(needs))
    some = " OR ".join(f"value{number} IS NOT NULL" for number in range(len(needs)))
    agents = f" AND {tables.agent} = ANY(%(agents)s)" if chosen else ""
    return f"""
        SELECT (extract(epoch FROM at) * 1000000)::bigint, agent, model, conversation, id, entry,
            {", ".join(f"value{number}" for number in range(len(needs)))}
        FROM (
            SELECT {tables.at} AS at, {tables.agent} AS agent, {tables.model} AS model,
                {tables.conversation} AS conversation, {tables.id} AS id, {tables.entry} AS entry, {values}
            FROM {tables.tables}
            WHERE {tables.where} AND {tables.at} > %(since)s AND {tables.at} <= %(until)s{agents}) events
        WHERE {some} ORDER BY at DESC, id DESC, entry DESC{" LIMIT %(most)s" if limited else ""}
    """  # noqa: S608 -- constants


def _value_of(need: Need) -> str:
    metric = METRICS[need.metric]
    return f"ARRAY[{metric.columns}]::float8[]" if metric.columns else f"({_value(metric, need)})::float8"


def _value(metric: Metric, need: Need) -> str:
    if metric.checks:
        which = _listed(metric.checks)
        return f"(l.outcome IN ({which}))::int" if need.by_entry else _COUNTED_CHECKS.format(which=which)
    if not need.fact_kind and not need.least_importance:
        return metric.value
    outcomes = _listed(metric.outcomes)
    return _SOME_FACTS.format(which=f"f.outcome IN ({outcomes})" if outcomes else "f.harmful")


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)
