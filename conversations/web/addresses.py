"""Where the rows of a workspace have their pages: resolved once for a page, which may hold 200 links."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from conversations.models import Workspace


@dataclass(frozen=True, slots=True)
class Addresses:
    """The folders of a workspace's pages; `reverse` for each row took 30 µs."""

    overview: str

    @classmethod
    def of(cls, workspace: Workspace) -> "Addresses":
        """One look into the table of addresses."""
        return cls(reverse("overview", args=[workspace.slug]))

    def conversation(self, pk: int) -> str:
        """Its page."""
        return f"{self.overview}conversations/{pk}/"

    def compaction(self, pk: int) -> str:
        """Its page."""
        return f"{self.overview}compactions/{pk}/"

    def finding(self, compaction: int, number: int) -> str:
        """The page of one fact."""
        return f"{self.overview}compactions/{compaction}/facts/{number}/"

    def message(self, pk: int) -> str:
        """Its page."""
        return f"{self.overview}messages/{pk}/"


def site_address(request: HttpRequest) -> str:
    """Where people reach this server, without a slash at the end: as set, else as they reached it now."""
    return str(settings.PUBLIC_URL).rstrip("/") or f"{request.scheme}://{request.get_host()}"
