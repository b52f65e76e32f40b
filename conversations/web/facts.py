"""The facts column of a compaction: which findings are shown, which one is chosen, and why the auditor says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from conversations.audit.learned import TEAM
from conversations.audit.queries import summary_of
from conversations.models import Addition, Compaction, CompactionAudit, Finding, Message, Workspace
from conversations.vocabulary import AuditState, LlmState, Outcome
from conversations.web import findings
from conversations.web.addresses import Addresses
from conversations.web.cards import who
from conversations.web.findings import FactFilter
from conversations.web.highlight import Html, clean
from conversations.web.marks import AddedPlace, FactPlaces
from conversations.web.paging import Order, Page, is_key, page_around, page_of
from conversations.web.wording import cut, tally

BY_NUMBER = Order("number")
FACTS_SHOWN = 25
NEAR_SHOWN = 600  # characters of the nearest words
TEXT_SHOWN = 280
HARM_SHOWN = 160
_SHIFT = "shift of the rank by your team's verdicts"
PARTS_SHOWN = 8

SIGNS = {
    Outcome.KEPT: "✓",
    Outcome.ALTERED: "≈",
    Outcome.FORGOTTEN: "✕",
    Outcome.SUPERSEDED: "→",
    Outcome.UNVERIFIABLE: "?",
}
#: What each outcome means, for those who read it the first time.
MEANINGS = {
    Outcome.SUPERSEDED: "Replaced or finished before the compaction: no loss.",
    Outcome.UNVERIFIABLE: "Whether the summary still says it cannot be told.",
}
#: P(the summary lets the agent know it) in words, from the highest.
_LIKELY = ((0.9, "almost certainly"), (0.7, "probably"), (0.4, "perhaps"), (0.15, "probably not"))
_LLM = {
    LlmState.WAITING: "A language model is still to be asked.",
    LlmState.DONE: "A language model was asked, too.",
    LlmState.PARTIAL: "A language model was asked; some of its answers could not be used.",
    LlmState.OVER_COMPACTION_BUDGET: "No language model was asked further: the budget of this compaction is used up.",
    LlmState.OVER_DAY_BUDGET: "No language model was asked further: the budget of today is used up.",
    LlmState.FAILED: "A language model could not be asked.",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A message that shows something."""

    label: str
    url: str  # empty: it is not in the data
    in_dropped: bool = False  # it stands on this page, among the dropped ones


@dataclass(frozen=True, slots=True)
class Sign:
    """What happened afterwards, with the messages that show it."""

    text: str
    cost: int | None
    base: str
    links: Sequence[Link]


@dataclass(frozen=True, slots=True)
class Item:
    """One finding as it is listed."""

    row: Finding
    chosen: bool
    links: Sequence[Link]
    signs: Sequence[Sign]
    source: Message | None  # where it was said best

    @property
    def sign(self) -> str:
        """One character for the outcome."""
        return SIGNS[Outcome(self.row.outcome)]

    @property
    def number(self) -> str:
        """Its rank in the list."""
        return str(self.row.number)

    @property
    def css(self) -> str:
        """Classes of its row."""
        return f"{self.row.outcome}{' chosen' * self.chosen}"

    @property
    def outcome(self) -> str:
        """In words."""
        return f"{self.row.outcome}, {self.row.detail}" if self.row.detail else self.row.outcome

    @property
    def text(self) -> str:
        """As much of it as a list shows."""
        return cut(clean(self.row.text), TEXT_SHOWN)

    @property
    def harm(self) -> str:
        """The first sign of harm, while the fact is not chosen: then all stand below it."""
        return "" if self.chosen or not self.signs else cut(clean(self.signs[0].text), HARM_SHOWN)

    @property
    def place(self) -> Link | None:
        """Where it was said best."""
        return self.links[0] if self.links else None

    @property
    def meaning(self) -> str:
        """Of the outcome, where its word is not plain."""
        return MEANINGS.get(Outcome(self.row.outcome), "")

    @property
    def likely(self) -> str:
        """The probability in words and as a number."""
        return f"{likely(self.row.probability)} known after it ({self.row.probability:.0%})"

    @property
    def parts(self) -> list[tuple[str, list[tuple[str, float]]]]:
        """What importance and rank are made of, and what verdicts added to that, the largest parts first."""
        stored = {**self.row.parts, _SHIFT: self.row.parts.get(TEAM, {}).get("parts")}
        return [(name, _largest(stored[name])) for name in ("importance", "rank", _SHIFT) if stored.get(name)]

    @property
    def moved(self) -> str:
        """What the team's verdicts did to its rank; empty where the ranking is as shipped."""
        told = self.row.parts.get(TEAM)
        if not told:
            return ""
        before = f"{told['number']}, score {told['rank']:.2f}"
        return f"without your team's verdicts {before} (learned ranking, version {told['version']})"


@dataclass(frozen=True, slots=True)
class AddedItem:
    """A statement of the summary without a source."""

    row: Addition
    signs: Sequence[Sign]

    @property
    def likely(self) -> str:
        """The probability in words and as a number."""
        return f"{likely(self.row.probability)} without a source ({self.row.probability:.0%})"


@dataclass(frozen=True, slots=True)
class Column:
    """All of the facts column."""

    audit: CompactionAudit | None
    filter: FactFilter
    query: str  # of the page, to which `fact=7` is added
    page: Page[Finding]
    items: Sequence[Item]
    added: Sequence[AddedItem]
    places: Sequence[FactPlaces]
    chosen: Item | None
    previous: int | None  # numbers, for p and n
    next: int | None
    near: str  # the words of the summary that come nearest to the chosen fact

    @property
    def template(self) -> str:
        """Of the column."""
        return "compactions/facts.html"

    @property
    def state(self) -> str:
        """waiting, done, unreadable or failed."""
        return self.audit.state if self.audit else "waiting"

    @property
    def tally(self) -> Html:
        """The counts of all its facts."""
        return tally(self.audit) if self.audit else Html("")

    @property
    def kinds(self) -> list[str]:
        """For the filter."""
        return findings.kinds_of(self.places)

    @property
    def retention(self) -> str:
        """The share kept by importance, as an interval."""
        return retention_words(self.audit)

    @property
    def llm(self) -> str:
        """What a language model had to do with it; empty where none is used."""
        if self.audit is None:
            return ""
        said = _LLM.get(LlmState(self.audit.llm_state), "")
        return f"{said} {self.audit.llm_reason}".strip()

    @property
    def added_places(self) -> list[AddedPlace]:
        """To be marked in the summary."""
        return [AddedPlace(a.row.pk, a.row.summary_start, a.row.summary_end) for a in self.added]

    @property
    def chosen_number(self) -> int | None:
        """Of `?fact=`, where there is such a fact."""
        return self.chosen.row.number if self.chosen else None


def column_of(compaction: Compaction, workspace: Workspace, params: Mapping[str, str]) -> Column:
    """The findings that the query string asks for, with the chosen one among them."""
    wanted = FactFilter.read(params)
    audit = findings.audit_of(compaction)
    query = _query(params)
    if audit is None:
        return Column(None, wanted, query, Page([]), (), (), (), None, None, None, "")
    page, number = _page(compaction, wanted, params)
    added = findings.additions_of(compaction)
    known = findings.messages_by_id(compaction.conversation, findings.pointed_at([*page.rows, *added]))
    linked = Links(compaction, Addresses.of(workspace), known, reviewing(params))
    items = [linked.item(row, chosen=row.number == number) for row in page.rows]
    at = next((at for at, item in enumerate(items) if item.chosen), None)
    chosen = None if at is None else items[at]
    return Column(
        audit=audit,
        filter=wanted,
        query=query,
        page=page,
        items=items,
        added=[AddedItem(row, linked.signs(row)) for row in added],
        places=findings.places_of(compaction),
        chosen=chosen,
        previous=items[at - 1].row.number if at else None,
        next=_next(items, at),
        near=near_words(compaction, chosen.row) if chosen else "",
    )


def reviewing(params: Mapping[str, str]) -> str:
    """What says which review the page is about: "queue=1&item=2&"; empty outside of reviews."""
    kept = {name: params[name] for name in ("queue", "item", "review") if name in params}
    return f"{urlencode(kept)}&" if kept else ""


def _query(params: Mapping[str, str]) -> str:
    """All that is asked for but the fact, and the messages that were shown for it."""
    kept = {name: value for name, value in params.items() if name not in {"fact", "after", "before", "around"}}
    return f"?{urlencode(kept)}&" if kept else "?"


def _next(items: Sequence[Item], at: int | None) -> int | None:
    """The fact after the chosen one; the first of the page where none is chosen."""
    following = items[0 if at is None else at + 1 :]
    return following[0].row.number if following else None


def _page(compaction: Compaction, wanted: FactFilter, params: Mapping[str, str]) -> tuple[Page[Finding], int | None]:
    """The page asked for, or the one around the chosen fact where that stands elsewhere. A filter does not hide it."""
    rows = wanted.apply(findings.findings_of(compaction))
    asked = {"after": params.get("facts_after", ""), "before": params.get("facts_before", "")}
    page = page_of(rows, BY_NUMBER, asked, size=FACTS_SHOWN)
    number = params.get("fact", "")
    if not is_key(number):
        return page, None
    # The last one's neighbour stands on the next page, and `n` has to lead there.
    inner = page.rows[bool(page.previous) : -1 if page.next else None]
    if any(row.number == int(number) for row in inner):
        return page, int(number)
    target = findings.findings_of(compaction).filter(number=int(number)).first()
    return (page_around(rows, BY_NUMBER, target, size=FACTS_SHOWN) if target else page), int(number)


def near_words(compaction: Compaction, row: Finding) -> str:
    """The words of the summary that come nearest; empty where none do."""
    if row.summary_start is None or row.summary_end is None:
        return ""
    return summary_of(compaction)[row.summary_start : row.summary_end][:NEAR_SHOWN]


def likely(probability: float) -> str:
    """In words."""
    return next((words for least, words in _LIKELY if probability >= least), "almost certainly not")


def retention_words(audit: CompactionAudit | None) -> str:
    """The interval in whole per cent: "64–78 %"; empty where nothing can be said."""
    if audit is None or audit.retention is None:
        return ""
    low, high = (round(100 * share) for share in (audit.retention_low or 0.0, audit.retention_high or 0.0))
    return f"{low} %" if low == high else f"{low}–{high} %"


def _largest(parts: Mapping[str, float]) -> list[tuple[str, float]]:
    known = [(name, value) for name, value in parts.items() if value]
    return sorted(known, key=lambda part: -abs(part[1]))[:PARTS_SHOWN]


@dataclass(frozen=True, slots=True)
class Links:
    """Makes links of external ids, with the messages of one page already read."""

    compaction: Compaction
    addresses: Addresses
    known: Mapping[str, Message]
    keep: str = ""  # parameters that links to this page keep: "queue=1&item=2&"

    def item(self, row: Finding, *, chosen: bool) -> Item:
        """A finding with its places and signs."""
        ids = dict.fromkeys(str(span[0]) for span in row.spans[: findings.MOST_PLACES])
        links = [self.link(each, row.number) for each in ids]
        return Item(row, chosen, links, self.signs(row), self.known.get(next(iter(ids), "")))

    def signs(self, row: Finding | Addition) -> list[Sign]:
        """What happened afterwards."""
        return [
            Sign(
                text=str(sign.get("text", "")),
                cost=sign.get("cost_tokens"),
                base=base_rate_words(sign.get("base_rate")),
                links=[self.link(each) for each in sign.get("messages") or ()],
            )
            for sign in row.evidence
        ]

    def link(self, external_id: str, fact: int | None = None) -> Link:
        """To the message, among the dropped ones of this page or in its conversation."""
        message = self.known.get(external_id)
        if message is None:
            return Link("a message that is no longer here", "")
        at = f", {message.at:%-d %b %H:%M}" if message.at else ""
        here = message.dropped_by_id == self.compaction.pk
        if here:
            base = self.addresses.compaction(self.compaction.pk)
        else:
            base = self.addresses.conversation(message.conversation_id)
        query = f"fact={fact}&around={message.pk}" if here and fact else f"around={message.pk}"
        query = self.keep + query if here else query
        return Link(f"{who(message)}{at}", f"{base}?{query}#m{message.pk}", in_dropped=here)


def base_rate_words(rate: Any) -> str:
    """How often the same is seen without a compaction to blame; empty where it was not counted."""
    if rate is None:
        return ""
    if not rate:
        return "It happens nowhere else in this conversation."
    return f"Elsewhere in this conversation it happens {rate:.2g} times in 100 messages."


def is_known(audit: CompactionAudit | None) -> bool:
    """Whether counts mean anything."""
    return audit is not None and audit.state == AuditState.DONE
