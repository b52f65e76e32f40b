"""Expressions as RE2 runs them: in time linear in the text, whatever the expression and whatever the text.

RE2 and the library are loaded when something is compiled: a server on which nothing is redacted never does.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

#: Of one expression, compiled and while it runs; a pattern that needs more is refused.
_MEMORY = 8_000_000
MOST_CHARACTERS = 1000
#: What the library's expressions use and RE2 does not know, and what does as well here: a character that is consumed
#: before the secret changes nothing, as the secret is a group of its own, and what follows it may belong to it.
_TRANSLATED = (
    (re.escape(r"(?:(?<=\W)|(?<=^))"), r"(?:^|\\W)"),
    (r"\(\?!\[[^\]]*\]\)|\(\?!\\w\)", ""),
    (re.escape("{50,1024}"), "{50,}"),
)


class BadExpression(ValueError):
    """What is wrong with an expression; the message is one sentence for whoever typed it."""


def compiled(expression: str) -> Any:
    """The expression, ready to search. Raises BadExpression."""
    re2 = _re2()
    try:
        return re2.compile(expression, _options())
    except re2.error as error:
        said = error.args[0] if error.args else error
        told = said.decode() if isinstance(said, bytes) else str(said)
        raise BadExpression(f"RE2 cannot read it: {told}.") from None


def custom(expression: str) -> Any:
    """An expression that somebody typed. Raises BadExpression, also for one that is too long or finds nothing at all
    everywhere."""
    if len(expression) > MOST_CHARACTERS:
        raise BadExpression(f"It has more than {MOST_CHARACTERS} characters.")
    pattern = compiled(expression)
    if pattern.search("") is not None:
        raise BadExpression("It matches the empty text, so it would be found everywhere.")
    return pattern


def any_of(hints: Iterable[str]) -> Any:
    """A set whose `Match(text)` gives the indexes of the hints that occur in the text, in one pass."""
    found = _re2().Set.SearchSet(_options())
    for hint in hints:
        found.Add(hint)
    found.Compile()
    return found


def of_library(module: str) -> list[str]:
    """The expressions of a plugin of detect-secrets, as RE2 reads them."""
    plugin = import_module(f"detect_secrets.plugins.{module}")
    detector = next(each for each in vars(plugin).values() if _is_detector(each, plugin.__name__))
    return [_translated(each) for each in detector.denylist]


def _is_detector(thing: object, module: str) -> bool:
    return isinstance(thing, type) and thing.__module__ == module and hasattr(thing, "denylist")


def _translated(pattern: re.Pattern[str]) -> str:
    text = pattern.pattern
    for known, ours in _TRANSLATED:
        text = re.sub(known, ours, text)
    return f"(?i){text}" if pattern.flags & re.IGNORECASE else text


@cache
def _re2() -> Any:
    return import_module("re2")  # 5 MB


def _options() -> Any:
    options = _re2().Options()
    options.max_mem, options.log_errors = _MEMORY, False
    return options
