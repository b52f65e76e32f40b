"""What a channel is told: one message about one or more incidents, for people and for programs. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conversations.alerts.signals import severity_rank
from conversations.vocabulary import DeliveryKind, IncidentState, Severity

#: What a message of several incidents spells out; the rest is counted. Slack cuts at 4,000 characters.
MOST_SPELT_OUT = 10
_SIGNS = {Severity.INFO: "i", Severity.WARNING: "≈", Severity.CRITICAL: "✕"}


@dataclass(frozen=True, slots=True)
class Told:
    """One incident as it stands now, and what has happened that the channel has not been told yet."""

    id: int
    happened: tuple[str, ...]  # DeliveryKind, oldest first
    title: str  # the rule's or budget's name
    group: str
    state: str
    severity: str
    summary: str
    url: str  # absolute
    path: str  # the same within the site
    since: datetime
    opened_at: datetime
    resolved_at: datetime | None = None
    value: float | None = None
    threshold: float | None = None
    evidence: tuple[dict[str, Any], ...] = ()  # kind, id, label, at, url
    note: str = ""  # what the rule says is to be done about it

    @property
    def name(self) -> str:
        """Rule and group."""
        return f"{self.title}: {self.group}" if self.group else self.title


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out at once, and the key by which a receiver knows a message that comes twice."""

    key: str
    workspace: str  # its slug
    at: datetime
    incidents: tuple[Told, ...] = ()
    is_test: bool = False
    is_again: bool = False  # it may have arrived already: the process that sent it ended before it knew
    url: str = ""  # of the alerts page

    @property
    def title(self) -> str:
        """One line."""
        if self.is_test:
            return "Test from Observatory"
        if len(self.incidents) > 1:
            return f"{len(self.incidents)} incidents"
        return line_of(self.incidents[0])

    @property
    def text(self) -> str:
        """For people, plain, with links."""
        if self.is_test:
            return f"This channel works. Incidents of the workspace {self.workspace} are told here.\n{self.url}"
        again = ["(Sent again: it is not known whether the first time arrived.)"] if self.is_again else []
        return "\n".join([*self._lines(), *again])

    def _lines(self) -> list[str]:
        if len(self.incidents) == 1:
            return _lines(self.incidents[0])
        shown = sorted(self.incidents, key=lambda told: (-severity_rank(told.severity), told.id))
        lines = [f"{line_of(told)}\n{told.url}" for told in shown[:MOST_SPELT_OUT]]
        rest = len(shown) - MOST_SPELT_OUT
        return [*lines, f"and {rest} more: {self.url}"] if rest > 0 else lines

    @property
    def severity(self) -> Severity:
        """The worst of those that are not resolved; `info` when all are."""
        unresolved = [Severity(each.severity) for each in self.incidents if each.state != IncidentState.RESOLVED]
        return max(unresolved, key=severity_rank, default=Severity.INFO)

    def body(self) -> dict[str, Any]:
        """For programs, see docs/alerts.md."""
        kind = "test" if self.is_test else "incidents"
        return {
            "id": self.key,
            "type": kind,
            "workspace": self.workspace,
            "sent_at": self.at.isoformat(),
            "title": self.title,
            "text": self.text,
            "incidents": [_body(told) for told in self.incidents],
        }


def line_of(told: Told) -> str:
    """What it is and how it stands, in one line."""
    if told.state == IncidentState.RESOLVED:
        return f"✓ Resolved: {told.name}"
    word = {DeliveryKind.REMINDED: "Still open: ", DeliveryKind.ESCALATED: "Nobody has acknowledged: "}
    return f"{_SIGNS[Severity(told.severity)]} {word.get(DeliveryKind(told.happened[-1]), '')}{told.name}"


def _lines(told: Told) -> list[str]:
    evidence = [f"· {each['label']} {each['url']}" for each in told.evidence[:3] if each["url"]]
    note = [told.note] if told.note and told.state != IncidentState.RESOLVED else []
    return [told.summary, *note, *evidence, told.url]


def _body(told: Told) -> dict[str, Any]:
    return {
        "id": told.id,
        "happened": list(told.happened),
        "title": told.title,
        "group": told.group,
        "state": told.state,
        "severity": told.severity,
        "summary": told.summary,
        "note": told.note,
        "value": told.value,
        "threshold": told.threshold,
        "since": told.since.isoformat(),
        "opened_at": told.opened_at.isoformat(),
        "resolved_at": told.resolved_at.isoformat() if told.resolved_at else None,
        "url": told.url,
        "evidence": list(told.evidence),
    }
