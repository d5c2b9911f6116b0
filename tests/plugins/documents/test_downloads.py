import pytest

from core.testing.factories import make_user


@pytest.fixture
def file(app, keep):
    made = keep(make_user(), content=b"0123456789", filename="digits.txt")
    return f"/documents/{made.id}/versions/1/file"


def test_a_file_comes_as_an_attachment_that_browsers_do_not_open(file, as_user):
    answer = as_user(make_user("Mika Koski")).get(file, buffered=True)
    assert answer.data == b"0123456789"
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=digits.txt"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache, private"
    assert answer.headers["Content-Length"] == "10"


def test_a_part_of_a_file_is_given_on_request(file, as_user):
    browser = as_user(make_user())
    part = browser.get(file, headers={"Range": "bytes=2-4"}, buffered=True)
    assert (part.status_code, part.data) == (206, b"234")
    assert part.headers["Content-Range"] == "bytes 2-4/10"
    beyond = browser.get(file, headers={"Range": "bytes=20-"}, buffered=True)
    assert beyond.status_code == 416
    head = browser.head(file, buffered=True)
    assert (head.status_code, head.headers["Accept-Ranges"]) == (200, "bytes")


def test_a_file_the_browser_has_already_is_not_sent_again(file, as_user):
    browser = as_user(make_user())
    etag = browser.get(file, buffered=True).headers["ETag"]
    again = browser.get(file, headers={"If-None-Match": etag}, buffered=True)
    assert (again.status_code, again.data) == (304, b"")


def test_nobody_downloads_without_signing_in(file, client):
    assert client.get(file).status_code == 302
    assert client.get(f"/api/v1{file}").status_code == 401


def test_content_that_is_gone_says_so(app, file, as_user):
    from core.files import file_store

    for sha256 in list(file_store().hashes()):
        file_store().remove(sha256)
    answer = as_user(make_user()).get(file)
    assert answer.status_code == 404
    assert "not here any more" in answer.text
