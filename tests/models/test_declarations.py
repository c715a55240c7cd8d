"""Every property that Planhat's pages, samples and clients show is declared, and every endpoint as they say.

What is to be declared stands in ``declared/<object>.txt``, one file for each object, written from the pages of the API
(https://www.planhat.com/developers/api/company and so on), not from the models. Above the line ``--`` is the endpoint,
in Planhat's names::

    path: endusers                        page_size: 100 2000          keys: id external_id source_id
    match: _id sourceId externalId email  unique: sourceId             unique_within: externalId=companyId
    params: companyId=companyId,many type=type,hint search=            not_offered: bulk_upsert
    required: companyId email|externalId  unhide: archived=true|false  constant: type=note
    get_only: description                 takes_keys: companyId        write_keys: subject=title
    aliases: nps=score                    records: conversations       more: duplicate
    takes: limit offset sort select       always_sent: companyId       choices status: open | in progress
    updated: updatedAt
    upsert_required: companyIds           create_defaults: isHidden=false   write_only: useSubject

A parameter has the field that it filters by, then how: many, hint, contains, gte, lte, day, day_number, boolean,
values. What a line leaves out is the default. Below are the fields by type. A sign behind a name: ``!`` Planhat keeps
it (read-only), ``*`` wanted by a create. A type that names a model is a link to it, one in brackets a list of links.
"""

from __future__ import annotations

import json
import keyword
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import planhat_orm.models  # noqa: F401 - fills the registry
from planhat_orm.orm import fields
from planhat_orm.orm.custom import CustomData
from planhat_orm.orm.options import registry
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planhat_orm.orm.model import Model
    from planhat_orm.orm.params import Param

FILES = Path(__file__).parent / "declared"
MODELS = sorted(
    (
        model
        for model in registry.values()
        if model.__module__.startswith(("planhat_orm.models.", "planhat_orm.analytics."))
    ),
    key=lambda model: model.__name__,
)
BY_NAME = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
CLASSES: dict[str, type[Any]] = {
    "id": fields.Id,
    "text": fields.Text,
    "choice": fields.Choice,
    "texts": fields.TextList,
    "ids": fields.IdList,
    "integer": fields.Integer,
    "number": fields.Number,
    "boolean": fields.Boolean,
    "day": fields.Date,
    "daynumber": fields.DayNumber,
    "time": fields.DateTime,
    "list": fields.List,
    "map": fields.Map,
    "json": fields.Json,
    "custom": CustomData,
}
#: What a file says of an endpoint that has nothing particular.
DEFAULTS = {
    "path": "",
    "page_size": "100 2000",
    "keys": "id",
    "match": "",
    "unique": "",
    "unique_within": "",
    "params": "",
    "not_offered": "",
    "required": "",
    "upsert_required": "",
    "create_defaults": "",
    "unhide": "",
    "constant": "",
    "get_only": "",
    "write_only": "",
    "takes_keys": "",
    "write_keys": "",
    "aliases": "",
    "records": "",
    "more": "",
    "takes": "limit offset sort select",
    "always_sent": "",
    "updated": "",
}
QUOTE = '"'
#: Lines whose order means something; of the others it does not.
ORDERED = ("path", "page_size", "keys", "match", "records")


def file_of(model: type[Model]) -> Path:
    """Return the file that says what is to be declared: time_entry.txt for TimeEntry."""
    return FILES / f"{re.sub('(?<=[a-z])(?=[A-Z])', '_', model.__name__).lower()}.txt"


def parts_of(model: type[Model]) -> tuple[list[str], list[str]]:
    """Return the lines on the endpoint and those on the fields."""
    head, _, rest = file_of(model).read_text(encoding="utf-8").partition("\n--\n")
    above, below = ([line.strip() for line in text.splitlines() if line.strip()] for text in (head, rest))
    return above, below


def fields_said(model: type[Model]) -> dict[str, tuple[Any, ...]]:
    """Read the fields of a file: Planhat's name to (kind, read-only, required)."""
    found: dict[str, tuple[Any, ...]] = {}
    for line in parts_of(model)[1]:
        kind, _, names = line.partition(":")
        for name in names.split():
            key = name.rstrip("!*")
            assert key not in found, f"{key} is listed twice"
            found[key] = (kind, name.endswith("!"), name.endswith("*"))
    return found


def fields_declared(model: type[Model]) -> dict[str, tuple[Any, ...]]:
    """Return the same of what the model declares."""
    kinds = {cls: kind for kind, cls in CLASSES.items()}
    found: dict[str, tuple[Any, ...]] = {}
    for field in model._meta.fields:
        if isinstance(field, ForeignKey):
            kind = field.to
        elif isinstance(field, ReferenceList):
            kind = f"[{field.to}]"
        else:
            kind = next(kinds[cls] for cls in type(field).__mro__ if cls in kinds)
        found[field.data_key] = (kind, field.read_only, field.required)
    return found


def endpoint_said(model: type[Model]) -> dict[str, str | set[str]]:
    """Read what a file says of the endpoint, choices left out."""
    said = dict(DEFAULTS)
    for line in parts_of(model)[0]:
        name, _, text = line.partition(":")
        if not name.startswith("choices "):
            assert name in DEFAULTS, f"{file_of(model).name} has a line {name!r}"
            said[name] = text
    return {name: " ".join(text.split()) if name in ORDERED else {*text.split()} for name, text in said.items()}


def endpoint_declared(model: type[Model]) -> dict[str, str | set[str]]:
    """Return the same of what the model declares."""
    meta = model._meta
    return {
        "path": meta.path,
        "page_size": " ".join(str(size) for size in meta.page_size),
        "keys": " ".join(meta.keyables),
        "match": " ".join(meta.match_keys),
        "unique": {*meta.unique},
        "unique_within": pairs(meta.unique_within),
        "params": {f"{name}={param_text(param)}" for name, param in meta.list_params.items()},
        "not_offered": {*meta.not_offered},
        "required": {needed if isinstance(needed, str) else "|".join(needed) for needed in meta.create_required},
        "upsert_required": {one if isinstance(one, str) else "|".join(one) for one in meta.upsert_required},
        "create_defaults": {f"{name}={json.dumps(value).strip(QUOTE)}" for name, value in meta.create_defaults.items()},
        "unhide": pairs(meta.unhide),
        "constant": pairs(meta.constant),
        "get_only": {field.data_key for field in meta.fields if field.get_only},
        "write_only": {field.data_key for field in meta.fields if field.write_only},
        "takes_keys": {field.data_key for field in meta.fields if getattr(field, "takes_keys", False)},
        "write_keys": {f"{one.data_key}={one.write_key}" for one in meta.fields if one.write_key != one.data_key},
        "aliases": pairs(meta.aliases),
        "records": meta.same_records_as,
        "more": {*meta.more_operations},
        "takes": {*meta.list_takes},
        "always_sent": {*meta.always_sent},
        "updated": {meta.updated_field} - {""},
    }


def pairs(mapping: Mapping[str, Any]) -> set[str]:
    """Return ``name=value`` for each item; several values are separated by a stroke."""
    return {f"{name}={value if isinstance(value, str) else '|'.join(value)}" for name, value in mapping.items()}


def param_text(param: Param) -> str:
    """Return what a file says of a parameter."""
    how: Iterable[str] = (
        "many" * param.many,
        "hint" * param.hint,
        param.lookup.replace("exact", ""),
        param.form.replace("text", ""),
        "values" * bool(param.values),
    )
    return ",".join((param.data_key, *filter(None, how)))


def choices_said(model: type[Model]) -> dict[str, tuple[str, ...]]:
    """Read the choices of a file: Planhat's name to the values."""
    lines = [line.removeprefix("choices ") for line in parts_of(model)[0] if line.startswith("choices ")]
    split = (line.partition(":") for line in lines)
    return {name: tuple(value.strip() for value in values.split("|")) for name, _, values in split}


def test_every_object_has_its_file_and_every_file_its_object() -> None:
    assert {file_of(model).name for model in MODELS} == {path.name for path in FILES.glob("*.txt")}


@BY_NAME
def test_every_known_property_is_declared_with_its_type_and_marks(model: type[Model]) -> None:
    assert fields_declared(model) == fields_said(model)


@BY_NAME
def test_the_endpoint_is_that_of_the_pages(model: type[Model]) -> None:
    said, declared = endpoint_said(model), endpoint_declared(model)
    # Where Planhat offers no bulk upsert, there is nothing to match on.
    if "bulk_upsert" in model._meta.not_offered:
        declared["match"] = ""
    assert declared == said


@BY_NAME
def test_choices_are_those_of_the_pages(model: type[Model]) -> None:
    assert {field.data_key: field.choices for field in model._meta.fields if field.choices} == choices_said(model)


@BY_NAME
def test_what_is_declared_says_who_says_so(model: type[Model]) -> None:
    meta = model._meta
    assert {"fields", "operations", "keys", "limits"} <= meta.evidence.keys()
    assert not meta.create_required or "required" in meta.evidence
    assert not meta.list_params or "filters" in meta.evidence
    assert all(evidence.sources for evidence in meta.evidence.values())
    assert all(quirk.text.endswith(".") for quirk in meta.quirks)
    assert meta.doc_url.startswith("https://www.planhat.com/developers/api/")
    assert meta.doc_url in (model.__doc__ or "")


@BY_NAME
def test_python_names_are_snake_case_and_each_stands_for_one_thing(model: type[Model]) -> None:
    names = [field.name for field in (*model._meta.fields, *model._meta.virtual)]
    names += [name for name, value in vars(model).items() if isinstance(value, Related)]
    assert len(names) == len(set(names))
    for name in names:
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name), name
        assert not keyword.iskeyword(name), name


@BY_NAME
def test_every_foreign_key_has_its_id_beside_it(model: type[Model]) -> None:
    keys = [field for field in model._meta.fields if isinstance(field, ForeignKey)]
    for key in keys:
        beside = model._meta.by_name[f"{key.name}_id"]
        assert isinstance(beside, fields.IdOf)
        assert beside.key is key
        assert beside.data_key == key.data_key
    assert len(keys) == len(model._meta.virtual)


@BY_NAME
def test_every_link_leads_to_an_object(model: type[Model]) -> None:
    links: list[Any] = [field for field in model._meta.fields if isinstance(field, (ForeignKey, ReferenceList))]
    links += [value for value in vars(model).values() if isinstance(value, Related)]
    assert {link.to for link in links} <= registry.keys()


@BY_NAME
def test_what_meta_names_is_declared(model: type[Model]) -> None:
    meta = model._meta
    named = {*meta.match_keys, *meta.unique, *meta.unique_within, *meta.unique_within.values(), *meta.constant}
    named |= {param.data_key for param in meta.list_params.values()} | {*meta.aliases.values()}
    named |= {*meta.list_fields, *meta.lean_fields, *meta.lean_params.values(), *meta.always_sent}
    for needed in meta.create_required:
        named |= {needed} if isinstance(needed, str) else {*needed}
    named |= {meta.updated_field}
    assert named - {""} <= meta.keys
    assert not meta.aliases.keys() & meta.keys
    assert meta.page_size[0] <= meta.page_size[1]
    # What cannot be updated has no keys that lists or references could give.
    assert all(kind in meta.by_name for kind in meta.keyables)
