"""Two rules of this code that no linter knows: `python -m tools.code_rules FOLDER…` prints where they are broken.

1. A function that goes into superuser mode says why, in a comment in it that begins with ``# sudo:``.
2. SQL is written, not put together: the text given to ``SQL`` or a cursor is a literal, values and names are arguments.
"""

import ast
import io
import sys
import tokenize
from pathlib import Path

REASON = "# sudo: "
EXECUTORS = {"execute", "executemany", "execute_query", "execute_query_dict", "execute_values"}


def main(folders):
    """Print what is broken in the Python files below, tests aside; return 1 when something is."""
    broken = [
        f"{path}:{line}: {sentence}"
        for folder in folders
        for path in sorted(Path(folder).rglob("*.py"))
        if "tests" not in path.relative_to(folder).parts
        for line, sentence in find_broken(path.read_text())
    ]
    for sentence in broken:
        print(sentence)
    return int(bool(broken))


def find_broken(source):
    """:returns: ``(line, sentence)`` each, in order"""
    tree = ast.parse(source)
    return sorted([*_find_unexplained(tree, _get_reasons(source)), *_find_composed(tree)])


def _get_reasons(source):
    """Lines with a comment that gives a reason."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]
        for token in tokens
        if token.type == tokenize.COMMENT and token.string.startswith(REASON) and token.string != REASON.strip()
    }


def _find_unexplained(tree, reasons):
    explained = set()
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = range(function.lineno, function.end_lineno + 1)
            explained.update(lines if reasons.intersection(lines) else ())
    for call in _get_calls(tree):
        if _get_name(call) == "sudo" and not _is_leaving(call) and call.func.end_lineno not in explained:
            yield call.func.end_lineno, f"superuser mode without a reason: say it in a comment, '{REASON}…'"


def _is_leaving(call):
    """Whether it is ``sudo(False)``."""
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value is False


def _find_composed(tree):
    for call in _get_calls(tree):
        name, text = _get_name(call), call.args[0] if call.args else None
        if (name == "SQL" and text and not _is_literal(text)) or (name in EXECUTORS and _is_composed(text)):
            yield call.lineno, f"the SQL text given to {name} is put together: pass values and names as arguments"


def _is_literal(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_composed(node):
    """Whether it is an f-string, a sum, ``"…" % …`` or ``"…".format(…)``."""
    is_format = isinstance(node, ast.Call) and _get_name(node) == "format"
    return is_format or isinstance(node, (ast.JoinedStr, ast.BinOp))


def _get_calls(tree):
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _get_name(call):
    return getattr(call.func, "attr", None) or getattr(call.func, "id", None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
