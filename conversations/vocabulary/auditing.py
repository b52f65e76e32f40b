"""What the auditor says of facts, and how far it is."""

from enum import StrEnum


class Outcome(StrEnum):
    """What became of a fact at one compaction."""

    KEPT = "kept"
    ALTERED = "altered"
    FORGOTTEN = "forgotten"
    SUPERSEDED = "superseded"  # replaced or finished before the boundary: no loss
    UNVERIFIABLE = "unverifiable"


class LedgerOutcome(StrEnum):
    """What became of an entry of the ledger at one compaction."""

    KEPT = "kept"
    ALTERED = "altered"
    FORGOTTEN = "forgotten"
    UNVERIFIABLE = "unverifiable"  # the summary cannot be read, or messages that may have told it are missing
    NOT_IN_CONTEXT = "not_in_context"  # nobody had told the agent, or it was lost before: nothing to forget


class AuditState(StrEnum):
    """How far the audit of a compaction has come; no row at all means that it has not begun."""

    DONE = "done"
    UNREADABLE = "unreadable"  # nothing can be claimed to be lost: the summary or what it covers cannot be read
    FAILED = "failed"  # raised on the way; tried again with the next version or by hand


class LlmState(StrEnum):
    """How far a language model has come with a compaction."""

    OFF = "off"  # never asked: no key, or nothing that it could read
    WAITING = "waiting"  # to be asked, now or again later
    DONE = "done"
    PARTIAL = "partial"  # some questions got no usable answer
    OVER_COMPACTION_BUDGET = "over_compaction_budget"
    OVER_DAY_BUDGET = "over_day_budget"
    FAILED = "failed"  # it could not be asked


class RankingState(StrEnum):
    """What became of learning the ranking from a team's verdicts."""

    USED = "used"
    NO_BETTER = "no_better"  # on findings it had not seen; the shipped ranking stays
    TOO_FEW = "too_few"  # verdicts, to learn from or to tell by
    OFF = "off"  # the team does not want it
