"""What budgets count, and what becomes of them."""

from enum import StrEnum


class BudgetScope(StrEnum):
    """Whose spending a budget counts."""

    CONVERSATION = "conversation"  # each conversation by itself
    AGENT = "agent"  # all conversations of an agent, in any version
    AGENT_VERSION = "agent_version"  # all conversations of an agent in one version
    TAG = "tag"  # all conversations that have the tag
    WORKSPACE = "workspace"


class BudgetPeriod(StrEnum):
    """How long a budget counts before it begins anew."""

    LIFE = "life"  # the whole life of what it is for
    HOUR = "hour"  # clock hours of UTC
    DAY = "day"  # days, weeks from Monday and months of the budget's time zone
    WEEK = "week"
    MONTH = "month"
    ROLLING = "rolling"  # the last so many hours, at any moment


class BudgetMetric(StrEnum):
    """What a budget counts."""

    TOTAL_TOKENS = "total_tokens"  # input, cache and output, those of summarising calls included
    INPUT_TOKENS = "input_tokens"  # cache included, summarising calls too
    OUTPUT_TOKENS = "output_tokens"
    COMPACTION_TOKENS = "compaction_tokens"  # of summarising calls, input and output
    COMPACTIONS = "compactions"
    REQUESTS = "requests"
    COST = "cost"  # US dollars, by the workspace's prices


class BudgetAction(StrEnum):
    """What an agent is asked to do at the limit."""

    TELL = "tell"  # nothing: people are told
    WRAP_UP = "wrap_up"  # finish what it is at, with the team's message
    BLOCK = "block"  # send nothing more


class BudgetState(StrEnum):
    """How a budget stands, from the best to the worst."""

    OK = "ok"
    WARN = "warn"
    WRAP_UP = "wrap_up"
    BLOCK = "block"


class BudgetEventKind(StrEnum):
    """What happened to a budget; the last two are told by the agent."""

    WARNED = "warned"  # a share at which it warns was reached
    REACHED = "reached"  # the limit was
    WRAP_UP_INJECTED = "wrap_up_injected"  # the agent was given the team's message
    BLOCKED = "blocked"  # the agent sent nothing more
