"""Sessions in our own table, whose columns say whose each is: so that people can see where they are signed in, and end
it there. `SESSION_ENGINE` names this module."""

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.utils import timezone

from conversations.models import Session
from conversations.models.prepared import Prepared

#: What a session holds besides Django's own; times are seconds since 1970.
WAY, SIGNED_IN, SEEN, ADDRESS, BROWSER = "way", "signed_in", "seen", "address", "browser"
_LONGEST_BROWSER = 300


class SessionStore(DatabaseStore):
    """As Django's, with the columns filled from what the session holds."""

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """Our table."""
        return Session

    def _get_session_from_db(self) -> Session | None:
        """As Django's, by a statement that is made once: every page asks."""
        row = next(iter(_live(key=self.session_key, at=timezone.now())), None) if self.session_key else None
        if row is None:
            self._session_key = None
        return row

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to be written."""
        row: Session = super().create_model_instance(data)  # type: ignore[assignment] # of the class named above
        row.user_id = data.get(SESSION_KEY)
        row.way = data.get(WAY, "")
        row.signed_in_at = _moment(data.get(SIGNED_IN))
        row.seen_at = _moment(data.get(SEEN))
        row.address = data.get(ADDRESS)
        row.browser = data.get(BROWSER, "")[:_LONGEST_BROWSER]
        return row


@Prepared
def _live(key: str, at: datetime) -> "QuerySet[Session]":
    return Session.objects.filter(session_key=key, expire_date__gt=at)


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
