"""The errors a user can meet, each with the exit code of its class.

::

    DialproofError            70  internal error (never raised on purpose)
    |-- UsageError             2  wrong options or configuration
    |-- InputError             3  unreadable input; carries every diagnostic of the run
    |-- RefusedError           4  the gate, evidence, foreign rules, organisation or a freeze says no
    |-- RemoteConflictError    5  the target moved, or somebody else changed it
    |-- RemoteError            6  unreachable, credentials refused or a limit exhausted
    `-- PartlyAppliedError     7  some changes were made and others were not
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "DialproofError",
    "ExitCode",
    "InputError",
    "PartlyAppliedError",
    "RefusedError",
    "RemoteConflictError",
    "RemoteError",
    "UsageError",
]


class ExitCode(IntEnum):
    """Exit codes of every ``dialproof`` command; where several apply the highest counts."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    UNREADABLE = 3
    REFUSED = 4
    CONFLICT = 5
    UNREACHABLE = 6
    PARTLY_APPLIED = 7
    CHANGES_PENDING = 8
    INTERNAL = 70


class DialproofError(Exception):
    """Base of all errors with a message for the user: one sentence a line, no secret, no contact value."""

    exit_code: ExitCode = ExitCode.INTERNAL


class UsageError(DialproofError):
    """The command line or the configuration is wrong."""

    exit_code = ExitCode.USAGE


class InputError(DialproofError):
    """Input files cannot be used; the message has one ``path:line:column: ...`` line for each problem."""

    exit_code = ExitCode.UNREADABLE


class RefusedError(DialproofError):
    """A safeguard refuses to go on; nothing was changed."""

    exit_code = ExitCode.REFUSED


class RemoteConflictError(DialproofError):
    """The target is not in the state that was planned against; nothing more was changed."""

    exit_code = ExitCode.CONFLICT


class RemoteError(DialproofError):
    """The target cannot be reached, refuses the credentials, or its limits are exhausted."""

    exit_code = ExitCode.UNREACHABLE


class PartlyAppliedError(DialproofError):
    """Some changes of a plan were made and others were not; the message says which."""

    exit_code = ExitCode.PARTLY_APPLIED
