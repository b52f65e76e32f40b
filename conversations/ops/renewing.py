"""Stored texts as the settings of redaction now want them: first what is hidden is put back, then they are redacted."""

from conversations.ingest.events import Block
from conversations.ingest.redacting import redacted_block, redacted_title
from conversations.ingest.work import Original, digest_of
from conversations.models import Workspace
from conversations.redaction.hidden import keep, remembering
from conversations.redaction.redactor import KeepingRedactor, Redactor, Restorer
from conversations.redaction.settings import redactor_at_ingest, redactor_of
from conversations.vocabulary import Redaction


class Renewal:
    """Of one workspace. Redacted at display, texts come out as they would if they came now; redacted at ingest, they
    lose what was hidden for good; with redaction off they are whole again. What is not hidden but gone stays gone."""

    def __init__(self, workspace: Workspace) -> None:
        """Raises Unavailable, as `redactor_of`."""
        self.workspace = workspace
        self._redactor = redactor_at_ingest(workspace)
        restorer = Restorer(remembering(workspace))
        self._steps: tuple[Redactor, ...] = (restorer, self._redactor) if self._redactor else (restorer,)

    @property
    def hides(self) -> bool:
        """Whether anything is redacted now."""
        return self._redactor is not None

    @property
    def is_for_good(self) -> bool:
        """Whether what is taken out is gone."""
        return self.workspace.redaction == Redaction.INGEST

    def text(self, text: str) -> str:
        """Any text but a title."""
        for step in self._steps:
            text = step.text(text)
        return text

    def title(self, title: str) -> str:
        """A title may have been cut from a message."""
        for step in self._steps:
            title = redacted_title(title, step)
        return title

    def value(self, value: object) -> object:
        """Texts in a JSON value."""
        for step in self._steps:
            value = step.value(value)
        return value

    def block(self, block: Block) -> Block:
        """A block of a message."""
        for step in self._steps:
            block = redacted_block(block, step)
        return block

    def original(self, written: bytes, known_as: bytes) -> Original:
        """By which a message stays known whose blocks were `written`: what came, if that is what was stored."""
        if digest_of(written) != known_as:
            return Original(known_as, known_as)
        return Original(redactor_of(self.workspace).fingerprint(written), known_as)

    def keep(self, conversation_id: int | None) -> None:
        """Keep what was hidden since the last time, with this conversation."""
        if isinstance(self._redactor, KeepingRedactor):
            keep(self.workspace.pk, conversation_id, self._redactor.take())
