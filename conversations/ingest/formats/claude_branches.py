"""Which records of a Claude Code session are in its context, and which a person took back by rewinding.

What was taken back stays in the file. Links alone do not tell it, for parallel tool calls fork too; but a person's next
words hang on the last record, and only after a rewind on one on which others hang already: none of 221 prompts in 11
real sessions did. Seen with 2.1.330: /rewind to any prompt, also to the first one, past a compaction and just before
one; --resume-session-at.
"""

from itertools import islice
from operator import itemgetter

from msgspec import Struct, field

#: Records remembered of the branch that goes on: real sessions have up to 1,700 between two compactions.
_MOST_LIVE = 2_000
#: Branches one can go back to, and ids of what stands on others: they are told with every later compaction.
_MOST_BRANCHES, _MOST_GONE = 50, 2_000

_ROOT = ""  # on which the first record hangs
_CONTINUED, _HOLDS_PROMPT = 1, 2  # another record hangs on it; a person's prompt does
#: What a record is: a message came of it, with it a person set the agent going, it only tells of progress.
SAID, ASKED, PROGRESS = 4, 8, 16
#: From here on a record's number in the file, for a checkpoint in the store keeps no order of its own; and its mask.
_PLACE, _PLACES = 32, -32


class Branch(Struct):
    """Records that were taken back, with what is known of each; `at` is the one they followed."""

    at: str
    records: dict[str, int]


class Branches(Struct):
    """The records of one session; `live` are those of the branch that goes on, in the order of the file."""

    live: dict[str, int] = field(default_factory=lambda: {_ROOT: 0})
    aside: list[Branch] = []
    gone: list[str] = []  # messages of branches to which nobody can go back any more
    placed: int = 0
    linked: bool = False  # some record hangs on another: a file without links says nothing about branches

    def __post_init__(self) -> None:
        self.live = _in_order(self.live)
        for branch in self.aside:
            branch.records = _in_order(branch.records)

    def place(self, uuid: str, parent: str, flags: int = 0) -> None:
        """The next record of the file; `flags` are of SAID, ASKED and PROGRESS."""
        live = self.live
        if uuid in live:  # a resumed session may repeat it
            return
        self.placed = flags = (self.placed & _PLACES) + _PLACE | flags
        if flags & ASKED:
            self._follow(parent)
        elif self.aside and parent not in live and self._put_aside(uuid, parent, flags):
            return
        if parent in live:
            live[parent] |= _CONTINUED | _HOLDS_PROMPT if flags & ASKED else not flags & PROGRESS
            if parent and not self.linked:
                self.linked = True
        live[uuid] = flags
        if len(live) > _MOST_LIVE:
            self.live = {_ROOT: live[_ROOT], **dict(islice(live.items(), _MOST_LIVE // 2, None))}

    def say(self, uuid: str) -> None:
        """A message came of the record."""
        holder = self.live if uuid in self.live else self._aside_with(uuid)
        if holder is not None:
            holder[uuid] |= SAID

    def compact(self, last: str, kept: list[str]) -> None:
        """A compaction of everything up to the record `last`, "" where that is not told.

        Who rewinds and compacts at once leaves no prompt to tell it by. Of what stood before it only what it kept and
        where a person can go back to is remembered: the rest has left the context.
        """
        known = list(self.live)
        if last and last in self.live and any(self.live[uuid] & ASKED for uuid in known[known.index(last) + 1 :]):
            self._go_back(last)
        stays = {_ROOT, *kept}
        self.live = {
            uuid: flags if uuid in stays else flags & ~SAID
            for uuid, flags in self.live.items()
            if flags & _HOLDS_PROMPT or uuid in stays
        }

    def abandoned(self) -> list[str]:
        """Ids of the messages that were taken back, the earliest rewind first."""
        return [*self.gone, *(uuid for branch in self.aside for uuid in _said(branch.records))]

    def _aside_with(self, uuid: str) -> dict[str, int] | None:
        return next((branch.records for branch in self.aside if uuid in branch.records), None)

    def _put_aside(self, uuid: str, parent: str, flags: int) -> bool:
        """A tool may answer after its call was taken back."""
        records = self._aside_with(parent)
        if records is not None:
            records[uuid] = flags
        return records is not None

    def _follow(self, parent: str) -> None:
        """A prompt hangs on `parent`: what followed that one until now was taken back."""
        if parent == _ROOT and not self.linked:
            return
        if self.live.get(parent, _CONTINUED) & _CONTINUED:
            self._go_back(parent)

    def _go_back(self, uuid: str) -> None:
        """Makes a known record the last one of the branch that goes on, from another branch if need be."""
        if uuid not in self.live and not self._bring_back(uuid):
            return
        taken_back = []
        while next(reversed(self.live)) != uuid:
            taken_back.append(self.live.popitem())
        if taken_back:
            self.aside.append(Branch(uuid, dict(reversed(taken_back))))
            self._bound()

    def _bring_back(self, uuid: str) -> bool:
        """Joins the branch that holds the record to the live one, at the place where it was taken back."""
        branch = next((branch for branch in self.aside if uuid in branch.records), None)
        if branch is None:
            return False
        self.aside.remove(branch)
        self._go_back(branch.at)
        self.live.update(branch.records)
        return True

    def _bound(self) -> None:
        while len(self.aside) > _MOST_BRANCHES or sum(len(branch.records) for branch in self.aside) > _MOST_LIVE:
            self.gone += _said(self.aside.pop(0).records)
        del self.gone[:-_MOST_GONE]


def _in_order(records: dict[str, int]) -> dict[str, int]:
    return dict(sorted(records.items(), key=itemgetter(1)))


def _said(records: dict[str, int]) -> list[str]:
    return [uuid for uuid, flags in records.items() if flags & SAID]
