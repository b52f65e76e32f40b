"""What lists are asked for, as conditions for Postgres: words that people type, and what stood in a context."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import DateTimeField, Exists, Func, OuterRef, Q, QuerySet

from conversations.models import Compaction, CompactionAudit, Conversation
from conversations.vocabulary import abandoned_in

LOOKED_AT_FIRST = 3_000
_BETWEEN_PARTS = re.compile(r"[/\-_.]+")  # as the column `search` is cut


def search_query(text: str) -> SearchQuery | None:
    """Every word must begin some word of the title, id or folder; as it is or, of a path, in all its parts. None when
    there is nothing to look for."""
    words = [re.sub(r"['\\\0]", "", word) for word in text.split()]
    wanted = [_wanted(word) for word in words if re.search(r"\w", word)]
    return SearchQuery(" & ".join(wanted), search_type="raw", config="simple") if wanted else None


def _wanted(word: str) -> str:
    parts = [part for part in _BETWEEN_PARTS.split(word) if re.search(r"\w", part)]
    if parts in ([], [word]):
        return f"'{word}':*"
    in_parts = " & ".join(f"'{part}':*" for part in parts)
    return f"('{word}':* | ({in_parts}))"


class _Moment(Func):
    """The same moment, as no index has it: rows are found by something else, and sorted."""

    template = "(%(expressions)s + interval '0')"
    output_field = DateTimeField()


class _Words(Func):
    """The same words, as no index has them: each row is looked at."""

    template = "(%(expressions)s || '')"
    output_field = SearchVectorField()


@dataclass(frozen=True, slots=True)
class Search:
    """Looking for words in a list of conversations in the order of their last activity.

    Postgres takes it that words are spread evenly over time and agents. Where they are not, it reads the list to its
    end for them: 300 ms, of 100,000 conversations, for a word and an agent that never meet. So the first 3,000 of the
    list are looked at in its order, which will do for frequent words; else all with the words are found by their index.
    """

    query: SearchQuery
    everything: QuerySet[Conversation]  # the list before filters

    def all(self, rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
        """All of them that say the words."""
        return rows.filter(search=self.query)

    def first(
        self, rows: QuerySet[Conversation], beyond: Q, *, most: int, descending: bool = True
    ) -> list[Conversation]:
        """The first of those rows (some of `everything`, all `beyond` a cursor) that say the words: 2 or 3 queries."""
        sign, side = ("-", "gte") if descending else ("", "lte")
        order = (f"{sign}last_at", f"{sign}id")
        last = self.everything.filter(beyond).order_by(*order).values_list("last_at", flat=True)[LOOKED_AT_FIRST:]
        end = last.first()
        near = Q() if end is None else Q(**{f"last_at__{side}": end})
        looked_at: QuerySet[Conversation] = rows.alias(words=_Words("search")).filter(near, words=self.query)
        found = list(looked_at.order_by(*order)[:most])
        if len(found) == most or end is None:
            return found
        moment = _Moment("last_at").desc() if descending else _Moment("last_at").asc()
        return list(self.all(rows).order_by(moment, order[1])[:most])


_FOUND = {
    "harm": Q(audit__harmful__gt=0),
    "forgotten": Q(audit__forgotten__gt=0),
    "altered": Q(audit__altered__gt=0),
    "added": Q(audit__added__gt=0),
    # Not `audit=None`: of that join Postgres expects one row, and reads all for the first 50.
    "unaudited": Q(~Exists(CompactionAudit.objects.filter(compaction=OuterRef("pk")))),
}
FOUND = tuple(_FOUND)


#: Parameters of the compaction list that are columns.
_COLUMNS = {"kind": "kind", "trigger": "trigger", "state": "summary_state"}


def fitting_compactions(values: Mapping[str, str], agent_ids: Collection[int]) -> Iterator[Q]:
    """What the compaction list's parameters ask for; `agent_ids` are the agents of the name that is asked for. Unknown
    parameters and empty ones ask for nothing."""
    if values.get("agent"):
        yield Q(conversation__agent__in=agent_ids)
    for name, column in _COLUMNS.items():
        if values.get(name):
            yield Q(**{column: values[name]})
    if values.get("found"):
        yield with_found(values["found"])
    if values.get("conversation"):
        yield Q(conversation=int(values["conversation"]))


def with_found(what: str) -> Q:
    """Compactions of which the auditor found this, one of FOUND; or that it has not read yet."""
    return _FOUND[what]


def in_context_before(compaction: Compaction) -> Q:
    """Messages that stood in the context just before it."""
    return _there(compaction, Q(position__gte=compaction.position))


def in_context_after(compaction: Compaction) -> Q:
    """Messages that stood before it and stayed."""
    return _there(compaction, Q(position__gt=compaction.position))


def abandoned_before(compaction: Compaction) -> Q:
    """Messages from before it that stood on another branch: not in its context, and not yet in what another dropped."""
    there = _undropped(compaction, Q(position__gte=compaction.position))
    return there & Q(external_id__in=abandoned_in(compaction.raw))


def _there(compaction: Compaction, left: Q) -> Q:
    there, abandoned = _undropped(compaction, left), abandoned_in(compaction.raw)
    return there & ~Q(external_id__in=abandoned) if abandoned else there


def _undropped(compaction: Compaction, left: Q) -> Q:
    """The compactions at which the others left are read once, as a subquery: joined, each message would cost a look."""
    ours = Compaction.objects.filter(workspace=compaction.workspace_id, conversation=compaction.conversation_id)
    later = Q(dropped_by=None) | Q(dropped_by__in=ours.filter(left).values("id"))
    return later & Q(position__lt=compaction.position)
