"""Who else is looking at a compaction: its page asks every few seconds, and says thereby that somebody is here."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from conversations.models import Compaction
from conversations.review.looking import look, others_looking
from conversations.web.pages import WorkspaceRequest, member_required, render_page

UNCHANGED = 204


@member_required
@require_POST
def looking(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The others' names, in five queries; nothing where they are those that the page has `seen`: what is shown again
    would be read aloud again."""
    compaction = get_object_or_404(Compaction.objects.filter(workspace=request.workspace).only("pk"), pk=pk)
    now = timezone.now()
    look(request.workspace, request.user, compaction.pk, now)
    others = others_looking(request.workspace, compaction.pk, request.user, now)
    seen = "-".join(str(each.pk) for each in others)
    if request.GET.get("seen") == seen:
        return HttpResponse(status=UNCHANGED)
    context = {"compaction": compaction, "others": others, "seen": seen}
    return render_page(request, "compactions/looking_now.html", context)
