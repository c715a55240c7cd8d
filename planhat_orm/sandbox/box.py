"""``Sandbox``: one Planhat of your own, started and stopped, filled and watched from a test or a shell.

Imports the sandbox's parts; Flask only when a server is started. It does not promise that Planhat itself behaves so
where the documentation is silent: see ``Sandbox.behaviour``.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

from planhat_orm.errors import ConfigurationError
from planhat_orm.sandbox import rows
from planhat_orm.sandbox.analytics import received
from planhat_orm.sandbox.behaviour import Behaviour
from planhat_orm.sandbox.catalog import all_tables, collection_at, collection_of
from planhat_orm.sandbox.faults import Fault, FaultBoard
from planhat_orm.sandbox.recording import RecordedRequest, Recorder
from planhat_orm.sandbox.store import Row, Store
from planhat_orm.sandbox.world import OPERATIONS, World, wall_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType

    from planhat_orm import Session
    from planhat_orm.orm.model import Model
    from planhat_orm.sandbox.server import Server

#: Never a real tenant's.
TOKEN = "sandbox-token"  # noqa: S105
TENANT_TOKEN = "00000000-0000-4000-8000-000000000000"  # noqa: S105


class Sandbox:
    """A Planhat on this machine: a server on loopback over rows of its own.

    :param data: a file that keeps the rows from one run to the next; None keeps them in memory.
    :param demo: fill an empty sandbox with demo data: 500 companies with their people, licences and notes, and a few
        records of every other object.
    :param seed: two sandboxes of one seed give out the same ids and hold the same demo data.
    :param port: the port to listen on; 0 takes a free one.
    :param token: the API token that it accepts.
    :param clock: what time it is there; the time of day by default.

    Its address is on 127.0.0.1. Nothing is sent to Planhat, and what is done by ``add``, ``row`` and the like is no
    request. It needs ``planhat_orm[sandbox]``.

    Source: https://www.planhat.com/developers/api/introduction

    >>> from planhat_orm.models import Company
    >>> with Sandbox() as box, box.session():
    ...     added = box.add(Company, name="Acme", external_id="acme-42")
    ...     acme = Company.objects.get(external_id="acme-42")
    ...     acme.name, len(box.requests)
    ('Acme', 1)
    """

    def __init__(
        self,
        data: str | Path | None = None,
        *,
        demo: bool = False,
        seed: int = 1,
        port: int = 0,
        token: str = TOKEN,
        clock: Callable[[], datetime] = wall_clock,
    ) -> None:
        self.token = token
        self.tenant_token = TENANT_TOKEN
        self.seed = seed
        self._port = port
        self._data = data
        self._world = World(Store(data, seed=seed), Behaviour(), clock, token, TENANT_TOKEN)
        self._recorder = Recorder()
        self._faults = FaultBoard()
        self._server: Server | None = None
        if demo and not any(self._world.store.count(table) for table in all_tables()):
            from planhat_orm.sandbox.demo import load_demo, opening_time

            # The same seed gives the same data on every day, what Planhat stamps and counts from today included.
            self._world.clock = opening_time
            load_demo(self)
            self._world.clock = clock

    @property
    def behaviour(self) -> Behaviour:
        """The switches for what Planhat's documentation leaves open; they may be set while it runs.

        >>> box = Sandbox()
        >>> box.behaviour.rate_limit = 200
        >>> box.behaviour.owners, box.behaviour.rate_limit
        ('id', 200)
        """
        return self._world.behaviour

    # The server

    def start(self) -> Self:
        """Start the server, unless it runs, and return the sandbox; a ``with`` block does so by itself.

        :raises ConfigurationError: without the packages of ``planhat_orm[sandbox]``, or when the port is taken.

        >>> box = Sandbox().start()
        >>> box.url
        'http://127.0.0.1:...'
        >>> box.stop()
        """
        if self._server is None:
            try:
                from planhat_orm.sandbox.app import Desk
                from planhat_orm.sandbox.server import Server
            except ModuleNotFoundError as missing:
                raise ConfigurationError(
                    f"the sandbox needs {missing.name}; in the clone, run: .venv/bin/pip install '.[sandbox]'"
                ) from None
            desk = Desk(self._world, self.token, self._faults, self._recorder)
            self._server = Server(desk, self._port)
        return self

    def stop(self) -> None:
        """Stop the server and end its connections; the rows stay until ``close``, and it may be started again.

        >>> box = Sandbox().start()
        >>> added = box.add(Company, name="Acme")
        >>> box.stop()
        >>> box.count(Company)
        1
        """
        if self._server is not None:
            self._server.stop()
            self._server = None

    def close(self) -> None:
        """Stop the server and give up the rows in memory, or close their file. The sandbox is of no use afterwards.

        >>> Sandbox().close()
        """
        self.stop()
        self._world.store.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; rows in memory can still be looked at afterwards, a file is closed."""
        self.stop()
        if self._data is not None:
            self.close()

    @property
    def url(self) -> str:
        """The address of the API, ``http://127.0.0.1:<port>``.

        :raises ConfigurationError: when the server does not run.

        >>> Sandbox().url
        Traceback (most recent call last):
            ...
        planhat_orm.errors.ConfigurationError: the sandbox is not running: ...
        """
        if self._server is None:
            raise ConfigurationError("the sandbox is not running: use it as a context manager, or call start()")
        return self._server.url

    def session(self, **options: Any) -> Session:
        """Return a session with the sandbox, without a quota; ``options`` are those of ``Session``.

        >>> from planhat_orm.models import User
        >>> with Sandbox() as box, box.session(read_only=True):
        ...     User.objects.count()
        0
        """
        import planhat_orm

        known: dict[str, Any] = {
            "token": self.token,
            "tenant_token": self.tenant_token,
            "base_url": self.url,
            "analytics_url": f"{self.url}/analytics",
            "quota": None,
        }
        return planhat_orm.Session(**(known | options))

    def environment(self) -> dict[str, str]:
        """Return the variables that point ``connect()`` and ``Session()`` to this sandbox.

        >>> with Sandbox() as box:
        ...     sorted(box.environment())
        ['PLANHAT_ANALYTICS_URL', 'PLANHAT_API_TOKEN', 'PLANHAT_BASE_URL', 'PLANHAT_TENANT_TOKEN']
        """
        return {
            "PLANHAT_API_TOKEN": self.token,
            "PLANHAT_TENANT_TOKEN": self.tenant_token,
            "PLANHAT_BASE_URL": self.url,
            "PLANHAT_ANALYTICS_URL": f"{self.url}/analytics",
        }

    # Rows, behind the session

    def add(self, model: type[Model], /, **values: Any) -> Row:
        """Add a record and return its row, in Planhat's names.

        Takes Python names, read-only ones too (``status``, ``health``), and Planhat's own; dates and datetimes; a row,
        an object or an id for a reference; ``extra={...}`` for properties that no model declares. What is given is
        stored as it is, odd values too; the rest is filled in as Planhat does, and left out where None is given. No
        request is sent or counted.

        >>> from planhat_orm.models import Company, Enduser
        >>> box = Sandbox()
        >>> acme = box.add(Company, name="Acme", external_id="acme-42", status="customer", health=7)
        >>> acme["externalId"], acme["h"]
        ('acme-42', 7)
        >>> box.add(Enduser, company=acme, first_name="Ada", last_name="Byron")["companyName"]
        'Acme'
        """
        return rows.add(self._world, model, [values])[0]

    def add_many(self, model: type[Model], items: Iterable[Mapping[str, Any]], /) -> int:
        """Add many records, given as mappings of what ``add`` takes; return how many.

        >>> from planhat_orm.models import Company
        >>> box = Sandbox()
        >>> box.add_many(Company, ({"name": f"Company {n}"} for n in range(1000)))
        1000
        """
        collection, store = collection_of(model), self._world.store
        if collection.quirks.follow:
            return len(rows.add(self._world, model, items))
        before = store.count(collection.table)
        with store.transaction():
            store.insert(collection.table, rows.add_many(self._world, model, items))
            return store.count(collection.table) - before

    def row(self, model: type[Model], id: Any = None, /, **values: Any) -> Row:
        """Return the row with this id (or row, or object), or the only one with these values; raises LookupError.

        >>> from planhat_orm.models import Company
        >>> box = Sandbox()
        >>> added = box.add(Company, name="Acme", external_id="acme-42")
        >>> box.row(Company, external_id="acme-42") == box.row(Company, added) == added
        True
        """
        return rows.one(self._world, model, id, values)

    def rows(self, model: type[Model], /, **values: Any) -> list[Row]:
        """Return the rows with these values, all without any, in the order in which they were added.

        :param model: whose rows.
        :param values: what they hold, by Python's or Planhat's names; dates and references as ``add`` takes them.
        :raises UnknownField: for a name that the model does not know.

        >>> [row["name"] for row in box.rows(Company, external_id="acme-42")]
        ['Acme']
        """
        return rows.matching(self._world, model, values)

    def count(self, model: type[Model], /, **values: Any) -> int:
        """Return how many rows there are with these values, of all without any. The arguments are those of ``rows``.

        >>> box.count(Company), box.count(Company, name="Acme")
        (500, 1)
        """
        return rows.count(self._world, model, values)

    @property
    def activities(self) -> list[Row]:
        """The activities that were tracked, in order, as Planhat keeps them.

        >>> Sandbox().activities
        []
        """
        return received(self._world)

    def change(self, model: type[Model], id: Any, /, **values: Any) -> Row:
        """Change a row behind the session's back, as somebody in Planhat's screens would; None clears a property.

        ``custom`` is merged key by key; the time of the last change moves unless ``updated_at`` is given.

        >>> from planhat_orm.models import Company
        >>> box = Sandbox()
        >>> acme = box.add(Company, name="Acme", custom={"Tier": "Silver", "Seats": 5})
        >>> box.change(Company, acme, custom={"Tier": "Gold"})["custom"]
        {'Tier': 'Gold', 'Seats': 5}
        """
        return rows.change(self._world, model, id, values)

    def remove(self, model: type[Model], id: Any, /) -> Row:
        """Delete a row behind the session's back and return it.

        :param id: an id, a row or an object.
        :raises LookupError: when there is no such row.

        >>> acme = box.row(Company, external_id="acme-42")
        >>> box.remove(Company, acme)["name"], box.count(Company)
        ('Acme', 499)
        """
        return rows.remove(self._world, model, id)

    # Requests

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests that came, in order: method, path, params, json, status, headers.

        >>> from planhat_orm.models import Company
        >>> with Sandbox() as box, box.session():
        ...     found = Company.objects.first()
        ...     [(request.method, request.path) for request in box.requests]
        [('GET', '/companies')]
        """
        return self._recorder.all()

    def clear_requests(self) -> None:
        """Forget the requests that came.

        >>> total = Company.objects.count()
        >>> box.clear_requests()
        >>> box.requests
        []
        """
        self._recorder.clear()

    @contextmanager
    def assert_requests(self, expected: int) -> Iterator[None]:
        """Raise AssertionError unless exactly so many requests come inside the block; it lists those that came.

        :param expected: how many; repeated ones count too.

        >>> from planhat_orm.models import Company
        >>> with Sandbox() as box, box.session():
        ...     added = box.add(Company, name="Acme", external_id="acme-42")
        ...     with box.assert_requests(1):
        ...         acme = Company.objects.get(external_id="acme-42")
        ...         acme = Company.objects.get(external_id="acme-42")
        """
        before = {id(request) for request in self.requests}
        yield
        came = [request for request in self.requests if id(request) not in before]
        if len(came) != expected:
            listed = "".join(f"\n  {number}. {request}" for number, request in enumerate(came, 1))
            raise AssertionError(f"expected {expected} requests, {len(came)} came{':' if came else ''}{listed}")

    # Trouble

    def fault(
        self,
        kind: str,
        *,
        method: str | None = None,
        path: str | None = None,
        times: int | None = 1,
        after: int = 0,
        **detail: Any,
    ) -> Fault:
        """Put a fault in force; as a context manager it is lifted at the end of the block.

        :param kind: ``latency``, ``status`` (not carried out), ``status_after`` (carried out first), ``reset_before``,
            ``lost_answer``, ``truncated``, ``wrong_shape``, ``html``, ``empty``, ``slow_drip``, ``ignore_filters``,
            ``ignore_sort``, ``cap`` or ``drift``; the functions in ``planhat_orm.sandbox.faults`` say what each takes.
        :param method: befall only requests of this method.
        :param path: befall only this path, ``"/companies"``; ``*`` stands for anything, ``"/companies/*"``.
        :param times: how many requests it befalls; None for all.
        :param after: how many matching requests it lets pass first.

        >>> from planhat_orm.models import Company
        >>> with Sandbox() as box, box.session():
        ...     fault = box.fault("status", status=429, headers={"Retry-After": "0"}, path="/leancompanies")
        ...     Company.objects.count(), [request.status for request in box.requests]
        (0, [429, 200])
        """
        return self._faults.add(Fault(self._faults, kind, method, path, times, after, detail))

    @property
    def faults(self) -> list[Fault]:
        """The faults in force, in the order in which they were asked for, spent ones included.

        >>> with box.fault("latency", seconds=0.01):
        ...     box.faults
        [<Fault latency * *, fired 0 of 1>]
        >>> box.faults
        []
        """
        return self._faults.all()

    def clear_faults(self) -> None:
        """Lift all faults.

        >>> fault = box.fault("status", status=503, times=None)
        >>> box.clear_faults()
        >>> Company.objects.count()
        500
        """
        self._faults.clear()

    def forbid(self, model: type[Model] | str, *operations: str) -> None:
        """Take permissions from the token: "read", "create", "update", "delete"; all four when none is named.

        What is forbidden is answered with 403.

        :param model: its class, its name ("company") or its path ("companies").
        :raises ValueError: for another operation, or a model that there is not.

        >>> box.forbid("company", "create")
        >>> Company.objects.create(name="Cedar")
        Traceback (most recent call last):
            ...
        planhat_orm.errors.Forbidden: 403 from 127.0.0.1 for POST /companies: ...
        """
        self.behaviour.forbidden |= self._permissions(model, operations)

    def allow(self, model: type[Model] | str, *operations: str) -> None:
        """Give permissions back; the arguments are those of ``forbid``.

        >>> box.forbid(Company)
        >>> box.allow(Company, "read")
        >>> Company.objects.count()
        500
        """
        self.behaviour.forbidden -= self._permissions(model, operations)

    @staticmethod
    def _permissions(model: type[Model] | str, operations: tuple[str, ...]) -> frozenset[tuple[str, str]]:
        from planhat_orm.orm.options import registry

        for operation in operations:
            if operation not in OPERATIONS:
                raise ValueError(f"there is no permission {operation!r}; there are: {', '.join(OPERATIONS)}")
        if isinstance(model, str):
            named = next((known for known in registry.values() if known.__name__.lower() == model.lower()), None)
            collection = collection_of(named) if named else collection_at(model)
            if collection is None:
                raise ValueError(f"there is no model {model!r}")
        else:
            collection = collection_of(model)
        return frozenset((collection.path, operation) for operation in operations or OPERATIONS)

    def __repr__(self) -> str:
        where = f"at {self._server.url}" if self._server else "not running"
        return f"<Sandbox {where}>"
