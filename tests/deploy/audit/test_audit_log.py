"""The audit chain: what is appended verifies, what is damaged is found, and nothing is written over damage."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import multiprocessing
from datetime import UTC, date, datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dialproof.errors import RefusedError, UsageError
from dialproof_deploy import redact
from dialproof_deploy.audit.log import GENESIS, AuditLog, audit_verify, open_log, read_records, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

START = datetime(2026, 3, 7, 17, 0, 0, 123456, tzinfo=UTC)


def clock() -> datetime:
    """Stand still."""
    return START


def make_log(path: Path, **options: Any) -> AuditLog:
    """Return a log with a clock that stands still."""
    return AuditLog(path, clock=clock, actor="ada", commit="c0ffee", **options)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the log of an environment lies."""
    return tmp_path / "staging.jsonl"


def fill(path: Path, count: int) -> list[dict[str, Any]]:
    """Append some records."""
    log = make_log(path)
    return [log.append("request", campaign="cmp", rule=f"rule {number}") for number in range(count)]


def test_a_record_says_what_when_who_and_what_came_before(path: Path) -> None:
    """A record holds number, UTC time in milliseconds, actor, commit, its fields and the hash of its predecessor."""
    log = make_log(path)
    first = log.append("change", campaign="cmp", rule="r", version_before=None, version_after=1)
    second = log.append(
        "decision", details={"gate": "open", "until": date(2026, 4, 1), "at": START, "file": PurePosixPath("a/b")}
    )
    assert {key: first[key] for key in first if key != "hash"} == {
        "seq": 1,
        "time": "2026-03-07T17:00:00.123Z",
        "environment": "staging",
        "event": "change",
        "actor": "ada",
        "commit": "c0ffee",
        "campaign": "cmp",
        "rule": "r",
        "version_before": None,
        "version_after": 1,
        "prev": GENESIS,
    }
    assert second["seq"] == 2
    assert second["prev"] == first["hash"]
    shown = {"gate": "open", "until": "2026-04-01", "at": "2026-03-07T17:00:00.123Z", "file": "a/b"}
    assert second["details"] == shown
    assert list(read_records(path)) == [first, second]


def test_the_hash_can_be_recomputed_by_others(path: Path) -> None:
    """``hash`` is the SHA-256 of the record's RFC 8785 JSON without ``hash``, and a line is that JSON."""
    (record,) = fill(path, 1)
    line = path.read_bytes()
    assert line == rfc8785.dumps(record) + b"\n"
    given_hash = record.pop("hash")
    assert given_hash == hashlib.sha256(rfc8785.dumps(record)).hexdigest()


def test_the_log_is_for_its_owner_alone(path: Path) -> None:
    """The log and its head are created without access for others."""
    fill(path, 1)
    assert path.stat().st_mode & 0o077 == 0
    assert path.with_suffix(".head").stat().st_mode & 0o077 == 0


def test_fields_of_every_record_cannot_be_overwritten(path: Path) -> None:
    """A caller cannot set the sequence number, time or hashes."""
    with pytest.raises(ValueError, match="prev, seq"):
        make_log(path).append("x", seq=1, prev="")
    assert not path.exists()


def test_a_value_that_is_no_json_is_refused_before_anything_is_written(path: Path) -> None:
    """An object that JSON cannot hold is a mistake of the caller and leaves no trace."""
    with pytest.raises(TypeError, match="object"):
        make_log(path).append("x", details=object())
    assert not path.exists()


def test_half_a_character_is_recorded_escaped(path: Path) -> None:
    """A lone surrogate, which UTF-8 does not have, stops no record wherever it stands."""
    record = make_log(path).append("\ud800", rule="a\udfff", details={"\udbff": "x"})
    assert (record["event"], record["rule"], record["details"]) == ("\\ud800", "a\\udfff", {"\\udbff": "x"})
    assert verify(path).ok


texts = st.text(st.characters(codec=None), max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(texts, values), min_size=1, max_size=4), st.data())
def test_any_records_verify_and_any_changed_byte_is_found(
    tmp_path_factory: pytest.TempPathFactory, entries: list[tuple[str, object]], data: st.DataObject
) -> None:
    """Whatever values are recorded (beyond the BMP, lone surrogates, huge numbers), the chain holds until changed."""
    path = tmp_path_factory.mktemp("chain") / "e.jsonl"
    log = make_log(path)
    written = [log.append(event, details=value) for event, value in entries]
    assert verify(path).ok
    assert list(read_records(path)) == written
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert not verify(path).ok


@pytest.mark.parametrize("suffix", [".jsonl", ".head"])
def test_every_single_byte_counts(path: Path, suffix: str) -> None:
    """Changing any one byte of the log or of its head file is found, and the line before it is not blamed."""
    fill(path, 2)
    file = path.with_suffix(suffix)
    whole = file.read_bytes()
    for at in range(len(whole)):
        for flip in (0x01, 0x20, 0x80):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
            result = verify(path)
            assert not result.ok, (at, flip)
            if suffix == ".jsonl":
                assert result.line == whole[:at].count(b"\n") + 1, (at, flip)
    file.write_bytes(whole)
    assert verify(path).ok


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], None], *, rehash: int | None = None) -> None:
    """Change the records of a log; ``rehash`` gives the record at that index a fitting hash."""
    records = list(read_records(path))
    change(records)
    if rehash is not None:
        content = {key: value for key, value in records[rehash].items() if key != "hash"}
        records[rehash]["hash"] = hashlib.sha256(rfc8785.dumps(content)).hexdigest()
    path.write_bytes(b"".join(rfc8785.dumps(record) + b"\n" for record in records))


def test_an_edited_record_is_named(path: Path) -> None:
    """A record whose content was edited does not fit its hash."""
    fill(path, 3)
    rewrite(path, lambda records: records[1].update(rule="another"))
    result = verify(path)
    assert (result.kind, result.line, result.seq, result.head.seq) == ("hash", 2, 2, 1)


def test_an_edited_record_with_a_new_hash_breaks_the_next_one(path: Path) -> None:
    """Recomputing the hash of an edited record moves the break to the record that follows."""
    fill(path, 3)
    rewrite(path, lambda records: records[1].update(rule="another"), rehash=1)
    result = verify(path)
    assert (result.kind, result.line, result.seq) == ("prev", 3, 3)


def test_a_last_record_with_a_new_hash_does_not_fit_the_head(path: Path) -> None:
    """Nothing follows the last record, but the head file knows it."""
    fill(path, 3)
    rewrite(path, lambda records: records[2].update(rule="another"), rehash=2)
    assert verify(path).kind == "head"


def test_removed_and_swapped_records_are_named(path: Path) -> None:
    """A record that is missing in the middle, or in another place, breaks the numbering."""
    fill(path, 4)
    rewrite(path, lambda records: records.__delitem__(1))
    result = verify(path)
    assert (result.kind, result.line, result.seq) == ("seq", 2, 2)
    rewrite(path, lambda records: records.reverse())
    result = verify(path)
    assert (result.kind, result.line, result.seq) == ("seq", 1, 1)


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_records_cut_off_at_the_end_are_found(path: Path, kept: int) -> None:
    """A chain whose last records were removed still chains, but ends before its head."""
    fill(path, 3)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:kept]))
    result = verify(path)
    assert (result.kind, result.seq, result.head.seq) == ("truncated", kept + 1, kept)
    with pytest.raises(RefusedError, match="damaged and nothing is added"):
        make_log(path).append("request")


def test_a_log_that_is_gone_is_found(path: Path) -> None:
    """Deleting the log alone is a truncation to nothing; deleting both leaves no audit log at all."""
    fill(path, 2)
    path.unlink()
    assert verify(path).kind == "truncated"
    path.with_suffix(".head").unlink()
    with pytest.raises(UsageError, match="there is no audit log"):
        verify(path)


def test_a_missing_head_file_is_found(path: Path) -> None:
    """Without its head file a log of several records is not accepted, nor appended to."""
    fill(path, 2)
    path.with_suffix(".head").unlink()
    result = verify(path)
    assert (result.kind, result.problem) == ("head", "the log goes on to record 2, but the head file stands at 0")
    with pytest.raises(RefusedError, match=r"Restore staging\.jsonl and staging\.head from a copy"):
        make_log(path).append("request")


@pytest.mark.parametrize(
    "head", [b"", b"{}\n", b"[]\n", b'{"hash":1,"seq":"x"}\n', b"\xff\n", b'{"hash":"","seq":0}\n']
)
def test_an_unreadable_head_file_is_found(path: Path, head: bytes) -> None:
    """Anything but number and hash in the head file is damage, not a crash of ours."""
    fill(path, 1)
    path.with_suffix(".head").write_bytes(head)
    result = verify(path)
    assert (result.kind, result.line) == ("head", 0)


def test_a_record_in_another_form_is_found(path: Path) -> None:
    """A line that means the same in other bytes was not written by us."""
    fill(path, 2)
    path.write_bytes(path.read_bytes().replace(b'"actor":', b'"actor": ', 1))
    result = verify(path)
    assert (result.kind, result.line) == ("hash", 1)


def test_a_log_that_cannot_be_read_is_a_usage_error(path: Path) -> None:
    """A folder in the place of the log ends in a sentence, for checking, reading and appending."""
    path.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        verify(path)
    with pytest.raises(UsageError, match="cannot be read"):
        list(read_records(path))
    with pytest.raises(RefusedError, match="cannot be written"):
        make_log(path).append("request")


def test_a_crash_between_log_and_head_is_no_damage(path: Path) -> None:
    """A log one record ahead of its head is what a crash leaves: a note, and the next append mends it."""
    fill(path, 2)
    head = path.with_suffix(".head").read_bytes()
    fill(path, 1)
    path.with_suffix(".head").write_bytes(head)
    result = verify(path)
    assert result.ok
    assert "the next one mends it" in result.note
    assert make_log(path).append("request")["seq"] == 4
    assert verify(path).note == ""


@pytest.mark.parametrize(
    "line", [b"\n", b"null\n", b"{}\n", b"nonsense\n", b'{"seq":1,"prev":2,"hash":3}\n', b"[" * 9999]
)
def test_lines_that_are_no_records_are_named(path: Path, line: bytes) -> None:
    """A line that is no record is named with its number, whatever it is."""
    fill(path, 1)
    with path.open("ab") as file:
        file.write(line.rstrip(b"\n") + b"\n")
    result = verify(path)
    assert (result.kind, result.line, result.head.seq) == ("json", 2, 1)
    with pytest.raises(RefusedError):
        make_log(path).append("request")


def test_every_torn_tail_is_kept_in_a_recovered_record(path: Path) -> None:
    """A crash after any number of bytes of a line is found, and the next append keeps the fragment and goes on."""
    fill(path, 1)
    base, head = path.read_bytes(), path.with_suffix(".head").read_bytes()
    make_log(path).append("change", rule="Zoë 😀")
    line = path.read_bytes()[len(base) :]
    for length in range(1, len(line)):
        path.write_bytes(base + line[:length])
        path.with_suffix(".head").write_bytes(head)
        assert verify(path).kind == "truncated"
        assert make_log(path).append("request")["seq"] == 3
        assert verify(path).ok
        recovered = list(read_records(path))[1]
        assert recovered["event"] == "recovered"
        assert recovered["details"]["sha256"] == hashlib.sha256(line[:length]).hexdigest()
        assert recovered["details"]["fragment"] == line[:length].decode("utf-8", "backslashreplace")


def test_a_record_that_was_promised_is_never_taken_for_a_torn_tail(path: Path) -> None:
    """If the head names the torn record it was once whole: that is damage, and nothing is written over it."""
    fill(path, 2)
    path.write_bytes(path.read_bytes()[:-5])
    before = path.read_bytes()
    with pytest.raises(RefusedError, match="move both aside, keep them as evidence"):
        make_log(path).append("request")
    assert path.read_bytes() == before


class FullDisk(io.RawIOBase):
    """A log file on a disk with room for some more bytes."""

    def __init__(self, path: Path, room: int) -> None:
        self._file = open_log(path)
        self._room = room

    def write(self, data: Any) -> int:
        """Write what there is room for; ENOSPC when there is none."""
        if not self._room:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = bytes(data)[: self._room]
        self._room -= len(part)
        return self._file.write(part)

    def read(self, size: int = -1) -> bytes:
        """Pass on."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Pass on."""
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        """Pass on."""
        return self._file.truncate(size)

    def fileno(self) -> int:
        """Pass on."""
        return self._file.fileno()

    def close(self) -> None:
        """Pass on."""
        self._file.close()
        super().close()


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_full_disk_stops_the_caller_and_leaves_the_last_full_record(path: Path, room: int) -> None:
    """ENOSPC in an append is an error of ours, the partial line is cut off, and the chain goes on with more room."""
    fill(path, 2)
    before = path.read_bytes()
    full = make_log(path, opener=lambda at: cast("BinaryIO", FullDisk(at, room)))
    with pytest.raises(RefusedError, match=r"'change' cannot be written \(No space left on device.*nothing goes on"):
        full.append("change", rule="r")
    assert path.read_bytes() == before
    assert verify(path).ok
    assert make_log(path).append("request")["seq"] == 3


def test_a_short_write_is_continued(path: Path) -> None:
    """An operating system that takes a part of a record at a time gets the rest."""

    class Sipping(FullDisk):
        def write(self, data: Any) -> int:
            self._room = 7
            return super().write(data)

    make_log(path, opener=lambda at: cast("BinaryIO", Sipping(at, 7))).append("change", rule="r")
    assert verify(path).head.seq == 1


def test_a_head_that_cannot_be_written_takes_its_record_back(path: Path) -> None:
    """If the head file cannot be replaced, the record is cut off again and the append fails."""
    fill(path, 1)
    before = path.read_bytes()
    head = path.with_suffix(".head")
    written = head.read_bytes()

    def block(at: Path) -> BinaryIO:
        log = open_log(at)
        head.unlink()
        head.mkdir()
        return log

    with pytest.raises(RefusedError):
        make_log(path, opener=block).append("change")
    head.rmdir()
    head.write_bytes(written)
    assert path.read_bytes() == before
    assert verify(path).ok


def test_a_record_that_the_head_names_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If only the last flush of the folder fails, the record is there: whoever is told otherwise writes it twice."""
    fill(path, 1)

    def fail(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("dialproof_deploy.state.sync_directory", fail)
        assert make_log(path).append("change")["seq"] == 2
    assert verify(path).head.seq == 2
    assert fill(path, 1)[0]["seq"] == 3


def _append_twenty(path: Path, actor: str) -> None:
    log = AuditLog(path, clock=clock, actor=actor, commit=None)
    for number in range(20):
        log.append("request", details=number)


def test_two_processes_write_one_chain(path: Path) -> None:
    """Records of two processes at once end up in one unbroken chain, none lost."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_twenty, args=(path, actor)) for actor in ("ada", "bob")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    result = verify(path)
    assert result.ok
    assert result.head.seq == 40
    for actor in ("ada", "bob"):
        assert [r["details"] for r in read_records(path) if r["actor"] == actor] == list(range(20))


def test_secrets_and_personal_values_stay_out(path: Path) -> None:
    """What any part registered as secret or personal is blotted out before the record is hashed."""
    redact.register_secret("s3cr3t")
    redact.register_pii("+13035550123")
    make_log(path).append("refusal", rule="x s3cr3t", details={"to +13035550123": ["s3cr3t"]}, note="+13035550123")
    text = path.read_text(encoding="utf-8")
    assert "s3cr3t" not in text
    assert "3035550123" not in text
    assert verify(path).ok


def test_names_of_rules_are_no_personal_values(path: Path) -> None:
    """A campaign named after a city, or a version like a postcode, is no contact's: decisions rest on it."""
    redact.register_pii("Houston")
    redact.register_pii("77001")
    names = {"campaign": "Houston-spring", "rule": "Houston", "version_after": 77001}
    record = make_log(path).append("change", **names, details="Houston 77001")
    assert record.items() >= {**names, "details": "[pii] [pii]"}.items()


def test_verify_command_prints_the_first_broken_record(path: Path) -> None:
    """``audit verify``: 0 and the last hash for a whole log, 1 and file:line for a broken one, 2 without one."""
    out = io.StringIO()
    assert audit_verify(path, out) == 2
    records = fill(path, 3)
    assert audit_verify(path, out) == 0
    rewrite(path, lambda records: records[1].update(rule="another"))
    assert audit_verify(path, out) == 1
    path.with_suffix(".head").write_bytes(b"")
    rewrite(path, lambda changed: changed.__setitem__(slice(None), records))
    assert audit_verify(path, out) == 1
    assert out.getvalue() == (
        f"{path}: there is no audit log\n"
        f"{path}: 3 records, the chain holds; the last hash is {records[-1]['hash']}\n"
        f"{path}:2: record 2 is broken (hash): its content is not what was written: the hash does not fit\n"
        f"{path}: 1 records before it hold\n"
        f"{path.with_suffix('.head')}: the head is broken (head): the head file staging.head cannot be read as a "
        "sequence number and a hash\n"
        f"{path}: 3 records before it hold\n"
    )


def test_a_copy_without_write_access_can_be_verified(path: Path) -> None:
    """An auditor verifies a read-only copy: no lock file is needed."""
    fill(path, 1)
    path.with_suffix(".lock").unlink()
    assert verify(path).ok
    assert not path.with_suffix(".lock").exists()


def test_a_long_last_record_is_read_back_whole(path: Path) -> None:
    """The tail of the log is found however long its last line is."""
    log = make_log(path)
    log.append("request", details="x" * 50_000)
    log.append("request", details="y" * 50_000)
    assert log.append("request")["seq"] == 3
    assert verify(path).ok


def test_times_are_written_in_utc(path: Path) -> None:
    """A clock in another zone is converted."""
    denver = START.astimezone(tz=None) + timedelta(hours=1)
    log = AuditLog(path, clock=lambda: denver, actor="ada", commit=None)
    assert log.append("decision")["time"] == "2026-03-07T18:00:00.123Z"
    assert json.loads(path.read_bytes())["commit"] is None
