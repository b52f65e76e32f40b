"""The row of a life-line as HTML. Written out here: 50 rows of 30 cells as a template took 60 ms of a page."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from conversations.models import LifeLine
from conversations.vocabulary import Outcome
from conversations.web.addresses import Addresses
from conversations.web.facts import SIGNS
from conversations.web.highlight import Html, clean
from conversations.web.wording import cut

TEXT_SHOWN = 200
#: (compaction's number, fact's id) → (compaction's id, finding's number); facts that were only followed have none.
Found = Mapping[tuple[int, str], tuple[int, int]]


def line_html(row: LifeLine, numbers: Sequence[int], found: Found, addresses: Addresses) -> Html:
    """What became of one fact at each of the compactions `numbers`."""
    stages = {stage["number"]: stage for stage in row.stages}
    cells = "".join(_cell(number, stages.get(number), found, addresses) for number in numbers)
    dead = "" if row.died_at is None else f" · lost for good at compaction {row.died_at}"
    more = " …" if row.died_at is None and row.generations_kept else ""
    return Html(
        f'<tr data-item><th scope="row" class="life-fact">{escape(cut(clean(row.text), TEXT_SHOWN))}'
        f'<div class="sub">{escape(row.kind)}{dead}</div></th>{cells}'
        f'<td class="number">{row.generations_kept}{more}</td></tr>'
    )


def _cell(number: int, stage: Mapping[str, Any] | None, found: Found, addresses: Addresses) -> str:
    """No sign: it was not there yet, or not followed any more."""
    if stage is None:
        return '<td class="cell"></td>'
    outcome = Outcome(stage["outcome"])
    about, came_back, harmful = escape(_about(stage)), stage.get("came_back"), stage.get("harmful")
    sign = f"{'↩' if came_back else ''}{SIGNS[outcome]}{'!' if harmful else ''}"
    words = f'<span aria-hidden="true">{sign}</span><span class="hidden-word">{about}{_HARM if harmful else ""}</span>'
    place = found.get((number, stage.get("fact") or ""))
    if place is None:
        return f'<td class="cell {outcome}"><span title="{about}">{words}</span></td>'
    return f'<td class="cell {outcome}"><a href="{addresses.finding(*place)}" title="{about}">{words}</a></td>'


_HARM = ", did harm"


def _about(stage: Mapping[str, Any]) -> str:
    came_back = stage.get("came_back")
    told = (
        str(stage["outcome"]),
        str(stage.get("detail") or ""),
        f"it had come back: {came_back}" if came_back else "",
        "by its earlier words, for it was not said again" if stage.get("followed") else "",
    )
    return clean(", ".join(filter(None, told)))
