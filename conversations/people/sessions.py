"""Where a person is signed in, and how to end it there."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.utils import timezone

from conversations.models import Session, User
from conversations.people.browsers import browser_of

_MOST = 100


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One browser. `ref` names it in forms: the session's own key would open it."""

    ref: str
    browser: str
    address: str | None
    way: str
    signed_in_at: datetime | None
    seen_at: datetime | None
    is_this: bool


def sessions_of(user: User, this: str | None) -> list[SignedIn]:
    """Those that have not run out, the last seen first; `this` is the key of the one that asks."""
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-seen_at", "session_key")
    return [
        SignedIn(
            ref=_ref(row.session_key),
            browser=browser_of(row.browser),
            address=row.address,
            way=row.way,
            signed_in_at=row.signed_in_at,
            seen_at=row.seen_at,
            is_this=row.session_key == this,
        )
        for row in rows.defer("session_data")[:_MOST]
    ]


def end_session(user: User, ref: str) -> bool:
    """Sign out there. Whether there was such a session of theirs."""
    keys = Session.objects.filter(user=user).values_list("session_key", flat=True)
    found = next((key for key in keys if _ref(key) == ref), None)
    return found is not None and Session.objects.filter(session_key=found).delete()[0] > 0


def end_sessions(user: User, *, but: str | None = None) -> int:
    """Sign out everywhere, or everywhere else. How many ended."""
    ended, _ = Session.objects.filter(user=user).exclude(session_key=but or "").delete()
    return ended


def _ref(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:20]
