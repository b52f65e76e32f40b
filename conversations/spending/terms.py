"""What a call is billed as: its model, and what of it changes the price: its service tier, and a long prompt.

Sums are kept by this in the place of the model's name, so that a price that is entered later counts for what was spent
before. Ordinary calls are billed as their model alone.
"""

import re
from typing import NamedTuple

from conversations.vocabulary import TIER_CHARACTERS

#: Tokens of a prompt beyond which some provider charges more for the whole of it: Claude 100,000 or 200,000, GPT
#: 272,000. More marks would be more rows of sums for every model.
LENGTHS = (100_000, 200_000, 272_000)
STANDARD = "standard"
#: Tiers that a price can be entered for, and in words. A call of any other tier has no price.
TIERS = {"": "standard", "batch": "batch", "flex": "flex", "priority": "priority", "fast": "fast"}
_SAME_AS_STANDARD = {STANDARD, "default", "auto", "on_demand"}
_TIER = re.compile(rf"[a-z0-9_-]{{1,{TIER_CHARACTERS}}}")
_BETWEEN = " · "
_MODEL_CHARACTERS = 160  # with what is put behind it, it fits a column of 200


class Terms(NamedTuple):
    """A model; its tier, "" for the standard one; and the mark that the prompt was beyond, 0 for none."""

    model: str
    tier: str = ""
    over: int = 0

    def __str__(self) -> str:
        """As it is stored and shown: "claude-haiku-5-5 · batch · over 100000"."""
        parts = [self.tier] if self.tier else []
        parts += [f"over {self.over}"] if self.over else []
        return _BETWEEN.join([self.model[:_MODEL_CHARACTERS], *parts]) if parts else self.model


def tier_of(said: object, speed: object = None) -> str:
    """As it is stored: STANDARD whatever the provider calls it, "" where it does not tell."""
    if speed == "fast":
        return "fast"
    name = said.lower() if isinstance(said, str) else ""
    if name in _SAME_AS_STANDARD:
        return STANDARD
    return name if _TIER.fullmatch(name) else ""


def billed_as(model: str, tier: str, context: int | None) -> str:
    """What a call's sums are kept under. `context`: tokens of the prompt, cache included."""
    over = max((mark for mark in LENGTHS if context is not None and context > mark), default=0)
    return str(Terms(model, "" if tier == STANDARD else tier, over))


def terms_of(billed: str) -> Terms:
    """The parts of what `billed_as` made."""
    model, *parts = billed.split(_BETWEEN)
    over = next((int(part[5:]) for part in parts if part.startswith("over ") and part[5:].isdecimal()), 0)
    return Terms(model, next((part for part in parts if _TIER.fullmatch(part)), ""), over)
