"""What a member wants by e-mail, chosen at the foot of their notices, and how sending it went."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from conversations.models import MailDigest
from conversations.review.mail_choice import choose, mail_problem
from conversations.vocabulary import MailKind, MailPeriod, MemberRole
from conversations.web.pages import WorkspaceRequest, may, member_required

MOST_FAILING = 50  # of others' digests, for admins
PERIODS = (("", "never"), (MailPeriod.HOURLY.value, "every hour"), (MailPeriod.DAILY.value, "every day at 08:00"))


@dataclass(frozen=True, slots=True)
class MailChoice:
    """The form, and what is to be known of it."""

    period: str
    weekly: bool
    problem: str  # why nothing can be sent at all
    failures: list[MailDigest]  # one's own that could not be sent
    of_others: list[MailDigest]  # for admins
    zone: str

    @property
    def periods(self) -> list[tuple[str, str, bool]]:
        """(value, words, chosen) of each."""
        return [(value, words, value == self.period) for value, words in PERIODS]


def mail_choice_of(request: WorkspaceRequest) -> MailChoice:
    """In one query; in two for admins."""
    rows = MailDigest.objects.filter(workspace=request.workspace).select_related("user")
    own = list(rows.filter(user=request.user))
    sees_all = may(request.membership, MemberRole.ADMIN)
    others = rows.exclude(failure="").exclude(user=request.user).order_by("user__name", "kind")
    kinds = {row.kind: row.period for row in own}
    return MailChoice(
        period=kinds.get(MailKind.NOTICES, ""),
        weekly=MailKind.WEEK in kinds,
        problem=mail_problem(),
        failures=[row for row in own if row.failure],
        of_others=list(others[:MOST_FAILING]) if sees_all else [],
        zone=request.user.time_zone,
    )


@member_required
@require_POST
def choose_mail(request: WorkspaceRequest) -> HttpResponse:
    """`period` hourly, daily or empty; `weekly=1`."""
    given = request.POST.get("period", "")
    if given not in dict(PERIODS):
        messages.error(request, "Notices come by e-mail every hour, every day, or never.")
    else:
        period = MailPeriod(given) if given else None
        weekly = request.POST.get("weekly") == "1"
        choose(request.workspace, request.user, period=period, weekly=weekly, now=timezone.now())
        messages.success(request, "Saved.")
    return redirect("notices", request.workspace.slug)
