"""CEL text to a syntax tree. cel-python parses; its parse tree is turned into the nodes of :mod:`dialproof.cel.ast`.

Some things are ours on top of the grammar: every number is a double (integer literals become doubles, so that int
never meets double), and what a text may ask for is bounded, so that nothing behind the parser has to fear it: its
length where a user wrote it, how deep it nests, and how many steps its comprehensions take.
"""

from __future__ import annotations

import json
import math
import re
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dialproof.cel.ast import (
    MACROS,
    Call,
    Conditional,
    Identifier,
    Index,
    ListLiteral,
    Literal,
    Node,
    Other,
    Select,
    children,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["CelSyntaxError", "parse", "parse_all", "parse_tree"]

MAX_LENGTH = 20_000
"""Characters of an expression that a user wrote; longer ones are refused."""

MAX_DEPTH = 50
"""How deep expressions may nest: brackets that change nothing do not count, nor does the length of && and ||."""

MAX_STEPS = 20_000
"""How often the comprehensions of one expression may evaluate their bodies."""

_UNKNOWN_SIZE = 100  # what a list counts for whose length does not stand in the text
_WRAPPERS = frozenset(
    ("expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "member")
)
_CHAINS = {"conditionalor": "||", "conditionaland": "&&"}
_DEEPER = _WRAPPERS | {"primary", "member_dot", "member_dot_arg", "member_index", "member_object"}

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
_KEPT = 50
"""Files of the cache on disk that are kept, the newest: each change of a rule makes another."""
_LOCK = threading.Lock()
_FORM = 2  # of the trees in the cache: another number where the same text gives another tree
_MACRO = "the macro "
_TOO_SHORT = "the expression ends too early: an operand or a closing bracket is missing"


class CelSyntaxError(ValueError):
    """The text is no CEL expression; ``offset`` is that of the character at which reading stopped."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@lru_cache(maxsize=4096)
def parse_tree(text: str) -> Any:
    """Return cel-python's parse tree without empty levels, with every number a double and chains in balance.

    Raises :class:`CelSyntaxError`.
    """
    import celpy.celparser
    import lark

    from dialproof.cel.grammar import parser

    with _LOCK:  # cel-python keeps the text of the last parse on the parser object
        try:
            tree = parser().parse(text)
        except celpy.celparser.CELParseError as error:
            raise _syntax_error(text, error) from None
        except lark.exceptions.LarkError as error:
            raise CelSyntaxError("this is no CEL expression", getattr(error, "pos_in_stream", 0) or 0) from None
    return _simplified(tree, 0, in_index=False)


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


def _simplified(tree: Any, depth: int, *, in_index: bool) -> Any:
    """Return a parse tree of the same meaning that is as deep as the expression, not as the grammar."""
    import lark

    tree = _unwrapped(tree)
    depth += tree.data in _DEEPER
    if depth > MAX_DEPTH:
        raise CelSyntaxError(f"nested too deeply: at most {MAX_DEPTH} levels are read, split it", _start(tree))
    if tree.data in _CHAINS:
        return _balanced(tree, [_simplified(o, depth, in_index=False) for o in _operands(tree)])
    parts: list[Any] = []
    for position, child in enumerate(tree.children):
        if isinstance(child, lark.Tree):
            index = in_index if tree.data == "primary" else tree.data == "member_index" and position == 1
            parts.append(_simplified(child, depth, in_index=index))
        elif isinstance(child, lark.Token) and child.type in ("INT_LIT", "UINT_LIT", "FLOAT_LIT") and not in_index:
            parts.append(lark.Token.new_borrow_pos("FLOAT_LIT", repr(_double(child)), child))
        else:
            parts.append(child)
    return lark.Tree(tree.data, parts, tree.meta)


def _unwrapped(tree: Any) -> Any:
    """Return the first tree below that is more than a level of precedence or a pair of brackets."""
    while True:
        if tree.data in _WRAPPERS and len(tree.children) == 1:
            tree = tree.children[0]
        elif tree.data == "primary" and tree.children[0].data == "paren_expr":
            tree = tree.children[0].children[0]
        else:
            return tree


def _operands(tree: Any) -> list[Any]:
    """Return the operands of a chain of ``&&`` or ``||``, whichever way it is bracketed."""
    found, pending = [], [tree]
    while pending:
        one = _unwrapped(pending.pop())
        if one.data == tree.data:
            pending.extend(reversed(one.children))
        else:
            found.append(one)
    return found


def _balanced(tree: Any, operands: list[Any]) -> Any:
    """Return a chain in two halves of two halves: in strong Kleene logic it means the same."""
    import lark

    while len(operands) > 1:
        pairs = [lark.Tree(tree.data, operands[i : i + 2], tree.meta) for i in range(0, len(operands) - 1, 2)]
        operands = pairs + operands[len(pairs) * 2 :]
    return operands[0]


def _start(tree: Any) -> int:
    """Return the offset at which a parse tree begins."""
    import lark

    pending = [tree]
    while pending:
        one = pending.pop()
        place = one if isinstance(one, lark.Token) else one.meta
        start: int | None = getattr(place, "start_pos", None)
        if start is not None:
            return start
        pending.extend(reversed(getattr(one, "children", ())))
    return 0


def _double(token: Any) -> float:
    """Return the double of a number's token."""
    text = token.rstrip("uU")
    try:
        value = float(int(text, 16) if "x" in text else text)
    except OverflowError:
        value = math.inf
    if math.isinf(value):
        raise CelSyntaxError("the number is too large for a double", token.start_pos)
    return value


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

    key = json.dumps([_FORM, dialproof.__version__, version("cel-python"), texts], ensure_ascii=False)
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
        newest = sorted(path.parent.glob("cel-*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in newest[_KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return


@lru_cache(maxsize=16384)
def parse(text: str, *, generated: bool = False) -> Node:
    """Return the syntax tree of an expression; raises :class:`CelSyntaxError`.

    A text that was ``generated`` from a condition may be of any length: a list of values is as long as the user's.
    """
    if not generated and len(text) > MAX_LENGTH:
        raise CelSyntaxError(f"the expression has {len(text)} characters, at most {MAX_LENGTH} are read", MAX_LENGTH)
    node = _node(parse_tree(text), len(text))
    _steps(node)
    return node


def _steps(node: Node) -> int:
    """Return how often the comprehensions of an expression evaluate their bodies, with those inside of them."""
    parts = children(node)
    if isinstance(node, Other) and node.what.startswith(_MACRO):
        steps = _steps(parts[0]) + _size(parts[0]) * (1 + _steps(parts[2]))
    else:
        steps = sum(map(_steps, parts))
    if steps > MAX_STEPS:
        raise CelSyntaxError(f"this takes {steps:,} steps, at most {MAX_STEPS:,} are taken: split it", node.start)
    return steps


def _size(node: Node) -> int:
    """Return how many items a comprehension has to go through."""
    if isinstance(node, ListLiteral):
        return len(node.items)
    if isinstance(node, Other) and node.what in (f"{_MACRO}map()", f"{_MACRO}filter()"):
        return _size(node.parts[0])
    return _UNKNOWN_SIZE


def _extent(tree: Any, length: int) -> tuple[int, int]:
    """Return the offsets of a parse tree: those of its tokens (brackets are no tokens of it)."""
    import lark

    tokens = list(tree.scan_values(lambda v: isinstance(v, lark.Token) and v.start_pos is not None))
    if not tokens:
        return (0, length)
    return (min(t.start_pos for t in tokens), max(t.end_pos for t in tokens))


def _node(tree: Any, length: int) -> Node:
    parts = tree.children
    rule = str(tree.data)
    start, end = _extent(tree, length)
    if rule == "primary":
        return _node(parts[0], length)
    if rule == "expr":
        test, then, otherwise = (_node(c, length) for c in parts)
        return Conditional(test, then, otherwise, start, end)
    if rule in _CHAINS:
        return Call(_CHAINS[rule], None, tuple(_node(o, length) for o in _operands(tree)), start, end)
    if rule in ("relation", "addition", "multiplication"):
        sign = _OPERATORS[str(parts[0].data)]
        left = _node(parts[0].children[0], length)
        return Call(sign, None, (left, _node(parts[1], length)), start, end)
    if rule == "unary":
        sign = "!" if str(parts[0].data) == "unary_not" else "neg"
        return Call(sign, None, (_node(parts[1], length),), _start(tree), end)
    if rule == "literal":
        return _literal(parts[0], start, end)
    if rule in ("ident", "dot_ident"):
        return Identifier(str(parts[0]), start, end)
    if rule == "ident_arg":
        return Call(str(parts[0]), None, _arguments(parts, length), start, end)
    if rule == "dot_ident_arg":
        raise CelSyntaxError("found a function with a leading dot, expected one without", _start(tree))
    if rule == "member_dot":
        return Select(_node(parts[0], length), str(parts[1]), start, end)
    if rule == "member_dot_arg":
        name, target, arguments = str(parts[1]), _node(parts[0], length), _arguments(parts, length)
        if name not in MACROS:
            return Call(name, target, arguments, start, end)
        if len(arguments) != 2 or not isinstance(arguments[0], Identifier):
            message = f"{name}() takes a variable and an expression, such as [1, 2].{name}(x, x > 1)"
            raise CelSyntaxError(message, parts[1].start_pos)
        return Other(f"{_MACRO}{name}()", (target, *arguments), start, end)
    if rule == "member_index":
        return Index(_node(parts[0], length), _node(parts[1], length), start, end)
    if rule == "list_lit":
        return ListLiteral(_arguments(parts, length), start, end)
    assert rule in ("map_lit", "member_object"), rule
    return Other("a map or message", _parts(tree, length), start, end)


def _parts(tree: Any, length: int) -> tuple[Node, ...]:
    """Return every expression directly inside a production that we do not take apart."""
    import lark

    inner = [c for c in tree.children if isinstance(c, lark.Tree)]
    expressions = [e for c in inner for e in (c.children if c.data in ("mapinits", "fieldinits", "exprlist") else [c])]
    return tuple(_node(e, length) for e in expressions if isinstance(e, lark.Tree))


def _arguments(parts: list[Any], length: int) -> tuple[Node, ...]:
    import lark

    last = parts[-1] if parts else None
    if isinstance(last, lark.Tree) and last.data == "exprlist":
        return tuple(_node(c, length) for c in last.children)
    return ()


def _literal(token: Any, start: int, end: int) -> Node:
    import celpy.evaluation

    if token.type in ("FLOAT_LIT", "INT_LIT", "UINT_LIT"):
        return Literal(_double(token), start, end)
    if token.type.endswith("STRING_LIT"):
        try:
            text = str(celpy.evaluation.celstr(token))
            text.encode()
        except (ValueError, OverflowError):
            raise CelSyntaxError("found an escape that is no character", start) from None
        return Literal(text, start, end)
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
