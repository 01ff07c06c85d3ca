"""``audit tail``: the last records, and those that come, through rotation and lines that are not whole yet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dialproof.cli import main
from dialproof.errors import UsageError
from dialproof_deploy import redact
from dialproof_deploy.audit.log import AuditLog
from dialproof_deploy.audit.tail import follow, last_records, line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class StoppedError(Exception):
    """Ends what would go on for ever."""


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    """Return the log of an environment."""
    folder = tmp_path / ".dialproof" / "audit"
    folder.mkdir(parents=True)
    return at(folder / "staging.jsonl")


def at(path: Path) -> AuditLog:
    """Return a log whose clock stands still."""
    return AuditLog(path, clock=lambda: datetime(2026, 3, 7, 17, 0, tzinfo=UTC), actor="ada", commit=None)


def seen(path: Path, count: int, *steps: Callable[[], object]) -> list[object]:
    """Follow the log while the steps are done, one each time that there is nothing to read."""
    waiting: Iterator[Callable[[], object]] = iter(steps)

    def sleep(_: float) -> None:
        step = next(waiting, None)
        if step is None:
            raise StoppedError
        step()

    found: list[object] = []
    with pytest.raises(StoppedError):
        found.extend(record["rule"] for record in follow(path, count, sleep=sleep))
    return found


def test_a_record_is_one_line_without_secrets(log: AuditLog) -> None:
    """Time, number, event, what was done to which rule, who; no control character, no secret, no personal value."""
    redact.register_secret("hush-hush")
    redact.register_pii("+13035550123")
    change = log.append(
        "change", campaign="c", rule="a b\x1b[0m", action="update", phase="change.made", version_before=1,
        version_after=2, request_id="hush-hush",
    )  # fmt: skip
    assert line_of(change) == (
        "2026-03-07T17:00:00.000Z #1 change phase=change.made action=update campaign=c "
        'rule="a b\\u001b[0m" request_id=[secret] version=1→2 by=ada'
    )
    refusal = {"event": "refusal", "details": {"reasons": ["no +13035550123", "b"]}, "actor": "ada"}
    assert line_of(refusal) == 'None #None refusal reasons="no [pii]; b" by=ada'


def test_the_last_records_are_those_of_whole_lines(log: AuditLog) -> None:
    """A partial last line and a line that is no record are passed over."""
    for number in range(4):
        log.append("request", rule=str(number))
    log.path.write_bytes(log.path.read_bytes() + b'not json\n[1]\n{"rule": "hal')
    assert [record["rule"] for record in last_records(log.path, 2)] == ["2", "3"]
    assert last_records(log.path, 0) == []


def test_following_waits_for_the_end_of_a_line(log: AuditLog) -> None:
    """A line that is written in two parts is one record, when it is whole."""
    for number in range(3):
        log.append("request", rule=str(number))

    def write(data: bytes) -> Callable[[], object]:
        return lambda: log.path.write_bytes(log.path.read_bytes() + data)

    steps = [write(b'{"rule": "ha'), write(b'lf"}'), write(b'\n{"rule": "next"}\n')]
    assert seen(log.path, 1, *steps) == ["2", "half", "next"]


def test_following_goes_on_after_rotation(log: AuditLog) -> None:
    """What was added to the old log before it was moved aside is not lost, and the new one is read from its start."""
    log.append("request", rule="old")
    aside = log.path.with_suffix(".old")

    def rotate() -> None:
        log.append("request", rule="last of old")
        log.path.rename(aside)
        log.path.with_suffix(".head").unlink()

    def begin() -> None:
        at(log.path).append("request", rule="new")

    assert seen(log.path, 5, rotate, begin, lambda: None) == ["old", "last of old", "new"]


def test_following_goes_on_after_a_log_was_cut_short(log: AuditLog) -> None:
    """A log that is shorter than what was read of it is read again."""
    for rule in ("a", "b"):
        log.append("request", rule=rule)
    cut = b'{"rule": "c"}\n'
    assert seen(log.path, 2, lambda: log.path.write_bytes(cut)) == ["a", "b", "c"]


def test_a_log_that_is_not_there_is_a_usage_error(tmp_path: Path, log: AuditLog) -> None:
    """A mistyped environment is not waited for."""
    with pytest.raises(UsageError, match="there is no audit log"):
        next(follow(tmp_path / "no.jsonl", 1))


def test_the_command_prints_them(
    log: AuditLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``audit tail -n 2``; with ``--follow`` until Ctrl-C."""
    for number in range(3):
        log.append("request", rule=f"r{number}")
    (tmp_path / "dialproof.toml").touch()
    arguments = ["audit", "tail", "--env", "staging", "--project", str(tmp_path), "-n", "2"]
    assert main(arguments) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["#2", "#3"]

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    monkeypatch.setattr(follow, "__kwdefaults__", {"sleep": interrupt})
    assert main([*arguments, "--follow"]) == 130
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["#2", "#3"]
    assert main([*arguments[:-1], "many"]) == 2
    assert main(["audit", "tail", "--env", "prod", "--project", str(tmp_path)]) == 2
    assert "expected a whole number such as 10, found 'many'" in capsys.readouterr().err
