"""What people type into a search field, as a query for Postgres."""

import re

from django.contrib.postgres.search import SearchQuery


def search_query(text: str) -> SearchQuery | None:
    """Every word must begin some word of the title, id or folder. None when there is nothing to look for."""
    words = [re.sub(r"['\\\0]", "", word) for word in text.split()]
    quoted = [f"'{word}':*" for word in words if re.search(r"\w", word)]
    return SearchQuery(" & ".join(quoted), search_type="raw", config="simple") if quoted else None
