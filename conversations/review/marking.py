"""Mark words as somebody read them on a page: find where they were said, and store them verbatim."""

from collections.abc import Iterable

from conversations.audit.queries import event_of, summary_of
from conversations.audit.segment import lines_of
from conversations.errors import BadInput
from conversations.models import Mark, Message, Review
from conversations.review.selection import MOST_SELECTED, Place, find_place
from conversations.review.services import add_mark
from conversations.vocabulary import Marked

#: Dropped messages that are looked through for words whose message is not named. The longest real compaction seen
#: dropped 5,500.
MOST_LOOKED_THROUGH = 10_000


def mark_words(
    review: Review, *, what: str, words: str, before: str = "", message: str = "", text: str = "", kind: str = ""
) -> Mark:
    """Mark `words` as missed, in the dropped message of this id (empty: in the first that says them), or as invented,
    in the summary; `before` is what stood before them. Raises BadInput where they do not stand there."""
    if len(words) > MOST_SELECTED:
        raise BadInput("This is too long for one fact.", mend=f"At most {MOST_SELECTED:,} characters.", at="words")
    if what == Marked.INVENTED:
        found = _in_summary(review, words, before)
    else:
        found = _said_in(_dropped(review, message), words, before)
    if found is None:
        where = "The summary does not say" if what == Marked.INVENTED else "No dropped message says"
        raise BadInput(f"{where} these words.", mend="Select them again, in one text.", at="words")
    said_in, place = found
    return add_mark(review, None, what=what, place=place, message=said_in, text=text, kind=kind)


def _in_summary(review: Review, words: str, before: str) -> tuple[Message | None, Place] | None:
    place = find_place([(0, summary_of(review.compaction))], words, before)
    return (None, place) if place else None


def _said_in(messages: Iterable[Message], words: str, before: str) -> tuple[Message | None, Place] | None:
    for message in messages:
        texts = [(line.block, line.text) for line in lines_of(event_of(message))]
        if place := find_place(texts, words, before):
            return message, place
    return None


def _dropped(review: Review, message: str) -> Iterable[Message]:
    rows = Message.objects.filter(workspace=review.workspace_id, dropped_by=review.compaction_id)
    if message.isdecimal():
        return rows.filter(pk=int(message))
    return rows.order_by("position", "id")[:MOST_LOOKED_THROUGH].iterator(chunk_size=100)
