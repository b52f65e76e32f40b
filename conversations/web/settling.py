"""The second look: what reviewers of one item said side by side, and the record that is to stand."""

from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from conversations.errors import BadInput, Conflict
from conversations.models import QueueItem, Review, Verdict
from conversations.review.opinions import Difference, differences
from conversations.review.queries import opinion_of, reviews_of
from conversations.review.settling import may_settle, settle
from conversations.review.snapshots import ADDED
from conversations.vocabulary import Answer, ItemState, MemberRole, Overall
from conversations.web import bar
from conversations.web.markdown import render_markdown
from conversations.web.pages import WorkspaceRequest, member_required, render_page, role_required
from conversations.web.paging import is_key

OVERALL = {overall.value: overall.value.replace("_", " ") for overall in Overall}
ANSWERS = {answer.value: answer.value.replace("_", " ") for answer in Answer}
ADDED_ANSWERS = {answer.value: words for answer, words in bar.ADDED_ANSWERS}


@dataclass(frozen=True, slots=True)
class Line:
    """One question, with what each reviewer answered and what the record is to say."""

    name: str  # of its field
    label: str
    help: str
    answers: list[tuple[str, str]]  # (who, what they said); empty = nothing
    options: list[tuple[str, str]]  # (value, label)
    chosen: str
    differs: bool


@member_required
@role_required(MemberRole.REVIEWER)
@require_http_methods(["GET", "POST"])
def settle_page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Both verdicts side by side, differences first; what is saved is the record."""
    rows = QueueItem.objects.filter(workspace=request.workspace)
    joined = rows.select_related("queue", "workspace", "compaction__conversation").defer(
        "compaction__conversation__search"
    )
    item = get_object_or_404(joined, pk=pk)
    reviews = reviews_of(item)
    if not may_settle(request.membership.role, request.user, reviews):
        raise PermissionDenied("You reviewed this item: somebody else is to settle it.")
    if request.method == "GET":
        return _show(request, item, reviews)
    try:
        settle(item, request.user, seen=_seen(request), **_said(request))
    except (BadInput, Conflict) as wrong:
        return _show(request, item, reviews_of(item), error=wrong.message)
    messages.success(request, "Settled: this is the record now.")
    return redirect("queue", request.workspace.slug, item.queue_id)


def _seen(request: WorkspaceRequest) -> int | None:
    text = request.POST.get("seen", "")
    return int(text) if is_key(text) else None


def _said(request: WorkspaceRequest) -> dict[str, Any]:
    def parts(prefix: str) -> dict[str, str]:
        return {
            name.removeprefix(prefix): str(value)
            for name, value in request.POST.items()
            if name.startswith(prefix) and value
        }

    criteria = {key: int(value) if is_key(value) else value for key, value in parts("criterion.").items()}
    said = {name: request.POST.get(name, "") for name in ("overall", "comment")}
    return {**said, "criteria": criteria, "answers": parts("answer.")}


def _show(request: WorkspaceRequest, item: QueueItem, reviews: list[Review], *, error: str = "") -> HttpResponse:
    judged = [each for each in reviews if not each.settles]
    record = next((each for each in reviews if each.settles), None)
    context = {
        "item": item, "queue": item.queue, "compaction": item.compaction, "reviews": judged, "record": record,
        "comments": _by(judged, [render_markdown(each.comment) for each in judged]),
        "lines": _lines(request, item, judged, record),
        "comment": request.POST.get("comment", record.comment if record else ""),
        "is_open": item.state in {ItemState.DISAGREED, ItemState.SETTLED},
        "error": error,
    }  # fmt: skip
    return render_page(request, "review/settle.html", context, status=422 if error else 200)


def _lines(request: WorkspaceRequest, item: QueueItem, judged: list[Review], record: Review | None) -> list[Line]:
    """The overall verdict, the criteria, then findings: those on which people differ first, in order of their rank."""
    found = {(each.about, each.key): each for each in differences([opinion_of(each) for each in judged])}
    lines = [_overall(judged, record, found), *_criteria(item, judged, record, found)]
    findings = _findings(judged, record, found)
    return [_typed(request, line) for line in [*lines, *sorted(findings, key=lambda line: not line.differs)]]


Found = dict[tuple[Any, str], Difference]


def _overall(judged: list[Review], record: Review | None, found: Found) -> Line:
    given = [each.overall for each in judged]
    return Line(
        "overall", "Overall", "", _by(judged, [OVERALL.get(each, "") for each in given]), list(OVERALL.items()),
        record.overall if record else _same(given), ("overall", "") in found,
    )  # fmt: skip


def _criteria(item: QueueItem, judged: list[Review], record: Review | None, found: Found) -> list[Line]:
    lines = []
    for each in item.queue.rubric:
        options = [(str(step["value"]), f"{step['value']} {step['label']}") for step in each["scale"]]
        labels = dict(options)
        given = [str(review.criteria.get(each["key"], "")) for review in judged]
        chosen = str(record.criteria.get(each["key"], "")) if record else _same(given)
        answers = _by(judged, [labels.get(value, value) for value in given])
        differs = ("criterion", each["key"]) in found
        lines.append(Line(f"criterion.{each['key']}", each["name"], each["help"], answers, options, chosen, differs))
    return lines


def _findings(judged: list[Review], record: Review | None, found: Found) -> list[Line]:
    by_person = [{verdict.fact_id: verdict for verdict in each.verdicts.all()} for each in judged]
    settled = {verdict.fact_id: verdict.answer for verdict in record.verdicts.all()} if record else None
    facts = {fact_id: verdict for said in by_person for fact_id, verdict in said.items()}
    lines = []
    for fact_id, fact in sorted(facts.items(), key=lambda each: each[1].number):
        given = [said[fact_id].answer if fact_id in said else "" for said in by_person]
        chosen = _same([each for each in given if each]) if settled is None else settled.get(fact_id, "")
        answers = _by(judged, [_answer(said.get(fact_id)) for said in by_person])
        about = f"{fact.outcome} · {fact.kind}"
        lines.append(
            Line(
                f"answer.{fact_id}",
                fact.text,
                about,
                answers,
                list(_words(fact).items()),
                chosen,
                ("finding", fact_id) in found,
            )
        )
    return lines


def _words(verdict: Verdict) -> dict[str, str]:
    """Answers on what the verdict is about, in words."""
    return ADDED_ANSWERS if verdict.outcome == ADDED else ANSWERS


def _answer(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    label = _words(verdict).get(verdict.answer, ANSWERS[verdict.answer])
    return f"{label}: {verdict.reworded}" if verdict.reworded else label


def _by(judged: list[Review], said: list[Any]) -> list[tuple[str, Any]]:
    """Each with the name of who said it."""
    return [(str(each.reviewer or "somebody deleted"), words) for each, words in zip(judged, said, strict=True)]


def _same(given: list[str]) -> str:
    """What all of them said; empty where they differ."""
    return given[0] if len(set(given)) == 1 else ""


def _typed(request: WorkspaceRequest, line: Line) -> Line:
    """With what was chosen on the page, where that could not be saved."""
    if request.method == "GET":
        return line
    return replace(line, chosen=request.POST.get(line.name, ""))
