"""Take one exchange in: what is new in it becomes events, and what is known of the conversation's contexts goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from msgspec import structs

from conversations.ingest.contexts.announced import bring_back, is_made_aside
from conversations.ingest.contexts.astray import part_with, standing
from conversations.ingest.contexts.change import begin
from conversations.ingest.contexts.changing import Sent, go_on
from conversations.ingest.contexts.choosing import Choice, choose, whole
from conversations.ingest.contexts.difference import Part, parts_of
from conversations.ingest.contexts.known import MOST_ANSWERS, MOST_SEEN, Answer, Head, Known, remember
from conversations.ingest.contexts.likeness import atoms_of_system, number_of
from conversations.ingest.contexts.losses import Evidence
from conversations.ingest.contexts.telling import Telling, microseconds
from conversations.ingest.contexts.wording import asks_for_summary, given_summary, longest_lines
from conversations.ingest.events import CompactionEvent, Event, RequestEvent, Text
from conversations.ingest.exchange import Exchange
from conversations.ingest.formats.base import short_title
from conversations.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Taken:
    """What an exchange became. `is_new` is False for one that was taken before; then there are no events."""

    conversation: str
    events: list[Event]
    is_new: bool = True


def take(known: Known, exchange: Exchange, conversation: str, received: datetime) -> Taken:
    """The events of the exchange; `known` is changed to what is known after it. `conversation` is its root's id."""
    name, content = number_of(exchange.id), number_of(exchange.id + content_of(exchange))
    if content in known.seen:
        return Taken(conversation, [], is_new=False)
    if name in known.seen:  # another call under the same id: stand-ins and some proxies give all answers one
        exchange = structs.replace(exchange, id=f"{exchange.id[:480]}~{content_of(exchange)}")
    known.seen = [*known.seen, name, content][-MOST_SEEN:]
    if not _is_call(exchange):
        telling = Telling(exchange, conversation, received)
        if exchange.conversation or known.heads:  # else each attempt of a call that failed would stand there as a talk
            _tell_facts(known, telling)
        return Taken(conversation, telling.events(known))
    return _take_call(known, exchange, conversation, received)


def content_of(exchange: Exchange) -> str:
    """What tells two calls of one id apart, in hex: how much was sent, what was said last, and the answer."""
    said = [message.digest() for message in (*exchange.sent[-1:], *exchange.received)]
    return blake2b(b"".join([str(len(exchange.sent)).encode(), *said]), digest_size=8).hexdigest()


def _is_call(exchange: Exchange) -> bool:
    """Whether a model was asked and answered. Counting tokens says nothing new; a call that failed is made again."""
    if exchange.endpoint == "count_tokens":
        return False
    return bool(exchange.received or exchange.calls or exchange.announced or not exchange.error)


def _take_call(known: Known, exchange: Exchange, conversation: str, received: datetime) -> Taken:
    brought = bring_back(known, exchange)
    parts = parts_of(exchange.sent, brought.context)
    prompt = prompt_of(exchange)
    lead = parts_of(exchange.sent, brought.lead)
    choice = _choice(known, exchange, lead or parts, prompt, replaced=brought.announced is not None)
    head = choice.head if choice else Head(branch=_branch(known, parts, prompt))
    telling = Telling(exchange, "/".join(filter(None, (conversation, head.branch))), received)
    if not head.branch:
        _tell_facts(known, telling)
    elif not head.turns:
        telling.fact(parent=conversation, agent=exchange.agent, agent_version=exchange.agent_version)
    before = standing(known, head)
    change = begin(known, exchange, telling, head, choice, fork=is_made_aside(exchange))
    head = go_on(change, Sent(parts, lead, brought.announced), prompt)
    events = part_with(known, before, head, telling.events(known))
    _keep_places(head, events)
    _remember_answer(known, exchange, head)
    remember(known, head)
    return Taken(telling.conversation, events)


def _choice(known: Known, exchange: Exchange, parts: Sequence[Part], prompt: bytes, *, replaced: bool) -> Choice | None:
    """Where the server holds the earlier messages, the exchange says which one it goes on from, or it is the last."""
    if not exchange.whole and known.heads:
        named = [head for head in known.heads if head.exchange == exchange.previous and exchange.previous]
        latest = max(zip(known.used, range(len(known.heads)), strict=True))[1]
        return whole(named[0] if named else known.heads[latest], len(parts))
    lines = frozenset(line for answer in known.answers for line in answer.lines)
    sums_up = any(given_summary(block.text, lines) for block in exchange.system if isinstance(block, Text))
    evidence = Evidence(lines, said_to_be_compacted=bool(exchange.compacted), prompt_sums_up=sums_up)
    at = microseconds(exchange.at) if exchange.at else 0
    choice = choose(known, parts, prompt, evidence, at)
    if choice is None and replaced and known.heads:
        return _replaced_wholly(known, prompt)
    return choice


def _replaced_wholly(known: Known, prompt: bytes) -> Choice:
    """A summary of which nothing else is known has replaced the context that went on last, with that system prompt."""
    pairs = zip(known.heads, known.used, strict=True)
    head = max(pairs, key=lambda pair: (pair[0].prompt == prompt, pair[1]))[0]
    return whole(head, 0)


def prompt_of(exchange: Exchange) -> bytes:
    """A digest of its system prompt; b"" for none."""
    return digest_of(atoms_of_system(exchange.system))


def digest_of(atoms: Sequence[bytes]) -> bytes:
    """8 bytes for several atoms; b"" for none."""
    return blake2b(b"".join(atoms), digest_size=8).digest() if atoms else b""


def _branch(known: Known, parts: Sequence[Part], prompt: bytes) -> str:
    """The first context seen is the conversation itself; the others are named by how they begin."""
    if not known.heads:
        return ""
    return digest_of([prompt, *(parts[0].atoms if parts else [])]).hex()


def _tell_facts(known: Known, telling: Telling) -> None:
    """What the exchange says of the conversation as a whole, once and when it changes."""
    exchange = telling.exchange
    values = {
        "title": exchange.title or ("" if "title" in known.facts else first_words(exchange)),
        "agent": exchange.agent,
        "agent_version": exchange.agent_version,
        "parent": exchange.parent,
        "context_window": exchange.context_window,
        "tags": exchange.tags,
    }
    said = {name: value for name, value in values.items() if value and known.facts.get(name) != value}
    if said:
        telling.fact(**said)
        known.facts.update(said)


def first_words(exchange: Exchange) -> str:
    """What a conversation that nobody gave a title is called by: the first words of its user, without a harness's."""
    said = (block for message in exchange.sent if message.role is Role.USER for block in message.blocks)
    texts = (block.text for block in said if isinstance(block, Text))
    return next((title for text in texts if not text.lstrip().startswith("<") and (title := short_title(text))), "")


def _keep_places(head: Head, events: Sequence[Event]) -> None:
    """What may be told again later is remembered with the place it was given."""
    placed = {(type(event), event.id): event for event in events}
    head.requests = [placed.get((RequestEvent, each.id), each) for each in head.requests]  # type: ignore[misc]
    if head.closing is not None:
        head.closing = placed.get((CompactionEvent, head.closing.id), head.closing)  # type: ignore[assignment]
    if head.story is not None:
        head.story.event = placed.get((CompactionEvent, head.story.event.id), head.story.event)  # type: ignore[assignment]


def _remember_answer(known: Known, exchange: Exchange, head: Head) -> None:
    """An answer to somebody who asks for a summary is likely to come back as one."""
    asked = exchange.sent[-1:] + exchange.sent[:1]
    texts = [block.text for said in asked for block in said.blocks if isinstance(block, Text)]
    texts += [block.text for block in exchange.system if isinstance(block, Text)]
    answer = "\n".join(block.text for said in exchange.received for block in said.blocks if isinstance(block, Text))
    if answer and any(map(asks_for_summary, texts)) and (lines := longest_lines(answer)):
        known.answers = [*known.answers, Answer(lines, head.requests)][-MOST_ANSWERS:]
