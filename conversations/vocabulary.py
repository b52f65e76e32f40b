"""The words all stages share, each with its exact meaning. Pure: no Django, no database.

The values are what is stored, sent over REST and written in URLs; the labels are what people read.
"""

from enum import StrEnum

#: Of a service tier, as providers call it.
TIER_CHARACTERS = 20


class Role(StrEnum):
    """Who speaks, as the model sees it."""

    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Origin(StrEnum):
    """How a message came into the context."""

    SPOKEN = "spoken"  # said or called in the ordinary course of the conversation
    QUEUED = "queued"  # typed by the user while the agent worked, delivered later
    HARNESS = "harness"  # written by the harness itself: caveats, reminders, local command output
    RESTORED = "restored"  # put back by the harness after a compaction: files, skills, memory
    SUMMARY = "summary"  # the summary that a compaction left behind


class CompactionKind(StrEnum):
    """What did the replacing."""

    THRESHOLD = "threshold"  # the API, at an input-token threshold
    ON_DEMAND = "on_demand"  # the API, because the caller asked
    CLIENT = "client"  # the harness made its own summary
    HOSTED_OPAQUE = "hosted_opaque"  # the API; the summary is encrypted
    TRUNCATION = "truncation"  # messages vanished, no summary
    TOOL_CLEAR = "tool_clear"  # the API blanked old tool results
    MICROCOMPACT = "microcompact"  # the harness blanked old tool results


#: These blank the results of single tool calls; everything else of the context stays.
CLEARING_KINDS = frozenset({CompactionKind.TOOL_CLEAR, CompactionKind.MICROCOMPACT})
#: Key in a compaction's `raw`: ids of messages before it that were in the context no longer, for they stood on another
#: branch: those of a turn that was edited or made anew. It neither dropped nor kept them.
ABANDONED = "abandoned"


def abandoned_in(raw: object) -> list[str]:
    """The ids under ABANDONED; what else a source wrote there is not ours."""
    found = raw.get(ABANDONED) if isinstance(raw, dict) else None
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


class Trigger(StrEnum):
    """Why it happened then."""

    AUTO = "auto"
    MANUAL = "manual"
    THRESHOLD = "threshold"
    IDLE = "idle"
    OVERFLOW = "overflow"
    UNKNOWN = "unknown"


class SummaryState(StrEnum):
    """Whether the summary can be read. Shown as it is: an unreadable summary is never "nothing kept"."""

    TEXT = "text"
    ENCRYPTED = "encrypted"
    ABSENT = "absent"
    FAILED = "failed"


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


class MemberRole(StrEnum):
    """What a member of a workspace may do; each may do what those after it may."""

    OWNER = "owner"
    ADMIN = "admin"
    REVIEWER = "reviewer"
    VIEWER = "viewer"


class Scope(StrEnum):
    """What an API key may do."""

    INGEST = "ingest"
    READ = "read"
    REVIEW = "review"  # judge: verdicts, marks
    MANAGE = "manage"  # rules, channels, budgets, incidents


class SignInWay(StrEnum):
    """How a person came in."""

    PASSWORD = "password"  # noqa: S105 -- the word, not one
    LINK = "link"
    INVITATION = "invitation"
    OIDC = "oidc"


class BatchState(StrEnum):
    """How far the digestion of a batch has come."""

    PENDING = "pending"
    DIGESTED = "digested"
    FAILED = "failed"  # raised on the way; the bytes are kept and can be digested again


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


class Severity(StrEnum):
    """How bad what an alert tells of is, from the least to the worst."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class SignalState(StrEnum):
    """How one group of a rule, or one budget, stands at a moment."""

    FIRING = "firing"
    OK = "ok"
    NO_DATA = "no_data"  # nothing to tell by; what that means is the rule's to say


class RunState(StrEnum):
    """What an evaluation of a rule came to."""

    FIRING = "firing"
    OK = "ok"
    NO_DATA = "no_data"
    FAILED = "failed"  # it could not be evaluated; its problem says why


class Aggregation(StrEnum):
    """How an alert rule makes one figure of what it looks at."""

    EACH = "each"  # every event by itself
    COUNT = "count"  # how many events in a window of time; 0 where there are none
    SUM = "sum"  # 0 where there are none
    MEAN = "mean"
    SHARE = "share"  # percent of the events whose value is above 0
    P50 = "p50"
    P95 = "p95"
    MAX = "max"
    ALPHA = "alpha"  # Krippendorff's, of opinions; see `alerts.readings.alpha`


class Direction(StrEnum):
    """On which side of its thresholds a rule fires."""

    ABOVE = "above"
    BELOW = "below"
    RISES = "rises"  # by more percent against the window before
    FALLS = "falls"


class NoData(StrEnum):
    """What it means to a rule that there is nothing, or too little, to tell by."""

    IGNORE = "ignore"  # it is left out; what fires ends after the quiet time
    TELL = "tell"  # people are told that there is no data
    KEEP = "keep"  # what fires goes on, what is well stays well
    OK = "ok"  # it is well


class GroupBy(StrEnum):
    """What a rule looks at one by one, each with incidents of its own."""

    AGENT = "agent"  # in all versions
    VERSION = "version"  # agent and version
    MODEL = "model"
    CONVERSATION = "conversation"
    LEDGER_ENTRY = "ledger_entry"  # by its name, where a metric looks at the ledger


class ChannelKind(StrEnum):
    """How a channel tells people."""

    APPRISE = "apprise"  # a service that Apprise knows: Slack, Teams, e-mail, …
    WEBHOOK = "webhook"  # our own signed POST
    IN_APP = "in_app"  # the bell in the bar


class IncidentState(StrEnum):
    """How far people have come with an incident."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"  # somebody sees to it; nobody else is woken
    RESOLVED = "resolved"


class IncidentEventKind(StrEnum):
    """What happened to an incident."""

    OPENED = "opened"
    WORSENED = "worsened"  # a higher severity
    REMINDED = "reminded"  # it is still open, and people are told again
    ESCALATED = "escalated"  # nobody acknowledged it in time
    SILENCED = "silenced"  # nobody is told, because a silence or a snooze is in force
    NOTIFIED = "notified"
    DELIVERY_FAILED = "delivery_failed"
    DELIVERY_UNCERTAIN = "delivery_uncertain"  # the process ended while it sent
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    RESOLVED_BY_DATA = "resolved_by_data"
    RESOLVED_BY_HAND = "resolved_by_hand"


class DeliveryKind(StrEnum):
    """What a channel is told about an incident."""

    OPENED = "opened"
    WORSENED = "worsened"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


class DeliveryState(StrEnum):
    """How far a delivery has come."""

    WAITING = "waiting"
    SENDING = "sending"  # claimed by a process until its lease ends
    SENT = "sent"
    FAILED = "failed"  # tried and failed; will be tried again
    DEAD = "dead"  # given up; a person can send it again
    DROPPED = "dropped"  # no longer wanted before its time came: silenced, acknowledged, resolved


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


class RankingState(StrEnum):
    """What became of learning the ranking from a team's verdicts."""

    USED = "used"
    NO_BETTER = "no_better"  # on findings it had not seen; the shipped ranking stays
    TOO_FEW = "too_few"  # verdicts, to learn from or to tell by
    OFF = "off"  # the team does not want it


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


class MailKind(StrEnum):
    """What somebody can have by e-mail."""

    NOTICES = "notices"  # what they are told in the app
    WEEK = "week"  # the workspace's week


class MailPeriod(StrEnum):
    """How often, at most."""

    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"


class DeletionKind(StrEnum):
    """What somebody wants gone."""

    CONVERSATION = "conversation"  # one, with those it delegated
    PERSON = "person"  # every conversation in which certain words stand
    WORKSPACE = "workspace"


class DeletionState(StrEnum):
    """How far a deletion is."""

    SEARCHING = "searching"
    FOUND = "found"  # waits for a person to say yes
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Redaction(StrEnum):
    """When secrets and personal data are taken out of a workspace's texts."""

    OFF = "off"
    INGEST = "ingest"  # before anything is stored: for good
    DISPLAY = "display"  # what a placeholder stands for is kept, sealed: owners can see it


class RedactionState(StrEnum):
    """How far the redaction of what is stored is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
