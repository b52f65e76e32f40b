"""What left a context and what came in instead: two lists of messages, compared by their atoms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from conversations.ingest.contexts.alignment import align
from conversations.ingest.contexts.known import Held
from conversations.ingest.contexts.likeness import atoms_of, results_of, text_of
from conversations.ingest.events import Text
from conversations.ingest.exchange import Spoken

#: A text is looked at as several merged into one up to so many characters and lines.
_MERGED_CHARACTERS, _MERGED_LINES = 50_000, 300
_SEVERAL = 2


@dataclass(slots=True)
class Part:
    """One message of an exchange, with what it is compared by."""

    index: int  # among the messages of the exchange
    message: Spoken
    atoms: list[bytes]
    joined: bytes  # the atoms as one
    results: list[tuple[str, int]]
    only_results: bool

    def text(self) -> str:
        """Its prose."""
        return text_of(self.message)


def parts_of(messages: Sequence[Spoken], chosen: Iterable[int] | None = None) -> list[Part]:
    """The messages that say something, of those with the indexes `chosen`."""
    indexes = range(len(messages)) if chosen is None else chosen
    return [_part(index, messages[index], atoms) for index in indexes if (atoms := atoms_of(messages[index]))]


def _part(index: int, message: Spoken, atoms: list[bytes]) -> Part:
    results = results_of(message)
    return Part(index, message, atoms, b"".join(atoms), results, bool(results) and len(results) == len(message.blocks))


@dataclass(slots=True)
class Gap:
    """Between two messages that stayed: indexes of held messages that are gone, of parts that are in their place."""

    removed: list[int] = field(default_factory=list)
    inserted: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Difference:
    """How the parts that were sent relate to the messages held. Indexes of held ones and of parts grow."""

    sources: list[list[int]]  # of each part, the held messages it is made of; [] = not known
    gaps: list[Gap]  # before the last part that is known, those in which something is gone or new
    gone: list[int]  # held, after the last one that stayed
    new: list[int]  # parts after the last known one
    blanked: list[tuple[int, str]]  # held message, tool call id: its result says less now

    @property
    def stayed(self) -> int:
        """How many of the parts are known."""
        return sum(map(bool, self.sources))

    @property
    def is_growth(self) -> bool:
        """Everything held is still there; something may have come to it."""
        return not self.gone and not self.blanked and not any(gap.removed for gap in self.gaps)


def grown(held: Sequence[Held], parts: Sequence[Part]) -> int | None:
    """How many of the parts are exactly the messages held, if all of those are; None = look closer. The quick answer:
    of a conversation that grows, nothing else is ever asked."""
    if len(held) > len(parts):
        return None
    same = all(message.atoms == part.joined for message, part in zip(held, parts, strict=False))
    return len(held) if same else None


def difference(held: Sequence[Held], parts: Sequence[Part]) -> Difference:
    """Compare; any client's doing is understood, nothing is judged."""
    old = _in_order([(atom, n, each.only_results) for n, each in enumerate(held) for atom in each.pieces()])
    new = _in_order([(atom, n, each.only_results) for n, each in enumerate(parts) for atom in each.atoms])
    matched = align([atom for atom, *_ in old], [atom for atom, *_ in new])
    sources: list[list[int]] = [[] for _ in parts]
    for (_, part, _), at in zip(new, matched, strict=True):
        if at >= 0 and old[at][1] not in sources[part]:
            sources[part].append(old[at][1])
    blanked = _replaced_results(held, parts, sources)
    _find_merged(held, parts, sources)
    return _summed_up(held, sources, blanked)


def _in_order(atoms: list[tuple[bytes, int, bool]]) -> list[tuple[bytes, int, bool]]:
    """Results of tools that follow each other are sorted: clients list them in any order."""
    ordered: list[tuple[bytes, int, bool]] = []
    run: list[tuple[bytes, int, bool]] = []
    for entry in atoms:
        if not entry[2]:
            ordered += [*sorted(run), entry]
            run = []
        else:
            run.append(entry)
    return [*ordered, *sorted(run)]


def _replaced_results(held: Sequence[Held], parts: Sequence[Part], sources: list[list[int]]) -> list[tuple[int, str]]:
    """Results that are there under the same tool call with other words: the message stays, its text may be gone."""
    waiting = {
        call: (number, size)
        for number, message in enumerate(held)
        if message.only_results
        for (call, size), atom in zip(message.results, message.pieces(), strict=False)
        if call and not _is_sent(atom, parts)
    }
    blanked = []
    for number, part in enumerate(parts):
        for call, size in part.results if part.only_results and waiting else []:
            if call in waiting:
                at, before = waiting.pop(call)
                sources[number] = sorted({*sources[number], at})
                if size < before:
                    blanked.append((at, call))
    return sorted(blanked)


def _is_sent(atom: bytes, parts: Sequence[Part]) -> bool:
    return any(atom in part.atoms for part in parts)


def _summed_up(held: Sequence[Held], sources: list[list[int]], blanked: list[tuple[int, str]]) -> Difference:
    there = {number for numbers in sources for number in numbers}
    gaps, gap, at = [], Gap(), 0
    for number, numbers in enumerate(sources):
        if not numbers:
            gap.inserted.append(number)
            continue
        gap.removed = [n for n in range(at, numbers[0]) if n not in there and held[n].atoms]
        if gap.removed or gap.inserted:
            gaps.append(gap)
        gap, at = Gap(), max(at, numbers[-1] + 1)
    gone = [n for n in range(at, len(held)) if n not in there and held[n].atoms]
    return Difference(sources, gaps, gone, gap.inserted, blanked)


# --- several messages in one ------------------------------------------------------------------------------------------


def _find_merged(held: Sequence[Held], parts: Sequence[Part], sources: list[list[int]]) -> None:
    """A part that is not known may be several held messages joined by line breaks."""
    there = {number for numbers in sources for number in numbers}
    free = [number for number in range(len(held)) if number not in there]
    for number, part in enumerate(parts):
        if sources[number] or len(free) < _SEVERAL or not _may_be_merged(part):
            continue
        before = max((n for numbers in sources[:number] for n in numbers), default=-1)
        merged = _merged_from(part, held, [n for n in free if n > before])
        if len(merged) >= _SEVERAL:
            sources[number] = merged
            free = [n for n in free if n not in merged]


def _may_be_merged(part: Part) -> bool:
    block = part.message.blocks[0]
    if len(part.message.blocks) != 1 or not isinstance(block, Text):
        return False
    return len(block.text) <= _MERGED_CHARACTERS and 0 < block.text.count("\n") <= _MERGED_LINES


def _merged_from(part: Part, held: Sequence[Held], free: list[int]) -> list[int]:
    """Held messages whose texts, one after another, are this part's; [] if there are none."""
    text, start, found = part.text(), 0, list[int]()
    stops = [at for at, character in enumerate(text) if character == "\n"] + [len(text)]
    first = {held[n].atoms: n for n in reversed(free)}
    for stop in stops:
        [atom] = atoms_of(Spoken(part.message.role, [Text(text[start:stop])])) or [b""]
        if not atom:
            continue
        after = found[-1] + 1 if found else first.get(atom)
        if after is not None and after < len(held) and after in free and held[after].atoms == atom:
            found.append(after)
            start = stop
    return found if not text[start:].strip() else []
