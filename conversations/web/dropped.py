"""Which of a compaction's dropped messages are shown: a page of them, or those that say the words looked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from django.db.models import QuerySet

from conversations.models import Message
from conversations.web import queries
from conversations.web.facts import Column
from conversations.web.paging import Cursor, Order, Page, is_key, page_around, page_of

IN_ORDER = Order("position")
SHOWN = 50
#: Messages, and characters in them, that are looked through for one page: Postgres reads 5 ms a million. Further ones
#: are looked through on the next page.
LOOKED_AT_ONCE = 2_000
CHARACTERS_AT_ONCE = 3_000_000


@dataclass(frozen=True, slots=True)
class Dropped:
    """A page of dropped messages; `found` and `looked` count only where words are looked for."""

    page: Page[Message]
    found: int = 0  # messages with the words
    looked: int = 0  # messages looked through
    is_part: bool = False  # others are not looked through on this page


def page_asked_for(rows: "QuerySet[Message]", params: Mapping[str, str], column: Column) -> Dropped:
    """The page asked for; else the one with the message of `?around=`, or the one that said the chosen fact."""
    page = page_of(rows, IN_ORDER, params, size=SHOWN)
    wanted = _message_wanted(params, column)
    if wanted is None or any(row.pk == wanted for row in page.rows):
        return Dropped(page)
    target = rows.filter(pk=wanted).first()
    return Dropped(page_around(rows, IN_ORDER, target, size=SHOWN) if target else page)


def _message_wanted(params: Mapping[str, str], column: Column) -> int | None:
    if "after" in params or "before" in params:
        return None
    around = params.get("around", "")
    if is_key(around):
        return int(around)
    source = column.chosen.source if column.chosen else None
    return source.pk if source else None


def look_for(query: str, rows: "QuerySet[Message]", params: Mapping[str, str]) -> Dropped:
    """Messages with these words among the next ones from `?after=` on. Three queries, and time that has a bound."""
    cursor = Cursor.read(params.get("after", ""))
    ahead = (rows.filter(IN_ORDER.beyond(cursor)) if cursor else rows).order_by(*IN_ORDER.names())
    sizes = list(ahead.values_list("position", "id", "size")[: LOOKED_AT_ONCE + 1])
    looked = sizes[: _enough(size for _, _, size in sizes[:LOOKED_AT_ONCE])]
    if not looked:
        return Dropped(Page([]), is_part=cursor is not None)
    position, last, _ = looked[-1]
    found = list(ahead.filter(queries.saying(query), position__lte=position).values_list("pk", flat=True))
    shown = list(ahead.filter(pk__in=found[:SHOWN]))
    further = Cursor(position, last) if len(sizes) > len(looked) else None
    following = Cursor.at(shown[-1], IN_ORDER) if len(found) > SHOWN else further
    return Dropped(
        Page(shown, next=str(following or "")), len(found), len(looked), is_part=bool(further) or cursor is not None
    )


def _enough(sizes: Iterable[int]) -> int:
    """How many messages hold so many characters; one at least."""
    return max(1, sum(total <= CHARACTERS_AT_ONCE for total in accumulate(sizes)))
