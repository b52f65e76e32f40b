"""Judge what left a context: a summary in place of many, a cut without one, blanked results, or no compaction at all.

Structure decides. A harness that compacts takes away what is old and keeps what is recent; a person who edits, and a
client that asks anew, take away the end. What stays in its place with other words was edited. Only where nothing
stayed does wording decide, and then the system prompt must be the same: side calls and subagents have their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from conversations.ingest.contexts.difference import Difference, Gap, Part
from conversations.ingest.contexts.known import Head
from conversations.ingest.contexts.wording import (
    asks_at_once,
    is_note,
    lines_in,
    opens_as_summary,
    sounds_like_summary,
)
from conversations.vocabulary import CompactionKind

#: Confidence by what speaks for it; nothing that is only inferred is certain.
_STRUCTURE, _AND_WORDS, _AND_ANSWER = 0.8, 0.95, 0.98
_CUT, _SHORT_CUT = 0.95, 0.7
_BLANKED = 0.95
_WORDS_ONLY = 0.75
#: At the end of what was sent, a client may add messages for one request only; more than these were a part of it.
_MOST_PASSING = 2
#: A summary stands for at least so many, and so many that stayed are hardly chance.
_SEVERAL = 2


@dataclass(slots=True)
class Loss:
    """A compaction that nobody announced. `dropped`: indexes of held messages; `summary`: of a part, or None."""

    kind: CompactionKind
    dropped: list[int] = field(default_factory=list)
    summary: int | None = None
    cleared: list[tuple[int, str]] = field(default_factory=list)  # held message, tool call id
    confidence: float = 1.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a summary besides structure: lines of answers to somebody who asked for one, whether the system
    prompt is the one of before or holds a summary now, and whether the source says that the context was compacted."""

    lines: frozenset[int] = frozenset()
    same_prompt: bool = True
    said_to_be_compacted: bool = False
    prompt_sums_up: bool = False

    def weight(self, part: Part) -> float:
        """0 = nothing speaks for it; else how sure it is that this message is a summary."""
        text = part.text()
        if self._is_an_answer(text):
            return _AND_ANSWER
        return _AND_WORDS if sounds_like_summary(text) else 0.0

    def weight_alone(self, part: Part) -> float:
        """The same where nothing stayed around it: then it must say so at once, and must not ask for one."""
        text = part.text()
        if asks_at_once(text):
            return 0.0
        if self._is_an_answer(text):
            return _AND_ANSWER
        said = opens_as_summary(text) or (self.said_to_be_compacted and sounds_like_summary(text))
        return _WORDS_ONLY if said else 0.0

    def _is_an_answer(self, text: str) -> bool:
        return bool(self.lines) and not self.lines.isdisjoint(lines_in(text))


def loss_between(head: Head, diff: Difference, parts: Sequence[Part], evidence: Evidence) -> Loss | None:
    """What the context lost on the way to these parts, or None: it only grew, or somebody went back in it."""
    dropped, summaries, edited = _lost_in_gaps(head, diff, parts, evidence)
    replacing = _replaced_end(head, diff, parts, evidence)
    if replacing is not None:
        dropped, summaries = [*dropped, *diff.gone], [*summaries, replacing]
    if summaries:
        weigh = evidence.weight if diff.stayed else evidence.weight_alone
        best = max(summaries, key=lambda number: (weigh(parts[number]), len(parts[number].text())))
        return _summarised(diff, dropped, best, weigh(parts[best]))
    if dropped:
        return _cut(diff, dropped)
    if diff.blanked and not edited:
        why = "Results of tools stand there with less than they said."
        return Loss(CompactionKind.MICROCOMPACT, cleared=diff.blanked, confidence=_BLANKED, why=why)
    return None


def _lost_in_gaps(
    head: Head, diff: Difference, parts: Sequence[Part], evidence: Evidence
) -> tuple[list[int], list[int], bool]:
    """Held messages that were dropped, parts that may be their summary, and whether something was edited."""
    dropped: list[int] = []
    summaries: list[int] = []
    edited = False
    for gap in diff.gaps:
        if not gap.removed or _is_passing(head, gap):
            continue
        if not gap.inserted:
            dropped += gap.removed
        elif _stands_for_more(head, gap, parts, evidence):
            dropped += gap.removed
            summaries += [number for number in gap.inserted if not is_note(parts[number].text())]
        else:
            edited = True
    return dropped, summaries, edited


def _is_passing(head: Head, gap: Gap) -> bool:
    """Whether it was added for one request only: reminders, the time of day. It stood last, and what was before it
    is still there."""
    end = len(head.held) - head.answered
    passing = range(max(end - _MOST_PASSING, end - head.fresh, 1), end)
    return gap.removed[-1] == end - 1 and all(number in passing for number in gap.removed)


def _stands_for_more(head: Head, gap: Gap, parts: Sequence[Part], evidence: Evidence) -> bool:
    """Fewer in place of several, or what says itself that it is a summary. One for one is an edit."""
    if len(gap.removed) < _SEVERAL:
        return False
    if any(evidence.weight(parts[number]) for number in gap.inserted):
        return True
    return len(gap.inserted) < len(gap.removed) and not _is_put_together(head, gap)


def _is_put_together(head: Head, gap: Gap) -> bool:
    """Whether it is the end of the last exchange, written as one: the beginning of an answer that the client gave and
    what the model made of it, or a message and its reminder."""
    last = len(head.held) - head.answered - min(head.fresh, _MOST_PASSING)
    return gap.removed[0] >= max(last, 1) and len(gap.removed) <= head.answered + _MOST_PASSING


def _replaced_end(head: Head, diff: Difference, parts: Sequence[Part], evidence: Evidence) -> int | None:
    """The summary where everything after some first messages, or everything, made room for one."""
    if len(diff.gone) < _SEVERAL or not diff.new or not evidence.same_prompt:
        return None
    told = [number for number in diff.new[:_SEVERAL] if evidence.weight_alone(parts[number])]
    if told and not (diff.stayed and len(diff.gone) <= head.answered):
        return told[0]
    return None


def _summarised(diff: Difference, dropped: list[int], best: int, weight: float) -> Loss:
    confidence = max(_STRUCTURE, weight) if diff.stayed else weight
    why = "One message stands in place of several." + (" It says that it is a summary." if weight else "")
    return Loss(CompactionKind.CLIENT, dropped, best, confidence=confidence, why=why)


def _cut(diff: Difference, dropped: list[int]) -> Loss:
    """Sure where what stayed is long enough not to be chance."""
    confidence = _CUT if diff.stayed >= _SEVERAL else _SHORT_CUT
    where = "The oldest messages are" if dropped[0] == 0 else "Messages from the middle are"
    why = f"{where} gone, nothing stands for them."
    return Loss(CompactionKind.TRUNCATION, dropped, confidence=confidence, why=why)
