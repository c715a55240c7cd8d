"""Querysets of a model's own class, on the class and as reverse managers. Checked by mypy and pyright, never run."""

from __future__ import annotations

from typing import Self, assert_type

from planhat_orm.models import Company, Enduser
from planhat_orm.orm.manager import Manager
from planhat_orm.orm.model import Model
from planhat_orm.orm.queryset import QuerySet
from planhat_orm.orm.relations import ForeignKey, Related


class BookQuerySet(QuerySet["Book"]):
    """Books, with a method of their own."""

    def thick(self) -> Self:
        return self.filter(id__isnull=False)


class Shelf(Model):
    """It is pointed to by books."""

    class Meta:
        path = "shelves-of-this-test"

    books: Related[Book, BookQuerySet] = Related("Book")
    papers: Related[Paper] = Related("Paper")


class Book(Model):
    """It has querysets of its own."""

    class Meta:
        path = "books-of-this-test"

    objects = BookQuerySet.as_manager()
    shelf: ForeignKey[Shelf] = ForeignKey("Shelf", "shelfId")


class Paper(Model):
    """It has none."""

    class Meta:
        path = "papers-of-this-test"

    shelf: ForeignKey[Shelf] = ForeignKey("Shelf", "shelfId")


def known(shelf: Shelf, company: Company) -> None:
    """Managers know their class, and what they give."""
    assert_type(Book.objects.thick(), BookQuerySet)
    assert_type(list(Book.objects.filter(shelf=shelf).thick()), list[Book])
    assert_type(shelf.books, BookQuerySet)
    assert_type(shelf.books.thick().first(), Book | None)
    assert_type(shelf.papers, Manager[Paper])
    assert_type(shelf.papers.filter(shelf=shelf)[0], Paper)
    assert_type(company.endusers, Manager[Enduser])
    loaded = Company.objects.prefetch_related("endusers", "issues.endusers").select_related("owner")
    assert_type(loaded, QuerySet[Company])
    assert_type(list(loaded[0].endusers.all()), list[Enduser])
