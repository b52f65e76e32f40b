"""Read reviews and queues: what was handed in on an item, how far queues are, what waits for somebody."""

from conversations.models import QueueItem, Review
from conversations.review.opinions import Opinion


def reviews_of(item: QueueItem) -> list[Review]:
    """What was handed in on the item, in order, each with its verdicts; the settled record, if any, last."""
    rows = Review.objects.filter(workspace=item.workspace_id, item=item, submitted_at__isnull=False)
    return list(rows.select_related("reviewer").prefetch_related("verdicts").order_by("settles", "submitted_at", "id"))


def opinion_of(review: Review) -> Opinion:
    """What it says, for comparing."""
    answers = {verdict.fact_id: verdict.answer for verdict in review.verdicts.all()}
    return Opinion(review.overall, review.criteria, answers)


def opinions_on(item: QueueItem) -> tuple[list[Opinion], bool]:
    """What reviewers handed in, and whether it is settled."""
    reviews = reviews_of(item)
    return [opinion_of(each) for each in reviews if not each.settles], any(each.settles for each in reviews)
