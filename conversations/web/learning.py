"""What verdicts taught the ranking, as people read it."""

from dataclasses import dataclass

import msgspec

from conversations.audit.learned_services import newest_version
from conversations.models import RankingVersion, Workspace
from conversations.review.learning import FEWEST_CONVERSATIONS, FEWEST_FITTED, FEWEST_HELD, FIRST, Trial
from conversations.vocabulary import RankingState

#: Traits in the table, the weightiest first.
MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class LearnedRanking:
    """The newest version with its figures."""

    version: RankingVersion
    trial: Trial
    weights: list[tuple[str, float]]  # ("kind value", -0.31)
    first: int = FIRST
    fewest: tuple[int, int, int] = (FEWEST_FITTED, FEWEST_HELD, FEWEST_CONVERSATIONS)

    @property
    def is_used(self) -> bool:
        """Findings stand in the order of the verdicts, or are being put in it."""
        return self.version.state == RankingState.USED


def learned_ranking(workspace: Workspace) -> LearnedRanking | None:
    """None before anything was tried. One query."""
    version = newest_version(workspace.pk)
    if version is None:
        return None
    largest = sorted(version.weights.items(), key=lambda each: (-abs(each[1]), each[0]))[:MOST_SHOWN]
    trial = msgspec.convert(version.trial, Trial)
    return LearnedRanking(version, trial, largest)
