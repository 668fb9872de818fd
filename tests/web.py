"""A web server of our own, on good days and bad ones, that remembers what it was asked for."""

import base64
import contextlib
import http.server
import threading
from collections.abc import Callable, Iterator
from typing import Any

Answer = Callable[["Handler"], None]


class Server(http.server.ThreadingHTTPServer):
    """Answers by path. answers: functions of a request; requests: what was asked for, with credentials."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, str]] = []
        self.done = threading.Event()

    @classmethod
    @contextlib.contextmanager
    def running(cls) -> Iterator["Server"]:
        """A server that answers for as long as the block lasts."""
        server = cls()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.done.set()
            server.shutdown()
            thread.join()
            server.server_close()

    def url(self, path: str, credentials: str = "") -> str:
        return f"http://{credentials}127.0.0.1:{self.server_port}{path}"

    def handle_error(self, *_: Any) -> None:
        """Curl hangs up when it has heard enough."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        words = self.headers.get("Authorization", "").split()
        self.server.requests.append((self.path, base64.b64decode(words[1]).decode() if words else ""))
        self.server.answers[self.path](self)

    def log_message(self, *_: Any) -> None:
        pass


def says(status: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with headers, in whose names `_` stands for `-`."""

    def answer(request: "Handler") -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """One answer after another."""
    left = iter(answers)
    return lambda request: next(left)(request)


def without_length(body: bytes) -> Answer:
    """An answer that ends when the connection does."""

    def answer(request: "Handler") -> None:
        request.send_response(200)
        request.end_headers()
        with contextlib.suppress(OSError):
            request.wfile.write(body)

    return answer
