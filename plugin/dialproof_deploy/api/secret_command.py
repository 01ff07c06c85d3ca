"""``secret_command`` of an environment: a program that prints the credentials, for whoever keeps them in a vault.

It runs only where variables that the target needs are missing, without a shell, and nothing of what it prints is shown.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from dialproof.errors import UsageError
from dialproof_deploy.api.credentials import own_variables
from dialproof_deploy.redact import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dialproof.config import Environment
    from dialproof.targets.base import TargetType

__all__ = ["missing_for", "with_secret"]

_TIMEOUT = 60.0  # seconds; a vault may ask somebody to touch a key
_LONGEST = 65_536  # characters
_GIVEN = "(given by secret_command)"
_EXPECTED = 'the client secret alone, or JSON: {"client_id": "...", "client_secret": "..."}'


def missing_for(target: TargetType, environment: Environment, environ: Mapping[str, str]) -> Sequence[str]:
    """Return the variables that a login would miss, without those that the command of the environment may give."""
    missing = target.missing_variables(environment, environ)
    if missing and environment.secret_command:
        given = dict.fromkeys(own_variables(environment.name), _GIVEN)
        return target.missing_variables(environment, {**given, **environ})
    return missing


def with_secret(
    target: TargetType, environment: Environment, environ: Mapping[str, str], folder: Path
) -> Mapping[str, str]:
    """Return the variables with what the command gives, where something is missing; it runs in ``folder``.

    Raises ``UsageError`` where it cannot be run, fails, takes more than a minute, or prints something else.
    """
    if not environment.secret_command or not target.missing_variables(environment, environ):
        return environ
    client_id, secret = own_variables(environment.name)
    found = _credentials(environment, environ, folder)
    named = {client_id: found.get("client_id", ""), secret: found["client_secret"]}
    return {**{name: value for name, value in named.items() if value}, **environ}


def _credentials(environment: Environment, environ: Mapping[str, str], folder: Path) -> Mapping[str, str]:
    command = environment.secret_command
    where = f"environment {environment.name!r}: secret_command ({command[0]!r})"
    try:
        done = subprocess.run(  # noqa: S603  (the project's own configuration names the program)
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"{where} gave no answer within {_TIMEOUT:g} s") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its arguments cannot be passed on"
        raise UsageError(f"{where} cannot be run: {reason}") from None
    if done.returncode != 0:
        raise UsageError(
            f"{where} ended with exit status {done.returncode}; its output is not shown: run it by hand to see it"
        )
    try:
        text = done.stdout.decode("utf-8").strip()
        found = json.loads(text) if text.startswith("{") else {"client_secret": text}
        texts = all(isinstance(value, str) for value in (found.get("client_id", ""), found["client_secret"]))
        register_secret(found["client_secret"] if texts else "")
        usable = texts and found["client_secret"].isprintable() and 0 < len(found["client_secret"]) <= _LONGEST
    except (ValueError, KeyError, RecursionError):
        usable = False
    if not usable:
        raise UsageError(f"{where} printed something else than {_EXPECTED}")
    return {key: found.get(key, "") for key in ("client_id", "client_secret")}
