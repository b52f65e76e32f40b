"""Whom a comment mentions: `@name` or `@e-mail` of members."""

import re
from collections.abc import Iterable


def mentioned(text: str, people: Iterable[tuple[int, str, str]]) -> set[int]:
    """Ids of those of `people` (id, name, e-mail) that the text mentions. Letters' case does not matter, the longest
    name wins ("@Ann Lee" is not Ann), and who bear the same name are all meant."""
    by_word: dict[str, set[int]] = {}
    for key, name, email in people:
        for word in filter(None, (name.strip().lower(), email.lower())):
            by_word.setdefault(word, set()).add(key)
    if not by_word:
        return set()
    words = "|".join(re.escape(word) for word in sorted(by_word, key=len, reverse=True))
    found = re.findall(rf"(?<![\w@.])@({words})(?![\w@-]|\.\w)", text.lower())
    return {key for word in found for key in by_word[word]}
