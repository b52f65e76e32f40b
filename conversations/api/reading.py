"""What every way out shares: who may read, what may be asked for, pages, exports, and 304 for what has not changed."""

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from conversations.api.authentication import KeyAuthentication
from conversations.api.export import CHUNK, Csv, JsonLines, export
from conversations.api.pagination import MOST, PAGE_SIZE, Keyset, Page, page_of
from conversations.api.parameters import Parameter, conditions, read_parameters, whole
from conversations.api.schema import ReadSchema
from conversations.errors import BadInput
from conversations.models import ApiKey, User, Workspace, isolation
from conversations.people.activity import record_activity
from conversations.review.veiling import NO_VEIL, Veil, veil_of
from conversations.vocabulary import Scope


class MayReadOrMember(BasePermission):
    """A key with the scope `read`, or a person who is signed in; of which workspace is decided by `workspace_of`."""

    message = "The key does not have the scope this needs."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether there is anybody who might read something."""
        if isinstance(request.auth, ApiKey):
            return Scope.READ in request.auth.scopes
        return bool(request.user and request.user.is_authenticated)


def workspace_of(request: Request) -> Workspace:
    """The key's workspace; for people the one named by `?workspace=`, or their only one. Raises Http404, BadInput."""
    asked = request.query_params.get("workspace", "")
    if isinstance(request.auth, ApiKey):
        if asked and asked != request.auth.workspace.slug:
            raise Http404
        return request.auth.workspace
    ours = Workspace.objects.filter(members=cast("User", request.user))
    found = list((ours.filter(slug=asked) if asked else ours)[:2])
    if not found:
        raise Http404
    if len(found) > 1:
        raise BadInput(
            "You are a member of several workspaces.", mend="Add ?workspace=SLUG to the address.", at="workspace"
        )
    isolation.enter(found[0].pk)
    return found[0]


@method_decorator(conditional_page, name="dispatch")  # ETag of what is answered, 304 where the client has that
class ReadView(APIView):
    """One thing. `known` are the parameters it takes."""

    authentication_classes = (KeyAuthentication, SessionAuthentication)
    permission_classes = (MayReadOrMember,)
    renderer_classes: Any = (JSONRenderer,)
    schema = ReadSchema()
    serializer_class: ClassVar[type[BaseSerializer[Any]]]
    known: ClassVar[tuple[Parameter, ...]] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Every read starts at a workspace."""
        super().initial(request, *args, **kwargs)
        self.workspace = workspace_of(request)
        self.values = read_parameters(request.query_params.dict(), self.parameters())

    @cached_property
    def veil(self) -> Veil:
        """What the person who asks judges blindly; keys judge nothing. One query, where somebody wants to know."""
        user = self.request.user
        return veil_of(user.pk, self.workspace) if isinstance(user, User) else NO_VEIL

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """All it takes."""
        return cls.known

    def serializer(self) -> BaseSerializer[Any]:
        """One for all rows of an answer: building it costs more than using it."""
        return self.serializer_class(context={"workspace": self.workspace})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        """Answers depend on who asks and may be kept only by them, to be asked for again with their ETag."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.setdefault("Cache-Control", "private, no-cache")
        patch_vary_headers(answer, ["Authorization", "X-API-Key", "Cookie"])
        return answer


PAGING = (
    Parameter("cursor", 'Where to go on: from the "next" of the page before.'),
    Parameter(
        "limit", f"Rows a page, 1 to {MOST}; {PAGE_SIZE} if left out.",
        read=lambda text: whole(text, least=1, most=MOST), type="integer",
    ),
)  # fmt: skip


class ListView(ReadView, ABC):
    """A list in pages, or as a whole with `?format=jsonl` and `?format=csv`."""

    renderer_classes = (JSONRenderer, JsonLines, Csv)
    keyset: ClassVar[Keyset]
    file_name: ClassVar[str]

    @classmethod
    def parameters(cls) -> tuple[Parameter, ...]:
        """Its own, and those of pages."""
        return (*cls.known, *PAGING)

    @abstractmethod
    def rows(self, *_: Any, **ids: Any) -> QuerySet[Any]:
        """What is listed, before filters."""

    def order(self) -> Keyset:
        """The order of this answer."""
        return self.keyset

    def get(self, request: Request, *_: Any, **ids: Any) -> HttpResponseBase:
        """A page, or everything."""
        rows = self.rows(**ids).filter(conditions(self.values, self.known))
        kind = request.accepted_renderer.format
        if kind in (JsonLines.format, Csv.format):
            actor = request.auth if isinstance(request.auth, ApiKey) else cast("User", request.user)
            detail = {"list": self.file_name, "as": kind}
            record_activity(workspace=self.workspace, actor=actor, action="list.exported", detail=detail)
            return export(self.whole(rows), self.serializer(), kind, self.file_name)
        page = self.page(rows)
        serializer = self.serializer()
        results = [serializer.to_representation(row) for row in page.rows]
        return Response(self.links(request, page) | {"results": results})

    def whole(self, rows: QuerySet[Any]) -> Any:
        """Every row, from a cursor of the server."""
        return rows.order_by(*self.order().names()).iterator(chunk_size=CHUNK)

    def limit(self) -> int:
        """Rows a page."""
        return int(self.values.get("limit", PAGE_SIZE))

    def page(self, rows: QuerySet[Any]) -> Page:
        """The page asked for."""
        return page_of(rows, self.order(), cursor=self.values.get("cursor", ""), limit=self.limit())

    def links(self, request: Request, page: Page) -> dict[str, Any]:
        """Where the list goes on."""
        return {"next": link(request, cursor=page.next) if page.next else None}


def link(request: Request, **changes: str) -> str:
    """This address with other parameters; empty ones are taken away."""
    query = request.query_params.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}" if query else request.path)
