"""The optional language-model stage: asks within a budget, believes only what is quoted, and says how far it came.

No database here: the cache and the record of calls are handed in.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from conversations.audit import judge
from conversations.audit.judge import Question, Reading
from conversations.audit.llm_client import Answer, CallOutcome, CallRecord, Client, LlmSettings, Price, Recorder
from conversations.audit.model import Fact, Segment

__all__ = [
    "Cache",
    "CallOutcome",
    "CallRecord",
    "LlmSettings",
    "Price",
    "Recorder",
    "StageResult",
    "StageState",
    "run_stage",
]

#: Characters per token for the estimate before a call; MEASURED 2.47 on 1,479 requests, rounded to the safe side.
CHARACTERS_PER_TOKEN = 2.4
#: Most answers are far shorter than the limit; a whole limit in the estimate would stop a stage at half its budget.
USUAL_OUTPUT_TOKENS = 2_500
#: After these the next question meets the same wall.
HOPELESS = frozenset(
    {
        CallOutcome.REJECTED,
        CallOutcome.RATE_LIMITED,
        CallOutcome.OVERLOADED,
        CallOutcome.UNREACHABLE,
        CallOutcome.TIMEOUT,
    }
)


class StageState(StrEnum):
    """How far the stage came; shown as it is."""

    OFF = "off"
    DONE = "done"
    PARTIAL = "partial"  # some answers refused or unusable
    OVER_COMPACTION_BUDGET = "over_compaction_budget"
    OVER_DAY_BUDGET = "over_day_budget"
    FAILED = "failed"  # the API does not answer, or not to us


class Cache(Protocol):
    """Answers by content hash."""

    def get(self, key: str) -> str | None:
        """Return the answer given before, None for none."""
        ...

    def put(self, key: str, answer: str) -> None:
        """Keep an answer that was usable."""
        ...


@dataclass(frozen=True, slots=True)
class StageResult:
    """What the stage adds, and how far it came."""

    reading: Reading
    state: StageState
    reason: str = ""  # one sentence for people, unless done
    calls: int = 0
    cached: int = 0
    cost_usd: float = 0.0
    failures: Mapping[str, int] = field(default_factory=dict)  # outcome → attempts


def run_stage(
    segment: Segment,
    undecided: Sequence[Fact],
    settings: LlmSettings,
    recorder: Recorder,
    cache: Cache,
) -> StageResult:
    """Extract facts and judge the undecided ones; ends early when a budget is used up or the API fails.

    Raises `BadInput` when the model has no price. API failures are no exceptions: they are the state of the result.
    """
    if not settings.api_key:
        return StageResult(Reading(), StageState.OFF, "No API key is configured.")
    stage = _Stage(segment, settings, recorder, cache)
    try:
        if settings.extract:
            stage.extract()
        stage.judge(undecided)
    except _Stopped as stopped:
        return stage.result(stopped.state, stopped.reason)
    finally:
        stage.client.close()
    if stage.unusable:
        return stage.result(StageState.PARTIAL, f"{stage.unusable} of the questions got no usable answer.")
    return stage.result(StageState.DONE, "")


class _Stopped(Exception):  # no error: it ends the stage in a state that is shown
    def __init__(self, state: StageState, reason: str) -> None:
        super().__init__(reason)
        self.state, self.reason = state, reason


class _Stage:
    """One run over one compaction."""

    def __init__(self, segment: Segment, settings: LlmSettings, recorder: Recorder, cache: Cache) -> None:
        self._segment, self._settings, self._recorder, self._cache = segment, settings, recorder, cache
        self._price = settings.price
        self.client = Client(settings, recorder)
        self._readings: list[Reading] = []
        self._cached = 0
        self.unusable = 0

    def extract(self) -> None:
        for question in judge.extract_questions(self._segment):
            key = question.key(self._settings.model)
            if (answer := self._known(key) or self._asked(question)) is not None:
                self._cache.put(key, answer)
                self._readings.append(judge.read_facts(self._segment, answer))

    def judge(self, undecided: Sequence[Fact]) -> None:
        """Cached fact by fact: the next audit leaves other facts undecided, and batches would never be the same."""
        alone = judge.judge_questions(self._segment, undecided, size=1)
        keys = {fact.id: question.key(self._settings.model) for question, (fact,) in alone}
        open_facts = []
        for fact in undecided:
            if (answer := self._known(keys[fact.id])) is None:
                open_facts.append(fact)
            else:
                self._readings.append(judge.read_judgements(self._segment, [fact], answer))
        for question, batch in judge.judge_questions(self._segment, open_facts):
            if (answer := self._asked(question)) is not None:
                self._readings.append(judge.read_judgements(self._segment, batch, answer))
                for fact_id, one in judge.apart(batch, answer).items():
                    self._cache.put(keys[fact_id], one)

    def result(self, state: StageState, reason: str) -> StageResult:
        records = self.client.records
        failures = Counter(record.outcome.value for record in records if record.outcome is not CallOutcome.OK)
        return StageResult(
            judge.merged(self._readings),
            state,
            reason,
            calls=len(records),
            cached=self._cached,
            cost_usd=self._spent(),
            failures=dict(failures),
        )

    def _known(self, key: str) -> str | None:
        answer = self._cache.get(key)
        self._cached += answer is not None
        return answer

    def _asked(self, question: Question) -> str | None:
        answer = self.client.ask(question, self._may_spend)
        if answer.text is None:
            self._failed(answer)
        return answer.text

    def _failed(self, answer: Answer) -> None:
        self.unusable += 1
        if answer.outcome in HOPELESS:
            raise _Stopped(StageState.FAILED, f"The model could not be asked ({answer.outcome}): {answer.detail}")

    def _may_spend(self, question: Question) -> None:
        """Raise before a call that would cross a budget."""
        estimate = self._price.cost(0, USUAL_OUTPUT_TOKENS, round(question.characters / CHARACTERS_PER_TOKEN), 0)
        if self._spent() + estimate > self._settings.usd_per_compaction:
            limit = self._settings.usd_per_compaction
            raise _Stopped(StageState.OVER_COMPACTION_BUDGET, f"The budget of ${limit:.2f} per compaction is used up.")
        if self._recorder.spent_today_usd() + estimate > self._settings.usd_per_day:
            limit = self._settings.usd_per_day
            raise _Stopped(StageState.OVER_DAY_BUDGET, f"The budget of ${limit:.2f} a day is used up.")

    def _spent(self) -> float:
        return sum(record.cost_usd for record in self.client.records)
