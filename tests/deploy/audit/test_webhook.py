"""The webhook sink: signed as others verify it, every record at least once, nothing secret in what is said."""

from __future__ import annotations

import base64
import json
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier

from dialproof.cli import main
from dialproof.errors import RemoteError, UsageError
from dialproof_deploy.audit.log import AuditLog, read_records
from dialproof_deploy.audit.webhook import MOST_BYTES, MOST_RECORDS, Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
ENVIRON = {"DIALPROOF_WEBHOOK_SECRET": SECRET}
URL = "https://siem.example.com/hook?token=t0k3n-in-the-address"


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    """Return the log of an environment."""
    folder = tmp_path / ".dialproof" / "audit"
    folder.mkdir(parents=True)
    return AuditLog(
        folder / "staging.jsonl", clock=lambda: datetime(2026, 3, 7, 17, 0, tzinfo=UTC), actor="ada", commit=None
    )


class Receiver:
    """Verifies what arrives as the specification says and keeps it; ``answers`` are statuses, None an answer lost."""

    def __init__(self, *answers: int | None, secret: str = SECRET) -> None:
        self.answers = list(answers)
        self.verifier = Verifier(secret)
        self.messages: list[tuple[str, list[str]]] = []
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Take a message, unless it is to be refused."""
        headers = dict(request.headers)
        body = self.verifier.verify(request.content, headers)
        status = self.answers.pop(0) if self.answers else 204
        self.headers.append(headers)
        if status is None or status < 300:
            records = body if isinstance(body, list) else body["data"]["records"]
            self.bodies.append(body)
            self.messages.append((headers["webhook-id"], [record["id"] for record in records]))
        if status is None:
            raise httpx.ReadTimeout("too late", request=request)
        return httpx.Response(status, headers={"Retry-After": "7"} if status == 429 else {})

    def sender(self, waits: list[float] | None = None, **options: Any) -> Webhook:
        """Return what sends to this receiver."""
        waits = [] if waits is None else waits
        options = {"environ": ENVIRON, "environment": "staging", **options}
        transport = httpx.MockTransport(self)
        return Webhook(URL, transport=transport, sleep=waits.append, jitter=lambda: 0.0, **options)

    @property
    def ids(self) -> list[str]:
        """The ids of the records, as they arrived."""
        return [identity for _, ids in self.messages for identity in ids]


def fill(log: AuditLog, count: int, **fields: Any) -> list[str]:
    """Append records and return their hashes."""
    return [log.append("request", **fields)["hash"] for _ in range(count)]


def test_records_arrive_signed_once_and_in_bounded_messages(log: AuditLog) -> None:
    """All of the log, then what is new, then nothing; at most a hundred records a message."""
    receiver = Receiver()
    hashes = fill(log, MOST_RECORDS + 3)
    assert receiver.sender().send([log.path]) == "103 new records in 2 messages"
    assert [len(ids) for _, ids in receiver.messages] == [MOST_RECORDS, 3]
    assert receiver.sender().send([log.path]) == "0 new records in 0 messages"
    hashes += fill(log, 1)
    assert receiver.sender().send([log.path]) == "1 new record in 1 message"
    assert receiver.ids == hashes
    assert len({message for message, _ in receiver.messages}) == 3
    first = receiver.bodies[0]
    assert (first["type"], first["timestamp"]) == ("dialproof.audit", "2026-03-07T17:00:00.000Z")
    assert first["data"]["environment"] == "staging"
    assert first["data"]["records"][0] == {"id": hashes[0], **next(read_records(log.path))}


def test_a_message_is_bounded_in_bytes_too(log: AuditLog) -> None:
    """Long records go in several messages; one that is longer than a message goes alone."""
    receiver = Receiver()
    sizes = [MOST_BYTES // 2 - 500, MOST_BYTES // 2 - 500, MOST_BYTES // 2, MOST_BYTES * 2, 10]
    hashes = [fill(log, 1, details="x" * size)[0] for size in sizes]
    receiver.sender().send([log.path])
    assert [len(ids) for _, ids in receiver.messages] == [2, 1, 1, 1]
    assert receiver.ids == hashes


def test_events_of_the_target_go_along(log: AuditLog) -> None:
    """Two events that are equal have two ids, which stay theirs."""
    receiver = Receiver()
    fill(log, 1)
    events = log.path.with_suffix(".events.jsonl")
    event = {"timestamp": "t", "eventType": "e", "entityId": "x", "campaignId": "c"}
    events.write_text(f"{json.dumps(event)}\n" * 2, encoding="utf-8")
    assert receiver.sender().send([log.path, events]) == "3 new records in 2 messages"
    events.write_text(f"{json.dumps(event)}\n" * 3, encoding="utf-8")
    assert receiver.sender().send([log.path, events]) == "1 new record in 1 message"
    assert len(set(receiver.ids)) == 4


def test_as_cloud_events(log: AuditLog) -> None:
    """The batch format, which the SDK of CloudEvents reads; the id of an event is that of its record."""
    receiver = Receiver()
    hashes = fill(log, 2)
    receiver.sender(cloudevents=True).send([log.path])
    assert receiver.headers[0]["content-type"] == "application/cloudevents-batch+json"
    events = [JSONFormat().read(CloudEvent, json.dumps(event)) for event in receiver.bodies[0]]
    assert [event.get_id() for event in events] == hashes


def test_an_answer_that_was_lost_is_asked_for_again_under_the_same_id(log: AuditLog) -> None:
    """Within a run, and in the next one even though the log has grown: a receiver drops the second by its id."""
    receiver = Receiver(None)
    fill(log, 2)
    waits: list[float] = []
    receiver.sender(waits).send([log.path])
    assert waits == [1.0]
    assert receiver.messages[0] == receiver.messages[1]
    receiver.answers = [None] * 5
    fill(log, 1)
    with pytest.raises(RemoteError, match=r"siem\.example\.com gave no answer \(ReadTimeout\) \(5 tries\)"):
        receiver.sender().send([log.path])
    fill(log, 1)
    receiver.sender().send([log.path])
    assert Counter(len(ids) for _, ids in receiver.messages) == {2: 2, 1: 7}
    assert len({message for message, _ in receiver.messages}) == 3


def test_a_busy_receiver_is_waited_for_and_one_that_refuses_is_not(log: AuditLog) -> None:
    """429 by Retry-After, 5xx with growing waits; any other refusal ends the export with exit code 6."""
    receiver = Receiver(429, 503, 500, 204)
    fill(log, 1)
    waits: list[float] = []
    receiver.sender(waits).send([log.path])
    assert waits == [7.0, 2.0, 4.0]
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 1
    for status in (302, 400, 410):
        fill(log, 1)
        receiver = Receiver(status)
        with pytest.raises(RemoteError, match=rf"the webhook siem\.example\.com answered {status}"):
            receiver.sender().send([log.path])
    assert receiver.sender().send([log.path]) == "3 new records in 2 messages"  # the refused one first, as it was


def test_a_certificate_that_is_not_trusted_is_not_tried_again(log: AuditLog) -> None:
    """It says what to do instead."""
    fill(log, 1)

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]", request=request)

    waits: list[float] = []
    sender = Webhook(URL, ENVIRON, "staging", transport=httpx.MockTransport(refuse), sleep=waits.append)
    with pytest.raises(RemoteError) as refused:
        sender.send([log.path])
    assert str(refused.value) == (
        "the certificate of the webhook siem.example.com is not trusted (it cannot be verified): name the authority "
        "that issued it in SSL_CERT_FILE; the next export goes on from there"
    )
    assert waits == []


def test_authorities_that_cannot_be_read_are_a_usage_error(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are for a target."""
    monkeypatch.setenv("SSL_CERT_FILE", str(log.path))
    fill(log, 1)
    with pytest.raises(UsageError, match="SSL_CERT_FILE or SSL_CERT_DIR cannot be used"):
        Receiver().sender().send([log.path])


answers = st.lists(st.sampled_from([204, None, 500, 400]), max_size=25)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3), answers), min_size=1, max_size=5))
def test_every_record_arrives_whatever_fails(
    tmp_path_factory: pytest.TempPathFactory, runs: list[tuple[int, list[int | None]]]
) -> None:
    """At least once, in order but for repetitions, and one id always stands for the same records."""
    path = tmp_path_factory.mktemp("hook") / "staging.jsonl"
    log = AuditLog(path, clock=lambda: datetime(2026, 3, 7, tzinfo=UTC), actor="ada", commit=None)
    receiver, hashes = Receiver(), []
    for count, statuses in [*runs, (1, [])]:
        hashes += fill(log, count)
        receiver.answers = list(statuses)
        try:
            receiver.sender().send([path])
        except RemoteError:
            continue
    assert list(dict.fromkeys(receiver.ids)) == hashes
    contents: dict[str, list[str]] = {}
    for message, ids in receiver.messages:
        assert contents.setdefault(message, ids) == ids


def test_a_log_that_was_replaced_is_sent_from_its_beginning(log: AuditLog) -> None:
    """A new chain after the old one was moved aside has other records, of which none is left out."""
    receiver = Receiver()
    fill(log, 3)
    receiver.sender().send([log.path])
    for suffix in (".jsonl", ".head"):
        log.path.with_suffix(suffix).unlink()
    hashes = fill(log, 4, rule="another")
    receiver.sender().send([log.path])
    assert receiver.ids[3:] == hashes
    receiver.sender().cursor_of(log.path).write_text("[", encoding="utf-8")
    assert receiver.sender().send([log.path]) == "4 new records in 1 message"


def test_two_secrets_sign_each_message_while_one_follows_the_other(log: AuditLog) -> None:
    """Receivers with the old and with the new secret both accept it; that of the environment stands first."""
    environ = {**ENVIRON, "DIALPROOF_STAGING_WEBHOOK_SECRET": f"{OTHER} {SECRET}"}
    fill(log, 1)
    for secret in (SECRET, OTHER):
        receiver = Receiver(secret=secret)
        receiver.sender(environ=environ, now=lambda: datetime.now(UTC).timestamp()).send([log.path])
        assert receiver.headers[0]["webhook-signature"].count("v1,") == 2
        receiver.sender(environ=environ).cursor_of(log.path).unlink()


def test_nothing_secret_is_kept_or_said(log: AuditLog) -> None:
    """The cursor, its name and every message are without the secret and without the address beyond its host."""
    fill(log, 1)
    with pytest.raises(RemoteError) as failure:
        Receiver(*[500] * 5).sender().send([log.path])
    folder = log.path.parent
    said = [str(failure.value), *(f"{path.name} {path.read_bytes()!r}" for path in folder.iterdir())]
    assert not any(part in text for part in ("t0k3n", SECRET[6:]) for text in said)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://siem.example.com/", "the webhook on siem.example.com must be https"),
        ("http://127.0.0.1.example.com/", "must be https"),
        ("https://ada:pw@siem.example.com/", "must not contain a user name or password"),
        ("https:///hook", "the webhook is not a URL"),
        ("https://h:99999/", "the webhook is not a URL"),
        ("https://[::1/", "the webhook is not a URL"),
    ],
)
def test_an_unusable_address_is_a_usage_error(url: str, sentence: str) -> None:
    """What is wrong is said before anything is sent."""
    with pytest.raises(UsageError, match=sentence):
        Webhook(url, ENVIRON, "staging")


@pytest.mark.parametrize("secret", ["", "hush", "whsec_aGVsbG8=", f"{SECRET} whsec_!", "whsec_" + "A" * 100])
def test_an_unusable_secret_is_a_usage_error_that_does_not_repeat_it(secret: str) -> None:
    """It names the variable."""
    with pytest.raises(UsageError, match="DIALPROOF_WEBHOOK_SECRET") as error:
        Webhook(URL, {"DIALPROOF_WEBHOOK_SECRET": secret}, "staging")
    assert not secret or secret.split()[-1] not in str(error.value)


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[bytes]]]:
    """Serve an endpoint on this machine that keeps each body which it could verify."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            Verifier(SECRET).verify(body, dict(self.headers))
            bodies.append(body)
            self.send_response(204)
            self.end_headers()

        log_message: Callable[..., None] = lambda *_: None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook?t=t0k3n", bodies
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_command_sends_to_a_server(
    log: AuditLog,
    tmp_path: Path,
    endpoint: tuple[str, list[bytes]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``audit export URL``, over HTTP."""
    url, bodies = endpoint
    fill(log, 2)
    (tmp_path / "dialproof.toml").touch()
    arguments = ["audit", "export", url, "--env", "staging", "--project", str(tmp_path)]
    monkeypatch.delenv("DIALPROOF_WEBHOOK_SECRET", raising=False)
    assert main(arguments) == 2
    assert "DIALPROOF_STAGING_WEBHOOK_SECRET or DIALPROOF_WEBHOOK_SECRET" in capsys.readouterr().err
    monkeypatch.setenv("DIALPROOF_WEBHOOK_SECRET", SECRET)
    assert main([*arguments, "--format", "csv"]) == 2
    assert "a webhook receives json or cloudevents, not csv" in capsys.readouterr().err
    assert main(arguments) == 0
    assert main([*arguments, "--format", "cloudevents"]) == 0
    assert capsys.readouterr().out == (
        "127.0.0.1: 2 new records in 1 message\n127.0.0.1: 0 new records in 0 messages\n"
    )
    (body,) = bodies
    assert len(json.loads(body)["data"]["records"]) == 2
