"""A hub on the loopback address: files under their addresses, with faults to order."""

import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub(ThreadingHTTPServer):
    """Serves ``files`` by path.

    ``cuts`` is how many connections break after ``cut_after`` bytes of their answer;
    ``checksum`` replaces the one stated; ``asked`` collects (method, path, range).
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.files, self.asked = {}, []
        self.cuts, self.cut_after, self.checksum = 0, 0, None
        self.address = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    def ranges(self):
        return [asked for method, _, asked in self.asked if method == "GET"]


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.head()

    def do_GET(self):
        rest = self.head()
        if self.server.cuts > 0:
            self.server.cuts -= 1
            self.wfile.write(rest[: self.server.cut_after])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        else:
            self.wfile.write(rest)

    def head(self):
        asked = self.headers.get("Range")
        self.server.asked.append((self.command, self.path, asked))
        content = self.server.files.get(self.path)
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        rest = (content or b"")[start:]
        self.send_response(404 if content is None else 206 if asked else 200)
        self.send_header("Content-Length", str(len(rest)))
        if content is not None:
            checksum = self.server.checksum or hashlib.sha256(content).hexdigest()
            self.send_header("ETag", f'"{checksum}"')
        if rest and asked:
            last = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        self.end_headers()
        return rest
