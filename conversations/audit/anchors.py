"""What is read off a rule's own words: its kind, and its anchors, exact words that must survive with it. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from conversations.audit.entities import Entity, EntityKind, entities
from conversations.audit.facts import cues
from conversations.audit.facts.rules import own_kind
from conversations.audit.model import FactKind
from conversations.audit.passages import PassageIndex
from conversations.audit.text import flat
from conversations.audit.values import lookup

#: Anchors of one entry: a rule rests on few words, and each is one more reason to call it altered.
MOST_ANCHORS = 12
LONGEST_ANCHOR = 200
#: A quotation with more words is a sentence, which other words may say as well.
QUOTED_WORDS = 4


def propose(text: str) -> list[str]:
    """The exact things that the auditor's own extractor finds in a rule, as written there, in order, each once."""
    found = [entity for entity in entities(text) if _is_telling(entity)]
    exact = [(e.start, e.end) for e in found if e.kind is not EntityKind.QUOTED]
    kept = [e for e in found if e.kind is not EntityKind.QUOTED or not any(a < e.end and e.start < b for a, b in exact)]
    words = (_written(text, entity) for entity in sorted(kept, key=lambda e: e.start))
    return list(dict.fromkeys(filter(None, words)))[:MOST_ANCHORS]


def kind_of(text: str) -> FactKind:
    """What sort of thing an entry says, by its words. What is told to do in the ledger is no task but a rule, and what
    is neither is a fact."""
    plain = text.replace("’", "'")
    kind = own_kind(plain)
    if kind is not FactKind.ASK:
        return kind
    return FactKind.REQUIREMENT if cues.REQUEST.match(plain.lstrip()) else FactKind.FINDING


def _written(text: str, entity: Entity) -> str:
    return text[entity.start : entity.end].strip()[:LONGEST_ANCHOR]


def _is_telling(entity: Entity) -> bool:
    """Whether nothing else can stand for it: no bare number of one digit, no quoted sentence."""
    if entity.kind is EntityKind.QUOTED:
        return len(entity.value.split()) <= QUOTED_WORDS
    return not (entity.kind is EntityKind.NUMBER and not entity.unit and len(entity.value) == 1)


def stands_in(anchor: str, text: str) -> bool:
    """Whether a text has the anchor's words, whatever stands between them."""
    words = flat(anchor)
    return f" {words} " in f" {flat(text)} " if words else anchor in text


def missing(anchors: Sequence[str], index: PassageIndex, texts: Iterable[str] = ()) -> list[str]:
    """Those that neither the context of `index` nor `texts` have, in whatever spelling."""
    others = tuple(texts)
    return [anchor for anchor in anchors if not _has(index, anchor) and not any(stands_in(anchor, t) for t in others)]


def _has(index: PassageIndex, anchor: str) -> bool:
    words = flat(anchor)
    if words and (index.flat.find(words) or index.keeps(words)):
        return True
    things = list(_things(anchor, index))
    if things:
        return all(lookup(thing, index) for thing in things)
    return not words and anchor in index.summary


def _things(anchor: str, index: PassageIndex) -> Iterator[Entity]:
    return (entity for entity in entities(anchor, index.cwd, quoted=False) if _is_telling(entity))
