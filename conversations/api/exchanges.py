"""POST /api/v1/exchanges: model calls as they were sent and answered."""

from conversations.api.events import BodyView
from conversations.ingest import services


class ExchangeView(BodyView):
    """A batch of exchanges."""

    accept = staticmethod(services.accept_exchange_bodies)
