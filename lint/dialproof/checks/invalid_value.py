"""A key that does not exist, or a value that its key cannot hold.

## What it does

Holds every file against the schema of its kind and reports all differences at once: unknown keys (with the nearest
known one), values of another type, values outside a fixed choice, names that occur twice or contain `::`. Keys that
begin with `x-` are free for your own use.

## Why it matters

A misspelt key is silently ignored by most readers. `enabeld: false` would leave the rule running, and nobody would
notice before the first call. A file with such an error is left out of every other check, so the error can neither be
switched off nor suppressed.

Two hints of severity info leave the file usable and can be switched off with `ignore = ["DP102"]`: an unquoted `yes`,
`no`, `on` or `off`, which is text here and a boolean to other readers, and keys that only an answer of the API holds
(`id`, `selfUri`, `dateCreated`, `dateModified`).

## Example

    - name: weekend
      executionOrder: "1"
      enabeld: false

`executionOrder` is text where a whole number is due, and there is no key `enabeld`.

## Instead

    - name: weekend
      executionOrder: 1
      enabled: false

`dialproof schema rules` prints the JSON Schema, which editors use to complete keys.

## Options

None.
"""

from __future__ import annotations

from dialproof.checks.base import Check
from dialproof.checks.passive import reported_elsewhere

__all__ = ["CHECK"]

CHECK = Check(
    code="DP102",
    name="invalid-value",
    severity="error",
    family="schema",
    run=reported_elsewhere,
    doc=__doc__ or "",
)
