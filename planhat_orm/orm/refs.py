"""References by your own key, ``Company.ref(external_id="acme-42")``, and where Planhat takes them.

Imports the registry of models. It does not promise that there is a record with the key: Planhat drops or refuses what
it cannot resolve (docs: What Planhat does, Keys).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, TypeVar

from planhat_orm.errors import ConfigurationError, FieldError, InvalidQuery, NotSupported
from planhat_orm.orm.conversion import an
from planhat_orm.orm.options import registry
from planhat_orm.wire.endpoints import PREFIXES, KeyKind, split_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planhat_orm.orm.evidence import Evidence
    from planhat_orm.orm.model import Model
    from planhat_orm.session.session import Session

M = TypeVar("M", bound="Model")


@dataclass(frozen=True, slots=True)
class Ref(Generic[M]):
    """A reference by your own key: it costs no request and is sent as "extid-..." or "srcid-...".

    Made by ``Company.ref(external_id="acme-42")``.
    """

    model: type[M]
    kind: KeyKind
    key: str

    def __str__(self) -> str:
        return PREFIXES[self.kind] + self.key


class NoKeysTaken(NotSupported, FieldError):
    """A field takes no own keys. A FieldError as well, so that lists of items name the one that has it."""


class LinkOptions(TypedDict, total=False):
    """What a link may be declared with as any field may; :class:`~planhat_orm.orm.fields.Field` says what it means."""

    required: bool
    read_only: bool
    heavy: bool
    get_only: bool
    write_only: bool
    write_key: str
    label: str
    help: str
    evidence: Evidence | None


class Link(Protocol):
    """What is asked of a foreign key, a list of references or a reverse manager."""

    name: str
    to: str


def name_of_target(to: Any) -> str:
    """Return the name of a model that a link is declared with; refuse the class itself, which may not be there yet."""
    if not isinstance(to, str):
        raise ConfigurationError(
            f"a link names its model by a text, {getattr(to, '__name__', 'Company')!r}, not by {to!r}"
        )
    return to


def target_of(field: Link) -> type[Model]:
    """Return the class that a relation names."""
    try:
        return registry[field.to]
    except KeyError:
        raise ConfigurationError(f"{field!r} points to {field.to!r}, which is no model; import its module") from None


def make_ref(model: type[M], keys: dict[KeyKind, Any], unnamed: tuple[Any, ...] = ()) -> Ref[M]:
    """Build the reference of ``Model.ref``; refused where no field takes one."""
    if unnamed:
        kinds = " or ".join(f"{kind}={unnamed[0]!r}" for kind in keys)
        raise InvalidQuery(f"{model.__name__}.ref({unnamed[0]!r}) does not say which key that is: {kinds}")
    given: dict[KeyKind, Any] = {kind: key for kind, key in keys.items() if key is not None}
    if len(given) != 1:
        raise InvalidQuery(f"{model.__name__}.ref() takes one of external_id= and source_id=")
    [(kind, key)] = given.items()
    if not isinstance(key, str) or not key.strip():
        raise InvalidQuery(f"{model.__name__}.ref({kind}=...) takes a text that is not blank, not {key!r}")
    if kind not in model._meta.keyables or next(takers(model), None) is None:
        raise NotSupported(
            f"Planhat is not documented to take {an(model.__name__)} by {kind} in a reference; "
            f"{load_instead(model, kind, key)}"
        )
    return Ref(model, kind, key)


def takers(model: type[Model]) -> Iterator[str]:
    """Yield the fields, of all models, that take an own key of this one: "Enduser.company"."""
    for other in list(registry.values()):
        for field in other._meta.fields:
            if getattr(field, "takes_keys", False):
                target = registry.get(field.relation or "")
                if target is not None and issubclass(model, target):
                    yield f"{other.__name__}.{field.name}"


def load_instead(model: type[Model], kind: str, key: str) -> str:
    """Say what to do where a key is not taken."""
    if kind in model._meta.keyables:
        return f"load it with {model.__name__}.objects.get({kind}={key!r}) and assign that"
    return "assign its id, or the object itself"


def assign_instead(field: Link, text: str) -> str:
    """Say what to assign to a link in place of a text that is no id.

    >>> from planhat_orm.models import Issue, Task
    >>> assign_instead(Issue.companies, "acme-42")
    "give Company.ref(external_id='acme-42') or the object itself"
    >>> assign_instead(Task.owner, "kim@vendor.example")
    "load it with User.objects.get(email='kim@vendor.example') and assign that"
    """
    target = target_of(field)
    kind = "email" if "@" in text and "email" in target._meta.by_name else "external_id"
    if not text.strip():
        return f"give an id, or the {target.__name__} itself"
    if kind != "email" and kind in target._meta.keyables and getattr(field, "takes_keys", False):
        return f"give {target.__name__}.ref({kind}={text!r}) or the object itself"
    if kind in target._meta.by_name:
        return f"load it with {target.__name__}.objects.get({kind}={text!r}) and assign that"
    return f"give its id, or the {target.__name__} itself"


def find_live(session: Session, target: type[M], key: str) -> M | None:
    """Return the live object of an own key, "extid-acme-42", where no two records share it; sends nothing."""
    own = own_key(key)
    field = target._meta.by_name.get(own[0]) if own is not None else None
    if own is None or field is None or field.data_key not in target._meta.unique:
        return None
    return session.identity_map.known_by(target, field.data_key, own[1])


def own_keys_of(value: Model) -> set[str]:
    """Return the texts by which an object may stand in a list of references instead of its id."""
    held = (
        (prefix, value._meta.by_name.get(kind)) for kind, prefix in PREFIXES.items() if kind in value._meta.keyables
    )
    found = ((prefix, value._raw.get(field.data_key)) for prefix, field in held if field is not None)
    return {prefix + key for prefix, key in found if prefix and isinstance(key, str) and key}


def own_key(value: Any) -> tuple[KeyKind, str] | None:
    """Return the kind and the key of a reference by an own key, be it a Ref or its text; None for anything else."""
    if isinstance(value, Ref):
        return value.kind, value.key
    return split_prefix(value) if isinstance(value, str) else None


def refusal(field: Link, value: Any) -> str:
    """Say that a field takes no own keys, and what to do."""
    kind, key = own_key(value) or ("external_id", str(value))
    return (
        f"must be an id: Planhat takes no own keys for {an(field.to)} here; {load_instead(target_of(field), kind, key)}"
    )


def link_id(value: Any) -> str | None:
    """Return the id in what a link holds: an object, a Ref or an id; None for an object that is not saved."""
    if value is None or isinstance(value, str):
        return value
    key: str | None = str(value) if isinstance(value, Ref) else value._raw.get("_id")
    return key
