"""``Model._meta``: what is known of one Planhat object, from its ``class Meta`` and its fields.

Everything that differs between Planhat's objects is data here; planner, writer, sandbox and reference pages read it.
Imports errors and fields. It does not know how anything is fetched.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import ConfigurationError, NotSupported, UnknownField, suggestion
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.fields import Custom, Field, IdOf
from planhat_orm.orm.meta_checks import OPERATIONS, check_body, check_fields, check_options
from planhat_orm.orm.params import Param
from planhat_orm.orm.suggesting import hint

__all__ = ["META_DEFAULTS", "OPERATIONS", "Options", "fields_of", "register", "registry", "said_in"]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from planhat_orm.orm.evidence import Evidence, Quirk
    from planhat_orm.orm.model import Model
    from planhat_orm.wire.endpoints import KeyKind

#: Every concrete model by its name; importing ``planhat_orm.models`` fills it with Planhat's own.
registry: dict[str, type[Model]] = {}

#: What ``class Meta`` may say, with its default. Planhat's name of a field is always the one that it is read by (its
#: ``data_key``); it becomes its ``write_key`` where a body is made, and where an item of a bulk upsert is matched.
META_DEFAULTS: dict[str, Any] = {
    # The collection: "companies" for GET /companies.
    "path": "",
    # Page size when none is asked for, and the largest that the endpoint gives.
    "page_size": (100, 2000),
    # Keys that /{path}/{key} takes: "id", "external_id" (extid-), "source_id" (srcid-).
    "keyables": ("id",),
    # Planhat's names of the keys that bulk upsert matches on, first match wins.
    "match_keys": ("_id",),
    # Planhat's names of the keys that no two records of a tenant share, besides _id.
    "unique": (),
    # Planhat's names of the keys that are unique within something else only, and that of the field that says in what.
    "unique_within": {},
    # List parameters beside those of paging: a Param each, or just Planhat's name of the field that it filters by.
    "list_params": {},
    # What a list can be asked for beside its filters.
    "list_takes": ("limit", "offset", "sort", "select"),
    # Operations that Planhat does not offer, and what to do instead.
    "not_offered": {},
    # Operations beyond those of every object, and their request: {"duplicate": "POST /timeentries/duplicate"}.
    "more_operations": {},
    # The fields that lists hold where they hold fewer than get does, unless `select` asks for more.
    "list_fields": (),
    # Parameters without which lists hide rows; a tuple of values where no one value shows all: a list for each.
    "unhide": {},
    # Names under which some answers hold a field instead of its own: {"nps": "score"}.
    "aliases": {},
    # The collection whose records these are, where it has another path: a ticket is a record of "conversations".
    "same_records_as": "",
    # What a create needs beside the fields that are `required`: of each tuple of Planhat's names one at least.
    "one_required": (),
    # What an item of a bulk upsert that is to be created needs beyond a create: names, a tuple for "one of these".
    "upsert_required": (),
    # What a create sends where nothing is set: {"isHidden": False}.
    "create_defaults": {},
    # Written with every create and update although unchanged.
    "always_sent": (),
    # An index of the whole collection in one request, and the fields it holds.
    "lean_path": "",
    "lean_fields": (),
    # The list parameters of the lean index, and Planhat's name of the field that each filters by.
    "lean_params": {},
    # Those of lean_params that take several values, comma-separated.
    "lean_many": (),
    # Rows of a shared collection that are of this model: {"type": "note"}.
    "constant": {},
    # The field of the last change, by which changes are asked for: named where a page or a recorded answer has it in
    # lists, and every write is known or said to move it.
    "updated_field": "",
    # Where there is none: what to do instead of asking for what changed.
    "updated_instead": "",
    # A table small enough to be read whole when any of its records is needed.
    "small_table": False,
    # Who says so, by aspect or operation; "fields" for every field that does not say otherwise.
    "evidence": {},
    # What is particular and not told by the rest.
    "quirks": (),
    "doc_url": "https://www.planhat.com/developers/api/introduction",
    "abstract": False,
}


class Options:
    """The options of one model class.

    >>> from planhat_orm.models import Company
    >>> Company._meta.path, Company._meta.by_name["health"].data_key
    ('companies', 'h')
    """

    path: str
    page_size: tuple[int, int]
    keyables: tuple[KeyKind, ...]
    match_keys: tuple[str, ...]
    unique: tuple[str, ...]
    unique_within: Mapping[str, str]
    list_params: Mapping[str, Param]
    list_takes: tuple[str, ...]
    not_offered: Mapping[str, str]
    more_operations: Mapping[str, str]
    list_fields: tuple[str, ...]
    unhide: Mapping[str, Any]
    aliases: Mapping[str, str]
    same_records_as: str
    one_required: tuple[tuple[str, ...], ...]
    upsert_required: tuple[str | tuple[str, ...], ...]
    create_defaults: Mapping[str, Any]
    always_sent: tuple[str, ...]
    lean_path: str
    lean_fields: tuple[str, ...]
    lean_params: Mapping[str, str]
    lean_many: tuple[str, ...]
    constant: Mapping[str, str]
    updated_field: str
    updated_instead: str
    small_table: bool
    evidence: Mapping[str, Evidence]
    quirks: tuple[Quirk, ...]
    doc_url: str
    abstract: bool

    def __init__(self, model: type[Model], declared: type | None) -> None:
        self.model = model
        self.name = model.__name__
        #: What this class says itself, with what its Meta inherits.
        self.said = said_in(declared)
        unknown = self.said.keys() - META_DEFAULTS.keys()
        if unknown:
            name = sorted(unknown)[0]
            raise ConfigurationError(f"{self.name}.Meta has no option {name!r}{suggestion(name, META_DEFAULTS)}")
        above = [base.__dict__["_meta"].said for base in model.__mro__[1:] if "_meta" in base.__dict__]
        for option, default in META_DEFAULTS.items():
            found = (said[option] for said in above if option in said and option != "abstract")
            setattr(self, option, self.said.get(option, next(found, default)))
        check_options(self, META_DEFAULTS)
        self.list_params = {
            name: Param(said) if isinstance(said, str) else said for name, said in self.list_params.items()
        }
        #: The fields that travel, inherited ones first.
        self.fields: tuple[Field[Any, Any], ...] = ()
        #: Other names for what travels: ids beside foreign keys, declared custom fields.
        self.virtual: tuple[Field[Any, Any], ...] = ()

    def adopt(self, fields: Iterable[Field[Any, Any]]) -> None:
        """Take the fields in order; two of one Planhat name, or an option that names none, are an error."""
        own: list[Field[Any, Any]] = []
        other: list[Field[Any, Any]] = []
        seen: dict[str, Field[Any, Any]] = {}
        for field in fields:
            (other if isinstance(field, (IdOf, Custom)) else own).append(field)
            twin = field if isinstance(field, IdOf) else seen.setdefault(field.data_key, field)
            if twin is not field:
                raise ConfigurationError(
                    f"{self.name}: {twin.name} and {field.name} both stand for Planhat's {field.data_key!r}"
                )
        self.fields, self.virtual = tuple(own), tuple(other)
        check_fields(self)

    @property
    def records(self) -> str:
        """The collection whose records these are: its own path, but for a ticket."""
        return self.same_records_as or self.path

    @cached_property
    def create_required(self) -> tuple[str | tuple[str, ...], ...]:
        """Planhat's names of what a create needs, a tuple for "one of these"."""
        return (*(field.data_key for field in self.fields if field.required), *self.one_required)

    @property
    def lean_list(self) -> bool:
        """Whether lists hold fewer fields than get does, unless more are selected."""
        return bool(self.list_fields)

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """The operations that Planhat offers."""
        return tuple(operation for operation in OPERATIONS if operation not in self.not_offered)

    def require(self, operation: str) -> None:
        """Refuse an operation that Planhat does not offer, before any request.

        :raises NotSupported: saying what to do instead.
        """
        if operation in self.not_offered:
            raise NotSupported(
                f"Planhat offers no {operation.replace('_', ' ')} of {self.name}: {self.not_offered[operation]}"
            )

    def changed_by(self) -> Field[Any, Any]:
        """Return the field that holds the time of the last change.

        :raises NotSupported: where lists are not known to show one, saying what to do instead.
        """
        if not self.updated_field:
            instead = self.updated_instead or (
                f"read {self.name}.objects.all() and compare it with what was kept; if its records hold such a time, "
                "declare the field and name it in Meta.updated_field"
            )
            raise NotSupported(f"no list of {self.name} is known to show when a record was last changed: {instead}")
        return self.by_key[self.updated_field]

    @cached_property
    def ids_param(self) -> str | None:
        """The list parameter that takes several ids of the records themselves; None where there is none."""
        sure = ((name, param) for name, param in self.list_params.items() if param.many and not param.hint)
        return next((name for name, param in sure if param.data_key == "_id" and param.lookup == "exact"), None)

    @cached_property
    def key_kinds(self) -> dict[str, KeyKind]:
        """Planhat's names of the fields that /{path}/{key} takes, and what each key is called here."""
        return {self.by_name[kind].data_key: kind for kind in self.keyables if kind in self.by_name}

    @cached_property
    def by_key(self) -> dict[str, Field[Any, Any]]:
        """The fields by Planhat's name."""
        return {field.data_key: field for field in self.fields}

    @cached_property
    def custom(self) -> Any:
        """The field that holds the tenant's own values, a CustomData; None where the object has none."""
        # Any, since a type checker would read the field through as a descriptor of this class.
        return next((field for field in self.fields if isinstance(field, CustomData)), None)

    @cached_property
    def write_keys(self) -> dict[str, str]:
        """The names that fields are sent under, by those that they are read under; only where the two differ."""
        return {field.data_key: field.write_key for field in self.fields if field.write_key != field.data_key}

    def as_written(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return values by the names that they are sent under."""
        renamed = self.write_keys
        return {renamed.get(key, key): value for key, value in row.items()} if renamed else dict(row)

    def as_read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return values of a body by the names that they are read under, to be compared with a row."""
        if not self.write_keys:
            return dict(body)
        renamed = {sent: key for key, sent in self.write_keys.items()}
        return {renamed.get(key, key): value for key, value in body.items()}

    @cached_property
    def by_name(self) -> dict[str, Field[Any, Any]]:
        """The fields by Python name, with the virtual ones and ``pk``."""
        names = {field.name: field for field in (*self.fields, *self.virtual)}
        if "id" in names:
            names["pk"] = names["id"]
        return names

    @cached_property
    def keys(self) -> frozenset[str]:
        """Planhat's names of what ``get`` loads: all fields that are not ``write_only``."""
        return frozenset(self.by_key) - self.write_only

    @cached_property
    def listed_keys(self) -> frozenset[str]:
        """Planhat's names of what a list loads when nothing is selected: all that is not ``get_only`` either."""
        return frozenset(field.data_key for field in self.fields if not (field.get_only or field.write_only))

    @cached_property
    def write_only(self) -> frozenset[str]:
        """Planhat's names of what it takes and no answer shows."""
        return frozenset(field.data_key for field in self.fields if field.write_only)

    @cached_property
    def default_select(self) -> tuple[str, ...]:
        """Planhat's names to select by default; empty where lists hold everything anyway."""
        if not self.lean_list:
            return ()
        return tuple(field.data_key for field in self.fields if not (field.heavy or field.get_only or field.write_only))

    @cached_property
    def interned(self) -> tuple[str, ...]:
        """Planhat's names of the fields whose texts repeat from row to row: foreign keys and choices."""
        return tuple(field.data_key for field in self.fields if field.choices or (field.relation and not field.mutable))

    def field(self, name: str) -> Field[Any, Any]:
        """Return the field of a Python name; raises UnknownField with a suggestion."""
        try:
            return self.by_name[name]
        except KeyError:
            raise UnknownField(self.unknown(name)) from None

    def named(self, values: Mapping[str, Any]) -> Iterator[tuple[Field[Any, Any], Any]]:
        """Yield the fields and values of values by Python name; raises UnknownField with all names that are none."""
        wrong = [name for name in values if name not in self.by_name]
        if wrong:
            raise UnknownField("; ".join(map(self.unknown, wrong)))
        for name, value in values.items():
            yield self.by_name[name], value

    def unknown(self, name: str, *, attribute: bool = False) -> str:
        """Say that there is no such field, and which one was probably meant.

        :param attribute: an attribute was meant, so that managers and methods may be suggested, too.
        """
        others = [known for known in dir(self.model) if not known.startswith("_")] if attribute else []
        return f"{self.name} has no field {name!r}{hint(self, name, others)}"

    def __repr__(self) -> str:
        return f"<Options of {self.name}>"


def said_in(declared: type | None) -> dict[str, Any]:
    """Return what a ``class Meta`` and the Metas it derives from say; ``abstract`` is said by each class for itself."""
    if declared is None:
        return {}
    said = {
        name: value
        for base in reversed(declared.__mro__[:-1])
        for name, value in vars(base).items()
        if not name.startswith("__")
    }
    if "abstract" not in vars(declared):
        said.pop("abstract", None)
    return said


def register(model: type[Model]) -> None:
    """Note a concrete model by its name, under which relations find it.

    A class that derives from the registered one of its name does not take its place: what points to a Company goes on
    giving a Company.
    """
    known = registry.get(model.__name__)
    if known is None or not issubclass(model, known):
        registry[model.__name__] = model


def fields_of(cls: type, reserved: Iterable[str]) -> list[Field[Any, Any]]:
    """Return the fields of a class, inherited ones first.

    :param reserved: names that no field may take.
    :raises ConfigurationError: where a name stands for two things, in the class or among its bases.
    """
    found: dict[str, Field[Any, Any]] = {}
    others: dict[str, type] = {}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Field):
                if found.get(name, value) is not value:
                    raise ConfigurationError(f"{cls.__name__}: field {name!r} is declared twice among its bases")
                if name in reserved:
                    raise ConfigurationError(f"{cls.__name__}: {name!r} is a name of Model itself; choose another")
                if name in others:
                    raise ConfigurationError(f"{cls.__name__}: field {name!r} hides that of {others[name].__name__}")
                found[name] = value
            elif name in found:
                raise ConfigurationError(f"{cls.__name__}: {name!r} hides the inherited field of that name")
            elif not name.startswith("_"):
                others[name] = base
    check_body(cls)
    return list(found.values())
