"""Facts followed through all compactions of a conversation: a table of signs, and how long facts last."""

from collections.abc import Mapping, Sequence

from django.db.models import Case, F, FloatField, Q, QuerySet, Value, When
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from conversations.audit.lifelines import Return
from conversations.audit.model import FactKind
from conversations.models import LifeLine, Workspace
from conversations.review.veiling import has_veiled
from conversations.web import findings
from conversations.web.addresses import Addresses
from conversations.web.conversations import one_of
from conversations.web.highlight import Html
from conversations.web.line_html import line_html
from conversations.web.pages import WorkspaceRequest, member_required, render_page
from conversations.web.paging import Order, counted, page_of
from conversations.web.survival import survival, survival_svg, survival_words

#: Importance lies between 0 and 1: so what was lost for good stands before what lives.
DEAD_FIRST = 1.0
WORST = Order("weight", descending=True)
LINES_SHOWN = 50
COLUMNS_SHOWN = 30
#: Life-lines that the share still kept is taken from, the most important first.
MOST_COUNTED = 5_000
CAME_BACK = Q(*(Q(stages__contains=[{"came_back": way.value}]) for way in Return), _connector=Q.OR)
FATES = {"died": "lost for good", "alive": "still known", "back": "came back"}


@member_required
@require_GET
def life_lines_page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What mattered and died first; `?fate=` and `?kind=` filter."""
    conversation = one_of(request, pk)
    if has_veiled(conversation.pk, request.veil):
        return render_page(request, "life_lines/veiled.html", {"conversation": conversation})
    every = LifeLine.objects.filter(workspace=request.workspace, conversation=conversation)
    rows = filtered(every, request.GET)
    page = page_of(_weighed(rows), WORST, request.GET, size=LINES_SHOWN)
    numbers = list(range(1, conversation.compaction_count + 1))
    shares = survival(every.order_by("-importance").values_list("stages", flat=True)[:MOST_COUNTED])
    context = {
        "conversation": conversation,
        "numbers": numbers[-COLUMNS_SHOWN:],
        "numbers_left_out": max(len(numbers) - COLUMNS_SHOWN, 0),
        "page": page,
        "lines": lines_of(page.rows, numbers[-COLUMNS_SHOWN:], request.workspace),
        "count": counted(rows, page),
        "kinds": sorted(every.order_by().values_list("kind", flat=True).distinct()),
        "fates": FATES,
        "fate": request.GET.get("fate", ""),
        "kind": request.GET.get("kind", ""),
        "filtered": bool(request.GET.get("fate") or request.GET.get("kind")),
        "survival": survival_words(shares),
        "survival_svg": survival_svg(shares),
    }
    return render_page(request, "life_lines/page.html", context, partial="life_lines/results.html")


def filtered(rows: "QuerySet[LifeLine]", params: Mapping[str, str]) -> "QuerySet[LifeLine]":
    """Of one kind, of one fate; unknown values are ignored."""
    fates = {
        "died": Q(died_at__isnull=False),
        "alive": Q(died_at__isnull=True),
        "back": CAME_BACK,
    }
    kind = params.get("kind", "")
    known = rows.filter(kind=kind) if kind in set(FactKind) else rows
    return known.filter(fates.get(params.get("fate", ""), Q()))


def _weighed(rows: "QuerySet[LifeLine]") -> "QuerySet[LifeLine]":
    dead = Case(When(died_at__isnull=False, then=Value(DEAD_FIRST)), default=Value(0.0), output_field=FloatField())
    return rows.annotate(weight=F("importance") + dead)


def lines_of(rows: Sequence[LifeLine], numbers: Sequence[int], workspace: Workspace) -> list[Html]:
    """The rows of the table, with a cell for each compaction. One query."""
    found, addresses = findings.numbers_of(rows), Addresses.of(workspace)
    return [line_html(row, numbers, found, addresses) for row in rows]
