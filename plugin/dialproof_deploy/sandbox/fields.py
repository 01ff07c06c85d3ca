"""Fields that several bodies of the public platform have: names, references, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dialproof_deploy.sandbox.errors import Detail, detail, refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["check_version", "is_reference", "name_problems"]


def check_version(given: object, stored: int) -> None:
    """Raise unless a body has the version that is stored: 400 without a number, 409 with another one."""
    if isinstance(given, bool) or not isinstance(given, int):
        message = f"expected the stored version, a whole number, not {given!r}"
        raise refused([detail("version", "invalid.update", message)])
    if given != stored:
        message = f"expected {stored}, found {given}"
        raise refused([detail("version", "invalid.update.wrong.version", message)], 409)


def name_problems(body: Mapping[str, Any], longest: int | None = None) -> Iterator[Detail]:
    """Yield what is wrong with the name in a body."""
    name = body.get("name")
    if name is None or (isinstance(name, str) and not name.strip()):
        yield detail("name", "name.cannot.be.blank", "required")
    elif not isinstance(name, str):
        yield detail("name", "invalid.value", "expected a string")
    elif longest is not None and len(name) > longest:
        yield detail("name", "name.length.exceeded", f"longer than {longest} characters")


def is_reference(value: object) -> bool:
    """Tell whether a value is ``{id}``, whatever else it has."""
    return isinstance(value, dict) and isinstance(value.get("id"), str) and bool(value["id"])
