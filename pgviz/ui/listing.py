"""Listings of the project's own code, as steps show them.

They are read one at a time and then kept: Python 3.11 fails now and then where two threads take
source apart at once.
"""

import ast
import inspect
from collections.abc import Callable
from functools import lru_cache, wraps
from threading import RLock
from types import ModuleType
from typing import Any

_reading = RLock()


def _one_at_a_time(function: Callable[[Any], str]) -> Callable[[Any], str]:
    kept = lru_cache(600)(function)

    @wraps(function)
    def read(part: Any) -> str:
        with _reading:
            return kept(part)

    return read


@_one_at_a_time
def source_of(part: Callable | ModuleType) -> str:
    """The listing of a function, a class or a module."""
    return inspect.getsource(part)


@_one_at_a_time
def without_docstring(source: str) -> str:
    """The same function or class without its docstring, if it has one."""
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.FunctionDef | ast.ClassDef)
    lines = source.split("\n")
    if ast.get_docstring(definition) is not None:
        docstring = definition.body[0]
        del lines[docstring.lineno - 1 : docstring.end_lineno]
    return "\n".join(lines)
