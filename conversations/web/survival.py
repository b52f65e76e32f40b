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
    """The share of facts that lasted `after` compactions, and how many of them were still followed at that one."""

    after: int
    kept: float  # 0 to 1
    followed: int

    @property
    def percent(self) -> int:
        """Rounded."""
        return round(100 * self.kept)


def survival(lines: Iterable[Sequence[Mapping[str, Any]]]) -> list[Share]:
    """For n = 1, 2, …: the share of facts that all of their first n compactions kept, by Kaplan and Meier's estimate.

    `lines`: the stages of each fact, in order. Facts that are younger than n compactions count as far as they were
    followed: leaving them out would leave out most of what was kept. A fact that came back was lost all the same.
    """
    met: dict[int, int] = {}
    lost: dict[int, int] = {}
    for stages in lines:
        counted = [stage["outcome"] for stage in stages if stage["outcome"] in _COUNTED]
        for after, outcome in enumerate(counted, 1):
            met[after] = met.get(after, 0) + 1
            if outcome != Outcome.KEPT:
                lost[after] = lost.get(after, 0) + 1
                break
    shares, kept = [], 1.0
    for after, followed in sorted(met.items()):
        if followed < FEWEST:
            break
        kept *= 1 - lost.get(after, 0) / followed
        shares.append(Share(after, kept, followed))
    return shares


def survival_words(shares: Sequence[Share]) -> str:
    """The figure as a sentence; empty where nothing can be said."""
    if not shares:
        return ""
    said = ", ".join(f"{share.percent} % after {share.after}" for share in shares[:6])
    unit = "compaction" if shares[:6][-1].after == 1 else "compactions"
    return f"Share of facts still kept: {said} {unit} ({shares[0].followed:,} facts)."


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
    height = max(HEIGHT * share.kept, 1)
    x = at * (WIDTH + _GAP)
    return (
        f'<rect class="plot-bar" x="{x}" y="{HEIGHT - height:.1f}" width="{WIDTH}" height="{height:.1f}"/>'
        f'<text class="plot-axis" x="{x + WIDTH / 2:g}" y="{HEIGHT + 12}" text-anchor="middle">{share.after}</text>'
    )
