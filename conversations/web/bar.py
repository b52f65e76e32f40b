"""The verdict bar of a compaction's page: what is asked, what the person has said so far, and where it is sent."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import Http404, QueryDict
from django.urls import reverse

from conversations.audit.ledger_queries import with_checks
from conversations.audit.model import FactKind
from conversations.models import Compaction, Workspace
from conversations.models.prepared import Prepared
from conversations.models.review import default_rubric
from conversations.review.desk import OVERALL_WORDS, Desk, JudgedFact, MarkedSpan, ReviewTold, with_reviews
from conversations.vocabulary import Answer, MemberRole, Overall
from conversations.web import queries
from conversations.web.inferred import with_inferred
from conversations.web.marks import OwnPlace
from conversations.web.pages import WorkspaceRequest, may
from conversations.web.paging import is_key

#: Answers by one key, as the bar shows them; `reword` needs words.
ANSWERS = (
    (Answer.AGREE, "agree", "1"),
    (Answer.NOT_LOST, "not lost", "2"),
    (Answer.DOES_NOT_MATTER, "does not matter", "3"),
    (Answer.WRONG_FACT, "wrong fact", "0"),
)
#: Of a statement that the summary added; saying of it that it is not lost is saying that it was said.
ADDED_ANSWERS = (
    (Answer.AGREE, "agree"),
    (Answer.NOT_LOST, "not invented"),
    (Answer.DOES_NOT_MATTER, "does not matter"),
)
ANSWER_WORDS = {answer: words for answer, words, _ in ANSWERS} | {Answer.REWORD: "reworded"}
ADDED_WORDS = ANSWER_WORDS | dict(ADDED_ANSWERS)
_OVERALL_KEYS = {Overall.FAITHFUL: "f", Overall.MINOR_LOSS: "l", Overall.HARMFUL_LOSS: "h"}
#: Parameters of the page that say what is judged: they stay while facts are chosen and words looked for.
KEPT = ("queue", "item", "review")
_SESSION_KEY = "review_typed"


@dataclass(frozen=True, slots=True)
class Step:
    """One value of a criterion."""

    value: int
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the rubric with what was chosen."""

    key: str
    name: str
    help: str
    steps: Sequence[Step]

    @property
    def field(self) -> str:
        """Its name in the form."""
        return f"criterion.{self.key}"


@dataclass(frozen=True, slots=True)
class ChosenFact:
    """The fact that the answers are about."""

    number: int  # as the page counts: the rank, or the order in which it was said where that is hidden
    fact_id: str
    text: str
    verdict: JudgedFact | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What did not work, and what to do about it: `again` = the same may be sent once more."""

    text: str
    mend: str = ""
    conflict: bool = False
    again: bool = True


@dataclass(frozen=True, slots=True)
class Bar:
    """All of the bar. `is_on`: the person is reviewing; else it is one line that offers to."""

    slug: str
    compaction: int
    desk: Desk
    is_on: bool
    is_admin: bool
    may_review: bool
    facts: int  # of the compaction
    chosen: ChosenFact | None = None
    notice: Notice | None = None
    typed: Mapping[str, Any] = field(default_factory=dict)  # what was sent and not saved
    in_part: bool = False  # the answers to the chosen fact come with a part of the page

    # --- what was said

    @property
    def is_blind(self) -> bool:
        """What the machine found is hidden."""
        return self.may_review and self.desk.is_blind

    @property
    def revision(self) -> int:
        """Of the person's review; 0 before there is one."""
        return self.desk.own.revision if self.desk.own else 0

    @property
    def overall(self) -> str:
        """As typed, else as saved."""
        return str(self.typed.get("overall", self.desk.own.overall if self.desk.own else ""))

    @property
    def comment(self) -> str:
        """As typed, else as saved."""
        return str(self.typed.get("comment", self.desk.own.comment if self.desk.own else ""))

    @property
    def reworded(self) -> str:
        """The chosen fact in the person's words."""
        said = self.chosen.verdict.reworded if self.chosen and self.chosen.verdict else ""
        return str(self.typed.get("reworded", said))

    @property
    def judged(self) -> int:
        """Facts that have a verdict, of those that the auditor still finds."""
        return sum(verdict.still for verdict in self._on_facts)

    @property
    def gone(self) -> int:
        """Verdicts on facts that a later audit does not find."""
        return len(self._on_facts) - self.judged

    @property
    def _on_facts(self) -> list[JudgedFact]:
        return [verdict for verdict in self.desk.verdicts.values() if not verdict.is_on_added]

    @property
    def marks(self) -> Sequence[MarkedSpan]:
        """Missed facts and invented statements."""
        return self.desk.own.marks if self.desk.own else ()

    @property
    def own_places(self) -> list[OwnPlace]:
        """The same, to be shown in the texts."""
        return [OwnPlace(mark.external_id, mark.block, mark.start, mark.end) for mark in self.marks]

    @property
    def can_undo(self) -> bool:
        """Whether there is a verdict to take back."""
        return bool(self.desk.own and self.desk.own.verdicts and self.desk.is_open)

    @property
    def others(self) -> list[ReviewTold]:
        """Those of the others' reviews that the person may see."""
        return self.desk.visible(is_admin=self.is_admin, may_review=self.may_review)

    @property
    def hidden(self) -> int:
        """Reviews that show once the person has handed in their own."""
        return 0 if self.is_blind else len(self.desk.others) - len(self.others)

    @property
    def rubric(self) -> list[Criterion]:
        """The queue's, or the default one, with what was chosen."""
        given = self.desk.item.rubric if self.desk.item else default_rubric()
        said = self.typed.get("criteria", self.desk.own.criteria if self.desk.own else {})
        return [_criterion(each, said.get(each["key"])) for each in given]

    # --- choices

    @property
    def answers(self) -> list[tuple[str, str, str, bool]]:
        """(value, words, key, chosen) of each."""
        said = self.chosen.verdict.answer if self.chosen and self.chosen.verdict else None
        return [(answer.value, words, key, answer == said) for answer, words, key in ANSWERS]

    @property
    def added_answers(self) -> list[tuple[str, str]]:
        """(value, words) of each answer on an added statement."""
        return [(answer.value, words) for answer, words in ADDED_ANSWERS]

    @property
    def is_reworded(self) -> bool:
        """The chosen fact was put in other words."""
        return bool(self.chosen and self.chosen.verdict and self.chosen.verdict.answer == Answer.REWORD)

    @property
    def overalls(self) -> list[tuple[str, str, str, bool]]:
        """(value, words, key, chosen) of each overall verdict."""
        return [(v.value, words, _OVERALL_KEYS[v], v == self.overall) for v, words in OVERALL_WORDS.items()]

    @property
    def kinds(self) -> list[str]:
        """Of facts."""
        return list(FactKind)

    # --- addresses

    @property
    def kept(self) -> dict[str, str]:
        """Parameters that say what is judged."""
        if self.desk.item:
            return {"queue": str(self.desk.item.queue), "item": str(self.desk.item.id)}
        return {"review": "1"} if self.is_on else {}

    @property
    def query(self) -> str:
        """The same, and the chosen fact, as a query string."""
        fact = {"fact": str(self.chosen.number)} if self.chosen else {}
        return urlencode(self.kept | fact)

    @property
    def page(self) -> str:
        """The address of the page with the bar on."""
        address = reverse("compaction", args=[self.slug, self.compaction])
        return f"{address}?{urlencode(self.kept or {'review': '1'})}"

    @property
    def store(self) -> str:
        """Names what is typed here in the browser's own store."""
        return f"{self.compaction}.{self.desk.item.id if self.desk.item else 0}"

    def verdict_on(self, fact_id: str) -> JudgedFact | None:
        """The person's own."""
        return self.desk.verdicts.get(fact_id)

    def choosing(self, number: int, fact_id: str, text: str) -> "Bar":
        """The same with the fact that is chosen."""
        return replace(self, chosen=ChosenFact(number, fact_id, text, self.verdict_on(fact_id)))


def _criterion(given: Mapping[str, Any], said: Any) -> Criterion:
    steps = [Step(step["value"], step["label"], step["value"] == said) for step in given["scale"]]
    return Criterion(given["key"], given["name"], given.get("help", ""), steps)


def compaction_of(request: WorkspaceRequest, pk: int) -> Compaction:
    """The compaction with what `bar_of`, `inferred` and `checks_of` read of it, its summary and its audit; 404 where
    there is none. One statement of 9 kB, of which Django makes 20 ms: so it is made once."""
    queue, item = _key(request.GET, "queue"), _key(request.GET, "item")
    rows = _rows(workspace=request.workspace.pk, pk=pk, user=request.user.pk, queue=queue, item=item)
    found = next(iter(rows), None)
    if found is None:
        raise Http404("No such compaction.")
    return found


@Prepared
def _rows(workspace: int, pk: int, user: int, queue: int, item: int) -> "QuerySet[Compaction]":
    rows = queries.compactions_of(Workspace(pk=workspace)).select_related("summary_message", "audit").filter(pk=pk)
    told = with_checks(with_inferred(rows.defer(None).defer("conversation__search")))
    return with_reviews(told, user, queue, item)


def _key(params: QueryDict, name: str) -> int:
    value = params.get(name, "")
    return int(value) if is_key(value) else 0


def bar_of(request: WorkspaceRequest, compaction: Compaction, **more: Any) -> Bar:
    """The bar of what `compaction_of` reads. Those who cannot review get one without an item, for others' reviews."""
    desk = Desk.of(compaction, request.user)
    may_review = may(request.membership, MemberRole.REVIEWER)
    audit = getattr(compaction, "audit", None)
    return Bar(
        slug=request.workspace.slug,
        compaction=compaction.pk,
        desk=desk,
        is_on=may_review and (desk.item is not None or request.GET.get("review") == "1"),
        is_admin=may(request.membership, MemberRole.ADMIN),
        may_review=may_review,
        facts=audit.facts if audit else 0,
        **(_typed_before(request, compaction.pk) | more),
    )


def page_address(request: WorkspaceRequest, compaction: int) -> str:
    """The page with the bar on and the same fact chosen."""
    kept = {name: request.GET[name] for name in (*KEPT, "fact") if name in request.GET}
    address = reverse("compaction", args=[request.workspace.slug, compaction])
    return f"{address}?{urlencode(kept if 'item' in kept else {'review': '1'} | kept)}"


def keep_typed(request: WorkspaceRequest, compaction: int, notice: Notice, typed: Mapping[str, Any]) -> None:
    """For the page that a browser without scripts is sent to: what was typed must not be lost on the way."""
    request.session[_SESSION_KEY] = {"compaction": compaction, "notice": asdict(notice), "typed": dict(typed)}


def _typed_before(request: WorkspaceRequest, compaction: int) -> dict[str, Any]:
    if request.method != "GET" or request.session.get(_SESSION_KEY, {}).get("compaction") != compaction:
        return {}
    kept = request.session.pop(_SESSION_KEY)
    return {"notice": Notice(**kept["notice"]), "typed": kept["typed"]}
