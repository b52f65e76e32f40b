"""Change a head by what an exchange sent and answered, and tell of it."""

from collections.abc import Iterable, Sequence

from msgspec import structs

from conversations.ingest.contexts import announced as announcing
from conversations.ingest.contexts.choosing import Choice
from conversations.ingest.contexts.difference import Difference, Part, parts_of
from conversations.ingest.contexts.known import Head, Held, Known, hexes, keys_of
from conversations.ingest.contexts.likeness import atoms_of_system, is_summary, key_after
from conversations.ingest.contexts.losses import Loss
from conversations.ingest.contexts.stories import goes_on, key_of
from conversations.ingest.contexts.telling import Telling, held
from conversations.ingest.contexts.wording import as_summary, lines_in
from conversations.ingest.events import CompactionEvent
from conversations.ingest.exchange import Announced, Exchange
from conversations.vocabulary import Origin, SummaryState, Trigger

_UNDONE = "It was none: the next request had the whole context again."


class Changing:
    """One exchange's work on one head. `take` does it all."""

    def __init__(self, known: Known, exchange: Exchange, telling: Telling, head: Head, choice: Choice | None) -> None:
        self.known, self.exchange, self.telling, self.choice = known, exchange, telling, choice
        self.old = head
        self.head = structs.replace(head) if choice and choice.goes_back else head
        self.tail: list[Held] = choice.head.held[choice.diff.gone[0] :] if choice and choice.goes_back else []
        self.sent: list[Held] = []

    def take(self, brought: announcing.Brought, parts: Sequence[Part], prompt: bytes) -> Head:
        """The head as it is now: the same one, or a fork of it."""
        self._open(prompt)
        if brought.announced is not None:
            self._absorb_replaced(brought.announced, parts_of(brought.lead), parts)
        elif not self.exchange.whole and self.choice is not None:
            self._extend(parts)
        elif self.choice is not None:
            self._absorb(parts, self.choice.diff, self.choice.loss)
        else:
            self._absorb(parts, _all_new(parts), None)
        self._answer()
        return self._closed(prompt)

    # --- before and after ---------------------------------------------------------------------------------------------

    def _open(self, prompt: bytes) -> None:
        head = self.head
        if self.choice is not None and self.choice.undone and head.closing is not None:
            nothing = structs.replace(head.closing, dropped=[], kept=[], cleared=[], error=_UNDONE)
            self.telling.revised(structs.replace(nothing, summary_state=SummaryState.FAILED))
            head.held, head.story = head.closed, None
        atoms = atoms_of_system(self.exchange.system)
        new = [atom for atom in atoms if atom not in head.system]
        if new:
            blocks = [b for b in self.exchange.system if set(atoms_of_system([b])) & set(new)]
            self.telling.system(new, blocks)
            head.system = [*head.system, *new]
        head.shifting = head.shifting or bool(head.turns and prompt != head.prompt)

    def _closed(self, prompt: bytes) -> Head:
        head = self.head
        head.prompt, head.exchange, head.turns = prompt, self.exchange.id, head.turns + 1
        if head is not self.old and _is_prefix(head.held, self.old.held):
            self.telling.late = True
            return self.old
        return head

    # --- what was sent ------------------------------------------------------------------------------------------------

    def _absorb(self, parts: Sequence[Part], diff: Difference, loss: Loss | None) -> None:
        """Parts become the context; new ones are told, after the compaction they came with."""
        head, before = self.head, list(self.head.held)
        returned = self._put_back(parts, diff)
        if loss is not None:
            self._lose(before, parts, diff, loss)
        fresh = 0
        context: list[Held] = []
        for number, part in enumerate(parts):
            sources = [before[at] for at in diff.sources[number]] or returned.get(number, [])
            if sources:
                context.append(_same(part, sources))
                continue
            fresh += 1
            last = _last_key(context) or (_last_key(before) if loss else b"")
            context.append(self._new(part, last, is_summary_of_loss=loss is not None and number == loss.summary))
        if loss is None:
            head.closed, head.closing = [], None
        head.held, head.fresh = context, fresh
        self.sent = context

    def _extend(self, parts: Sequence[Part]) -> None:
        """The server holds what was before: everything sent is new."""
        head = self.head
        for part in parts:
            head.held = [*head.held, self._new(part, _last_key(head.held))]
        head.closed, head.closing, head.fresh = [], None, len(parts)
        self.sent = head.held[len(head.held) - len(parts) :]

    def _new(self, part: Part, before: bytes, *, is_summary_of_loss: bool = False) -> Held:
        if is_summary_of_loss or is_summary(part.message):
            key = key_after(before, part.atoms)
            blocks = as_summary(part.message) if is_summary_of_loss else part.message.blocks
            self.telling.message(key, part.message.role, blocks, origin=Origin.SUMMARY)
            return held(part, [key])
        return self.telling.part(part, before)

    def _put_back(self, parts: Sequence[Part], diff: Difference) -> dict[int, list[Held]]:
        """Parts that are not in the context but were before its last compaction: kept by the client after all."""
        head = self.head
        if not head.closed or head.closing is None:
            return {}
        dropped = set(head.closing.dropped or ())
        gone = {m.atoms: m for m in head.closed if m.atoms and any(key.hex() in dropped for key in m.keys)}
        back = {
            number: [gone[atoms]]
            for number, part in enumerate(parts)
            if not diff.sources[number] and (atoms := b"".join(part.atoms)) in gone
        }
        if back:
            kept = hexes(keys_of(message for messages in back.values() for message in messages))
            left = [key for key in head.closing.dropped or () if key not in set(kept)]
            head.closing = structs.replace(head.closing, dropped=left, kept=[*head.closing.kept, *kept])
            self.telling.revised(head.closing)
        return back

    # --- what it lost -------------------------------------------------------------------------------------------------

    def _lose(self, before: list[Held], parts: Sequence[Part], diff: Difference, loss: Loss) -> None:
        head = self.head
        dropped = hexes(keys_of(before[number] for number in loss.dropped))
        raw = {"found_by": "difference", "confidence": loss.confidence, "why": loss.why}
        event = CompactionEvent(id="", conversation="", kind=loss.kind, trigger=Trigger.UNKNOWN, raw=raw)
        event = structs.replace(event, dropped=dropped, cleared=[call for _, call in loss.cleared])
        if loss.summary is not None:
            part = parts[loss.summary]
            key = key_after(self._before(loss.summary, before, diff), part.atoms).hex()
            stayed = hexes(keys_of(before[at] for numbers in diff.sources for at in numbers))
            event = structs.replace(event, id=key, summary_message=key, kept=stayed, **self._summariser(part.text()))
            head.story = None
        else:
            name = key_of(loss.kind, dropped or event.cleared).hex()
            event = goes_on(head, structs.replace(event, id=name, dropped=dropped or None))
        head.closed, head.closing = before, self.telling.compaction(event)

    def _before(self, number: int, before: Sequence[Held], diff: Difference) -> bytes:
        known = [before[at] for numbers in diff.sources[:number] for at in numbers]
        return _last_key(known) or _last_key(before)

    def _summariser(self, text: str) -> dict[str, object]:
        """The call that wrote the summary, if it was seen: its cost; and that it was no turn of the conversation."""
        lines = lines_in(text)
        answer = next((each for each in reversed(self.known.answers) if lines.intersection(each.lines)), None)
        if answer is None or not answer.requests:
            return {}
        for request in answer.requests:
            self.telling.again(structs.replace(request, purpose="compaction"))
        last = answer.requests[-1]
        return {"cost": last.usage, "model": last.model, "duration_ms": last.duration_ms}

    # --- compactions that were announced ------------------------------------------------------------------------------

    def _absorb_replaced(self, announced: Announced, lead: Sequence[Part], parts: Sequence[Part]) -> None:
        """A summary came back with the history that was not seen when it was made; `lead` stood before it."""
        head, choice = self.head, self.choice
        if lead:
            self._absorb(lead, choice.diff if choice else _all_new(lead), choice.loss if choice else None)
        closed = head.held
        at = next((n for n, part in enumerate(parts) if is_summary(part.message)), None)
        there = {b"".join(part.atoms) for part in parts}
        dropped = [message for message in closed if message.atoms not in there]
        kept = [message for message in closed if message.atoms in there]
        key = key_after(_last_key(closed), parts[at].atoms if at is not None else [b"compaction"])
        event = announcing.event_of(
            announced,
            key,
            summary_message=key.hex() if at is not None else "",
            dropped=hexes(keys_of(dropped)),
            kept=hexes(keys_of(kept)),
            complete=bool(closed),
        )
        told = self.telling.compaction(event)
        head.story = None
        context: list[Held] = []
        by_atoms = {message.atoms: message for message in closed}
        for number, part in enumerate(parts):
            source = by_atoms.get(b"".join(part.atoms))
            if source is not None:
                context.append(_same(part, [source]))
            else:
                last = _last_key(closed) if number == at else _last_key(context)
                context.append(self._new(part, last))
        head.held, head.closed, head.closing = context, closed, told
        self.sent = context

    def _answer(self) -> None:
        """Clearings, the calls, compactions in the answer, and the answer."""
        head, exchange = self.head, self.exchange
        for each in announcing.clearings(exchange):
            self._clear(each)
        made = announcing.replacements(exchange)
        head.requests = self.telling.requests(
            [call for call in exchange.calls if call.purpose == "compaction"], purpose="compaction",
            last=all(call.purpose == "compaction" for call in exchange.calls),
        )  # fmt: skip
        parts = parts_of(exchange.received)
        context = head.held
        start = 0
        for each in made:
            context, start = self._replace(each, context, parts, start)
        turns = [call for call in exchange.calls if call.purpose != "compaction"]
        head.requests += self.telling.requests(turns, purpose="turn", last=True)
        told = self._told(context, parts[start:])
        head.answered = len(told)
        head.held = [*context, *told]

    def _clear(self, each: Announced) -> None:
        cleared = announcing.newly_cleared(self.head, each)
        if cleared or each.cleared_count is None:
            key = key_of(each.kind, [self.telling.conversation, *cleared])
            self.telling.compaction(goes_on(self.head, announcing.event_of(each, key, cleared=cleared)))

    def _replace(self, each: Announced, context: list[Held], parts: list[Part], start: int) -> tuple[list[Held], int]:
        """The context after a compaction in the answer, and how many parts of the answer it used up."""
        head = self.head
        failed = each.summary_state is SummaryState.FAILED
        at = next((n for n, part in enumerate(parts[start:], start) if is_summary(part.message)), None)
        if failed:
            key = key_of("failed", [self.exchange.id])
            self.telling.compaction(announcing.event_of(each, key, dropped=[]), answered=True)
            return context, start if at is None else at + 1
        kept = [self.sent[index] for index in each.kept if index < len(self.sent)] + self.tail
        dropped = [message for message in context if message not in kept]
        key = key_after(_last_key(context), parts[at].atoms if at is not None else [b"compaction"])
        summary = key.hex() if at is not None else ""
        event = announcing.event_of(
            each, key, summary_message=summary, dropped=hexes(keys_of(dropped)), kept=hexes(keys_of(kept))
        )
        head.closing, head.closed, head.story = self.telling.compaction(event, answered=True), context, None
        if at is None:
            return kept, start
        part = parts[at]
        self.telling.message(key, part.message.role, part.message.blocks, origin=Origin.SUMMARY, answered=True)
        stayed = kept[: len(kept) - len(self.tail)]
        return [*stayed, held(part, [key]), *self.tail], at + 1

    def _told(self, context: Sequence[Held], parts: Sequence[Part]) -> list[Held]:
        """The answer as held; what is known of it already, because its exchange comes late, is not told again."""
        told: list[Held] = []
        known = iter(self.tail)
        for part in parts:
            follower = next(known, None)
            if follower is not None and follower.atoms == b"".join(part.atoms):
                told.append(follower)
                continue
            known = iter(())
            told.append(self.telling.part(part, _last_key([*context, *told]), answered=True))
        return told


def _all_new(parts: Sequence[Part]) -> Difference:
    return Difference([[] for _ in parts], [], [], list(range(len(parts))), [])


def _same(part: Part, sources: Sequence[Held]) -> Held:
    """The part under the keys that its messages have, in the words it has now."""
    now = held(part, keys_of(sources))
    now.cleared = any(message.cleared for message in sources)
    return now


def _last_key(context: Sequence[Held]) -> bytes:
    return context[-1].keys[-1] if context else b""


def _is_prefix(context: Iterable[Held], of: Sequence[Held]) -> bool:
    keys = keys_of(context)
    return keys == keys_of(of)[: len(keys)]
