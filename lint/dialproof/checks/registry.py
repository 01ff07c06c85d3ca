"""Every check there is: the built-in ones in the order of their codes, and those of installed plugins."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from dialproof.checks.base import Check
from dialproof.errors import UsageError
from dialproof.findings import SEVERITIES
from dialproof.plugins import BUILT_INS, items_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dialproof.checks.base import Family

__all__ = ["BUILT_IN", "all_checks", "built_in_checks", "checks_by_code", "family_of", "find_check"]

BUILT_IN: tuple[str, ...] = (
    "unreadable_file",
    "invalid_value",
    "ill_typed_condition",
    "text_compared_as_number",
    "undefined_column",
    "dangling_reference",
    "missing_required_field",
    "priority_out_of_bounds",
    "unreachable_rule",
    "always_true_rule",
    "redundant_condition",
    "contradicting_actions_in_rule",
    "undecidable_condition",
    "conflicting_rules",
    "shadowed_rule",
    "shadowed_by_union",
    "redundant_rule",
    "duplicate_rule",
    "generalised_rule",
    "order_sensitive_rules",
    "mergeable_rules",
    "uncovered_contacts",
    "uncovered_by_error",
    "list_never_reached",
    "duplicate_execution_order",
    "priority_inversion",
    "read_before_write",
    "dependency_cycle",
    "runs_after_violated",
    "not_idempotent",
    "oscillating_attribute",
    "dead_write",
    "undocumented_semantics",
    "execution_order_gap",
    "rule_never_matched",
    "rule_never_missed",
    "condition_not_exercised",
    "surviving_mutant",
    "duplicate_case",
    "unused_fixture_column",
    "not_expressible_on_target",
    "action_not_in_category",
    "name_too_long",
    "inverted_wrap_up_trap",
    "do_not_dial_until_recycle",
    "platform_diagnostic",
    "suppression_removed",
    "dialing_widened",
    "version_not_raised",
    "expired_rule",
    "undecided",  # after every check that may be left undecided
    "invalid_suppression",
    "unused_suppression",
    "expired_suppression",
)
"""The modules of the built-in checks, by code; imported only by a command that needs checks."""

_OWN_CODE = re.compile(r"DP\d{3}")
_FOREIGN_CODE = re.compile(r"[A-Z]{2,5}\d{3}")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@cache
def built_in_checks() -> tuple[Check, ...]:
    """Return the built-in checks by code."""
    return tuple(import_module(f"dialproof.checks.{module}").CHECK for module in BUILT_IN)


@cache
def all_checks() -> tuple[Check, ...]:
    """Return every check, the built-in ones first, then those of plugins by the plugin's name.

    Raises :class:`UsageError` that names each plugin whose checks cannot be used, and why.
    """
    found: dict[str, tuple[Check, str]] = {}
    errors: list[str] = []
    for plugin, check in items_of("dialproof_checks", Check):
        problem = _problem_of(check, own=plugin == BUILT_INS, found=found)
        if problem:
            errors.append(f"plugin {plugin!r}: {problem}")
        else:
            found[check.code] = (check, plugin)
    if errors:
        raise UsageError("\n".join(errors))
    return tuple(check for check, _ in found.values())


def _problem_of(check: Check, *, own: bool, found: Mapping[str, tuple[Check, str]]) -> str | None:
    """Return what is wrong with a check, as the end of a sentence about its plugin."""
    if not own and _OWN_CODE.fullmatch(check.code):
        return f"check {check.code}: codes that begin with DP are dialproof's own; choose another prefix"
    if not _FOREIGN_CODE.fullmatch(check.code):
        return f"check code {check.code!r} is not two to five capital letters and three digits"
    if not _NAME.fullmatch(check.name):
        return f"check {check.code}: the name {check.name!r} is not lower-case words joined by hyphens"
    if check.severity not in SEVERITIES:
        return f"check {check.code}: severity {check.severity!r} is not one of {', '.join(SEVERITIES)}"
    if not check.doc.strip():
        return f"check {check.code} has no documentation"
    for other, plugin in found.values():
        if other.code == check.code or other.name == check.name:
            return (
                f"check {check.code} ({check.name}) is already there: {other.code} ({other.name}) of plugin {plugin!r}"
            )
    return None


@cache
def checks_by_code() -> Mapping[str, Check]:
    """Return every check by its code."""
    return {check.code: check for check in all_checks()}


def find_check(text: str) -> Check:
    """Return the check with this code or name; raise :class:`UsageError` with the nearest ones."""
    from difflib import get_close_matches

    checks = {key: check for check in all_checks() for key in (check.code, check.name)}
    check = checks.get(text) or checks.get(text.upper()) or checks.get(text.lower())
    if check is None:
        near = get_close_matches(text.upper(), [c.code for c in all_checks()], 1, 0.7) or get_close_matches(
            text.lower(), [c.name for c in all_checks()], 1, 0.5
        )
        hint = f"did you mean {near[0]}?" if near else "`dialproof checks` lists them"
        raise UsageError(f"there is no check {text!r}; {hint}")
    return check


def family_of(code: str) -> Family:
    """Return the family of the check with this code: the pytest item that its findings belong to."""
    return checks_by_code()[code].family
