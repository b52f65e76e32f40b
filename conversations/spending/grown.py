"""A conversation whose sums are being brought up to date: what is known of it, and what is to be added."""

from dataclasses import dataclass, field

from conversations.spending.tally import TURN, Call, Cut, Run, Tally, count

#: A position before all others.
BEGINNING = -(2**62)


@dataclass(frozen=True, slots=True)
class Grown:
    """A conversation that was written to. `earliest`: position of the first new or changed call or compaction, None
    when there is none. Its sums are in those of `tags_before`, and shall be in those of `tags`."""

    workspace_id: int
    id: int
    agent_id: int | None
    earliest: int | None
    tags: tuple[str, ...] = ()
    tags_before: tuple[str, ...] = ()


@dataclass(slots=True)
class Count:
    """What is known of one conversation's calls, and what is to be added. `agent_id`: whose sums its own are in."""

    grown: Grown
    agent_id: int | None
    frontier: int = BEGINNING
    run: Run = field(default_factory=Run)
    calls: list[Call] = field(default_factory=list)
    cuts: list[Cut] = field(default_factory=list)
    anew: bool = False

    @property
    def is_retagged(self) -> bool:
        """Whether other tags are to have its sums."""
        return set(self.grown.tags) != set(self.grown.tags_before)

    @property
    def has_moved(self) -> bool:
        """Whether what is counted is to stand in the sums of another agent or of other tags."""
        return self.frontier > BEGINNING and (self.agent_id != self.grown.agent_id or self.is_retagged)

    @property
    def has_side_costs(self) -> bool:
        """Whether a summary's cost is among what is read: the same may have been told before, in another way."""
        return any(call.purpose != TURN for call in self.calls) or any(cut.cost.is_known for cut in self.cuts)

    def add(self) -> Tally:
        """Count what was read, and move on behind it."""
        places = [*(call.position for call in self.calls), *(cut.position for cut in self.cuts)]
        self.frontier = max(self.frontier, *places, BEGINNING)
        return count(self.run, self.calls, self.cuts)

    def start_anew(self) -> None:
        """Forget what was counted."""
        self.anew, self.frontier, self.run = True, BEGINNING, Run()
        self.calls, self.cuts = [], []
