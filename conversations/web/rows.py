"""The rows of the tables of conversations and compactions, as HTML.

Written out here and not in a template, which takes 0.3 ms a row of ten cells: of 50 rows that is half of a list's time.
What comes from outside (titles, names of agents and models) goes through `_safe`; all else is ours.
"""

from collections.abc import Iterable, Sequence
from html import escape

from conversations.models import Compaction, CompactionAudit, Conversation, Workspace
from conversations.review.veiling import NO_VEIL, Veil
from conversations.vocabulary import AuditState, SummaryState
from conversations.web.addresses import Addresses
from conversations.web.facts import retention_words
from conversations.web.findings import Tally, audit_of, tallies_of
from conversations.web.highlight import Html, clean
from conversations.web.sparklines import sparkline_svg_of
from conversations.web.wording import LOSSES, ago, cut, exact, how, tally, tokens, words

TITLE_SHOWN = 120  # characters
MODELS_SHOWN = 2
TAGS_SHOWN = 3

_SUMMARY = {
    SummaryState.TEXT.value: '<span class="badge">readable</span>',
    SummaryState.ENCRYPTED.value: '<span class="badge warning">≈ encrypted</span>',
    SummaryState.FAILED.value: '<span class="badge critical">✕ failed</span>',
    SummaryState.ABSENT.value: '<span class="badge">no summary</span>',
}
_INCOMPLETE = ' <span class="badge warning">≈ incomplete</span>'
_NOTHING = '<span class="muted">–</span>'
_NOWRAP = ' class="nowrap"'
_VEILED = '<span class="tally none">hidden: you are judging it blindly</span>'
_NOT_AUDITED = Html('<span class="tally none">not audited yet</span>')
_VERDICTS = {
    AuditState.FAILED.value: Html('<span class="badge critical">✕ audit failed</span>'),
    AuditState.UNREADABLE.value: Html('<span class="tally none">cannot be told</span>'),
}


def conversation_rows(
    conversations: Sequence[Conversation], workspace: Workspace, veil: Veil = NO_VEIL
) -> list[Html]:  # fmt: skip
    """Of conversations read by `queries.listed_conversations`, each with what was found in it. One query."""
    addresses, tallies = Addresses.of(workspace), tallies_of(conversations, veil)
    return [_conversation_row(each, tallies.get(each.pk), addresses) for each in conversations]


def _conversation_row(row: Conversation, found: Tally | None, addresses: Addresses) -> Html:
    counted = f"{row.request_count} requests, {row.compaction_count} compactions"
    facts = _NOTHING if found is None else f'<span class="counts">{tally(found, LOSSES)}</span>'
    return Html(
        f'<tr data-item><td class="title"><a href="{addresses.conversation(row.pk)}">{_safe(str(row))}</a>'
        f'<div class="sub">{_safe(_about(row))}</div></td>'
        f'<td class="nowrap">{_safe(str(row.agent or "–"))}</td>'
        f"<td>{sparkline_svg_of(row.line, label=counted)}</td>"  # type: ignore[attr-defined] # annotated there
        f'<td class="number" data-label="Now">{tokens(row.tokens_now)}</td>'
        f'<td class="number" data-label="Compactions">{row.compaction_count}</td>'
        f'<td>{facts}</td><td class="number">{ago(row.last_at)}</td></tr>'
    )


def _safe(text: str) -> str:
    return escape(clean(text))


def _about(row: Conversation) -> str:
    """Where it comes from, its models, its tags, and whether its beginning is missing."""
    said = [words(row.source), *row.model_names[:MODELS_SHOWN], *(f"#{tag}" for tag in row.tags[:TAGS_SHOWN])]
    return " · ".join(said if row.complete else [*said, "starts mid-way"])


def compaction_rows(
    compactions: Iterable[Compaction], workspace: Workspace, veil: Veil = NO_VEIL
) -> list[Html]:  # fmt: skip
    """Across conversations; no query: read by `queries.listed_compactions`."""
    addresses = Addresses.of(workspace)
    return [_compaction_row(each, addresses, is_veiled=each.pk in veil) for each in compactions]


def _compaction_row(row: Compaction, addresses: Addresses, *, is_veiled: bool) -> Html:
    plain = row.summary_state == SummaryState.TEXT and row.complete
    return Html(
        f'<tr data-item><td class="title"><a href="{addresses.compaction(row.pk)}">Compaction {row.number}</a>'
        f'<div class="sub">{_safe(cut(str(row.conversation), TITLE_SHOWN))}</div></td>'
        f"<td{_NOWRAP * (not is_veiled)}>{_found(row, is_veiled)}{'' if plain else f'<div>{_state(row)}</div>'}</td>"
        f'<td class="number" data-label="Kept">{_kept(row, is_veiled)}</td>'
        f'<td class="nowrap">{_safe(str(row.conversation.agent or "–"))}</td>'
        f"<td>{how(row.kind, row.trigger)}</td>{_sizes(row)}"
        f'<td class="number">{ago(row.at)}</td></tr>'
    )


def own_compaction_rows(
    compactions: Iterable[Compaction], workspace: Workspace, veil: Veil = NO_VEIL
) -> list[Html]:  # fmt: skip
    """Those of one conversation, on its page."""
    addresses = Addresses.of(workspace)
    return [_own_compaction_row(each, addresses, is_veiled=each.pk in veil) for each in compactions]


def _own_compaction_row(row: Compaction, addresses: Addresses, *, is_veiled: bool) -> Html:
    return Html(
        f'<tr data-item id="c{row.pk}"><td class="nowrap"><a href="{addresses.compaction(row.pk)}">'
        f"Compaction {row.number}</a></td>"
        f"<td>{_found(row, is_veiled)}</td>"
        f'<td class="number" data-label="Kept">{_kept(row, is_veiled)}</td>'
        f'<td class="nowrap">{exact(row.at)}</td>'
        f'<td class="nowrap">{how(row.kind, row.trigger)}</td>{_sizes(row)}'
        f"<td>{_state(row)}</td></tr>"
    )


def _found(row: Compaction, is_veiled: bool) -> str:  # noqa: FBT001 -- as its name says
    return _VEILED if is_veiled else verdict(audit_of(row))


def _kept(row: Compaction, is_veiled: bool) -> str:  # noqa: FBT001 -- as its name says
    """The share kept, by importance."""
    return "–" if is_veiled else retention_words(audit_of(row)) or "–"


def _sizes(row: Compaction) -> str:
    """Tokens before and after, messages dropped."""
    return (
        f'<td class="number" data-label="Before">{tokens(row.tokens_before)}</td>'
        f'<td class="number" data-label="After">{tokens(row.tokens_after)}</td>'
        f'<td class="number" data-label="Dropped messages">{tokens(row.dropped_count)}</td>'
    )


def _state(row: Compaction) -> str:
    """Whether its summary can be read, and whether something is missing."""
    said = _SUMMARY[row.summary_state]
    return said if row.complete else said + _INCOMPLETE


def verdict(audit: CompactionAudit | None) -> Html:
    """The counts of an audit, or why there are none."""
    if audit is None:
        return _NOT_AUDITED
    return _VERDICTS.get(audit.state) or Html(f'<span class="counts">{tally(audit)}</span>')
