"""What holds for all tests: how hypothesis tries examples.

No test asserts a time, and neither does hypothesis: a busy machine is no failure. In CI it tries the same examples each
time, so that a red run can be repeated. What `dialproof lint` prints depends on GITHUB_ACTIONS, which is set where our
own CI may run. httpx imports httpcore when the first client is made, and keeps its classes: a test with pytester makes
the process forget what was imported in it, and httpx would no longer know the errors of an httpcore that came later.
"""

from __future__ import annotations

import os

import httpcore  # noqa: F401
from hypothesis import HealthCheck, settings

UNTIMED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("local", **UNTIMED)
settings.register_profile("ci", **UNTIMED, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

os.environ.pop("GITHUB_ACTIONS", None)
