"""STORE: tables, constraints, and the vocabulary to ask for rows."""

from conversations.models.account import SignInFailures, SignInLink, User
from conversations.models.alerting import Channel
from conversations.models.budget import Budget, BudgetChannel, BudgetEvent, BudgetOverride
from conversations.models.compaction import Compaction
from conversations.models.context import ContextPage, KnownContexts
from conversations.models.conversation import Agent, Conversation, Message, Request
from conversations.models.discussion import Comment, Thread
from conversations.models.fact import Addition, BoundaryWork, CompactionAudit, Finding, LifeLine
from conversations.models.inbox import Batch, BatchChunk, BatchProblem
from conversations.models.incident import Delivery, Incident, IncidentEvent, Silence
from conversations.models.learning import RankingVersion
from conversations.models.ledger import LedgerCheck, LedgerEntry
from conversations.models.llm import LlmAnswer, LlmCall, LlmReading
from conversations.models.mailing import Looking, MailDigest
from conversations.models.people import Activity, Notice
from conversations.models.privacy import DeletedConversation, Deletion, DeletionTarget, Hold, RetentionRule
from conversations.models.redaction import HiddenSecret, RedactionPattern, RedactionRun, RedactionSettings
from conversations.models.review import Mark, Queue, QueueItem, Reservation, Review, Verdict
from conversations.models.rule import Rule, RuleChannel, RuleProgress, RuleRun
from conversations.models.signing_in import SecondFactor, Session, SignInProvider
from conversations.models.spending import (
    AgentDay,
    AgentSlot,
    AgentTotal,
    ConversationCount,
    ConversationDay,
    ConversationSlot,
    ModelPrice,
    SpendingVersion,
    TagDay,
    TagSlot,
)
from conversations.models.workspace import ApiKey, Invitation, Membership, Workspace

__all__ = [
    "Activity",
    "Addition",
    "Agent",
    "AgentDay",
    "AgentSlot",
    "AgentTotal",
    "ApiKey",
    "Batch",
    "BatchChunk",
    "BatchProblem",
    "BoundaryWork",
    "Budget",
    "BudgetChannel",
    "BudgetEvent",
    "BudgetOverride",
    "Channel",
    "Comment",
    "Compaction",
    "CompactionAudit",
    "ContextPage",
    "Conversation",
    "ConversationCount",
    "ConversationDay",
    "ConversationSlot",
    "DeletedConversation",
    "Deletion",
    "DeletionTarget",
    "Delivery",
    "Finding",
    "HiddenSecret",
    "Hold",
    "Incident",
    "IncidentEvent",
    "Invitation",
    "KnownContexts",
    "LedgerCheck",
    "LedgerEntry",
    "LifeLine",
    "LlmAnswer",
    "LlmCall",
    "LlmReading",
    "Looking",
    "MailDigest",
    "Mark",
    "Membership",
    "Message",
    "ModelPrice",
    "Notice",
    "Queue",
    "QueueItem",
    "RankingVersion",
    "RedactionPattern",
    "RedactionRun",
    "RedactionSettings",
    "Request",
    "Reservation",
    "RetentionRule",
    "Review",
    "Rule",
    "RuleChannel",
    "RuleProgress",
    "RuleRun",
    "SecondFactor",
    "Session",
    "SignInFailures",
    "SignInLink",
    "SignInProvider",
    "Silence",
    "SpendingVersion",
    "TagDay",
    "TagSlot",
    "Thread",
    "User",
    "Verdict",
    "Workspace",
]
