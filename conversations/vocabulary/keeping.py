"""How long texts stay, and what is taken out of them."""

from enum import StrEnum


class DeletionKind(StrEnum):
    """What somebody wants gone."""

    CONVERSATION = "conversation"  # one, with those it delegated
    PERSON = "person"  # every conversation in which certain words stand
    WORKSPACE = "workspace"


class DeletionState(StrEnum):
    """How far a deletion is."""

    SEARCHING = "searching"
    FOUND = "found"  # waits for a person to say yes
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Redaction(StrEnum):
    """When secrets and personal data are taken out of a workspace's texts."""

    OFF = "off"
    INGEST = "ingest"  # before anything is stored: for good
    DISPLAY = "display"  # what a placeholder stands for is kept, sealed: owners can see it


class RedactionState(StrEnum):
    """How far the redaction of what is stored is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
