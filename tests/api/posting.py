"""Ways in, as a client uses them."""

import json


def post(client, key, url, body, *, content_type="application/json", **headers):
    """A body, as JSON unless it is bytes, under an API key."""
    body = json.dumps(body) if isinstance(body, dict | list) else body
    return client.post(url, body, content_type=content_type, headers={"Authorization": f"Bearer {key}", **headers})
