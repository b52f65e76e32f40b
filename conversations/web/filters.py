"""What a list's query string asks for: chosen values, the rows they leave, and a chip to take each away again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone

from conversations.models import Agent, Compaction, Conversation, Workspace
from conversations.search import Search, fitting_compactions, search_query
from conversations.tags import tag_of
from conversations.vocabulary import CompactionKind, SummaryState, Trigger
from conversations.web.paging import is_key

SOURCES = {"claude_code": "Claude Code", "codex": "Codex", "events": "own events", "exchanges": "exchanges",
           "otlp": "OpenTelemetry"}  # fmt: skip
PERIODS = {"24h": ("last 24 hours", timedelta(hours=24)), "7d": ("last 7 days", timedelta(days=7)),
           "30d": ("last 30 days", timedelta(days=30))}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a select."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force."""

    name: str
    label: str


class Filters:
    """Values of known parameters; unknown ones are ignored, so that an old link still shows something."""

    names: ClassVar[Mapping[str, str]] = {}  # parameter → label of its chip

    def __init__(self, params: Mapping[str, str], workspace: Workspace) -> None:
        self.workspace = workspace
        #: Ids by name. With ids in hand Postgres knows whether an agent is frequent or rare.
        self.agents: dict[str, list[int]] = {}
        for name, pk in Agent.objects.filter(workspace=workspace).order_by("name").values_list("name", "id"):
            self.agents.setdefault(name, []).append(pk)
        given = {name: params.get(name, "").strip()[:200] for name in self.names}
        self.values = {name: value for name, value in given.items() if value and self._knows(name, value)}

    def value(self, name: str) -> str:
        """What was asked for; empty for nothing. No `__getitem__`, which templates would try before attributes."""
        return self.values.get(name, "")

    def _knows(self, name: str, value: str) -> bool:
        options = self._options().get(name)
        return "\0" not in value and (options is None or value in options)

    def _options(self) -> dict[str, Mapping[str, str]]:
        return {"agent": {agent: agent for agent in self.agents}}

    def chips(self) -> list[Chip]:
        """One for each filter in force."""
        options = self._options()
        return [
            Chip(name, f"{self.names[name]}: {options.get(name, {}).get(value, value)}")
            for name, value in self.values.items()
        ]

    def choices(self) -> dict[str, list[Choice]]:
        """The selects, by parameter."""
        return {
            name: [Choice(value, label, chosen=self.value(name) == value) for value, label in options.items()]
            for name, options in self._options().items()
        }


class ConversationFilters(Filters):
    """Of the conversation list."""

    names: ClassVar[Mapping[str, str]] = {
        "q": "words", "agent": "agent", "source": "source", "model": "model", "tag": "tag",
        "compacted": "compacted", "since": "active",
    }  # fmt: skip

    def _options(self) -> dict[str, Mapping[str, str]]:
        return super()._options() | {
            "source": SOURCES,
            "compacted": {"yes": "at least once", "no": "never"},
            "since": {value: label for value, (label, _) in PERIODS.items()},
        }

    def as_api_query(self) -> str:
        """The same rows asked of the API, for the export."""
        query = {"workspace": self.workspace.slug}
        query |= {name: self.value(name) for name in ("q", "agent", "source", "model", "tag") if self.value(name)}
        if self.value("compacted"):
            query["compacted"] = "true" if self.value("compacted") == "yes" else "false"
        if self.value("since"):
            query["since"] = (timezone.now() - PERIODS[self.value("since")][1]).isoformat(timespec="seconds")
        return urlencode(query)

    def apply(self, rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
        """The rows left, whatever their words."""
        for condition in self._conditions():
            rows = rows.filter(condition)
        return rows

    def search(self) -> Search | None:
        """Where words are looked for: how, among the rows left."""
        query = search_query(self.value("q"))
        return Search(query, Conversation.objects.filter(workspace=self.workspace)) if query else None

    def _conditions(self) -> Iterable[Q]:
        if self.value("agent"):
            yield Q(agent__in=self.agents[self.value("agent")])
        if self.value("source"):
            yield Q(source=self.value("source"))
        if self.value("model"):
            yield Q(model_names__contains=[self.value("model")])
        if self.value("tag"):
            yield Q(tags__contains=[tag_of(self.value("tag"))])
        if self.value("compacted"):
            yield Q(compaction_count__gt=0) if self.value("compacted") == "yes" else Q(compaction_count=0)
        if self.value("since"):
            yield Q(last_at__gte=timezone.now() - PERIODS[self.value("since")][1])


FOUND = {"harm": "harm afterwards", "forgotten": "something forgotten", "altered": "something altered",
         "added": "something added", "unaudited": "not audited yet"}  # fmt: skip


class CompactionFilters(Filters):
    """Of the compaction list."""

    names: ClassVar[Mapping[str, str]] = {
        "agent": "agent", "kind": "kind", "trigger": "trigger", "state": "summary", "found": "found",
        "conversation": "conversation",
    }  # fmt: skip

    def _options(self) -> dict[str, Mapping[str, str]]:
        return super()._options() | {
            "kind": {kind.value: kind.value.replace("_", " ") for kind in CompactionKind},
            "trigger": {trigger.value: trigger.value for trigger in Trigger},
            "state": {state.value: state.value for state in SummaryState},
            "found": FOUND,
        }

    def _knows(self, name: str, value: str) -> bool:
        return is_key(value) if name == "conversation" else super()._knows(name, value)

    def as_api_query(self) -> str:
        """The same rows asked of the API, for the export."""
        names = ("agent", "kind", "trigger", "state", "found", "conversation")
        return urlencode({"workspace": self.workspace.slug} | {n: self.value(n) for n in names if self.value(n)})

    def apply(self, rows: QuerySet[Compaction]) -> QuerySet[Compaction]:
        """The rows left."""
        for condition in self._conditions():
            rows = rows.filter(condition)
        return rows

    def _conditions(self) -> Iterable[Q]:
        return fitting_compactions(self.values, self.agents.get(self.value("agent"), ()))
