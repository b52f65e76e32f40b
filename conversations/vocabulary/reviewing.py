"""What people say of compactions, and how they come to see them."""

from enum import StrEnum


class Sampling(StrEnum):
    """Which of the compactions that fit a queue's filter flow into it."""

    ALL = "all"
    RANDOM = "random"  # a fixed share, the same ones whenever it is asked
    RISKIEST = "riskiest"  # those with losses, worst first
    DISAGREEMENT = "disagreement"  # those on which judges differ, or where the auditor is unsure
    ONE_PER_VERSION = "one_per_version"  # of each version of an agent


class ItemState(StrEnum):
    """How far the review of a queue's item has come."""

    WAITING = "waiting"  # for as many people as were asked for
    DONE = "done"
    DISAGREED = "disagreed"  # done, and they differ
    SETTLED = "settled"  # they differed; the second look is the record


class Overall(StrEnum):
    """A person's word on a whole compaction."""

    FAITHFUL = "faithful"
    MINOR_LOSS = "minor_loss"
    HARMFUL_LOSS = "harmful_loss"


class Answer(StrEnum):
    """A person's word on one finding."""

    AGREE = "agree"
    NOT_LOST = "not_lost"
    DOES_NOT_MATTER = "does_not_matter"
    WRONG_FACT = "wrong_fact"  # nothing that anybody said or that is worth keeping
    REWORD = "reword"  # right, in other words


class Marked(StrEnum):
    """What a person found that the auditor did not."""

    MISSED = "missed"  # a fact in a dropped message
    INVENTED = "invented"  # a statement of the summary that nobody made
