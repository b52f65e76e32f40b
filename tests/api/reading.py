"""What the tests of the ways out share."""

from tests.factories import create_api_key

READ = "/api/v1"


class Reader:
    """A program with a key of one workspace."""

    def __init__(self, client, workspace, scopes=("read",)):
        self.client = client
        self.headers = {"Authorization": f"Bearer {create_api_key(workspace, scopes)[1]}"}

    def get(self, path, **headers):
        path = path.removeprefix("http://testserver")
        path = path if path.startswith(READ) else READ + path
        return self.client.get(path, headers=self.headers | headers)

    def json(self, path):
        response = self.get(path)
        assert response.status_code == 200, response.content
        return response.json()

    def walk(self, path, between=lambda: None):
        """All results, page after page."""
        results = []
        while path:
            page = self.json(path)
            results += page["results"]
            path = page["next"]
            between()
        return results

    def text(self, path):
        return b"".join(self.get(path).streaming_content).decode()
