"""Paths, URLs and id lists: quoted so that they survive, refused where Planhat would misread them."""

from __future__ import annotations

import itertools
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planhat_orm.errors import InvalidQuery
from planhat_orm.wire.endpoints import MAX_URL, build_url, id_chunks, is_object_id, path_for

OBJECT_ID = "61a5e27c1d7d3f0012e1a0b4"
API = "https://api.planhat.com"

sendable = st.characters(exclude_categories=["Cs"])
keys = st.text(sendable, min_size=1).filter(str.strip)
ids = st.text(sendable, min_size=1, max_size=40).filter(lambda text: text.strip() and "," not in text)


def test_a_collection_and_a_record_have_plain_paths():
    assert path_for("companies") == "/companies"
    assert path_for("companies", OBJECT_ID) == f"/companies/{OBJECT_ID}"
    assert path_for("analytics/bulk") == "/analytics/bulk"


@settings(deadline=None)  # a busy machine is no failure
@given(key=keys, kind=st.sampled_from(["external_id", "source_id"]))
def test_any_key_is_one_segment_that_decodes_to_itself(key, kind):
    path = path_for("companies", key, kind=kind)
    _, collection, segment = path.split("/")
    assert collection == "companies"
    assert unquote(segment) == {"external_id": "extid-", "source_id": "srcid-"}[kind] + key
    assert path.isascii()
    assert not set(path) & set("?#\\ \n")


@pytest.mark.parametrize("key", ["", " ", "\t\n", "\u00a0"])
@pytest.mark.parametrize("kind", ["id", "external_id", "source_id"])
def test_a_blank_key_is_refused_since_it_would_mean_the_whole_list(key, kind):
    with pytest.raises(InvalidQuery, match="blank"):
        path_for("companies", key, kind=kind)


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("acme-42", r"get\(external_id='acme-42'\)"),
        ("extid-acme-42", r"get\(external_id='acme-42'\)"),
        ("srcid-0017", r"get\(source_id='0017'\)"),
        (OBJECT_ID + "0", "24 hexadecimal"),
        (OBJECT_ID + "\n", "24 hexadecimal"),
        ("../users/" + OBJECT_ID, "24 hexadecimal"),
    ],
)
def test_what_is_no_id_is_refused_with_a_suggestion(key, suggestion):
    with pytest.raises(InvalidQuery, match=suggestion):
        path_for("companies", key)


@pytest.mark.parametrize("key", [42, 4.2, b"acme"])
def test_a_key_is_text(key):
    with pytest.raises(InvalidQuery, match="text"):
        path_for("companies", key, kind="external_id")


@pytest.mark.parametrize("collection", ["", "/companies", "companies/", "a b", "a?b", "../users"])
def test_what_is_no_collection_is_refused(collection):
    with pytest.raises(InvalidQuery, match="no collection"):
        path_for(collection)


def test_half_a_surrogate_pair_cannot_be_sent():
    with pytest.raises(InvalidQuery, match="surrogate"):
        path_for("companies", "\ud83e", kind="external_id")


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (OBJECT_ID, True),
        (OBJECT_ID.upper(), True),
        (OBJECT_ID[1:], False),
        ("g" * 24, False),
        (24, False),
        (None, False),
    ],
)
def test_object_ids_are_recognised(value, answer):
    assert is_object_id(value) is answer


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(keys, st.text(sendable), max_size=5))
def test_parameters_survive_the_url(params):
    query = urlsplit(build_url(API, "/companies", params)).query
    assert dict(parse_qsl(query, keep_blank_values=True)) == params


def test_a_url_without_parameters_has_no_question_mark():
    assert build_url(f"{API}/", "/companies") == f"{API}/companies"


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(ids, max_size=60), st.dictionaries(st.sampled_from("abc"), keys, max_size=2), st.integers(700, MAX_URL))
def test_id_lists_lose_nothing_keep_their_order_and_fit(values, params, longest):
    room = longest - len(build_url(API, "/companies", {**params, "companyId": ""}))
    if any(len(build_url("", "", {"": one})) > room for one in values):
        return
    chunks = id_chunks(API, "/companies", params, "companyId", values, longest=longest)
    assert [one for chunk in chunks for one in chunk] == values
    assert all(chunks)
    for chunk in chunks:
        url = build_url(API, "/companies", {**params, "companyId": ",".join(chunk)})
        assert len(url) < longest
        assert dict(parse_qsl(urlsplit(url).query))["companyId"].split(",") == chunk


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(1, 400))
def test_id_lists_are_as_long_as_they_may_be(count):
    values = [OBJECT_ID] * count
    chunks = id_chunks(API, "/companies", {}, "companyId", values)
    for chunk, following in itertools.pairwise(chunks):
        joined = ",".join([*chunk, following[0]])
        assert len(build_url(API, "/companies", {"companyId": joined})) >= MAX_URL


@pytest.mark.parametrize(("one", "reason"), [("", "blank"), (" ", "blank"), ("a,b", "comma"), ("x" * 2000, "fit")])
def test_an_id_that_a_list_cannot_hold_is_refused(one, reason):
    with pytest.raises(InvalidQuery, match=reason):
        id_chunks(API, "/companies", {}, "companyId", [OBJECT_ID, one])


def test_no_ids_are_no_lists():
    assert id_chunks(API, "/companies", {}, "companyId", []) == []
