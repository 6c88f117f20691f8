"""A server on this machine that can break off, stall, forget what a range is, and send other content."""

import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message


@dataclass
class Behaviour:
    """What the server does.

    Attributes:
        files: the content of each path, without its first slash.
        breaks: after how many bytes of an answer it hangs up, one entry an answer; then it sends all.
        stalls: after how many bytes it sends nothing more for `pause` seconds, one entry an answer.
        pause: in seconds.
        ranges: whether it knows ranges.
        lengths: whether it announces the length.
        version: its ETag; empty for none.
        asked: the path and the range of every request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    stalls: list[int] = field(default_factory=list)
    pause: float = 2.0
    ranges: bool = True
    lengths: bool = True
    version: str = '"1"'
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    address: str = ""


def _start(headers: Message, behaviour: Behaviour) -> int:
    """The first byte that is wanted; 0 where the range does not count."""
    wanted, version = headers.get("Range"), headers.get("If-Range")
    if not behaviour.ranges or not wanted or (version and version != behaviour.version):
        return 0
    return int(wanted.removeprefix("bytes=").rstrip("-"))


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[Behaviour]:
    """Runs the server; its address stands in the behaviour."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            behaviour.asked.append((name, self.headers.get("Range")))
            content = behaviour.files.get(name)
            if content is None:
                self.send_error(404)
                return
            start = _start(self.headers, behaviour)
            if start and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            if behaviour.lengths:
                self.send_header("Content-Length", str(len(content) - start))
            if behaviour.version:
                self.send_header("ETag", behaviour.version)
            self.end_headers()
            rest = content[start:]
            if behaviour.breaks:
                self.wfile.write(rest[: behaviour.breaks.pop(0)])
            elif behaviour.stalls:
                self.wfile.write(rest[: behaviour.stalls.pop(0)])
                time.sleep(behaviour.pause)
            else:
                self.wfile.write(rest)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        behaviour.address = f"http://127.0.0.1:{server.server_port}"
        try:
            yield behaviour
        finally:
            server.shutdown()
            thread.join()
