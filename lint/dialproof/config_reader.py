"""Finds and reads the configuration; everything wrong with it is one :class:`UsageError` with a line for each thing."""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from dataclasses import replace
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dialproof.config import Accepted, Config, Environment, Gate, Retry, Semantics
from dialproof.errors import UsageError
from dialproof.findings import SEVERITIES
from dialproof.toml_places import place_of, places_of_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ID_KINDS", "is_root", "read_config"]

ID_KINDS = ("campaigns", "lists", "skills", "wrapUpCodes", "dataActions", "contactLists", "queues")
"""What logical ids can name, in the inventory and in the ids of an environment."""

MAX_AGE_HOURS = 87_600.0
"""The oldest evidence that a gate can ask for: ten years."""

_T = TypeVar("_T")
_SELECTOR = re.compile(r"[A-Z]+[0-9]*|[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_ENVIRONMENT = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_LOOPBACK = re.compile(r"http://(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?(?:/|$)")
_KINDS: Mapping[type, str] = {
    bool: "true or false",
    str: "text",
    int: "a whole number",
    float: "a number",
    dict: "a table",
    list: "a list",
}


class _UnreadableError(UsageError):
    """The system lets nobody read a folder or a configuration file."""


def read_config(start: Path, top: Path | None = None) -> Config:
    """Return the nearest configuration at or above ``start``, up to ``top``; its defaults where there is none."""
    folder = start.resolve()
    folder = folder if folder.is_dir() else folder.parent
    for candidate in (folder, *folder.parents):
        if top is not None and not candidate.is_relative_to(top):
            break
        found = _tables(candidate)
        if len(found) > 1:
            raise UsageError(f"{candidate}: dialproof.toml and [tool.dialproof] of pyproject.toml: keep one of them")
        if found:
            file, table, prefix, digest = found[0]
            return replace(_Reader(file, prefix).config(candidate, table), digest=digest)
    return Config(root=folder, environments={"sandbox": Environment("sandbox")})


def is_root(folder: Path) -> bool:
    """Tell whether a folder has a configuration of its own, and so is a project of its own.

    Raises :class:`UsageError` where nobody can tell, because the folder or its configuration cannot be read.
    """
    try:
        return bool(_tables(folder))
    except _UnreadableError:
        raise
    except UsageError:  # whoever reads this configuration will report it
        return _is_file(folder / "dialproof.toml")


def _tables(folder: Path) -> list[tuple[Path, object, str, str]]:
    """Return file, table, key prefix and digest of the bytes of each configuration in a folder."""
    found: list[tuple[Path, object, str, str]] = []
    own = folder / "dialproof.toml"
    if _is_file(own):
        table, digest = _toml(own)
        found.append((own, table, "", digest))
    shared = folder / "pyproject.toml"
    if _is_file(shared):
        table, digest = _toml(shared)
        tool = table.get("tool")
        if isinstance(tool, dict) and "dialproof" in tool:
            found.append((shared, tool["dialproof"], "tool.dialproof.", digest))
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise _UnreadableError(
            f"{_shown(path.parent)}: cannot be searched: {error.strerror}; exclude it, or make it readable"
        ) from None


def _toml(file: Path) -> tuple[dict[str, Any], str]:
    """Return the content of a file and the sha256 of the bytes that were parsed."""
    try:
        data = file.read_bytes()
        return tomllib.loads(data.decode("utf-8")), hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise _UnreadableError(f"{_shown(file)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UsageError(f"{_shown(file)}: expected text in UTF-8, found the byte 0x{byte:02x}") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{_shown(file)}: not TOML: {error}") from None
    except ValueError:  # tomllib lets that of int() through
        raise UsageError(f"{_shown(file)}: not TOML: a number has too many digits") from None
    except RecursionError:
        raise UsageError(f"{_shown(file)}: not TOML: nested too deep") from None


def _shown(file: Path) -> str:
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.as_posix()


class _Reader:
    """Reads one table; ``errors`` collects a line for each thing that is wrong."""

    def __init__(self, file: Path, prefix: str) -> None:
        self.file = file
        self.prefix = prefix
        self.errors: list[tuple[str, str, str]] = []

    def config(self, root: Path, written: object) -> Config:
        """Return the configuration, or raise with all errors."""
        read: dict[str, Callable[[str, object], object]] = {
            "select": self.selectors,
            "ignore": self.selectors,
            "exclude": self.globs,
            "base": self.text,
            "baseline": self.text,
            "severity": lambda key, value: self.table(key, value, self.severity),
            "fail-on": self.severity,
            "checks": lambda key, value: self.table(key, value, self.any_table),
            "per-file-ignores": lambda key, value: self.table(key, value, self.selectors),
            "campaigns": lambda key, value: self.table(key, value, self.campaign),
            "semantics": self.semantics,
            "gate": self.gate,
            "inventory": self.ids,
            "environments": self.environments,
        }
        fields = self.record(self.prefix.rstrip("."), written, read)
        if "environments" not in fields:
            fields["environments"] = {"sandbox": Environment("sandbox")}
        if self.errors:
            text = self.file.read_text("utf-8")
            places = places_of_keys(text)
            lines = (f"{place_of(text, places, key, written)}: {said}" for key, said, written in self.errors)
            raise UsageError("\n".join(f"{_shown(self.file)}{line}" for line in lines))
        return Config(root=root, file=self.file, **{k.replace("-", "_"): v for k, v in fields.items()})

    def problem(self, key: str, message: str, written: str = "") -> None:
        """Note that a key or its value is wrong; ``written`` is a text in the value that is."""
        self.errors.append((key, f"{key}: {message}" if key else message, written))

    def record(self, key: str, value: object, read: Mapping[str, Callable[[str, object], object]]) -> dict[str, Any]:
        """Return the values of a table of known keys, read by the functions given for them."""
        table = self.value(key, value, dict)
        fields: dict[str, Any] = {}
        for name, item in (table or {}).items():
            path = f"{key}.{name}" if key else name
            if name not in read:
                near = get_close_matches(name, read, 1)
                hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(read)}"
                self.problem(path, f"unknown key; {hint}")
                continue
            result = read[name](path, item)
            if result is not None:
                fields[name] = result
        return fields

    def table(self, key: str, value: object, read: Callable[[str, object], _T | None]) -> dict[str, _T]:
        """Return a table with free keys."""
        items = ((name, read(f"{key}.{name}", item)) for name, item in (self.value(key, value, dict) or {}).items())
        return {name: item for name, item in items if item is not None}

    def value(self, key: str, value: object, kind: type[_T]) -> _T | None:
        """Return a value of one type, a whole number also where a number is due."""
        if kind is float and type(value) is int:
            value = float(value) if abs(value) < 2**1023 else math.inf
        if type(value) is kind:
            return value
        self.problem(key, f"expected {_KINDS[kind]}, found {self.found(value)}")
        return None

    @staticmethod
    def found(value: object) -> str:
        """Name a value: by its type where it is not short."""
        if isinstance(value, (str, bool, int, float)) and len(str(value)) <= 60:
            return ("true" if value else "false") if isinstance(value, bool) else repr(value)
        return next((name for kind, name in _KINDS.items() if type(value) is kind), type(value).__name__)

    def text(self, key: str, value: object) -> str | None:
        """Return a text."""
        return self.value(key, value, str)

    def flag(self, key: str, value: object) -> bool | None:
        """Return true or false."""
        return self.value(key, value, bool)

    def choice(self, *options: str) -> Callable[[str, object], Any]:
        """Return a reader of one of several words."""

        def read(key: str, value: object) -> str | None:
            if isinstance(value, str) and value in options:
                return value
            self.problem(key, f"expected one of {', '.join(options)}, found {self.found(value)}")
            return None

        return read

    def texts(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return a list of texts."""
        items = self.value(key, value, list)
        if items is None:
            return None
        read = [self.text(f"{key}[{index}]", item) for index, item in enumerate(items)]
        return tuple(item for item in read if item is not None)

    def selectors(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return codes of checks, beginnings of codes, or names."""
        texts = self.texts(key, value)
        for text in texts or ():
            if not _SELECTOR.fullmatch(text):
                self.problem(key, f"expected a code such as DP301 or the name of a check, found {text!r}")
        return texts

    def globs(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return globs of paths below the configuration root."""
        texts = self.texts(key, value)
        for text in texts or ():
            if not text.strip("/") or text.startswith(("/", "../", "./")) or "\\" in text:
                self.problem(
                    key, f"expected a glob such as monitoring/** (relative to this file, with /), found {text!r}"
                )
        return texts

    def severity(self, key: str, value: object) -> Any:
        """Return a severity."""
        return self.choice(*SEVERITIES)(key, value)

    def any_table(self, key: str, value: object) -> dict[str, object] | None:
        """Return a table that somebody else reads."""
        return self.value(key, value, dict)

    def campaign(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return the rules files of a campaign, in order."""
        rules: tuple[str, ...] | None = self.record(key, value, {"rules": self.texts}).get("rules")
        if isinstance(value, dict) and not rules:
            self.problem(key, "expected rules = [...], the rules files of the campaign in the order in which they run")
        return rules

    def semantics(self, key: str, value: object) -> Semantics:
        """Return the switches of meaning."""
        read = {
            "undecided": self.choice("refuseToDial", "unmet", "met"),
            "laterRulesSeeUpdates": self.flag,
            "doNotDialStops": self.flag,
            "caseSensitive": self.flag,
            "tieBreak": self.choice("error", "file", "name"),
        }
        return Semantics(**self.record(key, value, read))

    def gate(self, key: str, value: object) -> Gate:
        """Return what the gate asks for."""
        read = {
            "coverage": self.choice("rules", "none"),
            "maxConflictRate": self.number(0.0, 1.0),
            "maxAgeHours": self.number(0.0, MAX_AGE_HOURS),
            "evidenceKeys": self.public_keys,
            "accept": self.accepted_findings,
        }
        return Gate(**self.record(key, value, read))

    def public_keys(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return public keys: PEM text, or names of files with it."""
        texts = self.names(key, value) if value != [] else ()
        if any("PRIVATE KEY" in text for text in texts or ()):
            self.problem(key, "a private key has no place in the configuration: make another, and name its public one")
        return texts

    def number(self, low: float, high: float) -> Callable[[str, object], float | None]:
        """Return a reader of a number within bounds."""

        def read(key: str, value: object) -> float | None:
            number = self.value(key, value, float)
            if number is not None and not low <= number <= high:
                self.problem(key, f"expected a number of {low:g} to {high:g}, found {number:g}")
            return number

        return read

    def whole(self, low: int, high: int) -> Callable[[str, object], int | None]:
        """Return a reader of a whole number within bounds."""

        def read(key: str, value: object) -> int | None:
            number = self.value(key, value, int)
            if number is not None and not low <= number <= high:
                self.problem(key, f"expected a whole number of {low} to {high}, found {number}")
            return number

        return read

    def retry(self, key: str, value: object) -> Retry:
        """Return how a target is asked."""
        read: dict[str, Callable[[str, object], object]] = {
            "tries": self.whole(1, 20),
            "backoff": self.number(1.0, 10.0),
            "requestsPerMinute": self.whole(1, 100_000),
        }
        return Retry(**self.record(key, value, read))

    def accepted_findings(self, key: str, value: object) -> tuple[Accepted, ...] | None:
        """Return the findings that may stand at a deploy."""
        items = self.value(key, value, list)
        read = (self.accepted(f"{key}[{index}]", item) for index, item in enumerate(items or ()))
        return tuple(item for item in read if item is not None)

    def accepted(self, key: str, value: object) -> Accepted | None:
        """Return one accepted finding; all its keys are needed, and its rules as ``rule`` or as ``rules``."""
        fields = self.record(
            key,
            value,
            {
                "code": self.filled,
                "rule": lambda k, v: (text,) if (text := self.filled(k, v)) else None,
                "rules": self.names,
                "reason": self.filled,
                "until": self.day,
            },
        )
        if not isinstance(value, dict):
            return None
        missing = [name for name in ("code", "reason", "until") if name not in value]
        if ("rule" in value) == ("rules" in value):
            missing.append('rule = "..." or rules = [...], one of them')
        if missing:
            self.problem(key, f"missing {', '.join(missing)}")
        if "rule" in fields:
            fields["rules"] = fields.pop("rule")
        return Accepted(**fields) if len(fields) == 4 else None

    def names(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return one name or more."""
        texts = self.texts(key, value)
        if texts is not None and not all(text.strip() for text in texts or ("",)):
            self.problem(key, "expected names, found none")
            return None
        return texts

    def filled(self, key: str, value: object) -> str | None:
        """Return a text that is not blank."""
        text = self.text(key, value)
        if text is not None and not text.strip():
            self.problem(key, "expected text, found none")
            return None
        return text

    def day(self, key: str, value: object) -> date | None:
        """Return a date, written as TOML or as text."""
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            if isinstance(value, str):
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.problem(key, f"expected a date such as 2026-12-31, found {self.found(value)}")
        return None

    def ids(self, key: str, value: object) -> dict[str, tuple[str, ...]]:
        """Return the inventory: kind -> logical ids."""
        return self.record(key, value, dict.fromkeys(ID_KINDS, self.texts))

    def environments(self, key: str, value: object) -> dict[str, Environment]:
        """Return the environments by name; the sandbox is always one of them."""
        found = {
            name: self.environment(f"{key}.{name}", name, item)
            for name, item in (self.value(key, value, dict) or {}).items()
        }
        for name, environment in found.items():
            if environment.requires and (environment.requires not in found or environment.requires == name):
                others = [other for other in found if other != name]
                hint = f"expected one of {', '.join(others)}" if others else "there is no other environment"
                self.problem(f"{key}.{name}.requires", f"unknown environment {environment.requires!r}; {hint}")
        return {"sandbox": Environment("sandbox"), **found}

    def environment(self, key: str, name: str, value: object) -> Environment:
        """Return one environment."""
        if not _ENVIRONMENT.fullmatch(name):
            self.problem(key, "expected a name of letters, digits, - and _ that begins with a letter")
        read: dict[str, Callable[[str, object], object]] = {
            "target": self.filled,
            "region": self.text,
            "base_url": self.base_url,
            "organization": self.text,
            "requires": self.text,
            "time_zone": self.time_zone,
            "keep": self.texts,
            "freeze": self.windows,
            "retry": self.retry,
            "ca_bundle": self.file_below,
            "secret_command": self.command,
            "ids": lambda k, v: self.record(k, v, dict.fromkeys(ID_KINDS, lambda k, v: self.table(k, v, self.filled))),
        }
        return Environment(name, **self.record(key, value, read))

    def time_zone(self, key: str, value: object) -> str | None:
        """Return the IANA name of a time zone."""
        from dialproof.cel.values import zone_of

        name = self.filled(key, value)
        try:
            zone_of(name)
        except ValueError:
            self.problem(key, f"expected a time zone such as America/Denver, found {name!r}")
        return name

    def windows(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return freeze windows."""
        from dialproof.freeze import read_window

        texts = self.texts(key, value)
        for index, text in enumerate(texts or ()):
            try:
                read_window(text)
            except ValueError as error:
                self.problem(f"{key}[{index}]", f"{text!r}: {error}", text)
        return texts

    def file_below(self, key: str, value: object) -> str | None:
        """Return the absolute path of a file that is named relative to the configuration."""
        name = self.filled(key, value)
        return None if name is None else str(self.file.parent / name)

    def command(self, key: str, value: object) -> tuple[str, ...] | None:
        """Return a program and its arguments, each a text of its own: no shell reads them."""
        if isinstance(value, str):
            self.problem(key, 'expected a list, the program and each of its arguments: ["op", "read", "..."]', value)
            return None
        texts = self.texts(key, value)
        if texts is not None and not "".join(texts[:1]).strip():
            self.problem(key, "expected a program, found none")
            return None
        return texts

    def base_url(self, key: str, value: object) -> str | None:
        """Return an https address; anything else only on this machine."""
        url = self.text(key, value)
        if url and not url.startswith("https://") and not _LOOPBACK.match(url):
            self.problem(key, "expected an https:// address, or http:// on 127.0.0.1 or localhost")
        return url
