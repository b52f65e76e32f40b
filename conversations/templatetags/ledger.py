"""The ledger on other pages: what became of entries at a compaction, and in a conversation."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django import template

from conversations.audit.ledger_queries import LOST, Counts, checks_of, counts_in
from conversations.models import Compaction, Conversation
from conversations.vocabulary import LedgerOutcome
from conversations.web import ledger
from conversations.web.bar import Bar
from conversations.web.highlight import Html
from conversations.web.wording import tally

register = template.Library()

#: Outcomes that say something of what was in the context, the worst first.
_TOLD = ("forgotten", "altered", "kept")

for _filter in (ledger.sign_of, ledger.words_of, ledger.capped):
    register.filter(_filter.__name__, _filter)


@register.inclusion_tag("ledger/on_compaction.html", takes_context=True)
def ledger_checks(context: template.Context, compaction: Compaction, bar: Bar) -> dict[str, Any]:
    """What became of the ledger's entries, losses first. Nothing for those who judge blindly."""
    rows = [] if bar.is_blind else checks_of(compaction)
    return {
        "workspace": context["workspace"],
        "checks": rows,
        "lost": [row for row in rows if row.outcome in LOST],
        "others": [row for row in rows if row.outcome in (LedgerOutcome.KEPT, LedgerOutcome.UNVERIFIABLE)],
        "absent": [row for row in rows if row.outcome == LedgerOutcome.NOT_IN_CONTEXT],
        "tally": _tally(Counter(row.outcome for row in rows)),
    }


def _tally(numbers: Mapping[str, int]) -> Html:
    told = Counts(kept=numbers.get("kept", 0), altered=numbers.get("altered", 0), forgotten=numbers.get("forgotten", 0))
    return tally(told, _TOLD)


@register.inclusion_tag("ledger/on_conversation.html", takes_context=True)
def ledger_counts(context: template.Context, conversation: Conversation) -> dict[str, Any]:
    """What became of the ledger over all compactions of a conversation; `one_of` has read it."""
    found = counts_in(conversation.told_ledger)  # type: ignore[attr-defined] # annotated
    is_there = any(found.get(name) for name in _TOLD)
    return {"workspace": context["workspace"], "tally": _tally(found), "is_there": is_there}
