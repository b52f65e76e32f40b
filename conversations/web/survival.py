"""How long facts last: the share of facts still kept after n compactions, as a sentence and a small SVG. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conversations.vocabulary import Outcome
from conversations.web.highlight import Html

#: Below so many facts a share says nothing.
FEWEST = 5
WIDTH, HEIGHT, _GAP = 28, 40, 4  # of one bar, in pixels
_COUNTED = {Outcome.KEPT, Outcome.ALTERED, Outcome.FORGOTTEN}


@dataclass(frozen=True, slots=True)
class Share:
    """Of the facts that met `after` compactions, those that were still known after the last of them."""

    after: int
    kept: int
    of: int

    @property
    def percent(self) -> int:
        """Rounded."""
        return round(100 * self.kept / self.of)


def survival(lines: Iterable[Sequence[Mapping[str, Any]]]) -> list[Share]:
    """For n = 1, 2, …: of the facts followed over n compactions, or lost before, how many were kept at all of them.

    `lines`: the stages of each fact, in order. A fact that was lost counts as lost at all later ones, whether or not it
    came back: the summaries did not carry it.
    """
    kept: dict[int, int] = {}
    known: dict[int, int] = {}
    outcomes = [[stage["outcome"] for stage in stages if stage["outcome"] in _COUNTED] for stages in lines]
    longest = max(map(len, outcomes), default=0)
    for found in outcomes:
        lasted = next((at for at, outcome in enumerate(found) if outcome != Outcome.KEPT), len(found))
        lost = lasted < len(found)
        for after in range(1, (longest if lost else lasted) + 1):
            known[after] = known.get(after, 0) + 1
            kept[after] = kept.get(after, 0) + (after <= lasted)
    return [Share(after, kept[after], of) for after, of in sorted(known.items()) if of >= FEWEST]


def survival_words(shares: Sequence[Share]) -> str:
    """The figure as a sentence; empty where nothing can be said."""
    if not shares:
        return ""
    said = ", ".join(f"{share.percent} % after {share.after}" for share in shares[:6])
    unit = "compaction" if shares[:6][-1].after == 1 else "compactions"
    return f"Share of facts still kept: {said} {unit} ({shares[0].of:,} facts)."


def survival_svg(shares: Sequence[Share]) -> Html:
    """A bar for each number of compactions; the sentence beside it says the same."""
    if len(shares) < 2:  # noqa: PLR2004 -- one bar shows no course
        return Html("")
    bars = "".join(_bar(at, share) for at, share in enumerate(shares[:20]))
    width = len(shares[:20]) * (WIDTH + _GAP)
    return Html(
        f'<svg class="survival" viewBox="0 0 {width} {HEIGHT + 14}" width="{width}" height="{HEIGHT + 14}" '
        f'aria-hidden="true">{bars}</svg>'
    )


def _bar(at: int, share: Share) -> str:
    height = max(HEIGHT * share.kept / share.of, 1)
    x = at * (WIDTH + _GAP)
    return (
        f'<rect class="plot-bar" x="{x}" y="{HEIGHT - height:.1f}" width="{WIDTH}" height="{height:.1f}"/>'
        f'<text class="plot-axis" x="{x + WIDTH / 2:g}" y="{HEIGHT + 12}" text-anchor="middle">{share.after}</text>'
    )
