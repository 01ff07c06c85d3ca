"""The meaning of rules over whole contact lists, column by column (extra ``bulk``).

``expressions`` makes conditions into expressions over columns, and ``order`` is the order of a run over what they say.
``run`` does that for a batch in memory, whose ``columns`` Polars reads; ``lazy`` does it where another of ``engines``
holds the contacts, and makes SQL of it.
"""

from __future__ import annotations

__all__ = ["check_installed"]


def check_installed(extra: str = "bulk") -> None:
    """Raise :class:`dialproof.errors.UsageError` where a package of the extra, or of ``bulk``, is missing."""
    from importlib import import_module

    from dialproof.errors import UsageError

    engines = {"duckdb": ("duckdb",), "spark": ("pyspark",)}
    for name in ("polars", "narwhals", "pyarrow", *engines.get(extra, ())):
        try:
            import_module(name)
        except ImportError:
            raise UsageError(f"whole contact lists need {name}: pip install 'dialproof[{extra}]'") from None
