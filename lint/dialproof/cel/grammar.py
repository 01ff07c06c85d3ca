"""cel-python's parser, made from tables that are kept.

Building a parser from cel-python's grammar takes longer than everything else that ``dialproof lint`` does to a small
project. ``grammar.json`` holds what lark has built, as plain data: of one version of cel-python and one of lark, and
with any other the grammar is read as ever. ``python -m dialproof.cel.grammar`` writes the file anew.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["parser", "tables"]

_KEPT = Path(__file__).with_name("grammar.json")


@lru_cache(maxsize=1)
def parser() -> Any:
    """Return cel-python's parser, the only one of the process: cel-python's own environments parse with it too."""
    import celpy.celparser
    import lark

    # Where interegular is installed, lark looks for collisions between the terminals of every grammar that it loads.
    # cel-python's has none that matter, and looking takes longer than everything else that a small project needs.
    looks, lark.lexer.has_interegular = lark.lexer.has_interegular, False
    try:
        celpy.celparser.CELParser.CEL_PARSER = _from_tables()
        return _from_grammar()
    finally:
        lark.lexer.has_interegular = looks


def _from_grammar() -> Any:
    """Return cel-python's parser, which reads its grammar only where there is no parser yet."""
    import celpy.celparser

    class Parser(celpy.celparser.CELParser):
        """cel-python's parser, whose ``true`` and ``false`` have a place in the text."""

        @staticmethod
        def ambiguous_literals(t: Any) -> Any:
            """Return the token of a name, as that of a literal where it is one."""
            return _literal_or_name(t)

    return Parser()


def _literal_or_name(token: Any) -> Any:
    import lark

    return lark.Token.new_borrow_pos("BOOL_LIT", token.value, token) if token.value in ("true", "false") else token


def _from_tables() -> Any:
    """Return lark's parser from the tables that are kept, None where they are those of other versions."""
    import lark

    kept = json.loads(_KEPT.read_text(encoding="utf-8"), object_pairs_hook=_numbered)
    if kept["versions"] != _versions():
        return None
    # What lark's own generator of standalone parsers calls; the versions above are the ones that it was tried with.
    load: Any = lark.Lark._load_from_dict  # noqa: SLF001
    return load(kept["data"], kept["memo"], lexer_callbacks={"IDENT": _literal_or_name})


def _numbered(pairs: list[tuple[str, object]]) -> dict[object, object]:
    """Return an object with the numbers as keys that JSON has written as texts."""
    return {int(key) if key.isdecimal() else key: value for key, value in pairs}


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("cel-python", "lark")}


def tables() -> str:
    """Return what ``grammar.json`` has to hold for the versions that are installed."""
    import celpy.celparser
    import lark

    celpy.celparser.CELParser.CEL_PARSER = None
    options = dict(_from_grammar().CEL_PARSER.options.options)
    celpy.celparser.CELParser.CEL_PARSER = None
    # With debug, lark keeps states as sets of productions instead of numbers, and a class is no plain data: the one
    # that cel-python names is what lark takes anyway.
    options.update(debug=False, lexer_callbacks={}, tree_class=None)
    grammar = Path(celpy.celparser.__file__).with_name("cel.lark").read_text(encoding="utf-8")
    data, memo = lark.Lark(grammar, **options).memo_serialize([lark.lexer.TerminalDef, lark.grammar.Rule])
    return json.dumps({"versions": _versions(), "data": data, "memo": memo}, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    _KEPT.write_text(tables(), encoding="utf-8")
