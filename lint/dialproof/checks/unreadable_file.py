"""A file that cannot be read, or is not what its name says.

## What it does

Reports files that are no YAML 1.2, JSON or CSV at all: a syntax error, a tab as indentation, bytes that are not UTF-8,
a key that stands twice in one mapping, more aliases than any rule file needs, a file that is too large, an empty file,
a list where a mapping is due, and a YAML file of rules or cases whose name lacks its kind (`*.rules.yaml`,
`*.contacts.yaml`, `*.contactlist.yaml`).

## Why it matters

Nothing else can be said about such a file. Its rules are not part of the project, so a conflict with them would go
unseen: a run with this finding ends with exit code 3. For the same reason it can neither be switched off nor
suppressed.

## Example

    campaigns: [cmp_123]
    rules:
      - name: weekend
        priority: 10
        priority: 20

`priority` stands twice; YAML readers differ in which one they keep.

## Instead

    campaigns: [cmp_123]
    rules:
      - name: weekend
        priority: 20

## Options

None.
"""

from __future__ import annotations

from dialproof.checks.base import Check
from dialproof.checks.passive import reported_elsewhere

__all__ = ["CHECK"]

CHECK = Check(
    code="DP101",
    name="unreadable-file",
    severity="error",
    family="schema",
    run=reported_elsewhere,
    doc=__doc__ or "",
)
