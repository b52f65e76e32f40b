"""What model calls sent, and what the same turns would have sent if nothing had ever been compacted.

The model of it, in full:

- A *turn* is a model call of the conversation itself; calls that wrote summaries are counted apart.
- Compactions between the same two turns are one *step*. What it freed is the context and output of the last turn before
  it less the context of the first turn after it, and never less than nothing. What was said in between stands in the
  context after and is thereby taken off: what would have been sent is understated by it, not overstated.
- A cut that was found by comparing requests says itself what it freed, from what its messages were billed for. So does
  every loss of a window that slides: there, comparing turns would show but what is left of it after the next question.
- What a turn would have sent is what it sent plus what all steps before it freed. Clearing counts like replacing; a
  failed compaction replaced nothing and is no step.
- The same turns are assumed: the same answers, and no end where the model's window would have been exceeded.
- What would have been sent on top is split among cache reads, cache writes and the rest as that very turn's input was.
- A step of which one side was not observed counts as having freed nothing, and makes every turn after it *uncertain*:
  from there on what would have been sent is known only as "at least".

Adding turn by turn gives the same as counting all of them: `Run` is all that has to be remembered.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime
from typing import NamedTuple, Self

from conversations.spending.terms import billed_as

TURN = "turn"


class Turn(NamedTuple):
    """A turn's place and size in tokens; None where not known."""

    position: int
    context: int | None
    output: int | None


class Step(NamedTuple):
    """Where something left the context, and the tokens that it freed; None = the turns around it tell."""

    position: int
    freed: int | None = None


class Freed(NamedTuple):
    """What the steps before a turn freed in tokens. Not `certain`: at least."""

    tokens: int
    certain: bool


@dataclass(slots=True)
class Run:
    """Where the counting of one conversation stands."""

    standing: int | None = None  # context and output of the last turn since the last step
    open: bool = False  # compacted since the last turn that is known
    freed: int = 0
    certain: bool = True
    model: str = ""  # of the last turn
    peak: int | None = None  # the largest context that was sent
    would_peak: int | None = None  # the largest that would have been sent

    def compact(self, freed: int | None) -> None:
        """A compaction that replaced something; `freed` as in Step."""
        if freed is None:
            self.open = True
            return
        self.freed += freed
        if self.standing is not None:  # a step in the same place of which the turns tell shall not tell it again
            self.standing = max(self.standing - freed, 0)

    def take(self, turn: Turn) -> Freed:
        """The next turn; what was freed before it."""
        if turn.context is None:
            return Freed(self.freed, self.certain and not self.open)
        if self.open:
            self._close(turn.context)
        self.standing = turn.context + (turn.output or 0)
        self.peak = max(self.peak or 0, turn.context)
        self.would_peak = max(self.would_peak or 0, turn.context + self.freed)
        return Freed(self.freed, self.certain)

    def _close(self, context: int) -> None:
        self.open = False
        if self.standing is None:
            self.certain = False
        else:
            self.freed += max(self.standing - context, 0)


def freed_before(turns: Sequence[Turn], steps: Iterable[Step]) -> list[Freed]:
    """For each turn, in order of position, what the steps freed before it. A turn at a step's own position comes after
    it."""
    run, found = Run(), []
    waiting = deque(sorted(steps, key=_place))
    for turn in turns:
        while waiting and waiting[0].position <= turn.position:
            run.compact(waiting.popleft().freed)
        found.append(run.take(turn))
    return found


def _place(step: Step) -> int:
    return step.position


# --- sums -------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Sums:
    """Tokens of a number of calls of one model. Input is without the cache's. Everything here can be added up."""

    calls: int = 0  # turns
    told_calls: int = 0  # of them: the service tier is told; the others are taken to be of the standard one
    unknown_calls: int = 0  # of them: nothing is known of what they sent; they count as nothing
    partial_calls: int = 0  # of them: the output or the cache's part is not known
    uncertain_calls: int = 0  # of them: what they would have sent is known only as "at least"
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0  # of them: for an hour, as far as that is told
    output_tokens: int = 0

    # what would have been sent on top
    freed_input_tokens: int = 0
    freed_read_tokens: int = 0
    freed_write_tokens: int = 0

    # compactions, and the calls that wrote their summaries
    compactions: int = 0
    unpriced_compactions: int = 0  # of them: a model wrote a summary, and its tokens are not known
    summary_input_tokens: int = 0
    summary_read_tokens: int = 0
    summary_write_tokens: int = 0
    summary_write_1h_tokens: int = 0  # as above
    summary_output_tokens: int = 0

    def __iadd__(self, other: "Sums") -> Self:
        for name in NAMES:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def __neg__(self) -> "Sums":
        return Sums(*(-value for value in self.values()))

    def values(self, names: Sequence[str] = ()) -> tuple[int, ...]:
        """In the order of `names`, or of NAMES."""
        return tuple(getattr(self, name) for name in names or NAMES)

    @property
    def sent(self) -> int:
        """Input of the turns, cache included."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    @property
    def summary_sent(self) -> int:
        """Input of the calls that wrote summaries, cache included."""
        return self.summary_input_tokens + self.summary_read_tokens + self.summary_write_tokens

    @property
    def freed(self) -> int:
        """What would have been sent on top."""
        return self.freed_input_tokens + self.freed_read_tokens + self.freed_write_tokens


NAMES = tuple(each.name for each in fields(Sums))
#: What budgets count; the others tell what would have been sent without compaction.
COUNTED = tuple(name for name in NAMES if name != "uncertain_calls" and not name.startswith("freed_"))


class Usage(NamedTuple):
    """Tokens of one call as they are billed; None where not known."""

    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is."""
        return self != Usage()


@dataclass(frozen=True, slots=True)
class Call:
    """One model call."""

    position: int
    slot: datetime  # in which it happened; see `windows.slot_of`
    model: str
    purpose: str
    usage: Usage
    context: int | None
    written_1h: int | None = None  # of what was written to the cache: for an hour; None = not told
    tier: str = ""  # see `terms.tier_of`

    @property
    def billed(self) -> str:
        """What its sums are kept under."""
        return billed_as(self.model, self.tier, self.context)


@dataclass(frozen=True, slots=True)
class Cut:
    """One compaction. `summarised`: a model wrote a summary for it. `copied`: it happened in another conversation, and
    was paid for there. `freed` as in Step; `earlier`: what it lost before, where it grew loss by loss."""

    position: int
    slot: datetime
    model: str
    cost: Usage
    failed: bool = False
    summarised: bool = True
    copied: bool = False
    freed: int | None = None
    earlier: tuple[Step, ...] = ()


@dataclass(slots=True)
class Tally:
    """Sums by what calls are billed as, and slot."""

    sums: dict[tuple[str, datetime], Sums] = field(default_factory=dict)

    def of(self, model: str, slot: datetime) -> Sums:
        """Those of a model in a slot, to add to."""
        return self.sums.setdefault((model, slot), Sums())

    def by_day(self) -> dict[tuple[str, date], Sums]:
        """The same by UTC days."""
        found: dict[tuple[str, date], Sums] = {}
        for (model, slot), sums in self.sums.items():
            day = found.setdefault((model, slot.astimezone(UTC).date()), Sums())
            day += sums  # in place
        return found


def count(run: Run, calls: Sequence[Call], cuts: Sequence[Cut]) -> Tally:
    """Add what follows on `run`, which it moves on. Both in any order; all of it comes after what was counted.

    A summary's call that is told twice, as a call of its own and as the compaction's cost, counts once.
    """
    tally = Tally()
    told = [cut.cost for cut in cuts if cut.cost.is_known]
    events: list[Call | Cut | Step] = [*cuts, *(step for cut in cuts for step in cut.earlier), *calls]
    for event in sorted(events, key=_order):
        if isinstance(event, Step):
            run.compact(event.freed)
        elif isinstance(event, Cut):
            _take_cut(tally, run, event)
        elif event.purpose == TURN:
            _take_turn(tally, run, event)
        elif event.usage in told:
            told.remove(event.usage)
        else:
            _take_summary_call(tally, run, event)
    return tally


def _order(event: Call | Cut | Step) -> tuple[int, bool]:
    """By position; a compaction stands before the turn at the same position."""
    return (event.position, isinstance(event, Call))


def _take_cut(tally: Tally, run: Run, cut: Cut) -> None:
    if not cut.failed:
        run.compact(cut.freed)
    if cut.copied:
        return
    sums = tally.of(cut.model or run.model, cut.slot)
    sums.compactions += not cut.failed
    if cut.summarised and not cut.cost.is_known:
        sums.unpriced_compactions += 1
    _take_summary(sums, cut.cost)


def _take_summary(sums: Sums, usage: Usage) -> None:
    sums.summary_input_tokens += usage.input or 0
    sums.summary_read_tokens += usage.cache_read or 0
    sums.summary_write_tokens += usage.cache_write or 0
    sums.summary_output_tokens += usage.output or 0


def _take_summary_call(tally: Tally, run: Run, call: Call) -> None:
    sums = tally.of(billed_as(call.model or run.model, call.tier, call.context), call.slot)
    _take_summary(sums, call.usage)
    sums.summary_write_1h_tokens += min(call.written_1h or 0, call.usage.cache_write or 0)


def _take_turn(tally: Tally, run: Run, call: Call) -> None:
    run.model = call.model or run.model
    freed = run.take(Turn(call.position, call.context, call.usage.output))
    sums, usage = tally.of(call.billed, call.slot), call.usage
    split = (usage.input, usage.cache_read, usage.cache_write) != (None, None, None)
    plain = (usage.input or 0) if split else (call.context or 0)
    read, written = usage.cache_read or 0, usage.cache_write or 0
    sums.calls += 1
    sums.told_calls += bool(call.tier)
    sums.unknown_calls += not split and call.context is None
    sums.partial_calls += not split or usage.output is None
    sums.uncertain_calls += not freed.certain
    sums.input_tokens += plain
    sums.cache_read_tokens += read
    sums.cache_write_tokens += written
    sums.cache_write_1h_tokens += min(call.written_1h or 0, written)
    sums.output_tokens += usage.output or 0
    if call.context is not None:
        _add_freed(sums, freed.tokens, read, written, plain + read + written)


def _add_freed(sums: Sums, freed: int, read: int, written: int, sent: int) -> None:
    """Split as the turn's own input was; what does not come out even is input."""
    from_cache = freed * read // sent if sent else 0
    to_cache = freed * written // sent if sent else 0
    sums.freed_read_tokens += from_cache
    sums.freed_write_tokens += to_cache
    sums.freed_input_tokens += freed - from_cache - to_cache
