"""An HTTP server on a local port while a `with` block runs."""

import threading
from http.server import ThreadingHTTPServer


class Listening:
    """What stand-ins share; `handler` is a class of http.server's."""

    def __init__(self, handler, port=0):
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = False  # closing waits for them: no thread outlives its test
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def port(self):
        return self._server.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
