"""Which part of the site a page belongs to, so that the bar and the settings' list can mark it."""

#: First part of a page's path under /w/<slug>/ → section of the bar. Everything else of that name is its own section.
_HOMES = {
    "": "overview",
    "messages": "conversations",
    "ledger": "review",
    "discussion": "review",
    "connect": "settings",
    "import": "settings",
    "batches": "settings",
}


def section_of(path: str) -> str:
    """`/w/acme/batches/7/` → `settings`; empty outside of a workspace."""
    match path.split("/"):
        case ["", "w", _slug, first, *_]:
            return _HOMES.get(first, first)
    return ""
