"""Tags of conversations: short words by which people tell apart whose work it is. Written in one way, few of each.

A tag is lower case, without commas, and has no spaces but single ones: "Team  Web" and "team web" are the same.
"""

from collections.abc import Iterable

TAG_CHARACTERS = 60
#: Of one conversation. What comes beyond is left out: a list of tags is no place for data.
MOST_TAGS = 20


def tag_of(text: object) -> str:
    """As it is stored; "" for what is none: no text, too long, or with a comma or control characters."""
    if not isinstance(text, str):
        return ""
    tag = " ".join(text.split()).lower()
    return tag if len(tag) <= TAG_CHARACTERS and tag.isprintable() and "," not in tag else ""


def tags_of(texts: Iterable[object]) -> list[str]:
    """Those that are tags, each once, in order of the alphabet."""
    return sorted({tag for text in texts if (tag := tag_of(text))})


def tags_in(text: str) -> list[str]:
    """The same of a line with commas between."""
    return tags_of(text.split(","))


def tags_said(value: object) -> list[str]:
    """The same of a list of texts, of one text with commas between, or of anything else: none."""
    if isinstance(value, str):
        return tags_in(value)
    return tags_of(value) if isinstance(value, list | tuple) else []


def merged(known: Iterable[str], said: Iterable[str], taken_off: Iterable[str] = ()) -> list[str]:
    """What a conversation has when more is said of it: at most MOST_TAGS, of which those that are known stay. What a
    person has taken off is not put on again by data."""
    kept = sorted(set(known))
    new = sorted(set(said) - set(kept) - set(taken_off))
    return sorted([*kept, *new[: max(MOST_TAGS - len(kept), 0)]])
