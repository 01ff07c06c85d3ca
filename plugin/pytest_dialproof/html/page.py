"""The page as HTML: the template filled in, every text escaped and redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dialproof.errors import UsageError
from dialproof_deploy.redact import redact
from dialproof_deploy.state import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_dialproof.html.content import Page

__all__ = ["html_text", "write_page"]


def html_text(page: Page) -> str:
    """Return the page: one document without scripts, and without anything that is fetched."""
    environment = Environment(
        loader=PackageLoader("pytest_dialproof.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_redacted,
    )
    return environment.get_template("report.html").render(page=page)


def write_page(path: Path, page: Page) -> None:
    """Write the page; raises ``UsageError`` where that cannot be done."""
    try:
        write_atomic(path, html_text(page).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise UsageError(f"{path}: the report cannot be written: {error.strerror or error}") from None


def _redacted(value: Any) -> Any:
    """Blot secrets and personal values out of a text, but not out of what the template itself made."""
    return redact(value) if type(value) is str else value
