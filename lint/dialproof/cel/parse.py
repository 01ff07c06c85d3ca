"""CEL text to a syntax tree. cel-python parses; its parse tree is turned into the nodes of :mod:`dialproof.cel.ast`.

Two things are ours on top of the grammar: every number is a double (integer literals become doubles, so that int
never meets double), and expressions too deep for the parser's recursion are refused instead of crashing.
"""

from __future__ import annotations

import json
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dialproof.cel.ast import (
    Call,
    Conditional,
    Identifier,
    Index,
    ListLiteral,
    Literal,
    Node,
    Other,
    Select,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["CelSyntaxError", "parse", "parse_all", "parse_tree"]

MAX_LENGTH = 20_000
"""Characters of one expression; longer ones are refused."""

_OPERATORS = {
    "relation_lt": "<",
    "relation_le": "<=",
    "relation_gt": ">",
    "relation_ge": ">=",
    "relation_eq": "==",
    "relation_ne": "!=",
    "relation_in": "in",
    "addition_add": "+",
    "addition_sub": "-",
    "multiplication_mul": "*",
    "multiplication_div": "/",
    "multiplication_mod": "%",
}
_MACROS = frozenset({"all", "exists", "exists_one", "map", "filter", "reduce", "min"})
_LOCK = threading.Lock()
_TOO_SHORT = "the expression ends too early: an operand or a closing bracket is missing"


class CelSyntaxError(ValueError):
    """The text is no CEL expression; ``offset`` is that of the character at which reading stopped."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@lru_cache(maxsize=1)
def _parser() -> Any:
    """Return cel-python's parser, made once: loading its grammar costs more than all expressions of a project."""
    import celpy.celparser

    return celpy.celparser.CELParser()


@lru_cache(maxsize=4096)
def parse_tree(text: str) -> Any:
    """Return cel-python's parse tree with every number a double; raises :class:`CelSyntaxError`."""
    import celpy.celparser
    import lark

    if len(text) > MAX_LENGTH:
        raise CelSyntaxError(f"the expression has {len(text)} characters, at most {MAX_LENGTH} are read", 0)
    with _LOCK:  # cel-python keeps the text of the last parse on the parser object
        try:
            tree = _parser().parse(text)
        except celpy.celparser.CELParseError as error:
            raise _syntax_error(text, error) from None
        except lark.exceptions.LarkError as error:
            raise CelSyntaxError("this is no CEL expression", getattr(error, "pos_in_stream", 0) or 0) from None
        except RecursionError:
            raise CelSyntaxError("the expression is nested too deeply: split it", 0) from None
    try:
        return _numbers_to_doubles(tree, in_index=False)
    except RecursionError:
        raise CelSyntaxError("the expression is nested too deeply: split it", 0) from None


def _syntax_error(text: str, error: Any) -> CelSyntaxError:
    token = getattr(error.__context__, "token", None)
    if getattr(token, "type", "") == "$END":  # cel-python then gives the place of the token before
        return CelSyntaxError(_TOO_SHORT, len(text.rstrip()))
    line, column = error.line, error.column
    if not isinstance(line, int) or line < 1 or not isinstance(column, int) or column < 1:
        return CelSyntaxError(_TOO_SHORT, len(text))
    lines = text.split("\n")
    offset = min(sum(len(one) + 1 for one in lines[: line - 1]) + column - 1, len(text))
    found = re.match(r"""\w+|"[^"\n]*"?|'[^'\n]*'?|[=!<>]=|&&|\|\||\S""", text[offset:])
    if not found:
        return CelSyntaxError(_TOO_SHORT, offset)
    if found[0][0] in "\"'" and (len(found[0]) == 1 or found[0][-1] != found[0][0]):
        return CelSyntaxError("found a text that does not end on its line, expected a closing quote", offset)
    return CelSyntaxError(f"not CEL: found {found[0]!r}, expected {_expected(found[0], error.__context__)}", offset)


def _expected(found: str, error: Any) -> str:
    """Say in words which tokens would have gone on, from the parser's error."""
    if found == "=":
        return "=="
    tokens = getattr(error, "allowed", None) or getattr(error, "expected", None) or ()
    if "FLOAT_LIT" in tokens:
        return "a value"
    return "a name" if set(tokens) == {"IDENT"} else "an operator or the end of the expression"


def _numbers_to_doubles(tree: Any, *, in_index: bool) -> Any:
    import lark

    children = []
    for position, child in enumerate(tree.children):
        if isinstance(child, lark.Tree):
            index = (tree.data == "member_index" and position == 1) or (in_index and len(tree.children) == 1)
            children.append(_numbers_to_doubles(child, in_index=index))
        elif isinstance(child, lark.Token) and child.type in ("INT_LIT", "UINT_LIT") and not in_index:
            value = float(int(child.rstrip("uU"), 0 if "x" in child else 10))
            double = lark.Token.new_borrow_pos("FLOAT_LIT", repr(value), child)
            children.append(double)
        else:
            children.append(child)
    return lark.Tree(tree.data, children, tree.meta)


def parse_all(texts: Iterable[str], cache: Path | None) -> dict[str, Node]:
    """Return the trees of all ``texts`` that parse, from the folder ``cache`` if they are there.

    One JSON file holds the trees of a set of texts, keyed by them and by the versions of dialproof and cel-python; it
    is written when it is missing. A file that cannot be read or written is as good as none.
    """
    wanted = sorted(set(texts))
    path = _cache_file(wanted, cache) if cache is not None and wanted else None
    if path is not None:
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            return {text: _from_json(stored[text]) for text in wanted}
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            pass
    trees: dict[str, Node] = {}
    for text in wanted:
        try:
            trees[text] = parse(text)
        except CelSyntaxError:
            continue
    if path is not None and len(trees) == len(wanted):
        _store(path, trees)
    return trees


def _cache_file(texts: list[str], cache: Path) -> Path:
    import hashlib
    from importlib.metadata import version

    import dialproof

    key = json.dumps([dialproof.__version__, version("cel-python"), texts], ensure_ascii=False)
    return cache / f"cel-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"


def _store(path: Path, trees: dict[str, Node]) -> None:
    import os

    content = json.dumps({t: _to_json(n) for t, n in trees.items()}, separators=(",", ":"))
    try:
        # Of several folders that are missing mkdir makes only the last one for its owner alone.
        path.parent.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        (path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(content, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        return


@lru_cache(maxsize=16384)
def parse(text: str) -> Node:
    """Return the syntax tree of an expression; raises :class:`CelSyntaxError`."""
    tree = parse_tree(text)
    try:
        return _node(tree, len(text))
    except RecursionError:
        raise CelSyntaxError("the expression is nested too deeply: split it", 0) from None


def _extent(tree: Any, length: int) -> tuple[int, int]:
    """Return the offsets of a parse tree: those of its tokens (brackets are no tokens of it)."""
    import lark

    tokens = list(tree.scan_values(lambda v: isinstance(v, lark.Token) and v.start_pos is not None))
    if not tokens:
        return (0, length)
    return (min(t.start_pos for t in tokens), max(t.end_pos for t in tokens))


def _node(tree: Any, length: int) -> Node:
    children = [c for c in tree.children if c is not None]
    rule = str(tree.data)
    start, end = _extent(tree, length)
    if rule == "expr" and len(children) == 3:
        test, then, otherwise = (_node(c, length) for c in children)
        return Conditional(test, then, otherwise, start, end)
    if rule in ("conditionalor", "conditionaland") and len(children) == 2:
        sign = "||" if rule == "conditionalor" else "&&"
        return Call(sign, None, (_node(children[0], length), _node(children[1], length)), start, end)
    if rule in ("relation", "addition", "multiplication") and len(children) == 2:
        sign = _OPERATORS[str(children[0].data)]
        left = _node(children[0].children[0], length)
        return Call(sign, None, (left, _node(children[1], length)), start, end)
    if rule == "unary" and len(children) == 2:
        sign = "!" if str(children[0].data) == "unary_not" else "neg"
        return Call(sign, None, (_node(children[1], length),), max(start - 1, 0), end)
    if rule == "literal":
        return _literal(children[0])
    if rule == "ident":
        return Identifier(str(children[0]), start, end)
    if rule == "ident_arg":
        return Call(str(children[0]), None, _arguments(children, length), start, end)
    if rule == "member_dot":
        return Select(_node(children[0], length), str(children[1]), start, end)
    if rule == "member_dot_arg":
        name = str(children[1])
        if name in _MACROS:
            parts = (_node(children[0], length), *_arguments(children, length))
            return Other(f"the macro {name}()", parts, start, end)
        return Call(name, _node(children[0], length), _arguments(children, length), start, end)
    if rule == "member_index":
        return Index(_node(children[0], length), _node(children[1], length), start, end)
    if rule == "list_lit":
        return ListLiteral(_arguments(children, length), start, end)
    if rule in ("map_lit", "member_object"):
        return Other("a map or message", _parts(tree, length), start, end)
    if rule in ("dot_ident", "dot_ident_arg"):
        return Other("a name with a leading dot", _parts(tree, length), start, end)
    return _node(children[0], length)


def _parts(tree: Any, length: int) -> tuple[Node, ...]:
    """Return every expression directly inside a production that we do not take apart."""
    import lark

    inner = [c for c in tree.children if isinstance(c, lark.Tree)]
    expressions = [e for c in inner for e in (c.children if c.data in ("mapinits", "fieldinits", "exprlist") else [c])]
    return tuple(_node(e, length) for e in expressions if isinstance(e, lark.Tree))


def _arguments(children: list[Any], length: int) -> tuple[Node, ...]:
    import lark

    last = children[-1] if children else None
    if isinstance(last, lark.Tree) and last.data == "exprlist":
        return tuple(_node(c, length) for c in last.children)
    return ()


def _literal(token: Any) -> Node:
    import celpy.evaluation

    start, end = token.start_pos, token.end_pos
    if token.type in ("FLOAT_LIT", "INT_LIT", "UINT_LIT"):
        return Literal(float(token.rstrip("uU")), start, end)
    if token.type.endswith("STRING_LIT"):
        return Literal(str(celpy.evaluation.celstr(token)), start, end)
    if token.type == "BOOL_LIT":
        return Literal(str(token).startswith("t"), start, end)
    if token.type == "NULL_LIT":
        return Literal(None, start, end)
    return Other("a bytes literal", (), start, end)


_NODES: dict[str, type] = {
    c.__name__: c for c in (Call, Conditional, Identifier, Index, ListLiteral, Literal, Other, Select)
}


def _to_json(node: object) -> object:
    if isinstance(node, tuple):
        return ["", *(_to_json(item) for item in node)]
    name = type(node).__name__
    if name not in _NODES:
        return node
    return [name, *(_to_json(getattr(node, field)) for field in type(node).__dataclass_fields__)]  # type: ignore[attr-defined]


def _from_json(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    name, *fields = value
    parts = [_from_json(field) for field in fields]
    return _NODES[name](*parts) if name else tuple(parts)
