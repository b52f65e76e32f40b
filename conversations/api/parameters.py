"""What a query string may ask for: each parameter says how it is read, what it keeps, and how it is documented."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_date, parse_datetime

from conversations.errors import BadInput

LONGEST = 600  # characters of a value; external ids have up to 512
#: Parameters every endpoint takes; `format` chooses the renderer, `workspace` is for people who are signed in.
EVERYWHERE = ("format", "workspace")
_YES_OR_NO = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `read` raises ValueError for what it cannot take; `keeps` is None where it filters nothing."""

    name: str
    help: str
    keeps: Callable[[Any], Q] | None = None
    read: Callable[[str], Any] = str
    type: str = "string"  # for the OpenAPI document
    choices: tuple[str, ...] = ()

    def value(self, text: str) -> Any:
        """What was asked for. Raises BadInput."""
        fits = "\0" not in text and len(text) <= LONGEST and (not self.choices or text in self.choices)
        try:
            return self.read(text if fits else _refused(text))
        except (ValueError, OverflowError):
            mend = f"Use one of {', '.join(self.choices)}." if self.choices else self.help
            raise BadInput(f'"{text[:60]}" is no value of "{self.name}".', mend=mend, at=self.name) from None


def _refused(text: str) -> str:
    raise ValueError(text)


def read_parameters(given: Mapping[str, str], known: Iterable[Parameter]) -> dict[str, Any]:
    """The values given, by name; empty ones are left out. A parameter that is not known is refused, not ignored: a
    misspelt filter would otherwise return everything. Raises BadInput."""
    by_name = {parameter.name: parameter for parameter in known}
    for name in given:
        if name not in by_name and name not in EVERYWHERE:
            known_names = ", ".join(sorted(by_name)) or "none"
            raise BadInput(f'There is no parameter "{name[:60]}" here.', mend=f"Known: {known_names}.", at=name[:60])
    return {name: by_name[name].value(text) for name, text in given.items() if name in by_name and text}


def conditions(values: Mapping[str, Any], known: Iterable[Parameter]) -> Q:
    """What the values keep."""
    condition = Q()
    for parameter in known:
        if parameter.keeps and parameter.name in values:
            condition &= parameter.keeps(values[parameter.name])
    return condition


# --- ways to read a value -------------------------------------------------------------------------------------------


def moment(text: str) -> datetime:
    """An ISO date or time; UTC where no zone is given. A `+` that became a space in the URL is mended."""
    text = text.replace(" ", "+") if "T" in text else text
    found = parse_datetime(text)
    if found is None:
        day = parse_date(text)
        if day is None:
            raise ValueError(text)
        found = datetime(day.year, day.month, day.day)  # noqa: DTZ001 -- the zone follows
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def yes_or_no(text: str) -> bool:
    """Read `true` or `false`."""
    if text.lower() not in _YES_OR_NO:
        raise ValueError(text)
    return _YES_OR_NO[text.lower()]


def row_id(text: str) -> int:
    """An id of ours."""
    return whole(text, most=2**63 - 1)


def whole(text: str, *, least: int = 0, most: int) -> int:
    """A whole number within bounds."""
    if not text.isascii() or not text.isdigit() or len(text) > 19 or not least <= int(text) <= most:  # noqa: PLR2004
        raise ValueError(text)
    return int(text)


def chosen(name: str, help_: str, enum: type[StrEnum], field: str) -> Parameter:
    """A filter by one value of an enum of ours."""
    return Parameter(name, help_, keeps=lambda value: Q(**{field: value}), choices=tuple(enum))


def equal(name: str, help_: str, field: str) -> Parameter:
    """A filter by one value of a text column."""
    return Parameter(name, help_, keeps=lambda value: Q(**{field: value}))


def since_and_until(field: str, of_what: str) -> tuple[Parameter, Parameter]:
    """From a moment on, and before a moment."""
    return (
        Parameter(
            "since", f"{of_what} at this moment or later; ISO 8601, UTC if it has no zone.",
            keeps=lambda value: Q(**{f"{field}__gte": value}), read=moment, type="date-time",
        ),
        Parameter(
            "until", f"{of_what} before this moment; ISO 8601, UTC if it has no zone.",
            keeps=lambda value: Q(**{f"{field}__lt": value}), read=moment, type="date-time",
        ),
    )  # fmt: skip
