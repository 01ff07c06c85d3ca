"""How a server is reached: proxies, certificate authorities, timeouts. Certificates are always checked.

Import it late: httpx costs 60 ms.
"""

from __future__ import annotations

import ssl

import httpx

from dialproof.errors import UsageError

__all__ = ["open_http", "why_untrusted"]

_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)
"""What OpenSSL calls an issuer, or a certificate of its own issue, that is not among the trusted ones."""

_TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=60.0)


def open_http(base_url: str, *, ca_bundle: str = "", transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """Return what speaks to the server of an https URL, or of an http one on this machine.

    Proxies come from the environment (HTTPS_PROXY, ALL_PROXY, NO_PROXY). The authorities that are trusted are those of
    ``ca_bundle`` (a PEM file), else of SSL_CERT_FILE or SSL_CERT_DIR, else the usual ones. There is no way to do
    without. Raises ``UsageError`` for a file or a proxy that cannot be used.
    """
    # http is loopback only: a proxy has no business between this machine and itself
    trust_env = base_url.startswith("https:")
    try:
        verify = ssl.create_default_context(cafile=ca_bundle) if ca_bundle else httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        where = f"ca_bundle {ca_bundle}" if ca_bundle else "SSL_CERT_FILE or SSL_CERT_DIR"
        reason = "this is no file of certificates in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        raise UsageError(f"{where} cannot be used: {reason}") from None
    try:
        return httpx.Client(
            transport=transport, timeout=_TIMEOUT, follow_redirects=False, trust_env=trust_env, verify=verify
        )
    except (ValueError, ImportError, httpx.InvalidURL):  # its URL may hold a password
        raise UsageError("HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names no proxy such as http://proxy:3128") from None


def why_untrusted(error: BaseException, settings: str) -> str:
    """Return why the certificate of a server was refused, and what helps; "" where an error is about something else.

    ``settings`` are those that can name the authority: "SSL_CERT_FILE".
    """
    name_it = f"name the authority that issued it in {settings}"
    causes = [error]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(cause)
    if refused := next((c for c in causes if isinstance(c, ssl.SSLCertVerificationError)), None):
        why = f"({refused.verify_message.rstrip('.')})"
        return f"{why}: {name_it}" if refused.verify_code in _UNKNOWN_AUTHORITY else why
    return f"(it cannot be verified): {name_it}" if any("CERTIFICATE_VERIFY_FAILED" in str(c) for c in causes) else ""
