"""Export of an environment's audit log and events through the sinks of all plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from dialproof.errors import UsageError
from dialproof_deploy.audit import read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["export_audit", "sink_of"]


def export_audit(logs: Sequence[Path], file: Path) -> int:
    """Write the records of the logs that exist to ``file`` and return their number.

    The first sink of the hook ``dialproof_audit_sink`` that takes the file's suffix writes it. Raises ``UsageError``
    where none does, or the file cannot be written.
    """
    sink = sink_of(file)
    records = [record for log in logs if log.exists() for record in read_records(log)]
    sink(records)
    return len(records)


def sink_of(file: Path) -> Callable[[Sequence[Mapping[str, Any]]], None]:
    """Return what writes ``file``; asked before a deploy, it finds a wrong suffix before anything is changed."""
    from dialproof.plugins import plugin_manager

    sinks = [sink for sink in plugin_manager().hook.dialproof_audit_sink(path=file) if sink is not None]
    if not sinks:
        raise UsageError(f"{file}: no sink writes {file.suffix or 'files without suffix'}: use .json, .jsonl or .csv")
    return cast("Callable[[Sequence[Mapping[str, Any]]], None]", sinks[0])
