"""GET /api/v1/budgets/status: what an agent is to know before its next request."""

from collections.abc import Mapping
from functools import wraps
from hashlib import sha256
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from rest_framework import serializers
from rest_framework.request import Request

from conversations.api.authentication import key_in
from conversations.api.budget_status import Told, told
from conversations.api.parameters import LONGEST, Parameter
from conversations.api.reading import MayReadOrMember, ReadView
from conversations.api.throttle import check_rate
from conversations.errors import OverRate
from conversations.models import ApiKey
from conversations.spending.budget_settings import Version
from conversations.spending.budgets import Asker
from conversations.tags import tags_in
from conversations.vocabulary import BudgetMetric, BudgetPeriod, BudgetScope

#: Parameter of the address → field of Asker.
_ASKED = {"agent": "agent", "agent_version": "version", "conversation": "conversation"}
_TAGS = "tags"


class AnyKeyOrMember(MayReadOrMember):
    """A key of any scope, for the agent that sends is the one that asks; or a person who is signed in."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether there is anybody."""
        return isinstance(request.auth, ApiKey) or super().has_permission(request, view)


class OverrideSerializer(serializers.Serializer[Any]):
    """Another limit that holds for whoever asks."""

    limit = serializers.FloatField()
    expires_at = serializers.DateTimeField()
    reason = serializers.CharField()


class StandingSerializer(serializers.Serializer[Any]):
    """How one budget stands."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    scope = serializers.ChoiceField(choices=list(BudgetScope), help_text="Whose spending it counts.")
    metric = serializers.ChoiceField(choices=list(BudgetMetric), help_text="What it counts.")
    period = serializers.ChoiceField(choices=list(BudgetPeriod), help_text="How long, before it begins anew.")
    limit = serializers.FloatField(
        help_text="In tokens, US dollars or a number, as the metric is; an override's where one holds."
    )
    used = serializers.FloatField(allow_null=True, help_text="null = not known, for want of a price or a count.")
    warn_at = serializers.FloatField(help_text="The lowest of the levels at which it warns.")
    warn_levels = serializers.ListField(child=serializers.FloatField())
    state = serializers.CharField(help_text="ok, warn, wrap_up or block.")
    message = serializers.CharField(help_text="Empty while it is ok.")
    window_start = serializers.DateTimeField(allow_null=True, help_text="null = counted from the beginning.")
    resets_at = serializers.DateTimeField(allow_null=True, help_text="null = never, or bit by bit.")
    override = OverrideSerializer(allow_null=True, help_text="null = the budget's own limit holds.")


class StatusSerializer(serializers.Serializer[Any]):
    """The worst of the budgets that it comes under, and all of them."""

    state = serializers.CharField(
        help_text="ok; warn: near a limit; wrap_up: finish and stop; block: send nothing more.",
    )
    message = serializers.CharField(help_text="The team's words for that state; empty while it is ok.")
    decided_by = serializers.IntegerField(
        allow_null=True, help_text="The budget that is followed. null: none concerns."
    )
    reason = serializers.CharField(help_text="Why that one, in a sentence.")
    budgets = StandingSerializer(many=True)


class BudgetStatusView(ReadView):
    """How the budgets stand that a conversation comes under."""

    permission_classes = (AnyKeyOrMember,)
    serializer_class = StatusSerializer
    known = (
        Parameter("agent", "The agent's name. May be left out for a conversation that is known."),
        Parameter("agent_version", "Its version. May be left out likewise."),
        Parameter("conversation", "The source's id of the conversation."),
        Parameter("tags", "Tags with commas between, beside those that the conversation has."),
    )

    def get(self, request: Request) -> HttpResponseBase:
        """Counts what was digested. A conversation or agent that is not known yet has used nothing."""
        answer = told(self.workspace.pk, asker_of(self.values))
        return HttpResponse(answer.body, content_type="application/json", headers={"ETag": answer.etag})


def asker_of(values: Mapping[str, str]) -> Asker:
    """Who asks, by the parameters of the address."""
    names = {field: values.get(name, "") for name, field in _ASKED.items()}
    return Asker(**names, tags=tuple(tags_in(values.get(_TAGS, ""))))


_full_view = BudgetStatusView.as_view()


@wraps(_full_view, assigned=())  # what it is told apart by in the OpenAPI document
def budget_status_view(request: HttpRequest) -> HttpResponseBase:
    """The same, the short way: an agent asks before each of its calls. A key that is in use and an ordinary question
    are answered with one query and without the framework; everything else goes the way of all other reads."""
    answer = _at_once(request) if request.method == "GET" else None
    if answer is None:
        return _full_view(request)
    if _is_known(request, answer.etag):
        response: HttpResponse = HttpResponseNotModified()
    else:
        response = HttpResponse(answer.body, content_type="application/json")
    response["ETag"], response["Cache-Control"] = answer.etag, "private, no-cache"
    response["Vary"] = "Accept, Authorization, X-API-Key, Cookie"
    return response


def _at_once(request: HttpRequest) -> Told | None:
    """None: it is not as simple as that."""
    values = request.GET.dict()
    key = key_in(request.headers)
    if not key or not values.keys() <= {*_ASKED, _TAGS} or any(map(_is_odd, values.values())):
        return None
    found = _workspace_by(key)
    if found is None:
        return None
    key_id, workspace_id, version = found
    try:
        check_rate(key_id)
    except OverRate:
        return None
    return told(workspace_id, asker_of(values), version)


def _is_odd(value: str) -> bool:
    return "\0" in value or len(value) > LONGEST


#: Its use was noted within the last minute, so that nothing has to be written.
_BY_KEY = """
    SELECT k.id, k.workspace_id, coalesce(v.counted, 0), coalesce(v.changed, 0) FROM conversations_apikey k
    LEFT JOIN conversations_spendingversion v ON v.workspace_id = k.workspace_id
    WHERE k.key_hash = %s AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
        AND k.last_used_at > now() - interval '1 minute'
"""


def _workspace_by(key: str) -> tuple[int, int, Version] | None:
    with connection.cursor() as cursor:
        cursor.execute(_BY_KEY, [sha256(key.encode()).digest()])
        row = cursor.fetchone()
    return None if row is None else (row[0], row[1], Version(*row[2:]))


def _is_known(request: HttpRequest, etag: str) -> bool:
    """Whether the client has this answer. A weak tag is one that a proxy or the compression has made weak."""
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    return etag in tags
