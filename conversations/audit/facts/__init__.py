"""Extracts what was known before a compaction, one module per family of facts."""

from conversations.audit.facts.extract import extract_drafts

__all__ = ["extract_drafts"]
