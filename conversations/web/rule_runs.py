"""What the evaluations of a rule came to, also those at which nothing fired, with the events they looked at."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from conversations.alerts.history import KEPT, runs_of
from conversations.alerts.metrics import EVIDENCE, METRICS, unit_of
from conversations.alerts.queries import labels_of
from conversations.alerts.sentences import amount
from conversations.models import Rule, RuleRun
from conversations.vocabulary import Aggregation, Direction
from conversations.web.pages import WorkspaceRequest, member_required, render_page
from conversations.web.paging import Order, page_of

_ORDER = Order("since", descending=True)


@dataclass(frozen=True, slots=True)
class RunRow:
    """One line: a stretch of evaluations, its figure in words, and links into the data."""

    run: RuleRun
    figure: str  # empty = nothing new was looked at
    links: list[tuple[str, int, str]]  # kind, id, label


@member_required
@require_GET
def runs(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The newest first."""
    rule = get_object_or_404(Rule, workspace=request.workspace, pk=pk)
    page = page_of(runs_of(rule), _ORDER, request.GET)
    context = {"rule": rule, "page": page, "rows": run_rows(rule, page.rows), "kept": KEPT.days}
    return render_page(request, "rules/runs.html", context)


def run_rows(rule: Rule, runs: Iterable[RuleRun]) -> list[RunRow]:
    """One query, for what the events are called."""
    found, metric = list(runs), METRICS.get(rule.metric)
    kind = EVIDENCE.get(metric.source, "") if metric else ""
    labels = labels_of(rule.workspace, kind, {pk for run in found for pk, _ in run.places}) if kind else {}
    unit = unit_of(metric, Aggregation(rule.aggregation), Direction(rule.direction)) if metric else ""
    return [
        RunRow(
            run,
            amount(run.value, unit) if run.value is not None else "",
            [(kind, pk, labels[pk]) for pk, _ in run.places if pk in labels],
        )
        for run in found
    ]
