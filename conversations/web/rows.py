"""The rows of the tables of conversations and compactions: what each cell says, ready to be put into its place.

A table of 50 rows that asked a template for every address, badge and number took 10 ms; this takes 2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conversations.models import Compaction, CompactionAudit, Conversation, Workspace
from conversations.vocabulary import AuditState, SummaryState
from conversations.web.addresses import Addresses
from conversations.web.facts import retention_words
from conversations.web.findings import Tally, audit_of, tallies_of
from conversations.web.highlight import Html
from conversations.web.sparklines import sparkline_svg
from conversations.web.wording import LOSSES, ago, cut, exact, how, tally, tokens, words

TITLE_SHOWN = 120  # characters
MODELS_SHOWN = 2

_SUMMARY = {
    SummaryState.TEXT.value: Html('<span class="badge">readable</span>'),
    SummaryState.ENCRYPTED.value: Html('<span class="badge warning">≈ encrypted</span>'),
    SummaryState.FAILED.value: Html('<span class="badge critical">✕ failed</span>'),
    SummaryState.ABSENT.value: Html('<span class="badge">no summary</span>'),
}
_INCOMPLETE = ' <span class="badge warning">≈ incomplete</span>'
_NOTHING = Html('<span class="muted">–</span>')
_NOT_AUDITED = Html('<span class="tally none">not audited yet</span>')
_VERDICTS = {
    AuditState.FAILED.value: Html('<span class="badge critical">✕ audit failed</span>'),
    AuditState.UNREADABLE.value: Html('<span class="tally none">cannot be told</span>'),
}


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in a list."""

    conversation: Conversation
    found: Tally | None  # None: nothing was audited
    addresses: Addresses

    @property
    def url(self) -> str:
        """Its page."""
        return self.addresses.conversation(self.conversation.pk)

    @property
    def title(self) -> str:
        """Or its id, where it has none."""
        return str(self.conversation)

    @property
    def about(self) -> str:
        """Where it comes from, its models, and whether its beginning is missing."""
        said = [words(self.conversation.source), *self.conversation.model_names[:MODELS_SHOWN]]
        return " · ".join(said if self.conversation.complete else [*said, "starts mid-way"])

    @property
    def agent(self) -> str:
        """Name and version."""
        return str(self.conversation.agent or "–")

    @property
    def sparkline(self) -> Html:
        """The saw-tooth in small."""
        counted = f"{self.conversation.request_count} requests, {self.conversation.compaction_count} compactions"
        return sparkline_svg(self.conversation.sparkline, label=counted)

    @property
    def now(self) -> str:
        """Context tokens of the last request."""
        return tokens(self.conversation.tokens_now)

    @property
    def compactions(self) -> str:
        """How many. As text, like every number here: localising 50 numbers takes a template 1 ms."""
        return str(self.conversation.compaction_count)

    @property
    def facts(self) -> Html:
        """What its compactions lost."""
        return _NOTHING if self.found is None else Html(f'<span class="counts">{tally(self.found, LOSSES)}</span>')

    @property
    def seen(self) -> str:
        """When it was last heard of."""
        return ago(self.conversation.last_at)


def conversation_rows(conversations: Sequence[Conversation], workspace: Workspace) -> list[ConversationRow]:
    """Each with what was found in it. One query."""
    addresses, tallies = Addresses.of(workspace), tallies_of(conversations)
    return [ConversationRow(each, tallies.get(each.pk), addresses) for each in conversations]


@dataclass(frozen=True, slots=True)
class CompactionRow:
    """A compaction in a list, read with its audit."""

    compaction: Compaction
    addresses: Addresses

    @property
    def url(self) -> str:
        """Its page."""
        return self.addresses.compaction(self.compaction.pk)

    @property
    def number(self) -> str:
        """Within its conversation."""
        return str(self.compaction.number)

    @property
    def anchor(self) -> str:
        """Of its row on a page."""
        return f"c{self.compaction.pk}"

    @property
    def conversation(self) -> str:
        """Its title."""
        return cut(str(self.compaction.conversation), TITLE_SHOWN)

    @property
    def agent(self) -> str:
        """Name and version."""
        return str(self.compaction.conversation.agent or "–")

    @property
    def facts(self) -> Html:
        """What became of them, or why that is not known."""
        return verdict(audit_of(self.compaction))

    @property
    def kept(self) -> str:
        """The share kept, by importance."""
        return retention_words(audit_of(self.compaction)) or "–"

    @property
    def kind(self) -> str:
        """And why it happened."""
        return how(self.compaction.kind, self.compaction.trigger)

    @property
    def before(self) -> str:
        """Tokens."""
        return tokens(self.compaction.tokens_before)

    @property
    def after(self) -> str:
        """Tokens."""
        return tokens(self.compaction.tokens_after)

    @property
    def dropped(self) -> str:
        """Messages."""
        return tokens(self.compaction.dropped_count)

    @property
    def is_plain(self) -> bool:
        """Its summary can be read and nothing is missing."""
        return self.compaction.summary_state == SummaryState.TEXT and self.compaction.complete

    @property
    def state(self) -> Html:
        """Whether its summary can be read, and whether something is missing."""
        said = _SUMMARY[self.compaction.summary_state]
        return said if self.compaction.complete else Html(said + _INCOMPLETE)

    @property
    def when(self) -> str:
        """Relative to now."""
        return ago(self.compaction.at)

    @property
    def at(self) -> str:
        """The exact time."""
        return exact(self.compaction.at)


def compaction_rows(compactions: Iterable[Compaction], workspace: Workspace) -> list[CompactionRow]:
    """No query: they were read with `select_related("audit", "conversation__agent")`."""
    addresses = Addresses.of(workspace)
    return [CompactionRow(each, addresses) for each in compactions]


def verdict(audit: CompactionAudit | None) -> Html:
    """The counts of an audit, or why there are none."""
    if audit is None:
        return _NOT_AUDITED
    return _VERDICTS.get(audit.state) or Html(f'<span class="counts">{tally(audit)}</span>')
