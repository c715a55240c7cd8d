"""What an error says: Planhat's words where there are any, and what to do."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planhat_orm import errors
from planhat_orm.wire.answers import api_error, excerpt, parse_body


def error_for(status=400, text="", headers=None, attempts=1):
    return api_error(
        request="GET /companies",
        host="api-eu3.planhat.com",
        status=status,
        headers=headers or {},
        text=text,
        attempts=attempts,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"message": "No such document"}', "No such document"),
        ('{"detail": "d", "errors": ["e"], "error": "r", "message": "m"}', ": m."),
        ('{"detail": "d", "errors": ["e"], "error": "r"}', ": r."),
        ('{"detail": "d", "errors": ["e", "f"]}', ": e; f."),
        ('{"detail": "d", "message": ""}', ": d."),
        ('{"error": {"code": 7, "message": "nested"}}', ": nested."),
        ('{"errors": [{"message": "one"}, {"message": "two"}, 3, 4]}', ": one; two; 3; …."),
        ('{"createdErrors": ["email duplicated"]}', "email duplicated"),
        ('"Required Field: companyId"', "Required Field: companyId"),
        ("Failed to create company", "Failed to create company"),
        ("<html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>", "502 Bad Gateway nginx"),
        ("<script>var x = '<p>'</script><p>Sign&nbsp;in</p><!-- ad -->", ": Sign in."),
        ("<p", "(no message)"),
        ("", "(no message)"),
        ("  \n", "(no message)"),
        ("null", "null"),
        ("[]", "[]"),
        ("{}", "{}"),
        ("7", "7"),
    ],
)
def test_the_message_is_found_in_every_shape_of_body(text, said):
    assert said in str(error_for(text=text))


def test_a_long_text_is_cut():
    assert len(str(error_for(text="word " * 10_000))) < 400
    assert len(str(error_for(text="<p>" + "word " * 10_000))) < 400


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "wrong token, or a token of another region (set PLANHAT_REGION)"),
        (403, "Private App"),
        (404, "no such record"),
        (413, "fewer items"),
        (414, "fewer items"),
        (429, "Quota.sqlite"),
        (500, "Planhat's side"),
    ],
)
def test_a_hint_says_what_to_do(status, hint):
    message = str(error_for(status))
    assert hint in message
    assert message.startswith(f"{status} from api-eu3.planhat.com for GET /companies: ")
    assert message.endswith(".")
    assert ".." not in message


def test_a_redirect_shows_its_target_without_secrets():
    message = str(error_for(302, headers={"location": "https://user:pw@login.test/in?token=1#x"}))
    assert "https://login.test/in;" in message
    assert "pw" not in message
    assert "token=1" not in message
    assert "nowhere" in str(error_for(302))


def test_attempts_are_told():
    assert "after 5 attempts" in str(error_for(500, attempts=5))


def test_an_error_survives_pickling():
    error = error_for(404, '{"message": "gone"}', {"X-Id": "1"}, 2)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is errors.NotFound
    assert (str(again), again.body, again.headers, again.attempts) == (
        str(error),
        {"message": "gone"},
        {"X-Id": "1"},
        2,
    )


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(), st.integers(300, 599).filter(lambda status: status != 418))
def test_no_body_breaks_the_error(text, status):
    error = error_for(status, text)
    assert error.status == status
    assert error.body == parse_body(text) or error.body != error.body  # NaN is JSON to Python
    assert "\n" not in str(error)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text())
def test_an_excerpt_is_short_and_on_one_line(text):
    shown = excerpt(text)
    assert len(shown) <= 200
    assert "\n" not in shown


def test_markup_that_never_ends_is_read_in_no_time():
    assert excerpt("<script>" * 100_000) == ""


@pytest.mark.parametrize("text", ["", "  ", "null", "{}", "[]", '""', "<p>"])
def test_what_is_usually_wrong_is_guessed_where_planhat_says_nothing(text):
    assert "usually a required key is missing" in str(error_for(text=text))


@pytest.mark.parametrize(
    "text",
    ['{"message": "score must be between 0 and 10"}', "Failed to update task status", '{"odd": {"score": "11"}}'],
)
def test_what_planhat_says_is_not_contradicted_by_a_guess(text):
    assert "usually" not in str(error_for(text=text))
