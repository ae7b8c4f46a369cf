"""Receivers of notices for tests: a webhook's and a mail server, on this machine, which remember what they took."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Hook:
    """A receiver of webhooks: what it took, and with which statuses it answers, one after the other."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.refused = 0
        self.statuses: list[int] = []
        self.url = ""


@contextmanager
def webhook_receiver() -> Iterator[Hook]:
    """Give a receiver of webhooks."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = hook.statuses.pop(0) if hook.statuses else 200
            if status == 200:
                hook.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
            else:
                hook.refused += 1
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"{hook.url}elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/"
    with _running(server):
        yield hook


class Post:
    """A mail server: the mails it took, as (recipients, text)."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], str]] = []
        self.port = 0


@contextmanager
def mail_receiver() -> Iterator[Post]:
    """Give a mail server that takes everything."""
    post = Post()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test")
            recipients: list[str] = []
            while line := self.rfile.readline().decode().strip():
                word = line.upper()
                if word.startswith("DATA"):
                    self._say("354 go on")
                    lines = []
                    while (part := self.rfile.readline().decode()) != ".\r\n":
                        lines.append(part)
                    post.taken.append((recipients, "".join(lines)))
                    recipients = []
                elif word.startswith("RCPT TO:"):
                    recipients.append(line[8:].strip("<> "))
                elif word.startswith("QUIT"):
                    self._say("221 bye")
                    return
                self._say("250 ok")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    post.port = server.server_address[1]
    with _running(server):
        yield post


@contextmanager
def _running(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
