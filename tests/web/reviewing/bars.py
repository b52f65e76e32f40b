"""What tests of the verdict bar send and read."""

import re
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from conversations.models import Review
from tests.review.rows import create_reviewer

PART = {"HX-Request": "true"}
SUMMARY = "# Goal\n\nMigrate **billing**; the port is 8443.\n"


def page(member, compaction, **params):
    response = member.get(compaction.get_absolute_url(), params)
    assert response.status_code == 200
    return response


def post(member, compaction, action, query="review=1", headers=PART, **data):
    url = reverse(f"review_{action}", args=["acme", compaction.pk])
    return member.post(f"{url}?{query}", data, headers=headers)


def member(workspace, name):
    client = Client()
    client.force_login(create_reviewer(workspace, name))
    return client


def text_of(response):
    return " ".join(re.sub("<[^>]*>", " ", response.content.decode()).split())


def whole(**changes):
    return {"revision": 0, "overall": "minor_loss", "comment": "Two rules", "criterion.completeness": "3", **changes}


def at(item):
    return {"queue": item.queue_id, "item": item.pk}


def query_of(item, **more):
    return urlencode(at(item) | more)


def handed_in(member, compaction, item=None, **fields):
    fields = {"overall": "harmful_loss", "submitted_at": timezone.now(), **fields}
    return Review.objects.create(
        workspace=compaction.workspace, compaction=compaction, item=item, reviewer=member.user, **fields
    )
