"""Which of a conversation's contexts an exchange goes on from: one that it holds whole, else the one it has most of.

What shares nothing with any of them is a thread of its own: a subagent, a title to be made, a question put aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conversations.ingest.contexts.difference import Difference, Part, difference, grown
from conversations.ingest.contexts.known import Head, Known
from conversations.ingest.contexts.losses import Evidence, Loss, loss_between


@dataclass(slots=True)
class Choice:
    """The head, how the parts differ from it, and what it lost. `undone`: its last loss never was one. `late`: these
    are messages that it has dropped since. `goes_back`: the parts leave out its end, so that what comes is a fork."""

    head: Head
    diff: Difference
    loss: Loss | None = None
    undone: bool = False
    late: bool = False

    @property
    def goes_back(self) -> bool:
        """Whether this is a fork: an edit, a retry, an exchange that comes late."""
        return self.loss is None and bool(self.diff.gone)


def choose(known: Known, parts: Sequence[Part], prompt: bytes, evidence: Evidence, at: int = 0) -> Choice | None:
    """None = a thread of its own. `at`: when they were sent, microseconds since 1970; 0 = after everything else."""
    return (
        _whole(known, parts)
        or _undone(known, parts)
        or _late(known, parts, at)
        or _partly(known, parts, prompt, evidence)
    )


def _whole(known: Known, parts: Sequence[Part]) -> Choice | None:
    """The longest context that the parts begin with."""
    fitting = [head for head in known.heads if head.held and grown(head.held, parts) is not None]
    if not fitting:
        return None
    head = max(fitting, key=lambda each: len(each.held))
    return Choice(head, _growth(len(head.held), len(parts)))


def whole(head: Head, new: int) -> Choice:
    """The head with so many new parts after it."""
    return Choice(head, _growth(len(head.held), len(head.held) + new))


def _growth(held: int, parts: int) -> Difference:
    sources: list[list[int]] = [[number] for number in range(held)]
    return Difference([*sources, *([] for _ in range(held, parts))], [], [], list(range(held, parts)), [])


def _undone(known: Known, parts: Sequence[Part]) -> Choice | None:
    """A context that was thought to be cut is sent whole again: what looked cut was a question put aside."""
    for head in known.heads:
        inferred = head.closing is not None and head.closing.raw is not None and "found_by" in head.closing.raw
        if inferred and head.closed and grown(head.closed, parts) is not None:
            return Choice(head, _growth(len(head.closed), len(parts)), undone=True)
    return None


def _late(known: Known, parts: Sequence[Part], at: int) -> Choice | None:
    """The context that began like this before a compaction that was sent after it."""
    for head in known.heads:
        begun = any(parts and parts[0].joined == atoms for atoms, _ in head.openings[:-1])
        if begun and 0 < at < head.at:
            return Choice(head, _growth(0, len(parts)), late=True)
    return None


def _partly(known: Known, parts: Sequence[Part], prompt: bytes, evidence: Evidence) -> Choice | None:
    """The context of which the most stayed, if it can be told what became of the rest."""
    best: Choice | None = None
    rank: tuple[int, int, bool, int] = (-1, 0, False, 0)
    for head, used in zip(known.heads, known.used, strict=True):
        diff = difference(head.held, parts)
        same = head.prompt == prompt
        this = (diff.stayed, -len(diff.gone), same, used)
        if this > rank:
            loss = loss_between(head, diff, parts, replace(evidence, same_prompt=same))
            if _belongs(head, diff, loss, evidence, same=same):
                best, rank = Choice(head, diff, loss), this
    return best


def _belongs(head: Head, diff: Difference, loss: Loss | None, evidence: Evidence, *, same: bool) -> bool:
    """Whether this is the head's own story. Another system prompt over a part of its messages is somebody else who was
    told of them; over all of them, or over all but the last exchange's, it is a prompt that changed."""
    if not diff.stayed:
        return loss is not None
    if same or head.shifting or evidence.prompt_sums_up:
        return True
    return loss is None and len(diff.gone) <= head.fresh + head.answered
