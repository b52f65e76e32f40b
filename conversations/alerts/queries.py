"""The events that rules look at: one query a metric and time, for all rules of a workspace that share it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from conversations.alerts.definition import Definition, Point, Selection
from conversations.alerts.metrics import METRICS, Metric, Source
from conversations.alerts.sources import Need, sql_of
from conversations.models import Agent, Batch, Compaction, Conversation, Workspace
from conversations.spending.prices import PriceTable
from conversations.spending.queries import price_table
from conversations.vocabulary import GroupBy

#: Events that a preview looks at; of more, the newest. Read and walked through they take about a second and a half.
MOST_PREVIEWED = 100_000
LONGEST_GROUP = 300  # characters, as incidents store it
#: Moments are read as microseconds since then: as text each of them costs more than all else of its row.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Of a row: before it stand when, agent, model, conversation, row and entry of the ledger.
_FIRST_VALUE = 6
_Place = tuple[datetime, int | None, str, int | None, int, str]


class Event(NamedTuple):
    """A point with everything rules choose and group by."""

    at: datetime
    value: float
    agent: int | None
    model: str
    conversation: int | None
    id: int
    entry: str = ""  # of the ledger, where each is an event


def events_of(
    workspace: Workspace,
    need: Need,
    since: datetime,
    until: datetime,
    *,
    agents: Sequence[int] | None = None,
    most: int | None = None,
) -> list[Event]:
    """The events after `since` up to `until` in their order; of more than `most` the newest. `agents`: only theirs.

    One query, and one each for prices and for the names of sources where the metric needs them."""
    return _read(workspace, [need], since, until, agents=agents, most=most)[need]


def events_of_all(
    workspace: Workspace, needs: Sequence[Need], since: datetime, until: datetime, *, agents: Sequence[int] | None
) -> dict[Need, list[Event]]:
    """As `events_of`, for needs of one source and of the same facts, by one query for all of them."""
    return _read(workspace, needs, since, until, agents=agents, most=None)


def _read(
    workspace: Workspace,
    needs: Sequence[Need],
    since: datetime,
    until: datetime,
    *,
    agents: Sequence[int] | None,
    most: int | None,
) -> dict[Need, list[Event]]:
    metrics, facts = [METRICS[need.metric] for need in needs], needs[0]
    sql = sql_of(needs, chosen=agents is not None, limited=most is not None)
    told: dict[str, Any] = {
        "workspace": workspace.pk, "since": since, "until": until, "now": until, "kind": facts.fact_kind,
        "importance": facts.least_importance, "agents": list(agents or ()), "most": most,
        "entry": facts.ledger_entry,
        "sources": _sources(workspace) if metrics[0].source == Source.ARRIVALS else [],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(sql, told)
        rows = cursor.fetchall()
    rows.reverse()
    places = [(_EPOCH + timedelta(microseconds=row[0]), *row[1:_FIRST_VALUE]) for row in rows]
    prices = price_table(workspace) if any(metric.worked_out for metric in metrics) else None
    return {
        need: list(_events(metric, places, [row[number] for row in rows], prices))
        for number, (need, metric) in enumerate(zip(needs, metrics, strict=True), _FIRST_VALUE)
    }


def _sources(workspace: Workspace) -> list[str]:
    """Those its conversations come from: a batch names conversations by the source's ids."""
    rows = Conversation.objects.filter(workspace=workspace).order_by()
    return list(rows.values_list("source", flat=True).distinct())


def _events(
    metric: Metric, places: Iterable[_Place], values: Iterable[Any], prices: PriceTable | None
) -> Iterator[Event]:  # fmt: skip
    for (at, agent, model, conversation, row, entry), read in zip(places, values, strict=True):
        value = read
        if prices is not None and metric.worked_out and read is not None:
            value = metric.worked_out(prices, model, at.date(), read)
        if value is not None:
            yield Event(at, value, agent, model, conversation, row, entry)


# --- who is meant -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Agents:
    """The agents of a workspace by id: their names and versions."""

    names: dict[int, tuple[str, str]]
    by_name: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, workspace: Workspace) -> "Agents":
        """One query."""
        rows = Agent.objects.filter(workspace=workspace).order_by("id").values_list("id", "name", "version")
        found = cls({pk: (name, version) for pk, name, version in rows})
        for pk, (name, _) in found.names.items():
            found.by_name[name].append(pk)
        return found

    def chosen(self, selection: Selection) -> list[int] | None:
        """Ids of the agents that a rule looks at; None = all, and those that are not known."""
        if not selection.agent and not selection.version:
            return None
        ids = self.by_name.get(selection.agent, []) if selection.agent else self.names
        return [pk for pk in ids if selection.version in ("", self.names[pk][1])]

    def group(self, event: Event, group_by: str) -> str:
        """The name of the group that an event belongs to; no two groups share one."""
        name, version = self.names.get(event.agent or 0, ("", ""))
        match group_by:
            case GroupBy.AGENT:
                return name or "unknown agent"
            case GroupBy.VERSION:
                return f"{name} {version}".strip()[:LONGEST_GROUP] or "unknown agent"
            case GroupBy.MODEL:
                return event.model or "unknown model"
            case GroupBy.CONVERSATION:
                return f"conversation {event.conversation}"
            case GroupBy.LEDGER_ENTRY:
                return event.entry
            case _:
                return ""


def points_of(events: Iterable[Event], definition: Definition, agents: Agents) -> list[Point]:
    """The events that the rule chooses, each in its group."""
    chosen, model, by = agents.chosen(definition.selection), definition.selection.model, definition.group_by
    ids = None if chosen is None else set(chosen)
    ours = [
        event for event in events
        if (ids is None or event.agent in ids) and (not model or event.model == model)
    ]  # fmt: skip
    if not by:
        return [Point(event.at, event.value, "", event.id) for event in ours]
    return [Point(event.at, event.value, agents.group(event, by), event.id) for event in ours]


# --- what evidence is called ------------------------------------------------------------------------------------------


def labels_of(workspace: Workspace, kind: str, ids: Iterable[int]) -> dict[int, str]:
    """What links to these rows say. One query."""
    wanted = set(ids)
    if not wanted:
        return {}
    if kind == "compaction":
        rows = Compaction.objects.filter(workspace=workspace, pk__in=wanted).select_related("conversation")
        only = rows.only("number", "conversation__title", "conversation__external_id")
        return {row.pk: f"compaction {row.number} of {str(row.conversation)[:120]}" for row in only}
    batches = Batch.objects.filter(workspace=workspace, pk__in=wanted).values_list("id", "format")
    return {pk: f"batch {pk}, {name.replace('_', ' ')}" for pk, name in batches}
