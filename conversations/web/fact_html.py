"""A fact of the facts column as HTML. Written out here: as a template each took 0.5 ms, 25 of them 14 ms of a page."""

from html import escape

from conversations.review.desk import JudgedFact
from conversations.vocabulary import Answer
from conversations.web.bar import ADDED_WORDS, ANSWER_WORDS
from conversations.web.facts import Item, Link
from conversations.web.highlight import Html, clean

_HARM = ' <span class="badge critical">! harm</span>'


def fact_html(item: Item, query: str, said: JudgedFact | None) -> Html:
    """What stands in its row whether it is chosen or not; `query` is the page's, to which the fact is added."""
    row, address = item.row, f"{escape(query)}fact={item.number}"
    current = ' aria-current="true"' if item.chosen else ""
    times = f" · said {row.count} times" if row.count > 1 else ""
    return Html(
        f'<a class="fact-line" href="{address}#fact-{item.number}" hx-get="{address}" hx-target="#sides"'
        f' hx-swap="outerMorph" hx-replace-url="true"{current}>'
        f'<span class="fact-sign" aria-hidden="true">{item.sign}</span>'
        f'<span class="fact-text"><span class="hidden-word">{row.outcome}: </span>{escape(item.text)}</span></a>'
        f'<p class="fact-about"><span class="fact-outcome">{_safe(item.outcome)}</span> · {_safe(row.kind)}'
        f"{_place(item.place)}{times}{_HARM if row.harmful else ''}</p>"
        f'<p class="my-verdict" id="said-{escape(row.fact_id)}">{verdict_html(said)}</p>{_harm(item.harm)}'
    )


def verdict_html(said: JudgedFact | None) -> Html:
    """The reader's own verdict; empty where there is none."""
    if said is None:
        return Html("")
    reworded = f" <q>{_safe(said.reworded)}</q>" if said.reworded else ""
    words = ADDED_WORDS if said.is_on_added else ANSWER_WORDS
    return Html(f'<span class="badge">You: {words[Answer(said.answer)]}</span>{reworded}')


def _harm(text: str) -> str:
    return f'<p class="fact-harm">{escape(text)}</p>' if text else ""


def _place(link: Link | None) -> str:
    if link is None:
        return ""
    return f' · <a href="{escape(link.url)}">{_safe(link.label)}</a>' if link.url else f" · {_safe(link.label)}"


def _safe(text: str) -> str:
    return escape(clean(text))
