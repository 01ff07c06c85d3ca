"""Export of an environment's audit log and events: to a file, through the sinks of all plugins, or to a webhook.

The built-in sink writes the formats of ``FORMATS``, by the suffix of the file or by name. JSON is one array; JSON and
JSON lines hold the exact values.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from dialproof.errors import UsageError
from dialproof.output.report import count
from dialproof_deploy.audit.cloud_events import cloud_events
from dialproof_deploy.audit.json_lines import json_lines
from dialproof_deploy.audit.metrics import json_metrics, prometheus_text
from dialproof_deploy.audit.records import environment_of, identities, read, shown
from dialproof_deploy.audit.tables import csv_table, parquet_table
from dialproof_deploy.state import write_atomic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dialproof_deploy.audit.records import Records

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "Format",
    "built_in_sink",
    "check_destination",
    "export_audit",
    "is_url",
    "name_of",
    "sink_of",
]


@dataclass(frozen=True)
class Format:
    """A format of files: the suffix that asks for it, and what makes the bytes of redacted records.

    ``needs`` is a module that may be missing, of the extra ``bulk``.
    """

    suffix: str
    write: Callable[[Records], bytes]
    needs: str = ""

    def writer(self, file: Path) -> Callable[[Records], None]:
        """Return what writes ``file``; raises ``UsageError`` where what the format needs is not installed."""
        if self.needs and find_spec(self.needs) is None:
            raise UsageError(f"{file}: {self.suffix} needs an extra: pip install 'dialproof[bulk]'")
        return lambda records: _write(self.write(shown(records)), file)


def _json(records: Records) -> bytes:
    return (json.dumps(records, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def _cloud_events(records: Records) -> bytes:
    return _json(cloud_events(records, identities(records), environment_of(records)))


FORMATS: Mapping[str, Format] = {
    "json": Format(".json", _json),
    "jsonl": Format(".jsonl", json_lines),
    "csv": Format(".csv", csv_table),
    "parquet": Format(".parquet", parquet_table, needs="pyarrow"),
    "cloudevents": Format(".cloudevents.json", _cloud_events),
    "metrics": Format(".metrics.json", json_metrics),
    "prometheus": Format(".prom", prometheus_text),
}
"""Name -> format of an export."""
SUFFIXES = ", ".join(form.suffix for form in FORMATS.values())


def is_url(text: str) -> bool:
    """Tell whether an export goes to a webhook."""
    return text.lower().startswith(("https:", "http:"))


def name_of(destination: Path | str) -> str:
    """Return what messages call a destination; of a URL only the host, since the rest may hold a token."""
    return urlsplit(destination).hostname or "webhook" if isinstance(destination, str) else str(destination)


def export_audit(
    logs: Sequence[Path],
    destination: Path | str,
    *,
    form: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> str:
    """Export the records of the logs that exist and return how many, in words.

    ``logs`` are the audit log of an environment and then its events. A file is written as a whole, by the format named
    ``form`` or else by the first sink of the hook ``dialproof_audit_sink`` that takes its suffix. To a URL (text) goes
    what has not gone there yet (``audit.webhook``). Raises as ``check_destination`` does, ``UsageError`` for a file
    that cannot be written and ``RemoteError`` for a receiver that does not take what is sent.
    """
    if isinstance(destination, str):
        from dialproof_deploy.audit.webhook import Webhook

        return Webhook(destination, environ, logs[0].stem, cloudevents=_webhook_form(form)).send(logs)
    sink = sink_of(destination, form)
    records = read(logs)
    sink(records)
    return count(len(records), "record")


def check_destination(
    destination: Path | str, environment: str, *, form: str | None = None, environ: Mapping[str, str] = os.environ
) -> None:
    """Raise ``UsageError`` for what can never be exported; asked before a deploy, it finds it before any change."""
    if isinstance(destination, str):
        from dialproof_deploy.audit.webhook import Webhook

        Webhook(destination, environ, environment, cloudevents=_webhook_form(form))
        return
    sink_of(destination, form)
    if not destination.parent.is_dir():
        raise UsageError(f"{destination}: cannot be written: there is no folder {destination.parent}")


def sink_of(file: Path, form: str | None = None) -> Callable[[Records], None]:
    """Return what writes ``file``, in the format named ``form`` or as its suffix says; raises ``UsageError``."""
    if form is not None:
        return FORMATS[form].writer(file)
    from dialproof.plugins import plugin_manager

    sinks = [sink for sink in plugin_manager().hook.dialproof_audit_sink(path=file) if sink is not None]
    if not sinks:
        what = file.suffix or "files without suffix"
        raise UsageError(f"{file}: no sink writes {what}: use {SUFFIXES}")
    return cast("Callable[[Records], None]", sinks[0])


def built_in_sink(file: Path) -> Callable[[Records], None] | None:
    """Return the writer of a file whose suffix is one of ``FORMATS``; None for any other.

    It writes all records or, on an error (``UsageError``), none: the file is replaced as a whole.
    """
    name = file.name.lower()
    fitting = [form for form in FORMATS.values() if name.endswith(form.suffix)]
    if not fitting:
        return None
    return max(fitting, key=lambda form: len(form.suffix)).writer(file)


def _write(data: bytes, file: Path) -> None:
    try:
        write_atomic(file, data)
    except OSError as error:
        raise UsageError(f"{file}: cannot be written: {error.strerror or error}") from None


def _webhook_form(form: str | None) -> bool:
    if form not in (None, "json", "cloudevents"):
        raise UsageError(f"a webhook receives json or cloudevents, not {form}")
    return form == "cloudevents"
