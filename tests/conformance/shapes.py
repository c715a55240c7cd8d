"""What a value in a request has to look like, and telling whether it does.

A shape is a predicate, a mapping with exactly these keys, a list whose items all have the one shape in it, or the value
itself. Imports the standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

Shape: TypeAlias = Any


def pattern(expression: str) -> Callable[[Any], bool]:
    """Return the shape of a text that matches as a whole."""
    compiled = re.compile(expression)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


ID = pattern("[0-9a-f]{24}")
#: Several ids in one parameter.
IDS = pattern("[0-9a-f]{24}(,[0-9a-f]{24})+")
#: A reference to a company by an own key.
EXTID = pattern("extid-.+")
TEXT = pattern("(?s).+")
#: A point in time, as Planhat writes it: UTC with milliseconds.
TIME = pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
#: A day in a parameter.
DAY = pattern(r"\d{4}-\d\d-\d\d")
#: A number in a parameter.
DIGITS = pattern(r"\d+")


def NUMBER(value: Any) -> bool:
    """Tell whether a value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def WHOLE(value: Any) -> bool:
    """Tell whether a value is a whole number: a count of days, for one."""
    return isinstance(value, int) and not isinstance(value, bool)


def BOOLEAN(value: Any) -> bool:
    """Tell whether a value is True or False."""
    return isinstance(value, bool)


def naming(*names: str) -> Callable[[Any], bool]:
    """Return the shape of a ``select`` that names these properties, among others."""
    return lambda value: isinstance(value, str) and set(names) <= set(value.split(","))


def holds(shape: Shape, value: Any) -> bool:
    """Tell whether a value has a shape.

    >>> holds({"companyId": ID, "tags": [TEXT]}, {"companyId": "0" * 24, "tags": ["a", "b"]})
    True
    >>> holds({"companyId": ID}, {"companyId": "0" * 24, "name": "more than was documented"})
    False
    """
    if callable(shape):
        return bool(shape(value))
    if isinstance(shape, Mapping):
        return (
            isinstance(value, Mapping)
            and shape.keys() == value.keys()
            and all(holds(one, value[name]) for name, one in shape.items())
        )
    if isinstance(shape, list):
        return isinstance(value, list) and bool(value) and all(any(holds(one, item) for one in shape) for item in value)
    return type(shape) is type(value) and shape == value
