"""One reference page for each model, written before the pages are read, so that a new object needs no page of its own.

The pages land in ``reference/generated``, which is not kept. Imports Sphinx and ``model_tables``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from model_tables import managers_of, page_of, public_models

if TYPE_CHECKING:
    from sphinx.application import Sphinx

    from planhat_orm.orm.model import Model

PAGE = """# {name}

```{{eval-rst}}
.. autoclass:: {module}.{name}
   {members}
```

"How sure" says whether a fact is documented, observed by people who used the API, or inferred; the numbers are those of
the [sources](#sources) below. What all objects have is in [objects](../objects.md) and [querysets](../querysets.md).

## Endpoint

```{{model-endpoint}} {name}
```

## Operations

```{{model-operations}} {name}
```

## Filters of the list

Any field can be filtered by; these filters are applied by Planhat, all others here.

```{{model-filters}} {name}
```

## Fields

```{{model-fields}} {name}
```

{managers}## Quirks

```{{model-quirks}} {name}
```

## Sources

```{{model-sources}} {name}
```
"""


MANAGERS = """## Managers

What points to such a record, as a queryset.

```{{model-managers}} {name}
```

"""


def text_of(model: type[Model]) -> str:
    """Return the page of a model."""
    # What a model does beyond every model is documented with it: TimeEntry.duplicate().
    own = [name for name, value in vars(model).items() if not name.startswith("_") and is_method(value)]
    package = model.__module__.rpartition(".")[0]
    return PAGE.format(
        name=model.__name__,
        module=package,
        members=f":members: {', '.join(own)}" if own else ":no-members:",
        managers=MANAGERS.format(name=model.__name__) if managers_of(model) else "",
    )


def is_method(value: object) -> bool:
    return (callable(value) and not isinstance(value, type)) or isinstance(value, (property, classmethod, staticmethod))


def write_pages(app: Sphinx) -> None:
    """Write what changed, so that a second build reads only that."""
    folder = Path(app.srcdir) / "reference" / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {folder / f"{page_of(model)}.md": text_of(model) for model in public_models()}
    for path in set(folder.glob("*.md")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages when a build begins."""
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
