"""Reference tables made of the models at build time: what a model declares is written down once.

One directive for each part of an object's page: ``model-endpoint``, ``model-operations``, ``model-filters``,
``model-fields``, ``model-managers``, ``model-quirks``, ``model-sources``; and ``all-operations``, ``all-limits`` and
``all-updates`` for all objects. Imports Sphinx, docutils and the models; reads ``Model._meta`` only.
"""

from __future__ import annotations

from itertools import chain
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import planhat_orm.analytics
import planhat_orm.models
from planhat_orm.analytics import activity, metric
from planhat_orm.orm.evidence import inferred
from planhat_orm.orm.fields import IdOf
from planhat_orm.orm.options import OPERATIONS, registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related
from planhat_orm.wire.endpoints import PREFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sphinx.application import Sphinx

    from planhat_orm.analytics.inputs import Form
    from planhat_orm.orm.evidence import Evidence, Source
    from planhat_orm.orm.fields import Field
    from planhat_orm.orm.model import Model
    from planhat_orm.orm.options import Options
    from planhat_orm.orm.params import Param

Cell: TypeAlias = nodes.Node | str

#: The request of each operation; {} stands for the collection.
REQUESTS = {
    "create": "POST /{}",
    "get": "GET /{}/{{key}}",
    "list": "GET /{}",
    "update": "PUT /{}/{{id}}",
    "delete": "DELETE /{}/{{id}}",
    "bulk_upsert": "PUT /{} with an array",
}
#: How each operation is written here.
CALLS = {
    "create": "{}.objects.create(...)",
    "get": "{}.objects.get(...)",
    "list": "{}.objects.filter(...)",
    "update": ".save()",
    "delete": ".delete()",
    "bulk_upsert": "{}.objects.bulk_upsert([...])",
}


def public_models() -> list[type[Model]]:
    """Return the models of this package by name."""
    ours = (planhat_orm.models.__name__ + ".", planhat_orm.analytics.__name__ + ".")
    return sorted(
        (model for model in registry.values() if model.__module__.startswith(ours)), key=lambda one: one.__name__
    )


def page_of(model: type[Model]) -> str:
    """Return the name of a model's page: that of its module and, where it shares one, of the class."""
    return model.__name__.lower()


def code(text: str) -> nodes.literal:
    return nodes.literal(text, text)


def link_to(model: type[Model], folder: str = "") -> nodes.Node:
    """Lead to the page of a model."""
    shown = code(model.__name__)
    return nodes.reference("", "", shown, refuri=f"{folder}{page_of(model)}.html", internal=True)


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


def sources_of(meta: Options) -> list[Source]:
    """Return every source that a model names, in the order in which it does."""
    evidence = chain(
        meta.evidence.values(),
        (field.evidence for field in meta.fields),
        (param.evidence for param in meta.list_params.values()),
        (quirk.evidence for quirk in meta.quirks),
    )
    return list(dict.fromkeys(source for one in evidence if one is not None for source in one.sources))


def said(meta: Options, evidence: Evidence | None) -> nodes.Node:
    """Say how sure something is, with the numbers of its sources."""
    if evidence is None:
        return nodes.Text("not said")
    known = sources_of(meta)
    # Never broken within: a number at the beginning of a line looks like one of the next cell.
    numbers = ",\N{NO-BREAK SPACE}".join(map(str, sorted(known.index(source) + 1 for source in evidence.sources)))
    return nodes.Text(f"{evidence.sure} [{numbers}]" if numbers else evidence.sure)


def required_in(meta: Options) -> dict[str, str]:
    """Say of Planhat's names what a create needs."""
    found: dict[str, str] = {}
    for key in meta.create_required:
        if isinstance(key, str):
            found[key] = "required"
        else:
            names = [meta.by_key[one].name for one in key]
            found |= dict.fromkeys(key, f"required: one of {', '.join(names)}")
    return found


def letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def type_of(field: Field[Any, Any]) -> nodes.Node:
    """Name the type that is read; that of a link leads to the model's page."""
    if field.relation in registry and registry[field.relation] in public_models():
        return nodes.reference("", "", code(field.python_type), refuri=f"{page_of(registry[field.relation])}.html")
    return code(field.python_type)


def wire_name(field: Field[Any, Any], meta: Options) -> nodes.Node:
    """Return Planhat's name of a field, with the others under which it travels."""
    others = [alias for alias, key in meta.aliases.items() if key == field.data_key]
    shown = nodes.inline("", "", code(field.data_key))
    if field.write_key != field.data_key:
        shown += [nodes.Text(", sent as "), code(field.write_key)]
    for other in others:
        shown += [nodes.Text(", also read as "), code(other)]
    return shown


def notes_on(field: Field[Any, Any], ids: dict[Field[Any, Any], str], required: str) -> str:
    """Return what is worth knowing of a field, as one line."""
    notes = [required] if required else ["read-only"] if field.read_only else []
    notes += ["only written: no answer shows it"] if field.write_only else []
    notes += [field.help] if field.help else []
    if isinstance(field, ForeignKey):
        notes.append(f"its id is {ids[field]}" if field in ids else "a link")
    if isinstance(field, ReferenceList):
        notes.append("a list of links, whose .ids need no request")
    if isinstance(field, (ForeignKey, ReferenceList)) and field.takes_keys:
        notes.append(f"takes {field.to}.ref(...)")
    if field.choices:
        notes.append(f"one of {', '.join(field.choices)}")
    if field.label and letters(field.label) != letters(field.name):
        notes.append(f"in Planhat's screens: {field.label}")
    if field.get_only:
        notes.append("in no list: read one record at a time")
    elif field.heavy:
        notes.append("left out of lists until it is read or named in only()")
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

    @property
    def meta(self) -> Options:
        """Its options."""
        return self.chosen._meta


class ModelFields(ModelDirective):
    """The table of a model's fields; how sure one is, is said where it is not as sure as most."""

    HEADINGS: ClassVar[tuple[str, ...]] = ("Name", "Planhat's name", "Type", "Notes", "How sure")

    def run(self) -> list[nodes.Node]:
        meta = self.meta
        required, most = required_in(meta), meta.evidence.get("fields")
        ids = {field.key: field.name for field in meta.virtual if isinstance(field, IdOf)}
        rows = [
            (
                code(field.name),
                wire_name(field, meta),
                type_of(field),
                notes_on(field, ids, required.get(field.data_key, "")),
                said(meta, field.evidence) if field.evidence not in (None, most) else "",
            )
            for field in meta.fields
        ]
        lead = nodes.paragraph(
            "", "", nodes.Text("How sure: "), said(meta, most), nodes.Text(", unless a row says otherwise.")
        )
        return [lead, table_of(self.HEADINGS, (18, 18, 12, 38, 14), rows)]


def managers_of(model: type[Model]) -> list[Related[Any]]:
    """Return the reverse managers of a model."""
    return [value for cls in model.__mro__ for value in vars(cls).values() if isinstance(value, Related)]


class ModelManagers(ModelDirective):
    """The reverse managers of a model; its page has this where there are any."""

    def run(self) -> list[nodes.Node]:
        model = self.chosen
        found = managers_of(model)
        rows = [(code(one.name), link_to(registry[one.to]), code(f"{one.to}.{one.key(model).name}")) for one in found]
        return [table_of(("Manager", "of", "whose link is this record"), (30, 30, 40), rows)]


class ModelEndpoint(ModelDirective):
    """What Planhat's endpoint of a model can do, as far as it is documented."""

    def run(self) -> list[nodes.Node]:
        meta = self.meta
        rows = [
            (name, value, said(meta, evidence_of(meta, aspect)) if aspect else "")
            for name, value, aspect in self.facts(meta)
            if value
        ]
        return [table_of(("What", "Value", "How sure"), (26, 56, 18), rows)]

    def facts(self, meta: Options) -> Iterator[tuple[str, Cell, str]]:
        default, most = meta.page_size
        named = {key: field.name for key, field in meta.by_key.items()}
        keys = [f"/{meta.path}/{PREFIXES.get(kind, '')}{{{kind}}}" for kind in meta.keyables]
        yield "Path", code(f"/{meta.path}"), "operations"
        if meta.constant:
            yield "Only rows with", code(", ".join(f"{key}={value}" for key, value in meta.constant.items())), "fields"
        if meta.same_records_as:
            yield "Its records are those of", code(f"/{meta.same_records_as}"), "fields"
        if "get" in meta.operations:
            yield "One record by", code(", ".join(keys)), "keys"
        yield "Unique in a tenant", ", ".join(named[key] for key in ("_id", *meta.unique)), "keys"
        yield (
            "Unique within another record",
            ", ".join(f"{named[key]} within one {named[inside]}" for key, inside in meta.unique_within.items()),
            "keys",
        )
        yield "Rows in a page", f"{default:,} when none is asked for, at most {most:,}", "limits"
        listing = "filters" if "filters" in meta.evidence else "limits"
        yield "Lists take", ", ".join(meta.list_takes) or "nothing", listing
        yield "Sent so that nothing is hidden", ", ".join(unhiding(meta)), "hidden"
        if meta.lean_path:
            yield "Index of all records", nodes.inline("", "", code(f"/{meta.lean_path}"), *index_of(meta)), "filters"
        if meta.lean_list:
            yield "Lists", "hold fewer properties than a single record does, unless they are selected", "fields"
        yield "changed_since()", changed_by(meta), "changed_since"
        if "bulk_upsert" in meta.operations:
            yield "Bulk upsert matches on", ", ".join(named[key] for key in meta.match_keys), "matching"
        if "create" in meta.operations or "bulk_upsert" in meta.operations:
            yield "A create needs", ", ".join(needs(meta, meta.create_required)) or "nothing", "required"
        yield "A create in bulk also needs", ", ".join(needs(meta, meta.upsert_required)), "required"
        yield "Sent with every write", ", ".join(named[key] for key in meta.always_sent), "required"
        yield "Planhat's page", nodes.reference("", meta.doc_url, refuri=meta.doc_url), ""


def evidence_of(meta: Options, aspect: str) -> Evidence | None:
    """Return who says so: of the time of the last change, who has its field; that there is none follows from theirs."""
    if aspect != "changed_since":
        return meta.evidence.get(aspect)
    fields = meta.evidence["fields"]
    return (meta.changed_by().evidence or fields) if meta.updated_field else inferred(*fields.sources)


def changed_by(meta: Options) -> Cell:
    """Say by which field changes are asked for, or what to do where there is none."""
    if not meta.updated_field:
        return f"not offered: {meta.updated_instead}"
    return nodes.inline("", "", nodes.Text("goes by "), code(meta.changed_by().name))


def needs(meta: Options, keys: Iterable[str | tuple[str, ...]]) -> Iterator[str]:
    """Name the fields that are needed."""
    for key in keys:
        if isinstance(key, str):
            yield meta.by_key[key].name
        else:
            yield f"one of {' or '.join(meta.by_key[one].name for one in key)}"


def unhiding(meta: Options) -> Iterator[str]:
    """Say what is sent so that lists hide nothing, and where several lists are read."""
    for name, value in meta.unhide.items():
        if isinstance(value, str):
            yield f"{name}={value}"
        else:
            yield " and ".join(f"{name}={one}" for one in value) + f" ({len(value)} lists)"


def index_of(meta: Options) -> Iterator[nodes.Node]:
    """Say what the index of all records holds, and what it filters by."""
    named = {key: field.name for key, field in meta.by_key.items()}
    yield nodes.Text(f": {', '.join(named[key] for key in meta.lean_fields)} of each, in one answer")
    if meta.lean_params:
        yield nodes.Text(f"; filters by {', '.join(named[key] for key in meta.lean_params.values())}")


class ModelOperations(ModelDirective):
    """The operations of a model: how each is written, what is sent, or what to do instead."""

    def run(self) -> list[nodes.Node]:
        return [table_of(("Operation", "Here", "Request", "How sure"), (16, 34, 32, 18), self.rows(self.meta))]

    def rows(self, meta: Options) -> Iterator[Sequence[Cell]]:
        for name in OPERATIONS:
            evidence = meta.evidence.get(name) or meta.evidence.get("operations")
            shown = name.replace("_", " ")
            if name in meta.not_offered:
                yield shown, f"not offered: {meta.not_offered[name]}", "", said(meta, evidence)
            else:
                call, request = CALLS[name].format(meta.name), REQUESTS[name].format(meta.path)
                yield shown, code(call), code(request), said(meta, evidence)
        for name, request in meta.more_operations.items():
            yield name, code(f".{name}()"), code(request), said(meta, meta.evidence.get("operations"))


class ModelFilters(ModelDirective):
    """The parameters of a model's list, beside those of paging."""

    def run(self) -> list[nodes.Node]:
        meta = self.meta
        if not meta.list_params:
            return [nodes.paragraph("", f"Lists of {meta.name} take no filter; all filters are applied here.")]
        rows = [
            (
                code(name),
                self.written(meta, name, param),
                param.help,
                said(meta, param.evidence or meta.evidence.get("filters")),
            )
            for name, param in meta.list_params.items()
        ]
        return [table_of(("Parameter", "Sent for", "Meaning", "How sure"), (16, 34, 34, 16), rows)]

    def written(self, meta: Options, name: str, param: Param) -> Cell:
        if not param.data_key:
            word = f"{name}_" if iskeyword(name) else name
            return code(f"params({word}=...)")
        field = meta.by_key[param.data_key].name
        lookup = "" if param.lookup in ("exact", "contains") else f"__{param.lookup}"
        shown = f"filter({field}{lookup}=...)" + (f", {field}__in=[...]" if param.many else "")
        return nodes.inline("", "", code(shown), nodes.Text(" (a hint: rows are tested here)" if param.hint else ""))


class ModelQuirks(ModelDirective):
    """What is particular to a model."""

    def run(self) -> list[nodes.Node]:
        meta = self.meta
        if not meta.quirks:
            return [nodes.paragraph("", "None that the tables above do not tell.")]
        items = [
            nodes.list_item(
                "", nodes.paragraph("", "", nodes.Text(f"{quirk.text} ("), said(meta, quirk.evidence), nodes.Text(")"))
            )
            for quirk in meta.quirks
        ]
        return [nodes.bullet_list("", *items)]


class ModelSources(ModelDirective):
    """The sources that the numbers in a page's tables stand for."""

    def run(self) -> list[nodes.Node]:
        items = [nodes.list_item("", nodes.paragraph("", "", *self.shown(source))) for source in sources_of(self.meta)]
        if not items:
            return [nodes.paragraph("", "None are named.")]
        return [nodes.enumerated_list("", *items, enumtype="arabic", prefix="", suffix=".")]

    def shown(self, source: Source) -> Iterator[nodes.Node]:
        yield nodes.reference("", source.title, refuri=source.url) if source.url else nodes.Text(source.title)
        if source.dated:
            yield nodes.Text(f", {source.dated}")


class AllOperations(SphinxDirective):
    """One table of all objects and operations."""

    def run(self) -> list[nodes.Node]:
        headings = ("Object", "Path", *(name.replace("_", " ") for name in OPERATIONS), "get by", "more")
        rows = [tuple(self.row(model)) for model in public_models()]
        return [table_of(headings, (14, 16, 8, 8, 8, 8, 8, 8, 14, 8), rows)]

    def row(self, model: type[Model]) -> Iterator[Cell]:
        meta = model._meta
        yield link_to(model, "generated/")
        yield code(f"/{meta.path}")
        for name in OPERATIONS:
            yield "yes" if name in meta.operations else nodes.strong("", "no")
        yield ", ".join(meta.keyables) if "get" in meta.operations else "no"
        yield ", ".join(meta.more_operations)


class AllUpdates(SphinxDirective):
    """One table of the fields by which changes are asked for, and of what to do where there is none."""

    def run(self) -> list[nodes.Node]:
        rows = [
            (link_to(model, "reference/generated/"), changed_by(model._meta), self.sure(model._meta))
            for model in sorted(public_models(), key=lambda one: not one._meta.updated_field)
        ]
        return [table_of(("Object", "changed_since()", "How sure"), (14, 70, 16), rows)]

    def sure(self, meta: Options) -> str:
        evidence = evidence_of(meta, "changed_since")
        return evidence.sure if evidence else "not said"


class AllLimits(SphinxDirective):
    """One table of the page sizes, with the objects of equal ones in one row."""

    def run(self) -> list[nodes.Node]:
        groups: dict[tuple[int, int], list[type[Model]]] = {}
        for model in public_models():
            groups.setdefault(model._meta.page_size, []).append(model)
        rows = [
            (f"{most:,}", f"{default:,}", self.links(models), self.sure(models))
            for (default, most), models in sorted(groups.items(), key=lambda one: -len(one[1]))
        ]
        return [table_of(("At most", "Without limit", "Objects", "How sure"), (10, 12, 62, 16), rows)]

    def links(self, models: Iterable[type[Model]]) -> nodes.Node:
        shown = nodes.inline()
        for number, model in enumerate(models):
            shown += [nodes.Text(", ")] * bool(number) + [link_to(model, "reference/generated/")]
        return shown

    def sure(self, models: Iterable[type[Model]]) -> str:
        """Say how sure the numbers are, naming the objects of which they are less sure than of the others."""
        by_sure: dict[str, list[str]] = {}
        for model in models:
            evidence = model._meta.evidence.get("limits")
            by_sure.setdefault(evidence.sure if evidence else "not said", []).append(model.__name__)
        most = max(by_sure, key=lambda sure: len(by_sure[sure]))
        others = [f"{', '.join(names)}: {sure}" for sure, names in by_sure.items() if sure != most]
        return "; ".join([most, *others])


class Inputs(SphinxDirective):
    """What an event of an analytics class may hold, from the table that the class checks it by."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        form: Form = {"Activity": activity.BULK_FORM, "Metric": metric.FORM}[self.arguments[0]]
        rows = [
            (
                code(one.name),
                code(", ".join(dict.fromkeys((one.data_key, *one.bulk_keys)))),
                code(one.python_type),
                "; ".join([*(["required"] if one.required else []), *([one.help] if one.help else [])]),
                self.said(one.evidence),
            )
            for one in form.inputs
        ]
        return [table_of(("Name", "Planhat's name", "Type", "Notes", "How sure"), (18, 18, 14, 30, 20), rows)]

    def said(self, evidence: Evidence | None) -> str:
        if evidence is None:
            return "not said"
        return f"{evidence.sure}: {'; '.join(source.title for source in evidence.sources)}"


DIRECTIVES: dict[str, type[SphinxDirective]] = {
    "model-endpoint": ModelEndpoint,
    "model-operations": ModelOperations,
    "model-filters": ModelFilters,
    "model-fields": ModelFields,
    "model-managers": ModelManagers,
    "model-quirks": ModelQuirks,
    "model-sources": ModelSources,
    "analytics-inputs": Inputs,
    "all-operations": AllOperations,
    "all-limits": AllLimits,
    "all-updates": AllUpdates,
}


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
