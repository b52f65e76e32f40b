"""Budgets: the team's, asked from the server, and one of the run's own. States get worse: ok, warn, wrap_up, block."""

import json
import logging
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from .post import Server, Verdict

log = logging.getLogger("observatory_recorder")

STATES = ("ok", "warn", "wrap_up", "block")
WRAP_UP = "Please wrap up your current work and summarize the final state."

_PATH = "/api/v1/budgets/status"
_EVENTS = "/api/v1/events"
_MOST_REPORTS = 100  # that wait for a server that is away
_FRESH = 2.0  # seconds for which an answer is good
_PATIENCE = 1.0  # seconds that a run waits for an answer
_AWAY = 30.0  # seconds without asking after a failure; the last known state counts


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """`message` is what the team wants the model to be told; `budgets` as the server shows them; `reason` says which of
    them decides, and why."""

    state: str = "ok"
    message: str = ""
    budgets: list[dict[str, Any]] = field(default_factory=list)
    reason: str = ""

    def deciding(self) -> dict[str, Any]:
        """The budget that is followed: of those in this state the fullest. Empty: there is none."""
        alike = [budget for budget in self.budgets if budget.get("state") == self.state]
        return max(alike, key=_share, default={})

    def __str__(self) -> str:
        over = [budget for budget in self.budgets if budget.get("state", "ok") != "ok"]
        return f"{self.state} ({'; '.join(map(_told, over))})" if over else self.state


def _share(budget: dict[str, Any]) -> float:
    return float(budget.get("used") or 0) / float(budget.get("limit") or 1)


def _told(budget: dict[str, Any]) -> str:
    used, limit = (budget.get(name) for name in ("used", "limit"))
    figures = [f"{figure:,}" if isinstance(figure, int | float) else "?" for figure in (used, limit)]
    return f"{budget.get('name') or budget.get('metric')}: {' of '.join(figures)}"


class BudgetExceeded(Exception):
    """Raised before a call that a budget forbids. `run` is what was done until then, and can be gone on with."""

    def __init__(self, status: BudgetStatus, run: Any = None) -> None:
        super().__init__(f"A budget does not allow another call: {status}")
        self.status, self.run = status, run


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget of one run, without a server. At `total_tokens` the model is told `message` and the run ends after its
    answer; with `block` the next call raises BudgetExceeded instead. From `warn_at`, a share, on you are warned."""

    total_tokens: int = 3_000_000  # input, output and summaries
    warn_at: float = 0.8
    message: str = WRAP_UP
    block: bool = False

    def status(self, used: int) -> BudgetStatus:
        """Where the run stands after `used` tokens."""
        state = "ok" if used < self.total_tokens * self.warn_at else "warn"
        if used >= self.total_tokens:
            state = "block" if self.block else "wrap_up"
        told = {
            "id": "run",
            "name": "this run",
            "metric": "total_tokens",
            "limit": self.total_tokens,
            "used": used,
            "warn_at": int(self.total_tokens * self.warn_at),
            "state": state,
            "message": self.message,
        }
        return BudgetStatus(state, self.message if state == "wrap_up" else "", [told])


def worst(*statuses: BudgetStatus) -> BudgetStatus:
    """The strictest state and its message, over all budgets."""
    chosen = max(statuses, key=lambda status: _rank(status.state), default=BudgetStatus())
    budgets = [budget for status in statuses for budget in status.budgets]
    return BudgetStatus(chosen.state, chosen.message, budgets, chosen.reason)


def _rank(state: str) -> int:
    return STATES.index(state) if state in STATES else 0


class BudgetWatch:
    """The team's budgets for one agent and conversation. Never raises; waits a second at most for an answer."""

    def __init__(
        self,
        server: Server,
        agent: str,
        conversation: str,
        agent_version: str = "",
        fresh: float = _FRESH,
        tags: str = "",
    ) -> None:
        self._server, self._fresh = server, fresh
        wanted = {"agent": agent, "conversation": conversation, "agent_version": agent_version}
        self._labels = {name: str(value) for name, value in wanted.items() if value}
        self._reports: list[dict[str, Any]] = []
        asked = {**wanted, "tags": tags}
        self._path = f"{_PATH}?{urlencode({name: value for name, value in asked.items() if value})}"
        self._known = BudgetStatus()
        self._etag = ""
        self._due = 0.0  # monotonic
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None

    def status(self) -> BudgetStatus:
        """As the server says, or last said."""
        with self._lock:
            if self._asking is None and time.monotonic() >= self._due:
                self._asking = threading.Thread(target=self._ask, name="observatory-budgets", daemon=True)
                self._asking.start()
            asking = self._asking
        if asking is not None:
            asking.join(_PATIENCE)
            if asking.is_alive():
                self._due = time.monotonic() + _AWAY
        return self._known

    def report(self, happened: str, status: BudgetStatus) -> None:
        """Tell the server that the model was given the message ("wrap_up_injected"), or that nothing more is sent
        ("blocked"). Waits a second at most; what could not be delivered goes along with the next question. Nothing is
        told of a conversation without an id: nobody would find it there."""
        if "conversation" in self._labels:
            with self._lock:
                self._reports = [*self._reports, self._report(happened, status)][-_MOST_REPORTS:]
                self._due = 0.0
            self.status()

    def _report(self, happened: str, status: BudgetStatus) -> dict[str, Any]:
        budget = status.deciding()
        number = budget.get("id")
        told = {
            "type": "budget",
            "id": uuid.uuid4().hex,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "happened": happened,
            "budget": number if isinstance(number, int) else None,
            "name": str(budget.get("name") or "")[:120],
            "used": budget.get("used"),
            "limit": budget.get("limit"),
            "message": status.message,
        }
        return {**told, **self._labels}

    def _deliver(self) -> None:
        """What waits to be told; again as a whole while it is not taken, which changes nothing twice."""
        waiting = list(self._reports)
        if waiting:
            body = json.dumps({"events": waiting}).encode()
            answer = self._server.post(_EVENTS, body, Content_Type="application/json")
            if answer.verdict in (Verdict.TAKEN, Verdict.REFUSED):
                with self._lock:
                    self._reports = [report for report in self._reports if report not in waiting]

    def _ask(self) -> None:
        try:
            self._deliver()
            self._due = time.monotonic() + (self._fresh if self._refresh() else _AWAY)
        finally:
            with self._lock:
                self._asking = None

    def _refresh(self) -> bool:
        headers = {"If_None_Match": self._etag} if self._etag else {}
        answer = self._server.get(self._path, **headers)
        if answer.verdict is not Verdict.TAKEN:
            log.info("Budgets are not known anew: %s", answer.told)
            return False
        if answer.body:  # empty: as before
            self._known = status_of(answer.body)
            self._etag = answer.etag
        return True


def status_of(body: dict[str, Any]) -> BudgetStatus:
    """The server's answer. A state that is not known here counts as ok: a newer server must not stop an older agent."""
    budgets = [one for one in body.get("budgets") or [] if isinstance(one, dict)]
    state = body.get("state")
    known = state if state in STATES else "ok"
    return BudgetStatus(known, str(body.get("message") or ""), budgets, str(body.get("reason") or ""))
