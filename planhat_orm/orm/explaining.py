"""The words of ``explain()``: how a plan finds its rows, what that costs as a formula, which rows are left out.

Works on a Plan and sends nothing. It does not promise a number that nobody can know: what depends on how many rows
there are is given as a formula.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planhat_orm.orm.newest import reads_newest
from planhat_orm.paging.scan import looks_capped
from planhat_orm.session.identity_map import KEPT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planhat_orm.orm.lookups import CompiledCondition
    from planhat_orm.orm.planner import Plan

#: How many ids a URL of 2,000 characters has room for, roughly.
IDS_IN_URL = 70

#: How notes name an order that is made here.
IN_ORDER = "ordered here"


def requests_of(plan: Plan) -> int | None:
    """Return how many requests a plan will cost, None where nobody can know."""
    if plan.strategy == "nothing":
        return 0
    if plan.strategy in ("index", "table") or plan.asks:
        return None
    if plan.strategy == "key":
        return 1
    stop = plan.query.stop
    if plan.strategy == "keys":
        return len(plan.paths) if stop is None and not plan.query.start else None
    default, maximum = plan.meta.page_size
    if len(plan.passes) > 1:
        return None
    if plan.id_key == "_id" and plan.window_is_sent and plan.query.start >= sum(map(len, plan.id_lists)):
        return 0  # each id is one row at most
    if plan.id_key == "_id" and not plan.server_order and all(len(ids) <= maximum for ids in plan.id_lists):
        sure = not any(may_be_capped(len(ids), default) for ids in plan.id_lists)
        return len(plan.id_lists) if sure and (stop is None or len(plan.id_lists) == 1) else None
    if plan.window_is_sent and stop is not None:
        window = stop - plan.query.start
        return 1 if window <= maximum and not may_be_capped(window, default) else None
    return None


def may_be_capped(window: int, default: int) -> bool:
    """Tell whether a page shorter than ``window`` may look as if it were cut, and cost one more request."""
    return any(looks_capped(length, default) for length in range(2, min(window, 65)))


def condition_names(tests: Iterable[CompiledCondition]) -> list[str]:
    """Name conditions."""
    return [f"{test.target.name} {test.lookup}" for test in tests]


def doubts(plan: Plan) -> list[str]:
    """Say what has to be found out where no row holds what is compared."""
    compared = {*plan.predicate.keys, *(key.target.data_key for key in plan.order)}
    known = {"_id", *plan.meta.list_fields}
    doubtful = [plan.meta.by_key[key].name for key in plan.select if key in compared - known]
    if not doubtful:
        return []
    return [f"where no row holds {' or '.join(doubtful)}, up to three requests tell why, once in a session"]


def unlisted(plan: Plan) -> list[str]:
    """Say which of the fields that were named are in no list."""
    meta, wanted = plan.meta, plan.query.only or ()
    names = [field.name for field in meta.fields if field.get_only and field.data_key in wanted]
    return [f"no list holds {' or '.join(names)}: reading it costs one request for each record"] if names else []


def order_notes(plan: Plan) -> list[str]:
    """Say what is worth knowing of the order; of the newest rows nothing else is read that could be ordered."""
    if not reads_newest(plan):
        return list(plan.notes)
    return [
        note.replace(f"all of it is read by id and {IN_ORDER}", f"what is so new is {IN_ORDER}") for note in plan.notes
    ]


def hidden_rows(plan: Plan) -> list[str]:
    """Say in lines what becomes of the rows that lists hide."""
    unhide, given = plan.meta.unhide, dict(plan.query.params)
    several = [name for name in plan.passes[0] if len(plan.passes) > 1]
    asked = [name for name, value in unhide.items() if plan.params.get(name) == value and name not in given]
    chosen = [name for name in unhide if name not in (*several, *asked) and name in plan.params]
    left = [name for name in unhide if name not in (*several, *asked, *chosen)]
    lists = " and ".join(", ".join(f"{name}={value}" for name, value in one.items()) for one in plan.passes)
    said = "as params() and the filter want"
    lines = [f"no one list holds all rows: {len(plan.passes)} are read, with {lists}"] if several else []
    lines += [f"rows that lists hide are asked for: {', '.join(asked)}"] if asked else []
    lines += (
        [f"of the rows that lists hide, {said}: {', '.join(f'{n}={plan.params[n]}' for n in chosen)}"] if chosen else []
    )
    return lines + ([f"rows that lists hide are left out, as the filter wants: {', '.join(left)}"] if left else [])


def way(plan: Plan) -> str:
    """Say how the rows are found."""
    if plan.strategy == "nothing":
        return "nothing is asked: no row can match"
    if plan.strategy == "key":
        return f"by key: GET {plan.path}"
    if plan.strategy == "table" and not plan.fresh:
        return f"from the whole table: GET {plan.path}"
    if plan.strategy == "index":
        held = ", ".join(plan.meta.by_key[key].name for key in plan.meta.lean_fields)
        index = f"by the index: GET /{plan.meta.lean_path}, {held} of every record in one answer"
        return index if plan.covered else f"{index}; then by ids: GET {plan.path}?{plan.meta.ids_param}=..."
    if plan.strategy == "keys":
        return f"one by one: {len(plan.paths)} x GET {plan.path}/{{id}}"
    if plan.strategy == "ids":
        total = sum(map(len, plan.id_lists))
        urls = f"{len(plan.id_lists)} URL{'s' if len(plan.id_lists) > 1 else ''}"
        return f"by ids: GET {plan.path}?{plan.id_param}=..., {total} ids in {urls} under 2,000 characters"
    if reads_newest(plan):
        newest = f"{plan.path}?sort=-{plan.meta.updated_field}"
        return f"newest first: GET {newest}, up to {plan.meta.page_size[1]:,} rows a page, until one is too old"
    return f"by pages: GET {plan.path}, up to {plan.meta.page_size[1]:,} rows a page"


def price(plan: Plan) -> str:
    """Say what a plan costs: exactly, or as a formula."""
    size = plan.meta.page_size[1]
    if plan.strategy == "index":
        return price_by_index(plan)
    if plan.strategy == "table":
        by_pages = f"1 + rows / {size - 1:,}"
        return by_pages if plan.fresh else f"{by_pages}, none for {KEPT_SECONDS:.0f} seconds after it was read"
    if plan.asks and plan.instead is not None:
        way_by_ids = len(plan.paths) or len(plan.lists)
        rows = probed_offset(plan)
        more = "" if plan.strategy == "keys" or plan.id_key == "_id" else " and one for each further full page"
        passes = len(plan.instead.passes)
        here = " in one of the lists" if passes > 1 else " in all"
        return (
            f"{'1' if passes == 1 else f'up to {passes}'} to see whether there are more than {rows:,} rows{here}; "
            f"then {way_by_ids}{more}, or, if not, {passes} + rows / {size - 1:,} by pages"
        )
    if (requests := requests_of(plan)) is not None:
        return str(requests)
    if plan.strategy == "keys":
        return f"up to {len(plan.paths)}"
    if plan.strategy == "ids" and plan.id_key == "_id":
        return f"{len(plan.lists)}, one more for a list of which some ids are gone"
    if plan.strategy == "ids":
        return f"at least {len(plan.lists)}, and one more for every {size - 1:,} rows of a list of ids"
    window = None if plan.query.stop is None else plan.query.stop - plan.query.start
    if plan.window_is_sent and window is not None and window <= size:
        return "1, one more where the list ends at a round number of rows"
    if reads_newest(plan):
        lists = len(plan.passes)
        return (
            f"{lists}, and one more for every {size - 1:,} rows that are so new; where most are, or Planhat does not "
            f"keep to the order, {lists} + rows / {size - 1:,} and up to 2 more"
        )
    stops = ", fewer when enough rows match early" if window is not None and not plan.window_is_sent else ""
    if plan.merged and not plan.filters_here:
        pages = -(-(plan.query.stop or 1) // (size - 1))
        return f"{len(plan.passes) * pages}, one more for each list that ends at a round number of rows"
    return f"{len(plan.passes)} + rows / {size - 1:,}{'' if plan.order and not plan.server_order else stops}"


def way_later(plan: Plan) -> tuple[str, str]:
    """Say how rows are found by ids that are read first, and what that costs: how many there are is not known yet."""
    by_pages = f"{len(plan.passes)} + rows / {plan.meta.page_size[1] - 1:,}"
    if plan.strategy == "key":
        return f"by key: GET {plan.path.rpartition('/')[0]}/...", "1"
    if plan.strategy == "keys":
        return f"one by one: GET {plan.path}/{{id}}, or by pages", f"1 for each id, or {by_pages} where that is less"
    if plan.strategy == "ids" and sum(map(len, plan.id_lists)) > 1:
        each = "" if plan.id_key == "_id" else " and for each further full page"
        formula = f"1 for about {IDS_IN_URL} ids{each}, or {by_pages} where that is less"
        return f"by ids: GET {plan.path}?{plan.id_param}=..., or by pages", formula
    if plan.strategy == "ids":
        return f"by ids: GET {plan.path}?{plan.id_param}=...", price(plan)
    return way(plan), price(plan)


def price_by_index(plan: Plan) -> str:
    """Say what it costs to ask the lean index, and to read what it finds."""
    if not plan.covered:
        # Others may have taken a name since; a unique key cannot be another's as well.
        unique = plan.index is not None and any(key in plan.meta.unique for key in plan.index.values)
        kept = f", unless it was read within the last {KEPT_SECONDS:.0f} seconds," if unique else ""
        return (
            f"1 for the index{kept} and 1 for about "
            f"{IDS_IN_URL} records that it finds, or 1 + rows / {plan.meta.page_size[1] - 1:,} by pages if that is less"
        )
    kept_to = f"; the first time in a session, one to see that {', '.join(plan.params)} is kept to"
    if any("," in text for text in plan.params.values()):
        kept_to += ", and all pages where that does not show it"
    return f"1, one more where it ends at a round number of rows{kept_to if plan.params else ''}"


def probed_offset(plan: Plan) -> int:
    """Return the number of rows up to which reading all pages costs at most half of reading by ids."""
    half = (len(plan.paths) or len(plan.lists)) // 2
    passes = 1 if plan.instead is None else len(plan.instead.passes)
    return half * (plan.meta.page_size[1] - 1) // passes


def selected_names(plan: Plan) -> list[str]:
    """Return the names of the fields asked for."""
    return [plan.meta.by_key[key].name for key in plan.select]


def selected(names: Sequence[str], *, usual: bool) -> str:
    """Name the fields asked for."""
    if usual:
        return f"the {len(names)} usual fields (all but heavy ones and those that no list holds)"
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:10])}, ... {len(names)} in all"
