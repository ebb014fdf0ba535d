# SPDX-License-Identifier: MIT
"""HTTP/1.1 on a socket: requests in, replies out in one send. Knows nothing of Salesforce.

http.server's handler writes headers and body apart and parses headers as e-mail; both cost more than the answers do.
"""
import gzip
import socket
import socketserver
import ssl
import zlib

MAX_URI = 16384
MAX_HEAD = 65536
MAX_BODY = 600 << 20
REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 300: "Multiple Choices", 301: "Moved Permanently", 302: "Found",
    304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 412: "Precondition Failed",
    413: "Content Too Large", 414: "URI Too Long", 415: "Unsupported Media Type", 420: "Enhance Your Calm",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Gateway Timeout",
}
CHUNK = 65536


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.path, _, self.query_string = target.partition("?")

    def header(self, name, default=None):
        return self.headers.get(name, default)


class Reply:
    """status, headers and a body of bytes. `close` ends the connection after it."""

    def __init__(self, status=200, body=b"", headers=(), content_type="application/json;charset=UTF-8", close=False):
        self.status = status
        self.body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        self.headers = list(headers)
        self.content_type = content_type
        self.close = close

    @property
    def bodiless(self):
        return self.status in (204, 304)


class BadRequest(Exception):
    def __init__(self, status, reason):
        super().__init__(reason)
        self.status, self.reason = status, reason

    def reply(self):
        text = "<h1>Bad Message %d</h1><pre>reason: %s</pre>" % (self.status, self.reason)
        return Reply(self.status, text, content_type="text/html;charset=iso-8859-1", close=True)


def read_request(stream, send_continue):
    """The next request, or None when the client has gone."""
    line = stream.readline(MAX_HEAD)
    while line in (b"\r\n", b"\n"):
        line = stream.readline(MAX_HEAD)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        if len(line) >= MAX_URI:
            raise BadRequest(414, "URI Too Long")
        raise BadRequest(400, "Bad Request")
    method, target = parts[0], parts[1]
    size = len(target)
    if size > MAX_URI:
        raise BadRequest(414, "URI Too Long")
    headers, size = read_headers(stream, size)
    if size > MAX_URI:
        raise BadRequest(431, "Request Header Fields Too Large")
    if headers.get("expect", "").lower() == "100-continue":
        send_continue()
    return Request(method, target, headers, read_body(stream, headers))


def read_headers(stream, size):
    headers = {}
    while True:
        line = stream.readline(MAX_HEAD)
        if line in (b"\r\n", b"\n", b""):
            return headers, size
        size += len(line)
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()


def read_body(stream, headers):
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body = read_chunks(stream)
    else:
        length = headers.get("content-length", "0")
        if not length.isdigit():
            raise BadRequest(400, "Bad Content-Length")
        if int(length) > MAX_BODY:
            raise BadRequest(413, "Content Too Large")
        body = stream.read(int(length)) if int(length) else b""
    if headers.get("content-encoding", "").lower() == "gzip":
        try:
            return gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            raise BadRequest(400, "Bad gzip body") from None
    return body


def read_chunks(stream):
    parts = []
    while True:
        size = int(stream.readline(64).split(b";")[0] or b"0", 16)
        if not size:
            while stream.readline(MAX_HEAD) not in (b"\r\n", b"\n", b""):
                pass
            return b"".join(parts)
        parts.append(stream.read(size))
        stream.readline(64)


def head(status, headers):
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Unknown"))]
    lines.extend("%s: %s" % pair for pair in headers)
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def chunked(body):
    parts = []
    for start in range(0, len(body), CHUNK):
        piece = body[start:start + CHUNK]
        parts.append(b"%x\r\n%s\r\n" % (len(piece), piece))
    return b"".join(parts) + b"0\r\n\r\n"


def compress(body):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


def encode(reply, request):
    """(head, body as it goes over the wire, size of the body)"""
    headers = list(reply.headers)
    if reply.bodiless:
        return head(reply.status, headers), b"", 0
    body = reply.body
    headers.append(("Content-Type", reply.content_type))
    headers.append(("Vary", "Accept-Encoding"))
    if len(body) > 512 and "gzip" in request.header("accept-encoding", ""):
        body = compress(body)
        headers.append(("Content-Encoding", "gzip"))
    if reply.close:
        headers.append(("Connection", "close"))
    headers.append(("Transfer-Encoding", "chunked"))
    wire = b"" if request.method == "HEAD" else chunked(body)
    return head(reply.status, headers), wire, len(body) if wire else 0


class Connection(socketserver.StreamRequestHandler):
    """One client. The server's `exchange(connection, request)` answers and says whether to go on."""

    rbufsize = 65536
    disable_nagle_algorithm = True

    def setup(self):
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(30)
            self.request.do_handshake()
            self.request.settimeout(None)
        super().setup()

    def handle(self):
        try:
            while self.one():
                pass
        except (OSError, ValueError, ssl.SSLError):
            pass

    def one(self):
        try:
            request = read_request(self.rfile, self.send_continue)
        except BadRequest as error:
            self.server.refused(self, error)
            return False
        if request is None:
            return False
        go_on = self.server.exchange(self, request)
        return go_on and request.header("connection", "").lower() != "close"

    def send_continue(self):
        self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def send(self, reply, request):
        start, wire, size = encode(reply, request)
        self.request.sendall(start + wire)
        return size

    def finish_input(self):
        """Read what the client still sends, so that closing does not cost it the reply."""
        self.request.shutdown(socket.SHUT_WR)
        self.request.settimeout(1)
        while self.request.recv(65536):
            pass

    def reset(self):
        """Close with a RST: unsent data is thrown away and the peer gets ECONNRESET."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.request.close()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, address, tls=None):
        self.tls = tls
        super().__init__(address, Connection)

    def get_request(self):
        client, address = super().get_request()
        if self.tls:
            client = self.tls.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        return client, address

    def handle_error(self, request, client_address):
        """A client that goes away, or a failed handshake, is no news."""


def tls_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_cert_chain(certificate, key)
    return context
