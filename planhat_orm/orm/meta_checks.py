"""What is wrong with a declaration, said when the class is made.

People write models of their own, and a name that means nothing would be sent and never noticed: Planhat ignores what
it does not know. Imports the errors and descriptions. It does not promise that what is declared is true.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import ConfigurationError, suggestion
from planhat_orm.orm.evidence import Evidence, Quirk
from planhat_orm.orm.fields import Choice, Custom, Field, Integer, Number
from planhat_orm.orm.params import Param

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from planhat_orm.orm.options import Options

_log = logging.getLogger("planhat_orm.orm")

#: Types that people write where a field is meant.
PLAIN_TYPES = (str, int, float, bool, datetime, date, list, dict)
#: What can be done with an object; each is offered unless ``Meta.not_offered`` says what to do instead.
OPERATIONS = ("create", "get", "list", "update", "delete", "bulk_upsert")
#: What ``Meta.evidence`` may speak of, beside the operations one by one.
ASPECTS = ("fields", "operations", "filters", "keys", "matching", "required", "limits", "hidden", *OPERATIONS)
#: The keys that a path takes.
KEYABLES = ("id", "external_id", "source_id")
#: What a list can be asked for beside its filters.
LIST_TAKES = ("limit", "offset", "sort", "select")


def check_options(meta: Options, defaults: Mapping[str, Any]) -> None:
    """Refuse what can be told to be wrong before the fields are known.

    :param defaults: every option with its default, which has the kind that values must have.
    :raises ConfigurationError: naming the class, the option and what it should be.
    """
    for option, default in defaults.items():
        value = getattr(meta, option)
        if isinstance(default, tuple) and not isinstance(value, (tuple, list)):
            # A tuple of one without its comma is a text, each letter of which would be a name.
            raise _wrong(meta, option, f"is {value!r}, and takes a tuple: ({value!r},)")
        if isinstance(default, dict) and not isinstance(value, Mapping):
            raise _wrong(meta, option, f"is {value!r}, and takes a dictionary")
    if meta.path != meta.path.strip("/ "):
        raise _wrong(meta, "path", f"is {meta.path!r}, and takes the collection alone: {meta.path.strip('/ ')!r}")
    _check_numbers(meta)
    _check_names(meta, "not_offered", meta.not_offered, OPERATIONS)
    _check_names(meta, "evidence", meta.evidence, ASPECTS)
    _check_names(meta, "keyables", meta.keyables, KEYABLES)
    _check_names(meta, "list_takes", meta.list_takes, LIST_TAKES)
    for operation, instead in meta.not_offered.items():
        if not isinstance(instead, str) or not instead.strip():
            raise _wrong(meta, "not_offered", f"has to say what to do instead of {operation!r}, as a text")
    _check_types(meta, "one_required", meta.one_required, tuple)
    _check_types(meta, "evidence", meta.evidence.values(), Evidence)
    _check_types(meta, "quirks", meta.quirks, Quirk)
    _check_types(meta, "list_params", meta.list_params.values(), (Param, str))


def check_fields(meta: Options) -> None:
    """Refuse options that speak of fields which are not declared; those of an abstract class may come later.

    :raises ConfigurationError: naming the class, the option and the field that was probably meant.
    """
    for field in (*meta.fields, *meta.virtual):
        if (wrong := next(contradictions(field), None)) is not None:
            raise ConfigurationError(f"{meta.name}.{field.name} {wrong}")
    if meta.abstract or not meta.path:
        return
    _tell_undeclared(meta)
    _check_write_keys(meta)
    for option, key in _spoken_of(meta):
        if key not in meta.by_key:
            raise _wrong(meta, option, f"has {key!r}, {_no_field(meta, key)}")
    for kind in meta.keyables:
        if kind not in meta.by_name:
            raise _wrong(meta, "keyables", f"has {kind!r}, and no field is called {kind}")
    for alias in meta.aliases:
        if alias in meta.by_key:
            raise _wrong(meta, "aliases", f"has {alias!r}, which is the field {meta.by_key[alias].name} itself")
    for name in meta.unhide:
        if name not in meta.by_key and name not in meta.list_params:
            known = [*meta.list_params, *meta.by_key]
            raise _wrong(meta, "unhide", f"has {name!r}, no field and none of list_params{suggestion(name, known)}")
    for field in meta.virtual:
        if isinstance(field, Custom) and meta.custom is None:
            raise ConfigurationError(
                f"{meta.name}.{field.name} is a custom field, and {meta.name} has none: Planhat keeps no custom values "
                'of it. If it does, declare custom: CustomData = CustomData("custom")'
            )


def check_body(cls: type) -> None:
    """Refuse what stands in the body of a class where a field was meant, and would be no field without a word.

    :raises ConfigurationError: naming the class and what to write.
    """
    for name, value in vars(cls).items():
        place = f"{cls.__name__}.{name}"
        if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], Field):
            raise ConfigurationError(f"{place} is a tuple that holds a field: take the comma behind it away")
        if isinstance(value, type) and issubclass(value, Field):
            kind = value.__name__
            raise ConfigurationError(f'{place} is the class {kind} itself: write fields.{kind}("Planhat\'s name")')
        if not name.startswith("_") and value in PLAIN_TYPES:
            raise ConfigurationError(f"{place} is a type and no field: write {_declared_as(name, value.__name__)}")
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        if name in vars(cls) or name.startswith("_"):
            continue
        said = str(getattr(annotation, "__name__", annotation))
        if said.startswith("fields."):
            raise ConfigurationError(f"{cls.__name__}.{name} is annotated as a field but none is assigned to it")
        if said.removesuffix(" | None") in {kind.__name__ for kind in PLAIN_TYPES}:
            raise ConfigurationError(
                f"{cls.__name__}.{name} is annotated as {said} and is no field: write "
                f"{_declared_as(name, said.removesuffix(' | None'))}"
            )


def _declared_as(name: str, kind: str) -> str:
    """Return the declaration that was probably meant by the name of a type."""
    made = {"str": "Text", "int": "Integer", "float": "Number", "bool": "Boolean", "datetime": "DateTime"}
    made |= {"date": "Date", "list": "List", "dict": "Map"}
    return f'{name}: fields.{made[kind]} = fields.{made[kind]}("Planhat\'s name")'


def contradictions(field: Field[Any, Any]) -> Iterator[str]:
    """Yield what is wrong with how a field is declared.

    >>> list(contradictions(Field("name", read_only=True, write_only=True)))
    ['cannot be read_only and write_only at once']
    """
    if field.name.startswith("_"):
        yield "begins with an underscore, and such names are Python's own: choose another"
    if "__" in field.name:
        yield "holds '__', which divides the parts of a path in filters: choose another name"
    for one, other in (("read_only", "write_only"), ("read_only", "required"), ("get_only", "write_only")):
        if getattr(field, one) and getattr(field, other):
            yield f"cannot be {one} and {other} at once"
    if isinstance(field, Choice) and not field.choices:
        yield "has no choices; a text that may be anything is a fields.Text"
    if (field.least is not None or field.most is not None) and not isinstance(field, (Number, Integer)):
        yield "has least= or most=, which are for numbers"
    if field.least is not None and field.most is not None and field.least > field.most:
        yield f"has least={field.least} above most={field.most}"
    if getattr(field, "item_key", "") not in ("", "id", "_id"):
        yield "has an item_key that holds no id; it is 'id' or '_id'"


def _tell_undeclared(meta: Options) -> None:
    """Warn of a plain field that a class of the tenant adds: Planhat drops what it does not know, without an error."""
    ready = [base.__dict__["_meta"] for base in meta.model.__mro__[1:] if "_meta" in base.__dict__]
    known = next((above for above in ready if above.path == meta.path and not above.abstract), None)
    if known is None or meta.custom is None or meta.said:
        return  # a class with a Meta of its own is an object of its own: a note is not just any conversation
    for field in meta.fields:
        if field.data_key not in known.by_key and field.name in vars(meta.model):
            _log.warning(
                "%s.%s: %s has no property %r that is known. A custom field is declared with fields.Custom(%r, ...); "
                "Planhat drops other names without an error",
                meta.name,
                field.name,
                known.name,
                field.data_key,
                field.data_key,
            )


def _spoken_of(meta: Options) -> Iterator[tuple[str, str]]:
    """Yield each option with each of Planhat's names of fields in it."""
    for option in ("match_keys", "unique", "list_fields", "always_sent", "lean_fields"):
        for key in getattr(meta, option):
            yield option, key
    for option in ("one_required", "upsert_required"):
        for needed in getattr(meta, option):
            for key in (needed,) if isinstance(needed, str) else needed:
                yield option, key
    for key, within in meta.unique_within.items():
        yield "unique_within", key
        yield "unique_within", within
    for param in meta.list_params.values():
        if param.data_key:
            yield "list_params", param.data_key
    for option in ("aliases", "lean_params"):
        for key in getattr(meta, option).values():
            yield option, key
    for option in ("constant", "create_defaults"):
        for key in getattr(meta, option):
            yield option, key
    if meta.updated_field:
        yield "updated_field", meta.updated_field


def _no_field(meta: Options, key: str) -> str:
    """Say that there is no field of a name, and which was probably meant."""
    for read, written in meta.write_keys.items():
        if written == key:
            return f"the name that it is written under; Meta takes the one that it is read under: {read!r}"
    if key in meta.by_name:
        return f"a name of ours; Meta takes Planhat's: {meta.by_name[key].data_key!r}"
    return f"Planhat's name of no field of {meta.name}{suggestion(key, meta.by_key)}"


def _check_write_keys(meta: Options) -> None:
    """Refuse two fields that would be sent under one name."""
    taken: dict[str, str] = {}
    for field in meta.fields:
        if not field.read_only:
            twin = taken.setdefault(field.write_key, field.name)
            if twin != field.name:
                raise ConfigurationError(
                    f"{meta.name}: {twin} and {field.name} are both written as {field.write_key!r}"
                )


def _check_numbers(meta: Options) -> None:
    """Refuse page sizes that are none."""
    sizes = tuple(meta.page_size)
    if len(sizes) != 2 or not all(type(size) is int and size > 0 for size in sizes) or sizes[0] > sizes[1]:
        raise _wrong(meta, "page_size", f"is {sizes!r}, and takes the size by default and the largest: (100, 2000)")


def _check_names(meta: Options, option: str, said: Iterable[str], known: tuple[str, ...]) -> None:
    for name in said:
        if name not in known:
            raise _wrong(meta, option, f"has {name!r}{suggestion(name, known)}; there are {', '.join(known)}")


def _check_types(meta: Options, option: str, values: Iterable[Any], wanted: Any) -> None:
    for value in values:
        if not isinstance(value, wanted):
            kind = (wanted[0] if isinstance(wanted, tuple) else wanted).__name__
            raise _wrong(meta, option, f"has {value!r}, which is no {kind}")


def _wrong(meta: Options, option: str, what: str) -> ConfigurationError:
    return ConfigurationError(f"{meta.name}.Meta.{option} {what}")
