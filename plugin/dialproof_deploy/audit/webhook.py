"""Audit and event records to an HTTPS endpoint, signed as the Standard Webhooks specification (v1, HMAC-SHA256) says.

A message is a batch of records; its body is::

    {"type": "dialproof.audit", "timestamp": "<of the last record>",
     "data": {"environment": "staging", "records": [{"id": "...", ...}, ...]}}

or, as CloudEvents, a batch of these. Each record has an ``id``, and ``webhook-id`` is the same for the same batch.

What was received is kept in a cursor for each endpoint, beside the log: a run goes on where the last one was stopped. A
batch whose answer was lost is sent again, in the same bounds, under the same ``webhook-id``: every record arrives at
least once, and a receiver drops what it knows by its id. A log that was replaced is sent from its beginning.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
import random
import re
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import httpx
import tenacity

from dialproof.errors import RefusedError, RemoteError, UsageError
from dialproof.output.report import count
from dialproof_deploy.api.connection import open_http, why_untrusted
from dialproof_deploy.api.credentials import is_loopback
from dialproof_deploy.api.errors import UnreachableError
from dialproof_deploy.audit.cloud_events import BATCH, cloud_events
from dialproof_deploy.audit.records import identities, read, shown
from dialproof_deploy.redact import register_secret
from dialproof_deploy.state import exclusive_lock, write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["MOST_BYTES", "MOST_RECORDS", "Webhook", "secret_variables"]

MOST_RECORDS = 100
"""Records of one message."""
MOST_BYTES = 256 * 1024
"""Bytes of the records of one message; a longer record goes alone."""

_TRIES = 5
_LONGEST_WAIT = 300.0
_RETRIED = frozenset({408, 425, 429})
_SECRET = re.compile(r"whsec_([A-Za-z0-9+/]+={0,2})")
_KEY_BYTES = range(24, 65)  # what the specification asks of a key


def secret_variables(environment: str) -> tuple[str, str]:
    """Return the environment variables that may hold the signing secret, the one that counts first in front."""
    return f"DIALPROOF_{environment.upper().replace('-', '_')}_WEBHOOK_SECRET", "DIALPROOF_WEBHOOK_SECRET"


@dataclass(frozen=True)
class _Place:
    """How far a log was sent: the number of records, the id of the last, and the end of a batch that is under way."""

    sent: int = 0
    last: str = ""
    sending: int = 0


class _TryAgainError(Exception):
    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Webhook:
    """Sends records to one endpoint.

    Raises ``UsageError`` for a URL that is not https (http to a loopback host is for tests), holds a user name or
    password or cannot be read, and for a signing secret that is missing or unusable. Several secrets, separated by
    spaces, are for an exchange of one for the next: a message is signed with each. ``transport``, ``now`` (seconds
    since the epoch), ``sleep`` and ``jitter`` (0 to 1) are injected by tests.
    """

    def __init__(
        self,
        url: str,
        environ: Mapping[str, str],
        environment: str,
        *,
        cloudevents: bool = False,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._url = _checked(url)
        self._keys = _keys(environ, environment)
        self._environment = environment
        self._cloudevents = cloudevents
        self._transport = transport
        self._now, self._sleep, self._jitter = now, sleep, jitter

    def send(self, logs: Sequence[Path]) -> str:
        """Send what the endpoint has not received of the logs, and return how much, in words.

        Raises ``RemoteError`` where the endpoint refuses a message or does not answer, ``RefusedError`` where the
        cursor cannot be written and ``UsageError`` as ``open_http`` does; what was received until then is not sent
        again.
        """
        cursor = self.cursor_of(logs[0])
        records = messages = 0
        with (
            _unlogged(str(self._url)),
            exclusive_lock(cursor.with_suffix(".lock"), what=f"the cursor {cursor}"),
            open_http(str(self._url), transport=self._transport) as client,
        ):
            places = _read_places(cursor)
            for log in logs:
                for number in self._send_log(log, cursor, places, client):
                    records, messages = records + number, messages + 1
        return f"{count(records, 'new record')} in {count(messages, 'message')}"

    def cursor_of(self, log: Path) -> Path:
        """Return the file that says how far the records of the environment were sent to this endpoint."""
        digest = hashlib.sha256(str(self._url).encode()).hexdigest()[:16]  # the address may hold a token
        return log.with_suffix(f".webhook-{digest}.cursor")

    def _send_log(self, log: Path, cursor: Path, places: dict[str, _Place], client: httpx.Client) -> Iterator[int]:
        """Yield the number of records of each message that was received."""
        records = shown(read([log]))
        ids = identities(records)
        place = places.get(log.name, _Place())
        if place.sent > len(ids) or (place.sent and ids[place.sent - 1] != place.last):
            place = _Place()  # another log lies there now
        while place.sent < len(records):
            end = place.sending if place.sent < place.sending <= len(records) else _end(records, place.sent)
            place = _Place(place.sent, place.last, end)
            _write_places(cursor, places, log.name, place)
            batch = slice(place.sent, end)
            self._post(client, records[batch], ids[batch])
            yield end - place.sent
            place = _Place(end, ids[end - 1])
            _write_places(cursor, places, log.name, place)

    def _post(self, client: httpx.Client, records: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> None:
        """Send one message until it is received; each try is signed for its own time."""
        body: object
        if self._cloudevents:
            body = cloud_events(records, ids, self._environment)
        else:
            listed = [{"id": identity, **record} for record, identity in zip(records, ids, strict=True)]
            at = records[-1].get("time") or records[-1].get("timestamp")
            data = {"environment": self._environment, "records": listed}
            body = {"type": "dialproof.audit", "timestamp": at, "data": data}
        payload = json.dumps(body).encode()
        message = "msg_" + hashlib.sha256(" ".join(ids).encode()).hexdigest()[:32]
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(_TRIES),
            wait=self._wait,
            retry=tenacity.retry_if_exception_type(_TryAgainError),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            retrying(self._attempt, client, message, payload)
        except _TryAgainError as error:
            raise UnreachableError(
                f"the webhook {error} ({_TRIES} tries); the next export goes on from there"
            ) from None

    def _attempt(self, client: httpx.Client, message: str, payload: bytes) -> None:
        sent_at = str(int(self._now()))
        headers = {
            "Content-Type": BATCH if self._cloudevents else "application/json",
            "User-Agent": "dialproof",
            "webhook-id": message,
            "webhook-timestamp": sent_at,
            "webhook-signature": " ".join(_signature(key, message, sent_at, payload) for key in self._keys),
        }
        try:
            with client.stream("POST", self._url, content=payload, headers=headers) as answer:
                status, wait = answer.status_code, answer.headers.get("Retry-After", "").strip()
        except httpx.RequestError as error:
            if why := why_untrusted(error, "SSL_CERT_FILE"):
                raise RemoteError(
                    f"the certificate of the webhook {self._url.host} is not trusted {why}; the next export goes on "
                    "from there"
                ) from None
            raise _TryAgainError(f"{self._url.host} gave no answer ({type(error).__name__})") from None
        if status in _RETRIED or status >= 500:
            seconds = min(float(wait), _LONGEST_WAIT) if wait.isascii() and wait.isdigit() else None
            raise _TryAgainError(f"{self._url.host} answered {status}", seconds)
        if not 200 <= status < 300:
            raise RemoteError(
                f"the webhook {self._url.host} answered {status} and does not take what is sent; the next export "
                "goes on from there"
            )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _TryAgainError) and error.wait is not None:
            return error.wait
        return 2.0 ** (state.attempt_number - 1) * (1 + self._jitter() / 2)


@contextmanager
def _unlogged(url: str) -> Iterator[None]:
    """Keep httpx from logging the address, which may hold a token."""
    logger = logging.getLogger("httpx")

    def others(record: logging.LogRecord) -> bool:
        return url not in record.getMessage()

    logger.addFilter(others)
    try:
        yield
    finally:
        logger.removeFilter(others)


def _signature(key: bytes, message: str, sent_at: str, payload: bytes) -> str:
    signed = f"{message}.{sent_at}.".encode() + payload
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _checked(text: str) -> httpx.URL:
    """Return the URL of an endpoint; messages do not repeat it, since it may hold a token."""
    try:
        url = httpx.URL(text)
        host, port = url.host, url.port
    except (httpx.InvalidURL, ValueError):
        host, port = "", None
    if not host or port not in (None, *range(1, 65_536)):
        raise UsageError("the webhook is not a URL: it must look like https://host/path")
    if url.userinfo:
        raise UsageError("the webhook must not contain a user name or password: messages are signed instead")
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(host)):
        raise UsageError(f"the webhook on {host} must be https: http is accepted only for a loopback host")
    return url.copy_with(fragment=None)


def _keys(environ: Mapping[str, str], environment: str) -> list[bytes]:
    names = secret_variables(environment)
    name = next((name for name in names if environ.get(name, "").strip()), None)
    if name is None:
        raise UsageError(f"a webhook needs a secret to sign with: set {' or '.join(names)} to whsec_ and base64")
    keys = []
    for secret in environ[name].split():
        register_secret(secret)
        key = b""
        if found := _SECRET.fullmatch(secret):
            register_secret(found[1])
            with suppress(binascii.Error):
                key = base64.b64decode(found[1] + "=" * (-len(found[1]) % 4), validate=True)
        if len(key) not in _KEY_BYTES:
            raise UsageError(f"{name} is no signing secret: it must be whsec_ and the base64 of 24 to 64 bytes")
        keys.append(key)
    return keys


def _end(records: Sequence[Mapping[str, Any]], start: int) -> int:
    """Return where a message that begins with a record ends."""
    size = 0
    for index in range(start, min(len(records), start + MOST_RECORDS)):
        size += len(json.dumps(records[index]))
        if size > MOST_BYTES and index > start:
            return index
    return min(len(records), start + MOST_RECORDS)


def _read_places(cursor: Path) -> dict[str, _Place]:
    """Return how far each log was sent; a cursor that cannot be read is none: what was sent is sent again."""
    try:
        return {name: _Place(**place) for name, place in json.loads(cursor.read_bytes()).items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _write_places(cursor: Path, places: dict[str, _Place], name: str, place: _Place) -> None:
    places[name] = place
    text = json.dumps({name: asdict(place) for name, place in places.items()}, indent=2) + "\n"
    try:
        write_atomic(cursor, text.encode())
    except OSError as error:
        raise RefusedError(f"{cursor}: cannot be written: {error.strerror or error}") from None
