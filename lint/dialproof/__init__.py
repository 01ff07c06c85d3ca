"""Test, lint, prove and ship outbound dialing rules."""

from dialproof.hookspecs import hookimpl

__all__ = ["__version__", "hookimpl"]

__version__ = "0.1.0"
