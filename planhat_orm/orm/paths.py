"""The one path grammar: what ``custom.Tier`` or ``company__owner__email`` names, in filters, orders and outputs.

A path is written with dots or double underscores. Imports fields and relations, nothing that queries. It does not
promise that a path has a value: an output whose link is empty, or leads to a record that is gone, is None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import marshmallow

from planhat_orm.errors import InvalidQuery, ObjectDoesNotExist, UnknownField, suggestion
from planhat_orm.orm import conversion
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.fields import Custom, Field, IdOf
from planhat_orm.orm.matching import LOOKUPS, UNREADABLE
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related, target_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planhat_orm.orm.model import Model
    from planhat_orm.orm.options import Options

#: What others call lookups, and how it is written here.
INSTEAD: Final = {
    **dict.fromkeys(("eq", "is"), "equal is {}=..."),
    **dict.fromkeys(("ne", "neq", "not", "isnot", "is_not"), "write exclude({}=...)"),
    **dict.fromkeys(("notin", "not_in", "nin"), "write exclude({}__in=...)"),
    **dict.fromkeys(("like", "ilike"), "write {}__contains=..., or icontains whatever the letter case"),
    "between": "write {}__range=(first, last)",
    **dict.fromkeys(("null", "none", "empty"), "write {}__isnull=True"),
    **dict.fromkeys(("len", "length"), "count here: len(record.{})"),
}


def partition(path: str) -> tuple[str, str, str]:
    """Split a path at its first dot or double underscore.

    >>> partition("custom.Days in Phase"), partition("owner__email")
    (('custom', '.', 'Days in Phase'), ('owner', '__', 'email'))
    """
    found = re.search(r"\.|__", path)
    return (path, "", "") if found is None else (path[: found.start()], found[0], path[found.end() :])


def keys_of(meta: Options, names: Iterable[str]) -> set[str]:
    """Return Planhat's names of some links that lists hold; reverse managers need none.

    >>> from planhat_orm.models import Company
    >>> keys_of(Company._meta, ["owner", "endusers"])
    {'owner'}
    """
    fields = (meta.by_name.get(name) for name in names)
    return {field.data_key for field in fields if field is not None and not field.get_only}


class Target:
    """What the path of a filter or an order names: a field, or a key inside ``custom``.

    :param field: the property that holds it.
    :param custom: the key inside ``custom``.
    :param declared: a tenant's declared field of that key, which knows its type.
    """

    # Not a dataclass: to a type checker a field declared in a class is a descriptor of that class.
    __slots__ = ("custom", "declared", "field")

    def __init__(self, field: Field[Any, Any], custom: str = "", declared: Custom[Any] | None = None) -> None:
        self.field = field
        self.custom = custom
        self.declared = declared

    @property
    def data_key(self) -> str:
        """Planhat's name of the property that holds it."""
        return self.field.data_key

    @property
    def name(self) -> str:
        """Its name as it is written."""
        return f"custom.{self.custom}" if self.custom else self.field.name

    @property
    def converter(self) -> marshmallow.fields.Field[Any] | None:
        """What reads it; None for a key inside ``custom`` whose type nobody declared."""
        if self.custom:
            return self.declared.marshmallow if self.declared is not None else None
        return self.field.marshmallow

    def read(self, row: Mapping[str, Any]) -> Any:
        """Return the converted value of a row: None where there is none, UNREADABLE instead of an error."""
        value = row.get(self.field.data_key)
        field = self.field
        if self.custom:
            value = CustomData.mapping(value).get(self.custom)
            if self.declared is None:
                return value
            field = self.declared
        if value is None:
            return None
        if isinstance(value, (list, dict)) and field.mutable and not isinstance(field, ReferenceList):
            return value  # only looked at, so not copied
        if isinstance(field, ReferenceList) and isinstance(value, list):
            return [item_id(item) for item in value]
        try:
            return field.marshmallow.deserialize(value)
        except marshmallow.ValidationError:
            return UNREADABLE


def item_id(item: Any) -> Any:
    """Return the id that one item of a list of links holds, UNREADABLE where it holds none.

    >>> item_id({"id": "64b00001912265b1f5000001"}), item_id(7) is UNREADABLE, item_id(None) is UNREADABLE
    ('64b00001912265b1f5000001', True, True)
    """
    try:
        return conversion.reference_id(item) or UNREADABLE
    except marshmallow.ValidationError:
        return UNREADABLE


def link_of(meta: Options, path: str) -> tuple[ForeignKey[Any], str] | None:
    """Return the link that a path begins with and what follows it; None where it stays on the record itself.

    >>> from planhat_orm.models import Company
    >>> link_of(Company._meta, "owner__email"), link_of(Company._meta, "owner__id")
    ((<ForeignKey owner (owner)>, 'email'), None)
    """
    head, _, rest = partition(path)
    field = meta.by_name.get(head)
    return (field, rest) if isinstance(field, ForeignKey) and rest not in ("", "id", "pk") else None


def resolve(meta: Options, path: str) -> Target:
    """Find what the path of a filter or an order names.

    :raises UnknownField: with a suggestion.
    :raises InvalidQuery: for a path across a link, and for what no answer holds.
    """
    head, separator, rest = partition(path)
    if head == "custom" and separator:
        return custom_target(meta, path, separator, rest)
    if isinstance(related := getattr(meta.model, head, None), Related):
        raise InvalidQuery(
            f"{meta.name}.{head} are the {related.to} objects that point to it, and no filter or order goes that way: "
            f"filter them, and use their ids of a {meta.name} in id__in"
        )
    field = known_field(meta, head)
    if field.write_only:
        raise InvalidQuery(f"{meta.name}.{field.name} is shown nowhere: Planhat takes it and no answer holds it")
    if isinstance(field, IdOf):
        field = field.key
    if not separator:
        return Target(meta.field("custom"), field.key, field) if isinstance(field, Custom) else Target(field)
    if isinstance(field, ForeignKey) and rest in ("id", "pk"):
        return Target(field)
    raise refusal_of_part(meta, field, path, rest)


def known_field(meta: Options, name: str) -> Field[Any, Any]:
    """Return the field of a name; the error for an unknown one says how custom fields are written."""
    if not name.strip():
        raise InvalidQuery(f"a path names a field, and no field of {meta.name} follows its last dot or underscores")
    try:
        return meta.field(name)
    except UnknownField as problem:
        if meant := split_once_more(meta, name):
            raise UnknownField(f"{meta.name} has no field {name!r}; did you mean {meant!r}?") from None
        # Planhat's labels of custom fields begin with a capital as a rule, and names here never do.
        if "custom" not in meta.by_name or not name[:1].isupper():
            raise
        raise UnknownField(f"{problem}; a custom field is written custom__{name}") from None


def split_once_more(meta: Options, name: str) -> str:
    """Return the path that was meant by a name with one underscore where a path has two, empty for any other.

    >>> from planhat_orm.models import Company
    >>> split_once_more(Company._meta, "arr_gt"), split_once_more(Company._meta, "owner_email")
    ('arr__gt', 'owner__email')
    """
    for found in re.finditer("_", name):
        head, rest = name[: found.start()], name[found.end() :]
        field = meta.by_name.get(head)
        is_part = isinstance(field, (ForeignKey, ReferenceList)) and rest in target_of(field)._meta.by_name
        if is_part or (field is not None and rest in LOOKUPS) or (isinstance(field, CustomData) and rest):
            return f"{head}__{rest}"
    return ""


def custom_target(meta: Options, path: str, separator: str, rest: str) -> Target:
    """Return the target of a key inside ``custom``."""
    if not rest.strip():
        raise InvalidQuery(f"{path!r} names no custom field")
    _, twice, last = rest.rpartition("__")
    if separator == "__" and twice:
        raise InvalidQuery(
            f"{path!r}: {last!r} is no lookup{suggestion(last, LOOKUPS)}; "
            f"a custom field of that very name is written Q('custom.{rest}', exact=...), elsewhere 'custom.{rest}'"
        )
    return Target(meta.field("custom"), rest)


def refusal_of_part(meta: Options, field: Field[Any, Any], path: str, rest: str) -> InvalidQuery | UnknownField:
    """Return the error for what follows a field in a path."""
    if isinstance(field, ForeignKey):
        resolve(target_of(field)._meta, rest)  # an unknown name there is the first thing to say
        return InvalidQuery(
            f"{path!r} goes across a link, which only a filter and values() do: put the objects in order here, "
            f"with sorted() and {field.name} of each"
        )
    if isinstance(field, ReferenceList) and partition(rest)[0] in target_of(field)._meta.by_name:
        return InvalidQuery(
            f"{path!r} goes across a list of links, in which there is no one to name: only a filter does, "
            f"{field.name}__in={field.to}.objects.filter({partition(rest)[0]}=...)"
        )
    last = rest.rpartition("__")[2]
    if "." in path and last in LOOKUPS:
        return InvalidQuery(
            f"{path!r}: a lookup follows double underscores, or is a keyword of its own: "
            f"{field.name}__{last}=..., Q({field.name!r}, {last}=...)"
        )
    if "." not in path and last in ("year", "quarter", "month", "week", "day", "date"):
        raise InvalidQuery(
            f"{path!r}: {last!r} is no lookup; a stretch of time is a range of its first and last day: "
            f"{field.name}__range=(date(2026, 1, 1), date(2026, 12, 31))"
        )
    if "." not in path and last not in LOOKUPS:
        meant = f"; {INSTEAD[last].format(field.name)}" if last in INSTEAD else suggestion(last, LOOKUPS)
        return InvalidQuery(f"{path!r}: {last!r} is no lookup{meant}; there are {', '.join(LOOKUPS)}")
    return UnknownField(f"{meta.name}.{field.name} has no part {rest!r}")


class Output:
    """What the path of an output names: links to follow, then a field, a custom key or a property.

    :param asks: the Python name to ask for on the first model, "" when it cannot be narrowed to one.
    :param links: the Python names of the links to follow.
    :param key: the key inside ``custom``, or the name of a property, which has no ``field``.
    """

    __slots__ = ("asks", "field", "key", "links", "path")

    def __init__(
        self, path: str, asks: str, links: tuple[str, ...], field: Field[Any, Any] | None, key: str = ""
    ) -> None:
        self.path = path
        self.asks = asks
        self.links = links
        self.field = field
        self.key = key

    def of(self, record: Any) -> Any:
        """Return the plain value: foreign keys as ids, ``custom`` as a dict; as it came where it cannot be read."""
        for link in self.links:
            try:
                record = getattr(record, link)
            except ObjectDoesNotExist:
                record = None
            if record is None:
                return None
        if self.field is None:
            return getattr(record, self.key)
        if self.key:
            return conversion.plain_copy(record.custom.get(self.key))
        return self.field.export(record)[1]


def output_of(model: type[Model], path: str) -> Output:
    """Find what the path of an output names, over any number of links.

    :raises UnknownField: with a suggestion, for any part of the path.
    :raises InvalidQuery: where something follows what is no link to one record.
    """
    if not isinstance(path, str):
        raise InvalidQuery(f"the path of an output is a text, not {path!r}")
    links: list[str] = []
    asks, rest = partition(path)[0], path
    while True:
        head, separator, rest = partition(rest)
        if head not in model._meta.by_name and isinstance(getattr(model, head, None), property):
            if separator:
                raise InvalidQuery(f"{path!r}: {model.__name__}.{head} is no link, so nothing can follow it")
            # A property is made of fields that are not known here.
            return Output(path, asks if links else "", tuple(links), None, head)
        if isinstance(related := getattr(model, head, None), Related):
            raise InvalidQuery(
                f"{path!r}: {model.__name__}.{head} are the {related.to} objects that point to it, and no output goes "
                f"that way: read them, {related.to}.objects.values(...), and what they point to with them"
            )
        field = known_field(model._meta, head)
        if not separator or (isinstance(field, ForeignKey) and rest in ("id", "pk")):
            return Output(path, asks, tuple(links), field)
        if isinstance(field, CustomData):
            if not rest.strip():
                raise InvalidQuery(f"{path!r} names no custom field")
            return Output(path, asks, tuple(links), field, rest)
        if not isinstance(field, ForeignKey):
            raise InvalidQuery(f"{path!r}: {model.__name__}.{head} is no link to one record, so nothing can follow it")
        links.append(head)
        model = target_of(field)
