"""The words all stages share, each with its exact meaning. Pure: no Django, no database.

The values are what is stored, sent over REST and written in URLs; the labels are what people read.
"""

from conversations.vocabulary.alerts import (
    Aggregation,
    ChannelKind,
    DeliveryKind,
    DeliveryState,
    Direction,
    GroupBy,
    IncidentEventKind,
    IncidentState,
    NoData,
    RunState,
    Severity,
    SignalState,
)
from conversations.vocabulary.auditing import AuditState, LedgerOutcome, LlmState, Outcome, RankingState
from conversations.vocabulary.budgets import (
    BudgetAction,
    BudgetEventKind,
    BudgetMetric,
    BudgetPeriod,
    BudgetScope,
    BudgetState,
)
from conversations.vocabulary.contexts import (
    ABANDONED,
    CLEARING_KINDS,
    TIER_CHARACTERS,
    BatchState,
    CompactionKind,
    Origin,
    Role,
    SummaryState,
    Trigger,
    abandoned_in,
)
from conversations.vocabulary.keeping import DeletionKind, DeletionState, Redaction, RedactionState
from conversations.vocabulary.people import MailKind, MailPeriod, MemberRole, Scope, SignInWay
from conversations.vocabulary.reviewing import Answer, ItemState, Marked, Overall, Sampling

__all__ = [
    "ABANDONED",
    "CLEARING_KINDS",
    "TIER_CHARACTERS",
    "Aggregation",
    "Answer",
    "AuditState",
    "BatchState",
    "BudgetAction",
    "BudgetEventKind",
    "BudgetMetric",
    "BudgetPeriod",
    "BudgetScope",
    "BudgetState",
    "ChannelKind",
    "CompactionKind",
    "DeletionKind",
    "DeletionState",
    "DeliveryKind",
    "DeliveryState",
    "Direction",
    "GroupBy",
    "IncidentEventKind",
    "IncidentState",
    "ItemState",
    "LedgerOutcome",
    "LlmState",
    "MailKind",
    "MailPeriod",
    "Marked",
    "MemberRole",
    "NoData",
    "Origin",
    "Outcome",
    "Overall",
    "RankingState",
    "Redaction",
    "RedactionState",
    "Role",
    "RunState",
    "Sampling",
    "Scope",
    "Severity",
    "SignInWay",
    "SignalState",
    "SummaryState",
    "Trigger",
    "abandoned_in",
]
