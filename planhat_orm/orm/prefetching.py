"""Loading what rows lead to before it is asked for: ``prefetch_related`` and ``select_related``.

Each step of a path takes the fewest requests for all objects that it starts from; which way is the planner's to weigh,
since everything is read by querysets of the target. Imports following, relations and the path grammar. It does not
promise one moment: what is loaded with the rows was read after them, or, page by page, with an earlier page of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planhat_orm.errors import InvalidQuery, UnknownField, suggestion
from planhat_orm.orm import held, sizes
from planhat_orm.orm.fields import IdOf
from planhat_orm.orm.following import load_all, read
from planhat_orm.orm.paths import keys_of, partition
from planhat_orm.orm.planner import WORTH_ASKING, longest_page, pages_of
from planhat_orm.orm.relations import ForeignKey, ReferenceList, Related, target_of
from planhat_orm.orm.state import Reading
from planhat_orm.wire.endpoints import id_chunks, path_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from planhat_orm.orm.model import Model
    from planhat_orm.orm.params import Param
    from planhat_orm.orm.query import Query
    from planhat_orm.session.session import Session

Link = ForeignKey[Any] | ReferenceList[Any] | Related[Any]


# What is asked for


def checked(model: type[Model], method: str, names: Iterable[Any], *, to_one: bool) -> tuple[str, ...]:
    """Return paths over links as they are kept, with dots.

    :raises UnknownField: with a suggestion, for a name that is none.
    :raises InvalidQuery: for what is no link, or leads to several records where one is wanted.
    """
    return tuple(".".join(link.name for link in steps(model, method, name, to_one=to_one)) for name in names)


def steps(model: type[Model], method: str, path: Any, *, to_one: bool = False) -> list[Link]:
    """Return the links that a path goes over."""
    if not isinstance(path, str) or not path:
        raise InvalidQuery(f"{method}() takes names of links, not {path!r}")
    found: list[Link] = []
    rest = path
    while rest:
        head, _, rest = partition(rest)
        link = link_named(model, method, head, ".".join(one.name for one in found))
        if to_one and not isinstance(link, ForeignKey):
            raise InvalidQuery(
                f"{method}({path!r}): {model.__name__}.{head} leads to several records; "
                f"write prefetch_related({path!r})"
            )
        found.append(link)
        model = target_of(link)
    return found


def link_named(model: type[Model], method: str, name: str, before: str = "") -> Link:
    """Return the link of a name.

    :param before: the path that leads to it.
    """
    meta = model._meta
    found = getattr(model, name, None) if name in links_of(model) else meta.by_name.get(name)
    if isinstance(found, (ForeignKey, ReferenceList, Related)):
        return found
    if isinstance(found, IdOf):
        raise InvalidQuery(f"{method}(): {meta.name}.{name} is an id; the link is {found.key.name!r}")
    if found is not None and before:
        raise InvalidQuery(
            f"{method}(): {meta.name}.{name} is no link to other records, but comes with its record; "
            f"write {method}({before!r})"
        )
    if found is not None:
        raise InvalidQuery(
            f"{method}(): {meta.name}.{name} is no link to other records{suggestion(name, links_of(model))}; "
            f"there are {', '.join(links_of(model))}"
        )
    raise UnknownField(meta.unknown(name, attribute=True))


def links_of(model: type[Model]) -> list[str]:
    """Return the names of all links, lists of links and reverse managers of a model.

    >>> from planhat_orm.models import License
    >>> links_of(License)
    ['company', 'parent', 'parts']
    """
    fields = [field.name for field in model._meta.fields if isinstance(field, (ForeignKey, ReferenceList))]
    held_by = {name: one for base in reversed(model.__mro__) for name, one in vars(base).items()}
    return fields + [name for name, one in held_by.items() if isinstance(one, Related)]


def followed(model: type[Model], paths: Iterable[str]) -> list[tuple[type[Model], str, bool]]:
    """Return the links that some paths go over and that rows hold: whose they are, by Planhat's names.

    The last says whether there are no more of those records than there are rows.

    >>> from planhat_orm.models import Company
    >>> [(whose.__name__, key, one) for whose, key, one in followed(Company, ["owner", "endusers.company"])]
    [('Company', 'owner', True), ('Enduser', 'companyId', False)]
    """
    found: dict[tuple[type[Model], str], bool] = {}
    for path in paths:
        whose, one = model, True
        for link in steps(model, "prefetch_related", path):
            if not isinstance(link, Related) and not link.get_only:
                found[whose, link.data_key] = found.get((whose, link.data_key), True) and one
            whose, one = target_of(link), one and isinstance(link, ForeignKey)
    return [(whose, key, one) for (whose, key), one in found.items()]


def is_to_one(model: type[Model], path: str) -> bool:
    """Tell whether a path goes over links to one record alone."""
    return all(isinstance(link, ForeignKey) for link in steps(model, "select_related", path))


# Loading


def whole(session: Session, query: Query, batches: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """Yield objects with what the query wants loaded with them: all of them first, so that the whole has one price."""
    if not query.prefetch:
        yield from batches
        return
    objects = [obj for batch in batches for obj in batch]
    load(session, query, objects)
    yield objects


def by_page(session: Session, query: Query, batches: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """Yield objects as they come, with what the query wants loaded with each page of them."""
    reading = Reading(more=True)
    for batch in batches:
        load(session, query, batch, reading)
        yield batch
        del batch


def load(session: Session, query: Query, objects: Sequence[Any], reading: Reading | None = None) -> None:
    """Load what a query wants loaded with its rows.

    :param reading: keeps what is read whole for one page, for the next one.
    """
    follow(session, query.model, objects, tree(query.prefetch), reading)


def tree(paths: Iterable[str]) -> dict[str, Any]:
    """Return paths as a tree, so that what several begin with is loaded once.

    >>> tree(["company", "company.owner", "company.licenses"])
    {'company': {'owner': {}, 'licenses': {}}}
    """
    root: dict[str, Any] = {}
    for path in paths:
        place = root
        for name in path.split("."):
            place = place.setdefault(name, {})
    return root


def follow(
    session: Session,
    model: type[Model],
    objects: Sequence[Any],
    paths: dict[str, Any],
    reading: Reading | None = None,
    back: Any = None,
) -> None:
    """Load what some objects of a model lead to.

    :param back: the link by which these objects were found from those that it leads to; nothing has to be loaded.
    """
    for name, beyond in paths.items() if objects else ():
        link = link_named(model, "prefetch_related", name)
        if isinstance(link, Related):
            found = load_reverse(session, link, objects, reading)
        else:
            found = load_linked(
                session, link, objects, reading, needed=keys_of(target_of(link)._meta, beyond), keep=link is not back
            )
        origin = link.key(model) if isinstance(link, Related) else None
        follow(session, target_of(link), found, beyond, reading, origin)


def load_linked(
    session: Session,
    link: ForeignKey[Any] | ReferenceList[Any],
    objects: Sequence[Any],
    reading: Reading | None,
    *,
    needed: set[str],
    keep: bool,
) -> list[Any]:
    """Load the records of a link or a list of links, and let the objects hold them; return those that there are.

    :param needed: what has to be known of them, by Planhat's names; a live one that lacks it is read again.
    """
    target = target_of(link)
    for obj in objects:
        if not obj._knows(link.data_key) and obj._origin is not None and obj._origin.on_missing == "peers":
            obj._stored(link)  # the link itself is loaded, for all rows of its page
    knowing = [obj for obj in objects if obj._knows(link.data_key)]
    wanted = dict.fromkeys(key for obj in knowing for key in held.ids_in(obj, link))
    found: dict[str, Model | None] = {key: session.identity_map.find(target, key) for key in wanted}
    lacking = [key for key, one in found.items() if one is None or not all(map(one._knows, needed))]
    found |= load_all(session, target, lacking, reading)
    if keep:
        # One mapping for all of them: what others point to costs an object nothing.
        for obj in knowing:
            held.hold(obj, link.name, found)
    return [one for one in found.values() if one is not None]


def load_reverse(session: Session, link: Related[Any], parents: Sequence[Any], reading: Reading | None) -> list[Any]:
    """Load the records of the reverse managers of some objects, and let these hold them; return all of them."""
    target, key = target_of(link), link.key(type(parents[0]))
    by_parent: dict[str, list[Any]] = {obj._raw["_id"]: [] for obj in parents}
    writes = held.written(session, target._meta.records)
    kept = reading.tables.get((target, key.name)) if reading is not None else None
    if kept is not None:
        came: Iterable[Any] = kept
    elif is_cheaper_for_each(session, key, target, len(by_parent)):
        came = (one for parent in by_parent for one in target.objects.using(session).filter(**{key.name: parent}))
    else:
        came = read(session, target, (key.name, list(by_parent)), reading) or []
    # A record came with each parent that it belongs to, or, moved meanwhile, with the one before as well.
    came = {id(one): one for one in came}.values()
    records = [one for one in came if not by_parent.keys().isdisjoint(held.ids_in(one, key))]
    if key.mutable:
        # Of what belongs to several parents some came with the first of them.
        records.sort(key=lambda one: str(one._raw["_id"]))
    for record in records:
        for parent in dict.fromkeys(held.ids_in(record, key)):
            if parent in by_parent:
                by_parent[parent].append(record)
    for obj in parents:
        found = tuple(by_parent[obj._raw["_id"]])
        held.hold(obj, link.name, held.Records(key, found, target._meta.records, writes))
    return records


def is_cheaper_for_each(session: Session, key: Link, target: type[Model], count: int) -> bool:
    """Tell whether a request for each of some objects costs less than all pages of the list, which one request tells.

    That is for lists that can be narrowed by one object, and by no more than one.
    """
    param = narrowed_by(key, target)
    if param is None or param.many or count < 2:
        return False
    pages, meta = pages_known(session, target), target._meta
    if pages is not None or count < WORTH_ASKING:
        return pages is None or count < pages
    rows = count // 2 * (meta.page_size[1] - 1)
    known = size_of(session, target)
    if known is None or known.rows <= rows:
        if not list(target.objects.using(session).only("id")[rows : rows + 1]):
            return False
        sizes.note(session, path_for(meta.path), fixed_of(target), rows + 1, exact=False)
    return True


def narrowed_by(key: Link, target: type[Model]) -> Param | None:
    """Return the documented parameter by which a list is narrowed to what a link leads to."""
    params = target._meta.list_params.values()
    return next((one for one in params if one.data_key == getattr(key, "data_key", "") and not one.hint), None)


# The price


@dataclass(frozen=True, slots=True)
class Price:
    """What loading one step of a path costs.

    :param path: the links from the rows on, with dots.
    :param said: the price in words, with its formula.
    :param least: the fewest requests: nothing points there, or all of it is here.
    :param most: the most requests, None where that depends on lists of which nothing is known.

    >>> from planhat_orm.models import Company
    >>> print(prices(None, Company, ["owner"])[0].said)
    every User is read once in a session, 1 + rows / 9,999 requests
    """

    path: str
    said: str
    least: int
    most: int | None


def prices(session: Session | None, model: type[Model], paths: Iterable[str], rows: int | None = None) -> list[Price]:
    """Return what loading some paths with rows of a model costs, step by step; sends nothing.

    :param session: what it knows of sizes is made use of.
    :param rows: of how many rows; None where nobody knows.
    """
    found: dict[str, Price] = {}

    def walk(model: type[Model], branches: dict[str, Any], before: str, rows: int | None) -> None:
        for name, beyond in branches.items():
            link = link_named(model, "prefetch_related", name)
            path = f"{before}{name}"
            found[path] = price_of(session, link, model, path, rows)
            walk(target_of(link), beyond, f"{path}.", rows if isinstance(link, ForeignKey) else None)

    walk(model, tree(paths), "", rows)
    return list(found.values())


def price_of(session: Session | None, link: Link, model: type[Model], path: str, rows: int | None) -> Price:
    """Return what one step costs."""
    meta = target_of(link)._meta
    pages = pages_known(session, meta.model)
    by_pages = f"{len(passes(meta.model))} + rows / {meta.page_size[1] - 1:,}"
    if not isinstance(link, Related) and link.get_only:
        each = f"{model._meta.name} by its id, 1 request for each row, for no list holds {link.name}"
        return Price(path, f"{each}; then {meta.name} objects", 0, None)
    if meta.small_table and not isinstance(link, Related):
        return Price(path, f"every {meta.name} is read once in a session, {by_pages} requests", 0, pages)
    if isinstance(link, Related):
        key = link.key(model)
        said = f"all {meta.name} objects, by pages, {by_pages} requests: no list of them is narrowed by {key.name}"
        param = narrowed_by(key, meta.model)
        if param is None or meta.small_table:
            return Price(path, said, 1, pages)
        size = ids_in_url(session, meta.model, "companyId") if param.many else 1
        ids = f"about {size} ids of {model._meta.name}" if param.many else f"each {model._meta.name}"
        more = "and 1 for each further full page"
        said = f"{meta.name} by {key.name}, 1 request for {ids} {more}; {by_pages} where that is less"
        # Of one list of ids, or of one object, there may be as many pages as there are of all.
        known = pages is not None and rows is not None
        return Price(path, said, 1, (pages or 0) + -(-(rows or 0) // size) + 1 if known else None)
    lists = None if rows is None or isinstance(link, ReferenceList) else rows
    if meta.ids_param is not None:
        size = ids_in_url(session, meta.model, meta.ids_param)
        said = f"{meta.name} by lists of ids, 1 request for about {size}; {by_pages} where that is less"
        # A list of which some ids are gone may take one more, and one request may tell whether pages cost less.
        return Price(path, said, 0, None if lists is None else 2 * -(-lists // size) + 1)
    said = f"{meta.name} one by one, or by pages where that is less, {by_pages} requests"
    return Price(path, said, 0, None if lists is None else lists + 1)


def ids_in_url(session: Session | None, model: type[Model], name: str) -> int:
    """Return how many ids a URL has room for, beside what every page is asked for."""
    sent = longest_page(fixed_of(model), model._meta.default_select)
    base_url = session.base_url if session is not None else "https://api.planhat.com"
    return len(id_chunks(base_url, path_for(model._meta.path), sent, name, ["0" * 24] * 100)[0])


def passes(model: type[Model]) -> Sequence[Any]:
    """Return the values of the parameter that takes a list for each; one where one list shows all."""
    return next((value for value in model._meta.unhide.values() if not isinstance(value, str)), ("",))


def pages_known(session: Session | None, model: type[Model]) -> int | None:
    """Return how many requests all pages of a list take, as far as its size is known; None where it is not."""
    size = size_of(session, model) if session is not None else None
    return pages_of(model._meta, size.rows) if size is not None and size.exact else None


def size_of(session: Session, model: type[Model]) -> sizes.Size | None:
    """Return what is known of the size of a whole list; None where there are several lists."""
    return sizes.known(session, path_for(model._meta.path), fixed_of(model)) if len(passes(model)) == 1 else None


def fixed_of(model: type[Model]) -> dict[str, str]:
    """Return what a whole list is asked for, so that it hides nothing."""
    return {name: value for name, value in model._meta.unhide.items() if isinstance(value, str)}
