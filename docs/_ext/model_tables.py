"""Reference tables made of the models at build time: what a model declares is written down once.

``model-endpoint`` says what Planhat's endpoint can do, ``model-fields`` lists the fields, ``model-managers`` the
reverse managers. Imports Sphinx, docutils and the models; reads ``Model._meta`` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import planhat_orm.models  # noqa: F401 - fills the registry
from planhat_orm.orm.fields import IdOf
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sphinx.application import Sphinx

    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.options import Options

Cell: TypeAlias = nodes.Node | str

PREFIXES = {"id": "{id}", "external_id": "extid-{external id}", "source_id": "srcid-{source id}"}


def code(text: str) -> nodes.literal:
    return nodes.literal(text, text)


def table_of(headings: Sequence[str], widths: Sequence[int], rows: Iterable[Sequence[Cell]]) -> nodes.table:
    """Lay cells out: texts as they are, nodes as they are."""
    group = nodes.tgroup(cols=len(headings))
    group += [nodes.colspec(colwidth=width) for width in widths]
    group += nodes.thead("", row_of(headings))
    group += nodes.tbody("", *map(row_of, rows))
    return nodes.table("", group)


def row_of(cells: Iterable[Cell]) -> nodes.row:
    def entry(cell: Cell) -> nodes.entry:
        return nodes.entry("", nodes.paragraph("", "", nodes.Text(cell) if isinstance(cell, str) else cell))

    return nodes.row("", *map(entry, cells))


def required_in(meta: Options) -> dict[str, str]:
    """Say of Planhat's names what a create needs."""
    said: dict[str, str] = {}
    for key in meta.create_required:
        if isinstance(key, str):
            said[key] = "required"
        else:
            names = [meta.by_key[one].name for one in key]
            said |= dict.fromkeys(key, f"required: one of {', '.join(names)}")
    return said


def letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def type_of(field: Field[Any, Any]) -> nodes.Node:
    """Name the type that is read; that of a link leads to the model on the same page."""
    shown = code(field.python_type)
    return nodes.reference("", "", shown, refid=field.relation.lower()) if field.relation else shown


def notes_on(field: Field[Any, Any], ids: dict[Field[Any, Any], str], required: str) -> str:
    """Return what is worth knowing of a field, as one line."""
    notes = [required] if required else ["read-only"] if field.read_only else []
    notes += [field.help] if field.help else []
    if isinstance(field, ForeignKey):
        notes.append(f"its id is {ids[field]}" if field in ids else "a link")
    if isinstance(field, ReferenceList):
        notes.append("links; .ids costs nothing")
    if field.choices:
        notes.append(f"one of {', '.join(field.choices)}")
    if field.label and letters(field.label) != letters(field.name):
        notes.append(f"in Planhat's screens: {field.label}")
    if field.get_only:
        notes.append("in no list: read one record at a time")
    elif field.heavy:
        notes.append("lists are asked for it only when it is read or named in only()")
    return "; ".join(notes)


class ModelDirective(SphinxDirective):
    """A directive that takes the name of a model."""

    required_arguments = 1

    @property
    def chosen(self) -> type[Model]:
        """The model that the directive names."""
        name = self.arguments[0]
        if name not in registry:
            raise self.error(f"there is no model {name!r}; there are: {', '.join(sorted(registry))}")
        return registry[name]


class ModelFields(ModelDirective):
    """The table of a model's fields."""

    HEADINGS: ClassVar[tuple[str, ...]] = ("Name", "Planhat's name", "Type", "Notes")

    def run(self) -> list[nodes.Node]:
        meta = self.chosen._meta
        required = required_in(meta)
        ids = {field.key: field.name for field in meta.virtual if isinstance(field, IdOf)}
        rows = [
            (
                code(field.name),
                code(field.data_key),
                type_of(field),
                notes_on(field, ids, required.get(field.data_key, "")),
            )
            for field in meta.fields
        ]
        return [table_of(self.HEADINGS, (20, 20, 15, 45), rows)]


class ModelManagers(ModelDirective):
    """The reverse managers of a model, if it has any."""

    def run(self) -> list[nodes.Node]:
        model = self.chosen
        found = [value for cls in model.__mro__ for value in vars(cls).values() if isinstance(value, Related)]
        if not found:
            return [nodes.paragraph("", f"{model.__name__} has no reverse managers.")]
        rows = [(code(one.name), code(one.to), code(f"{one.to}.{one.key(model).name}")) for one in found]
        return [table_of(("Manager", "of", "whose link is this record"), (30, 30, 40), rows)]


class ModelEndpoint(ModelDirective):
    """What Planhat's endpoint of a model can do, as far as it is documented."""

    def run(self) -> list[nodes.Node]:
        rows = [(name, value) for name, value in self.facts(self.chosen._meta) if value]
        return [table_of(("What", "Value"), (30, 70), rows)]

    def facts(self, meta: Options) -> Iterable[tuple[str, Cell]]:
        default, most = meta.page_size
        named = {key: field.name for key, field in meta.by_key.items()}
        yield "Path", code(f"/{meta.path}")
        if meta.constant:
            yield "Only rows with", code(", ".join(f"{key}={value}" for key, value in meta.constant.items()))
        yield "One record by", code(", ".join(f"/{meta.path}/{PREFIXES[key]}" for key in meta.keyables))
        yield "Unique in a tenant", ", ".join(named[key] for key in ("_id", *meta.unique))
        yield "Rows in a page", f"{default:,} when none is asked for, at most {most:,}"
        filters = [f"{named[key]} ({name}=)" for name, key in meta.exact_params.items()]
        yield "Filters of the list", ", ".join(filters) or "none"
        yield "of these, lists of values", ", ".join(named[meta.exact_params[name]] for name in meta.many_params)
        yield "Sent as a hint only", ", ".join(f"{name}=" for name in meta.hint_params)
        yield "Sent so that nothing is hidden", ", ".join(f"{name}={value}" for name, value in meta.unhide.items())
        if meta.lean_path:
            yield "Index of all records", code(f"/{meta.lean_path}")
        if meta.lean_list:
            yield "Lists", "hold fewer properties than a single record does, unless they are selected"
        yield "Bulk upsert matches on", ", ".join(named[key] for key in meta.match_keys)
        yield "Source", nodes.reference("", meta.doc_url, refuri=meta.doc_url)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("model-fields", ModelFields)
    app.add_directive("model-managers", ModelManagers)
    app.add_directive("model-endpoint", ModelEndpoint)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
