"""An owner sees what placeholders stand for: for a quarter of an hour, after saying so, and it is written down.

Every page is made with placeholders. Only of what is ready to be sent to this owner some are replaced, so that a page
that knows nothing of this shows none; and what is read by a program (the API, exports) never passes here.
"""

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse

from conversations.models import Membership, Workspace
from conversations.people.activity import record_activity
from conversations.redaction.hidden import secrets_of
from conversations.redaction.redactor import LEADS_BACK, KeepingRedactor
from conversations.redaction.settings import redactor_of
from conversations.vocabulary import MemberRole, Redaction

if TYPE_CHECKING:
    from conversations.web.pages import WorkspaceRequest

REVEALED_FOR = timedelta(minutes=15)
#: Tags, and what is inside of those that take text only; form fields would send the secret back to be stored.
_MARKUP = re.compile(r"<(script|style|title|textarea|select|svg)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)


def may_reveal(request: HttpRequest) -> bool:
    """Whether this is an owner of a workspace that hides something."""
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None or membership.workspace.redaction != Redaction.DISPLAY:
        return False
    return membership.role == MemberRole.OWNER


def set_revealed(request: "WorkspaceRequest", *, reveals: bool) -> None:
    """From now on, in this browser; writes it down."""
    workspace, key, detail = request.workspace, _key(request.workspace), {}
    if reveals:
        request.session[key] = int(time.time() + REVEALED_FOR.total_seconds())
        detail = {"minutes": REVEALED_FOR // timedelta(minutes=1)}
    else:
        request.session.pop(key, None)
    action = "redaction.revealed" if reveals else "redaction.hidden_again"
    record_activity(workspace=workspace, actor=request.user, action=action, target=workspace, detail=detail)


def revealed_until(request: HttpRequest) -> datetime | None:
    """Until when this browser shows its owner what is hidden; None where it does not."""
    if not may_reveal(request):
        return None
    until = request.session.get(_key(request.workspace), 0)  # type: ignore[attr-defined] # there is a membership
    return datetime.fromtimestamp(until, UTC) if until > time.time() else None


def reveal_in(request: HttpRequest, response: HttpResponse) -> None:
    """Put into a page what its placeholders stand for, where its reader is to see that."""
    if revealed_until(request) is None:
        return
    html = response.content.decode()
    known = secrets_of(request.workspace, LEADS_BACK.findall(html))  # type: ignore[attr-defined] # as above
    response.content = revealed(html, known).encode()
    response["Cache-Control"] = "no-store"


def revealed(html: str, secrets: Mapping[str, str]) -> str:
    """The page with these secrets, by placeholder, in its text: never in attributes, scripts and form fields."""
    parts, end = [], 0
    for markup in _MARKUP.finditer(html):
        parts += [_shown(html[end : markup.start()], secrets), markup[0]]
        end = markup.end()
    return "".join((*parts, _shown(html[end:], secrets)))


def _shown(text: str, secrets: Mapping[str, str]) -> str:
    return LEADS_BACK.sub(lambda each: _span(each[0], secrets.get(each[0])), text)


def _span(placeholder: str, secret: str | None) -> str:
    if secret is None:
        return placeholder
    return f'<span class="revealed" title="{placeholder}">{escape(secret)}</span>'


def as_stored(request: "WorkspaceRequest", words: str) -> str:
    """Words that were selected on a page, as they are stored: with what was revealed hidden again."""
    if revealed_until(request) is None:
        return words
    return KeepingRedactor(redactor_of(request.workspace)).text(words)


def _key(workspace: Workspace) -> str:
    return f"revealed_{workspace.pk}"
