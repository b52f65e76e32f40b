"""The facts column of somebody who judges blindly: facts in the order they were said, without what became of them.

A fact's outcome, evidence and reason are told once the person has judged it, its rank not before the review is handed
in. What is hidden here is not sent: neither its words nor its numbers are on the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import Q

from conversations.models import Compaction, Finding, Workspace
from conversations.review.desk import JudgedFact
from conversations.vocabulary import Outcome
from conversations.web import findings
from conversations.web.addresses import Addresses
from conversations.web.bar import Bar
from conversations.web.facts import FACTS_SHOWN, Column, Item, Link, Links, near_words, reviewing
from conversations.web.findings import FactFilter
from conversations.web.marks import AddedPlace, FactPlaces
from conversations.web.pages import WorkspaceRequest, wants_partial
from conversations.web.paging import Page, is_key

#: Facts of one message stand in an order that says nothing.
_AS_SAID = ("first", "fact_id")


@dataclass(frozen=True, slots=True)
class VeiledFact:
    """One fact: what was said and where; `told` is the finding, once it was judged."""

    number: int  # in the order of what was said
    fact_id: str
    text: str
    kind: str
    quote: str
    links: Sequence[Link]
    chosen: bool
    told: Item | None
    near: str  # the words of the summary that come nearest, of what is told


@dataclass(frozen=True, slots=True)
class VeiledColumn(Column):
    """In place of the column with the findings."""

    facts: Sequence[VeiledFact] = ()
    total: int = 0
    number: int | None = None  # of the chosen fact

    @property
    def template(self) -> str:
        """Of the column."""
        return "review/bar_veiled.html"

    @property
    def chosen_number(self) -> int | None:
        """As the page counts."""
        return self.number

    @property
    def added_places(self) -> list[AddedPlace]:
        """None: that a statement was never said is for the person to find."""
        return []

    @property
    def first(self) -> int | None:
        """The number of the first fact before this part of the list, for a link to it."""
        return self.facts[0].number - 1 if self.facts and self.facts[0].number > 1 else None

    @property
    def last(self) -> int | None:
        """The number of the first fact after this part of the list."""
        return self.facts[-1].number + 1 if self.facts and self.facts[-1].number < self.total else None


def veiled_column(
    compaction: Compaction, workspace: Workspace, params: Mapping[str, str], verdicts: Mapping[str, JudgedFact]
) -> VeiledColumn:
    """The facts that `?fact=` stands among; as many queries as the column with the findings, or fewer."""
    audit = findings.audit_of(compaction)
    order = _order(compaction) if audit else []
    number = _number(params, len(order))
    start = ((number or 1) - 1) // FACTS_SHOWN * FACTS_SHOWN
    shown = dict(enumerate(order[start : start + FACTS_SHOWN], start + 1))
    rows = _rows(compaction, shown)
    known = findings.messages_by_id(compaction.conversation, findings.pointed_at(rows))
    linked = Links(compaction, Addresses.of(workspace), known, reviewing(params))
    items = [linked.item(row, chosen=row.number == number) for row in rows]
    chosen = next((item for item in items if item.chosen), None)
    return VeiledColumn(
        audit=audit, filter=FactFilter(), query=_query(params), page=Page([]), items=(), added=(),
        places=_places(order, verdicts, number), chosen=chosen,
        previous=number - 1 if number and number > 1 else None,
        next=_following(number, len(order)), near="",
        facts=[_fact(item, compaction, verdicts) for item in items], total=len(order), number=number,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Placed:
    """A finding by its place; its texts are read of those that are shown."""

    rank: int
    fact_id: str
    places: FactPlaces


def _order(compaction: Compaction) -> list[_Placed]:
    """All, in the order of what was said."""
    fields = ("number", "fact_id", "outcome", "kind", "harmful", "summary_start", "summary_end", "spans")
    rows = findings.findings_of(compaction).order_by(*_AS_SAID).values_list(*fields)
    return [
        _Placed(
            rank, fact, FactPlaces(at, Outcome(outcome), kind, harmful, None if start is None else (start, end), spans)
        )
        for at, (rank, fact, outcome, kind, harmful, start, end, spans) in enumerate(rows[: findings.MOST_PLACED], 1)
    ]


def _rows(compaction: Compaction, shown: Mapping[int, _Placed]) -> list[Finding]:
    """In order, each with its number on the page in place of its rank: so no link can tell that."""
    by_fact = {placed.fact_id: number for number, placed in shown.items()}
    rows = {row.fact_id: row for row in findings.findings_of(compaction).filter(fact_id__in=by_fact)}
    found = [rows[fact] for fact in by_fact if fact in rows]
    for row in found:
        row.number = by_fact[row.fact_id]
    return found


def _places(order: Sequence[_Placed], verdicts: Mapping[str, JudgedFact], chosen: int | None) -> list[FactPlaces]:
    """Of judged facts as they are; of the chosen one only where it was said."""
    told = [placed.places for placed in order if placed.fact_id in verdicts]
    hidden = (each for each in order if each.places.number == chosen and each.fact_id not in verdicts)
    return told + [
        FactPlaces(each.places.number, Outcome.UNVERIFIABLE, each.places.kind, harmful=False, summary=None,
                   spans=each.places.spans, word="said here")
        for each in hidden
    ]  # fmt: skip


def _fact(item: Item, compaction: Compaction, verdicts: Mapping[str, JudgedFact]) -> VeiledFact:
    row, told = item.row, item.row.fact_id in verdicts
    return VeiledFact(
        row.number, row.fact_id, item.text, row.kind, row.quote, item.links, item.chosen,
        told=item if told else None, near=near_words(compaction, row) if told else "",
    )  # fmt: skip


def _number(params: Mapping[str, str], total: int) -> int | None:
    asked = params.get("fact", "")
    return int(asked) if is_key(asked) and 1 <= int(asked) <= total else None


def _following(number: int | None, total: int) -> int | None:
    following = (number or 0) + 1
    return following if following <= total else None


def _query(params: Mapping[str, str]) -> str:
    """What is judged; the facts' addresses add their number."""
    kept = {name: params[name] for name in ("queue", "item", "review", "q") if params.get(name)}
    return f"?{urlencode(kept)}&" if kept else "?"


def reviewed_column(bar: Bar, compaction: Compaction, request: WorkspaceRequest) -> VeiledColumn | None:
    """The veiled column for those who judge blindly; None for everybody else."""
    if not bar.is_blind:
        return None
    return veiled_column(compaction, request.workspace, request.GET, bar.desk.verdicts)


def choosing(bar: Bar, column: Column, request: WorkspaceRequest) -> Bar:
    """The bar with the fact that is chosen in the column."""
    bar = replace(bar, in_part=wants_partial(request))
    if column.chosen is None or column.chosen_number is None:
        return bar
    row = column.chosen.row
    return bar.choosing(column.chosen_number, row.fact_id, row.text)


def fact_numbered(bar: Bar, compaction: Compaction, number: int) -> Finding | None:
    """The fact that the reader's page gives this number."""
    rows = findings.findings_of(compaction)
    if not bar.is_blind:
        return rows.filter(number=number).first()
    return next(iter(rows.order_by(*_AS_SAID)[max(number - 1, 0) : max(number, 0)]), None)


def number_of(bar: Bar, compaction: Compaction, fact_id: str) -> int | None:
    """The number that the reader's page gives the fact; None where there is no such fact."""
    row = findings.findings_of(compaction).filter(fact_id=fact_id).first()
    if row is None or not bar.is_blind:
        return row.number if row else None
    earlier = Q(first__lt=row.first) | Q(first=row.first, fact_id__lt=row.fact_id)
    return findings.findings_of(compaction).filter(earlier).count() + 1
