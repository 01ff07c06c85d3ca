"""The connection to the target of an environment: its server with its credentials, or a sandbox on this machine."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dialproof_deploy.remote_ids import SANDBOX

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dialproof.config import Environment
    from dialproof.targets.base import TargetType
    from dialproof_deploy.state import StateDir
    from dialproof_deploy.targets import Target

__all__ = ["connect"]


@contextmanager
def connect(
    environment: Environment,
    kind: TargetType,
    environ: Mapping[str, str],
    *,
    root: Path,
    state: StateDir,
    http_log: Path | None,
) -> Iterator[Target]:
    """Log in and give the target; ``root`` is where a secret command runs, and a sandbox keeps its data in ``state``.

    Raises ``UsageError`` for variables that are missing, ``RefusedError`` for another organisation than the configured
    one and ``RemoteError`` as the target does.
    """
    if environment.name == SANDBOX:
        with _sandbox(environment, environ, state, http_log) as target:
            yield target
        return
    from dialproof_deploy.api.secret_command import with_secret

    assert kind.connect is not None
    with kind.connect(environment, with_secret(kind, environment, environ, root), http_log) as target:
        yield target


@contextmanager
def _sandbox(
    environment: Environment, environ: Mapping[str, str], state: StateDir, http_log: Path | None
) -> Iterator[Target]:
    from dialproof_deploy.api.credentials import Credentials
    from dialproof_deploy.sandbox.serve import find_or_start
    from dialproof_deploy.targets import open_target

    with find_or_start(state.create().root, environ) as sandbox:
        credentials = Credentials(sandbox.url, sandbox.client_id, sandbox.client_secret, "DIALPROOF_SANDBOX_CLIENT_ID")
        with open_target(credentials, environment, http_log) as target:
            yield target
