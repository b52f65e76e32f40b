"""One fact at one compaction on its own page: said where, in the summary how, harm after, and its life-line."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET

from conversations.audit.queries import summary_of
from conversations.models import Compaction, Finding, LifeLine
from conversations.review.desk import Desk
from conversations.review.veiling import has_veiled
from conversations.web import findings
from conversations.web.addresses import Addresses
from conversations.web.bar import compaction_of
from conversations.web.facts import Links, near_words
from conversations.web.highlight import Html, Mark, highlight
from conversations.web.life_lines import lines_of
from conversations.web.pages import WorkspaceRequest, member_required, render_page

AROUND = 300  # characters of the summary on both sides of the nearest words


@member_required
@require_GET
def finding_page(request: WorkspaceRequest, pk: int, number: int) -> HttpResponse:
    """The page; to htmx the part below its head."""
    compaction = compaction_of(request, pk)
    if Desk.of(compaction, request.user).is_blind or compaction.copy_of_id in request.veil:
        return redirect(compaction.get_absolute_url())
    row = get_object_or_404(findings.findings_of(compaction), number=number)
    known = findings.messages_by_id(compaction.conversation, findings.pointed_at([row]))
    life = [] if has_veiled(compaction.conversation_id, request.veil) else _life_line(compaction, row)
    context = {
        "compaction": compaction,
        "conversation": compaction.conversation,
        "audit": findings.audit_of(compaction),
        "row": row,
        "numbers": range(1, compaction.conversation.compaction_count + 1),
        "item": Links(compaction, Addresses.of(request.workspace), known).item(row, chosen=True),
        "near": near_words(compaction, row),
        "passage": passage(compaction, row),
        "lines": lines_of(life, range(1, compaction.conversation.compaction_count + 1), request.workspace),
    }
    return render_page(request, "compactions/finding.html", context, partial="compactions/finding_part.html")


def passage(compaction: Compaction, row: Finding) -> Html | None:
    """The nearest words of the summary with what stands around them; None where nothing is near."""
    if row.summary_start is None or row.summary_end is None:
        return None
    text = summary_of(compaction)
    start, end = max(row.summary_start - AROUND, 0), min(row.summary_end + AROUND, len(text))
    css, word = ("near", "nearest words") if row.outcome == "forgotten" else (row.outcome, row.outcome)
    return highlight(text, [Mark(row.summary_start, row.summary_end, css=css, word=word)], start=start, end=end)


def _life_line(compaction: Compaction, row: Finding) -> list[LifeLine]:
    """The one it stands in, or none."""
    stage = [{"number": compaction.number, "fact": row.fact_id}]
    lines = LifeLine.objects.filter(workspace=compaction.workspace_id, conversation=compaction.conversation_id)
    return list(lines.filter(stages__contains=stage).order_by("id")[:1])
