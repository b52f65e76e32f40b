"""The data card of an evaluation set: what is in it, how it was made, and what it cannot tell."""

from conversations.agreement import Measure
from conversations.models import Review, Verdict, Workspace
from conversations.review.evaluation_set import Wanted, judged_compactions
from conversations.review.measures import agreement_of
from conversations.vocabulary import Answer

_MEANINGS = {
    Answer.AGREE: "the finding is right and worth saying",
    Answer.NOT_LOST: "the summary still tells it",
    Answer.DOES_NOT_MATTER: "the finding is right, and of no use to anybody",
    Answer.WRONG_FACT: "nothing that anybody said, or no fact",
    Answer.REWORD: "the finding is right, in the words of `reworded`",
}
_CARD = """# Evaluation set: what compactions forgot, {workspace}

{compactions} compactions, {reviews} reviews ({elsewhere} of them by labellers elsewhere), {verdicts} verdicts on single
facts.

## One row is one compaction
`summary` is what the model wrote in place of the messages (null where it cannot be read). `facts` is what the auditor
says now, best ranked first. `labels` are people's answers, each with the finding as it was when it was judged: join by
`fact`, and mind that an answer belongs to the label's own `text` and `outcome`. `missed` are places in dropped messages
that hold a fact the auditor did not list; `invented` are places in the summary that nobody said. `start` and `end` are
characters of the block's text, or of the summary. `dropped` holds the messages' texts where they were asked for.

| answer | meaning |
| --- | --- |
{answers}

`settled` labels were made after reviewers differed, with both verdicts in view; they are the record.

## How far people agree
{agreement}

## What it cannot tell
- Facts were found by the auditor (`auditor_version`) and by people: what neither saw is in no row.
- Reviewers saw the machine's outcome before they answered, except in blind queues.
- Compactions came in by the filters and the sampling of the queues; they are not a random sample unless a queue's was.
{redacted}
"""


_AS_STORED = "- Texts are as stored: they may hold personal data, and secrets, as far as nothing was redacted."
_REDACTED = """- In place of secrets and personal data, as far as they have a known shape, stand placeholders such as
  `[email #a1b2c3]`: equal ones stood for the same. A mark that held half of one holds all of its placeholder."""


def data_card(workspace: Workspace, wanted: Wanted) -> str:
    """As Markdown."""
    reviews = Review.objects.filter(workspace=workspace, submitted_at__isnull=False)
    verdicts = Verdict.objects.filter(workspace=workspace, review__submitted_at__isnull=False)
    if wanted.since:
        reviews = reviews.filter(submitted_at__gte=wanted.since)
        verdicts = verdicts.filter(review__submitted_at__gte=wanted.since)
    rows = agreement_of(workspace).criteria
    return _CARD.format(
        workspace=workspace.name,
        redacted=_REDACTED if wanted.redactor else _AS_STORED,
        compactions=f"{len(judged_compactions(workspace, wanted)):,}",
        reviews=f"{reviews.count():,}",
        elsewhere=f"{reviews.exclude(made_by='').count():,}",
        verdicts=f"{verdicts.count():,}",
        answers="\n".join(f"| `{answer.value}` | {meaning} |" for answer, meaning in _MEANINGS.items()),
        agreement="\n".join(f"- {row.name}: {_said(row.percent, row.alpha)}" for row in rows),
    )


def _said(percent: Measure, alpha: Measure) -> str:
    if percent.value is None:
        return "judged by nobody twice"
    beyond = "not defined" if alpha.value is None else f"{alpha.value:.2f}"
    if alpha.low is not None and alpha.high is not None:
        beyond += f" (95 %: {alpha.low:.2f} to {alpha.high:.2f})"
    return f"{percent.value:.0%} say the same, Krippendorff's α {beyond}, {percent.units:,} judged twice or more"
