"""A server with a certificate of an authority that nobody knows, and a proxy that only takes note."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = b'{"access_token": "abcdefgh-token", "token_type": "bearer", "expires_in": 3600}'


def make_authority(folder: Path, host: str = "localhost") -> tuple[Path, Path]:
    """Write an authority (``ca.pem``) and the certificate of a host with its key, and return both files."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Corp Authority")])
    names = x509.SubjectAlternativeName([x509.DNSName(host)])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    start = datetime.now(UTC) - timedelta(days=1)

    def builder(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(start)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
        made = made.not_valid_after(start + timedelta(days=9)).add_extension(identifier, critical=False)
        return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)

    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    authority = builder(issuer, ca_key.public_key()).add_extension(x509.BasicConstraints(True, None), critical=True)
    authority = authority.add_extension(usage, critical=True)
    server = builder(subject, key.public_key()).add_extension(names, critical=False)
    ca, pair = folder / "ca.pem", folder / "server.pem"
    ca.write_bytes(authority.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM))
    pair.write_bytes(
        server.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return ca, pair


class _Tokens(BaseHTTPRequestHandler):
    """Answers every login."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(TOKEN)))
        self.end_headers()
        self.wfile.write(TOKEN)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def tls_server(pair: Path) -> Iterator[int]:
    """Serve tokens over TLS on this machine, and give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    server = HTTPServer(("127.0.0.1", 0), _Tokens)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that does not trust it goes away
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _serving(server):
        yield server.server_port


@contextmanager
def refusing_proxy() -> Iterator[tuple[int, list[str]]]:
    """Serve a proxy that refuses everything; give its port, and what it was asked for."""
    seen: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            seen.append(self.requestline)
            self.send_error(502)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Proxy)
    with _serving(server):
        yield server.server_port, seen


@contextmanager
def _serving(server: HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
