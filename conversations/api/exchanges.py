"""POST /api/v1/exchanges: model calls as they were sent and answered."""

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from conversations.api.authentication import KeyAuthentication, MayIngest, sender
from conversations.api.bodies import read_body
from conversations.api.events import answer, hand_on, wants_to_wait
from conversations.ingest import services


class ExchangeView(APIView):
    """Exchanges in, a result for each out."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayIngest,)

    def post(self, request: Request) -> HttpResponse:
        """Take them, and with `?wait=1` digest what is new before answering."""
        body = read_body(request._request, most=settings.MAX_BODY_BYTES)  # noqa: SLF001 -- DRF's own would parse it
        wait = wants_to_wait(request)
        receipt = services.accept_exchange_bodies(
            workspace=sender(request).workspace, api_key=sender(request), body=body, claimed=wait
        )
        hand_on(receipt, wait=wait)
        return answer(receipt)
