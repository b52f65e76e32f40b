"""Calls and answers kept in memory, for asking a language model without a database."""

from conversations.audit.llm import CallRecord


class Book:
    """Recorder and cache of one run. What was spent is counted from its beginning."""

    def __init__(self) -> None:
        self.calls: list[CallRecord] = []
        self._answers: dict[str, str] = {}

    def record(self, call: CallRecord) -> None:
        """Keep one call."""
        self.calls.append(call)

    def spent_today_usd(self) -> float:
        """What the run has cost so far."""
        return sum(call.cost_usd for call in self.calls)

    def get(self, key: str) -> str | None:
        """The answer given before, None for none."""
        return self._answers.get(key)

    def put(self, key: str, answer: str) -> None:
        """Keep an answer."""
        self._answers[key] = answer
