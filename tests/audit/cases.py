"""Facts and contexts in one line, for the tests of the matcher."""

from conversations.audit.model import Author, Fact, FactKind, FactState


def fact(quote, kind=FactKind.FINDING, *, text="", author=Author.ASSISTANT, state=FactState.OPEN, last=0):
    """A fact said once, at position `last`."""
    return Fact("f", kind, text or quote, quote, (), author, last, last, state=state)
