"""Conditions such as `forgotten>5` or `kind.prohibition.forgotten>0`: parsed and compared, never executed."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conversations.audit.model import FactKind
from conversations.errors import BadInput
from conversations.vocabulary import Outcome

_FORM = re.compile(r"\s*([a-z_]+(?:\.[a-z_]+){0,2})\s*(>=|<=|==|!=|=|>|<)\s*(\d{1,9}(?:\.\d{1,6})?)(%?)\s*")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
}
OUTCOMES = tuple(outcome.value for outcome in Outcome)
NAMES = (*OUTCOMES, "added", "harm", "retention", "lost")
MOST = 20


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a figure of a compaction with a number."""

    text: str
    name: str
    compare: str
    value: float

    def holds(self, compaction: dict[str, Any]) -> bool:
        """Whether it is true of a compaction's report. A figure that is not known makes no condition true."""
        figure = figure_of(self.name, compaction)
        return figure is not None and _COMPARE[self.compare](figure, self.value)


def parse(expression: str) -> list[Condition]:
    """The conditions of `a>1,b<2` or `a>1 or b<2`; any of them is enough. Raises BadInput."""
    parts = [part for part in re.split(r",|\bor\b|\|\|", expression[:2_000]) if part.strip()]
    if not parts or len(parts) > MOST:
        raise BadInput("The condition is empty or too long.", mend="Write it like forgotten>5 or retention<0.5.")
    return [_condition(part.strip()) for part in parts]


def _condition(text: str) -> Condition:
    match = _FORM.fullmatch(text)
    if match is None:
        raise BadInput(f'"{text}" is no condition.', mend="Write a name, a comparison and a number, like forgotten>5.")
    name, compare, number, percent = match.groups()
    if not is_known(name):
        raise BadInput(f'There is no figure "{name}".', mend=f"Known are {', '.join(NAMES)} and kind.KIND.OUTCOME.")
    return Condition(text, name, compare, float(number) / (100 if percent else 1))


def is_known(name: str) -> bool:
    """Whether a report has such a figure."""
    parts = name.split(".")
    if parts[0] != "kind":
        return len(parts) == 1 and name in NAMES
    return len(parts) == 3 and parts[1] in [kind.value for kind in FactKind] and parts[2] in (*OUTCOMES, "lost")


def figure_of(name: str, compaction: dict[str, Any]) -> float | None:
    """The figure of one compaction's report; None where it cannot be told."""
    counts = compaction["counts"]
    if name == "retention":
        value = compaction["retention"]["value"]
        return None if value is None else float(value)
    table = counts["kind"].get(name.split(".")[1], {}) if name.startswith("kind.") else counts
    wanted = name.rsplit(".", 1)[-1]
    names = ("forgotten", "altered") if wanted == "lost" else (wanted,)
    return float(sum(table.get(n, 0) for n in names))
