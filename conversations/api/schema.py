"""How the OpenAPI document describes the ways out, and the pages that show it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.permissions import AllowAny

from conversations.api.parameters import Parameter

_TYPES = {
    "string": OpenApiTypes.STR,
    "integer": OpenApiTypes.INT,
    "number": OpenApiTypes.NUMBER,
    "boolean": OpenApiTypes.BOOL,
    "date-time": OpenApiTypes.DATETIME,
}
_WORKSPACE = Parameter(
    "workspace", "Whose rows: for people who are signed in and belong to several; a key belongs to one."
)

_FORMAT = Parameter(
    "format", "json: a page; jsonl, csv: all rows, whatever their number.", choices=("json", "jsonl", "csv")
)


class ErrorDetailSerializer(serializers.Serializer[Any]):
    """What went wrong."""

    code = serializers.CharField(help_text="For programs: bad_input, not_found, over_rate …")
    message = serializers.CharField(help_text="For people.")
    at = serializers.CharField(help_text="Which parameter or field; empty where it is none.")
    mend = serializers.CharField(help_text="What to do about it.")


class ErrorSerializer(serializers.Serializer[Any]):
    """The one body that errors have."""

    error = ErrorDetailSerializer()


#: What every endpoint may answer besides its own.
FAULTS = {
    "401": (ErrorSerializer, "No key, or one that is unknown, revoked or expired."),
    "403": (ErrorSerializer, "The key does not have the scope."),
    "404": (ErrorSerializer, "There is no such row in the key's workspace."),
    "422": (ErrorSerializer, "A parameter cannot be taken; `at` names it."),
    "429": (ErrorSerializer, "Too many requests for this key; see Retry-After."),
}


class ReadSchema(AutoSchema):
    """Reads parameters, pages and exports off the view."""

    def get_operation_id(self) -> str:
        """`ConversationListView` becomes `conversation_list`."""
        name = type(self.view).__name__.removesuffix("View")
        return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")

    def get_tags(self) -> list[str]:
        """By what it answers."""
        return ["read"]

    def get_summary(self) -> str:
        """The view's first line."""
        return (type(self.view).__doc__ or "").partition("\n")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override] # as in drf-spectacular
        """What the answer is, and how the list is exported."""
        lines = [type(self.view).__doc__ or "", self.read_view.get.__doc__ or ""]
        if self._is_list():
            lines.append("`?format=jsonl` and `?format=csv` answer all rows instead of a page.")
        return "\n\n".join(lines)

    def get_override_parameters(self) -> list[Any]:
        """What the view takes."""
        known = (*self.read_view.parameters(), *((_FORMAT,) if self._is_list() else ()), _WORKSPACE)
        return [
            OpenApiParameter(
                parameter.name, _TYPES[parameter.type], description=parameter.help, enum=parameter.choices or None
            )
            for parameter in known
        ]

    def get_response_serializers(self) -> Any:
        """A row, or a page of rows, and the faults."""
        answers: dict[Any, Any] = {("200", "application/json"): self._answer()}
        if self._is_list():
            answers[("200", "application/x-ndjson")] = self._row()
            answers[("200", "text/csv")] = OpenApiTypes.STR
        return answers | {code: serializer for code, (serializer, _) in FAULTS.items()}

    def _get_response_for_code(self, serializer: Any, status_code: Any, *args: Any, **kwargs: Any) -> Any:
        answer = super()._get_response_for_code(serializer, status_code, *args, **kwargs)  # type: ignore[no-untyped-call]
        if status_code in FAULTS:
            answer["description"] = FAULTS[status_code][1]
            answer["content"] = {"application/json": next(iter(answer["content"].values()))}
        return answer

    @property
    def read_view(self) -> Any:
        """The view, of which mypy knows only that it is an APIView."""
        return self.view

    def _is_list(self) -> bool:
        return hasattr(self.view, "keyset")

    def _row(self) -> dict[str, Any]:
        reference: dict[str, Any] = self.resolve_serializer(self.read_view.serializer_class(), "response").ref
        return reference

    def _answer(self) -> dict[str, Any]:
        if not self._is_list():
            return self._row()
        link = {"type": ["string", "null"], "format": "uri", "description": "The next page; null = this is the last."}
        beside = {name: self._described(what) for name, what in getattr(self.view, "beside", {}).items()}
        rows = {"type": "array", "items": self._row()}
        return {
            "type": "object",
            "properties": {"next": link, **beside, "results": rows},
            "required": ["next", "results"],
        }

    def _described(self, what: Any) -> dict[str, Any]:
        if isinstance(what, dict):
            return what
        return {"type": "array", "items": self.resolve_serializer(what(), "response").ref}


class SchemaView(SpectacularAPIView):
    """The OpenAPI document; nothing in it is secret."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


@require_GET
def docs(request: HttpRequest) -> HttpResponse:
    """The document as a page in which requests can be tried; nothing on it comes from elsewhere."""
    return render(request, "api/docs.html")
