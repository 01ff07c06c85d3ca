"""The meaning of rules over whole contact lists, column by column (extra ``bulk``).

``columns`` reads columns as conditions read values, ``expressions`` makes conditions into expressions over them, and
``run`` is the ordered run.
"""

from __future__ import annotations

__all__ = ["check_installed"]


def check_installed() -> None:
    """Raise :class:`dialproof.errors.UsageError` where the packages of the extra ``bulk`` are missing."""
    from importlib import import_module

    from dialproof.errors import UsageError

    for name in ("polars", "narwhals", "pyarrow"):
        try:
            import_module(name)
        except ImportError:
            raise UsageError(f"whole contact lists need {name}: pip install 'dialproof[bulk]'") from None
