"""The status object of budgets as JSON, kept by each process for as long as it is right."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec
from django.utils import timezone

from conversations.models import isolation
from conversations.spending.budget_queries import Status, budget_status
from conversations.spending.budget_settings import Version, version_of
from conversations.spending.budgets import NOBODY, Asker, Override, Standing
from conversations.vocabulary import BudgetState

_MOST_KEPT = 2000  # answers a process; 1 to 2 kB each
#: Conversations of a batch that are looked at: a program that sends for hundreds at once runs none of them.
MOST_ASKED = 10


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as it is sent, and as long as its version stands it is right from `at` until before `until`."""

    body: bytes
    etag: str
    rank: int  # of its state: the higher, the worse
    version: Version
    at: datetime
    until: datetime | None

    def is_right(self, version: Version, now: datetime) -> bool:
        """Whether it may be sent again. A clock that was set back makes it anew."""
        return self.version == version and self.at <= now and (self.until is None or now < self.until)


_lock = threading.Lock()
_kept: OrderedDict[tuple[int, Asker], Told] = OrderedDict()


def told(workspace_id: int, asker: Asker, version: Version | None = None) -> Told:
    """How the budgets stand for whoever asks. One query where nothing has changed since it was last asked; none where
    the `version` is known."""
    version = version or version_of(workspace_id)
    now = timezone.now()
    with _lock:
        known = _kept.get((workspace_id, asker))
    if known is None or not known.is_right(version, now):
        known = _work_out(workspace_id, asker, version, now)
    with _lock:
        _kept[workspace_id, asker] = known
        _kept.move_to_end((workspace_id, asker))
        if len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return known


def _work_out(workspace_id: int, asker: Asker, version: Version, now: datetime) -> Told:
    with isolation.within(workspace_id):
        status = budget_status(workspace_id, asker, version, now)
    body = msgspec.json.encode(as_dict(status))
    etag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    return Told(body, etag, list(BudgetState).index(status.state), version, now, status.until)


def told_of(workspace_id: int, conversations: Sequence[str]) -> Told:
    """For whoever sent a batch: of its conversation; of several, that of the first MOST_ASKED which stands worst."""
    version = version_of(workspace_id)
    askers = [Asker(conversation=name) for name in conversations[:MOST_ASKED]] or [NOBODY]
    return max((told(workspace_id, asker, version) for asker in askers), key=lambda each: each.rank)


def forget() -> None:
    """Start anew; for tests."""
    with _lock:
        _kept.clear()


# --- its shape --------------------------------------------------------------------------------------------------------


def as_dict(status: Status) -> dict[str, Any]:
    """As the API answers."""
    return {
        "state": status.state,
        "message": status.message,
        "decided_by": status.followed.rule.id if status.followed else None,
        "reason": status.reason,
        "budgets": [_standing(each) for each in status.standings],
    }


def _standing(each: Standing) -> dict[str, Any]:
    rule = each.rule
    return {
        "id": rule.id,
        "name": rule.name,
        "scope": rule.scope,
        "metric": rule.metric,
        "period": rule.every.period,
        "limit": _plain(each.limit),
        "used": _plain(each.used),
        "warn_at": _plain(each.warn_at),
        "warn_levels": [_plain(level) for level in each.warn_levels],
        "state": each.state,
        "message": each.message,
        "window_start": _time(each.window.start),
        "resets_at": _time(each.window.end) if rule.every.is_calendar else None,
        "override": _override(each.override),
    }


def _override(override: Override | None) -> dict[str, Any] | None:
    if override is None:
        return None
    return {"limit": _plain(override.limit), "expires_at": _time(override.expires_at), "reason": override.reason}


def _plain(value: float | None) -> float | int | None:
    """Whole numbers as such."""
    return int(value) if value is not None and float(value).is_integer() else value


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
