"""What one evaluation reads of a workspace: each source once, for all rules that look at it."""

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from conversations.alerts.definition import Definition, Point
from conversations.alerts.metrics import METRICS
from conversations.alerts.queries import Agents, Event, events_of_all, points_of
from conversations.alerts.sources import Need, need_of
from conversations.models import Workspace

_DAY = timedelta(days=1)
_at = attrgetter("at")


class Wanted(NamedTuple):
    """What a rule wants read: events after `since` up to `until`."""

    definition: Definition
    since: datetime
    until: datetime

    @property
    def together(self) -> tuple[Any, ...]:
        """Those that agree in it are read by one query: of one source, for the same facts, over about as many days.
        A rule over two weeks does not make all others' events be read for two weeks."""
        need = need_of(self.definition)
        return METRICS[need.metric].source, need._replace(metric=""), math.ceil((self.until - self.since) / _DAY)


@dataclass(slots=True)
class Chosen:
    """The events that a rule chooses, in order of time."""

    events: Sequence[Event]
    definition: Definition  # of one of those that choose and group alike
    agents: Agents
    _points: dict[tuple[datetime, datetime], list[Point]] = field(default_factory=dict)
    _digests: dict[tuple[datetime, datetime], int] = field(default_factory=dict)

    def points(self, since: datetime, until: datetime) -> list[Point]:
        """After `since` up to `until`, each in its group."""
        if (since, until) not in self._points:
            self._points[since, until] = points_of(self._between(since, until), self.definition, self.agents)
        return self._points[since, until]

    def digest(self, since: datetime, until: datetime) -> int:
        """Of the events after `since` up to `until`; known to this process only."""
        if (since, until) not in self._digests:
            self._digests[since, until] = sum(map(hash, self._between(since, until)))
        return self._digests[since, until]

    def _between(self, since: datetime, until: datetime) -> Sequence[Event]:
        first = bisect_right(self.events, since, key=_at)
        return self.events[first : bisect_right(self.events, until, first, key=_at)]


@dataclass(slots=True)
class Gathered:
    """The events of a workspace, each read once."""

    workspace: Workspace
    agents: Agents
    _events: dict[tuple[Any, ...], dict[Need, list[Event]]] = field(default_factory=dict)
    _by_agent: dict[tuple[Any, ...], dict[int | None, list[Event]]] = field(default_factory=dict)
    _chosen: dict[tuple[Any, ...], Chosen] = field(default_factory=dict)

    def read(self, wanted: Iterable[Wanted]) -> None:
        """One query for those that may be read together."""
        parts: dict[tuple[Any, ...], list[Wanted]] = defaultdict(list)
        for each in wanted:
            parts[each.together].append(each)
        for key, sharing in parts.items():
            needs = list(dict.fromkeys(need_of(each.definition) for each in sharing))
            since, until = min(each.since for each in sharing), max(each.until for each in sharing)
            self._events[key] = events_of_all(self.workspace, needs, since, until, agents=self._agents(sharing))

    def _agents(self, sharing: Sequence[Wanted]) -> list[int] | None:
        """Those that some rule looks at; None = all."""
        found: set[int] = set()
        for each in sharing:
            ids = self.agents.chosen(each.definition.selection)
            if ids is None:
                return None
            found.update(ids)
        return sorted(found)

    def chosen(self, wanted: Wanted) -> Chosen:
        """Shared by rules that choose and group alike."""
        definition = wanted.definition
        key = (*wanted.together, need_of(definition), definition.selection, definition.group_by)
        if key not in self._chosen:
            self._chosen[key] = Chosen(self._of_agents(wanted), definition, self.agents)
        return self._chosen[key]

    def _of_agents(self, wanted: Wanted) -> Sequence[Event]:
        """Those of one agent are found without a look at all others."""
        need, ids = need_of(wanted.definition), self.agents.chosen(wanted.definition.selection)
        events = self._events[wanted.together][need]
        if ids is None or len(ids) != 1:
            return events
        key = (*wanted.together, need)
        if key not in self._by_agent:
            self._by_agent[key] = _by_agent(events)
        return self._by_agent[key].get(ids[0], [])


def _by_agent(events: Iterable[Event]) -> dict[int | None, list[Event]]:
    found: dict[int | None, list[Event]] = defaultdict(list)
    for event in events:
        found[event.agent].append(event)
    return found
