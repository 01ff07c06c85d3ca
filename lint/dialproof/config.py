"""The configuration: ``[tool.dialproof]`` of pyproject.toml, or dialproof.toml."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date  # noqa: TC003  (dataclass fields are read at run time by the schema)
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.findings import Severity

__all__ = ["Accepted", "Config", "Environment", "Gate", "Retry", "Semantics", "load_config"]


@dataclass(frozen=True, slots=True)
class Semantics:
    """What the platform does not document, as named switches (design of meaning: docs/semantics.md)."""

    undecided: Literal["refuseToDial", "unmet", "met"] = "refuseToDial"
    laterRulesSeeUpdates: bool = True  # noqa: N815  (the names are those of the configuration file)
    doNotDialStops: bool = False  # noqa: N815
    caseSensitive: bool = True  # noqa: N815
    tieBreak: Literal["error", "file", "name"] = "error"  # noqa: N815


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that may stand at a deploy: its code, all of its rules, why, and until when."""

    code: str
    rules: tuple[str, ...]
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate asks for beyond green tests.

    ``evidenceKeys`` are the public keys of which one must have signed the evidence: PEM text, or files with it.
    """

    coverage: Literal["rules", "none"] = "rules"
    maxConflictRate: float = 0.0  # noqa: N815
    maxAgeHours: float = 24.0  # noqa: N815
    accept: tuple[Accepted, ...] = ()
    evidenceKeys: tuple[str, ...] = ()  # noqa: N815


@dataclass(frozen=True, slots=True)
class Retry:
    """How a target is asked: tries of one request, factor between the waits, and requests a minute."""

    tries: int = 5
    backoff: float = 2.0
    requestsPerMinute: int = 300  # noqa: N815


@dataclass(frozen=True, slots=True)
class Environment:
    """A place to deploy to; ``ids`` maps a kind (campaigns, lists ...) to logical id -> remote id.

    ``time_zone`` is that of conditions on the clock, for a target that has to be told (rulesets). ``ca_bundle`` is the
    absolute path of the certificate authorities to trust instead of the system's, ``secret_command`` the program, with
    its arguments, that prints the credentials.
    """

    name: str
    target: str = "campaign-rules"
    region: str = ""
    base_url: str = ""
    organization: str = ""
    requires: str = ""
    time_zone: str = ""
    keep: tuple[str, ...] = ()
    freeze: tuple[str, ...] = ()
    retry: Retry = field(default_factory=Retry)
    ca_bundle: str = ""
    secret_command: tuple[str, ...] = ()
    ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """The effective configuration; ``file`` is None where there is none and ``root`` is the folder that was asked for.

    ``baseline`` is the path of the baseline, relative to ``root``; it need not exist, and "" is none.
    ``root`` is absolute, ``digest`` the sha256 (hex) of the bytes of ``file`` that were parsed. ``exclude`` are globs
    of files that are no part of the project. ``base`` is the git revision that changes are looked at against, if any.
    ``checks`` holds the options of single checks by code. ``only_targets`` are those of ``dialproof lint --target``.
    ``cache_folder`` is where syntax trees are kept if that is not below the root.
    """

    root: Path
    file: Path | None = None
    digest: str = ""
    exclude: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    base: str = ""
    baseline: str = ".dialproof-baseline.json"
    severity: Mapping[str, Severity] = field(default_factory=dict)
    fail_on: Severity = "error"
    checks: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    campaigns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    semantics: Semantics = field(default_factory=Semantics)
    gate: Gate = field(default_factory=Gate)
    inventory: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environments: Mapping[str, Environment] = field(default_factory=dict)
    only_targets: tuple[str, ...] = ()
    cache_folder: Path | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the targets that rules are held against: ``only_targets``, else those of the environments."""
        configured = (e.target for name, e in self.environments.items() if name != "sandbox")
        return self.only_targets or tuple(dict.fromkeys(configured))

    @property
    def cache(self) -> Path:
        """The folder for syntax trees; anything in it may be deleted at any time."""
        return self.cache_folder or self.root / ".dialproof" / "cache"


def load_config(start: Path) -> Config:
    """Return the configuration that governs ``start`` (a file or folder): the nearest one upward.

    Raises :class:`dialproof.errors.UsageError` with every unknown key and wrong value at once.
    """
    from dialproof.config_reader import read_config

    return read_config(start)
