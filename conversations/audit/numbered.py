"""What a summary tells under its number: an entry "2738999831: ambiguous prefix is not handled" of a list."""

import re

from conversations.audit.model import Detail, Judgement
from conversations.audit.passages import PassageIndex
from conversations.audit.text import bag
from conversations.vocabulary import Outcome

#: Digits of a number that stands for one thing wherever it is written, as ids of comments and tickets of a forge do.
_ID = r"\d{6,20}"
_NAMED = re.compile(rf"(?<![\w.#]){_ID}(?![\w.])")
_ENTRY = re.compile(
    rf"^\W{{0,12}}(?:\d{{1,3}}[.)] )?[^\w\n]{{0,4}}({_ID})[^\w\n:—–-]{{0,4}}[:—–-](?= )(.+)", re.MULTILINE
)


def told(text: str, index: PassageIndex) -> Judgement | None:
    """Find everything that the fact `text` names by number as entries of the summary, and one of its words there.

    An entry is shorter than what it stands for, so that few words are the same; the number says that it is the same.
    """
    ids = set(_NAMED.findall(text))
    entries = {entry[1]: entry for entry in _ENTRY.finditer(index.summary)} if ids else {}
    if not ids or not ids <= entries.keys():
        return None
    said = bag(text) - ids
    for entry in map(entries.__getitem__, sorted(ids)):
        if said & bag(entry[2]):
            reason = f"The summary tells it under its number, {entry[1]}."
            return Judgement(Outcome.KEPT, Detail.REWORDED, 0.6, entry.start(1), entry.end(), "numbered", reason)
    return None
