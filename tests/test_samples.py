"""The dozen photos of the course's data set: fetched by address and checksum, else the drawings."""

import hashlib
from http.server import BaseHTTPRequestHandler

import pytest
import walk
from conftest import REPOSITORY
from picture_files import encoded, picture
from walk import samples

CONTENT = encoded(picture(), "JPEG")


class DataSet(BaseHTTPRequestHandler):
    """In GitHub's place: every file of the data set is the same picture."""

    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with the drawings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").symlink_to(REPOSITORY / "notebooks")
    DataSet.asked.clear()


@pytest.fixture
def data_set(monkeypatch):
    """A server in GitHub's place, and the checksum of what it has."""
    checksum = hashlib.sha256(CONTENT).hexdigest()
    known = {name: (place, checksum) for name, (place, _) in samples.COURSE_PHOTOS.items()}
    monkeypatch.setattr(samples, "COURSE_PHOTOS", known)
    with walk.web_server(DataSet) as address:
        monkeypatch.setattr(samples, "DATA_SET", address.rstrip("/"))
        yield


def drawings():
    return sorted(walk.SAMPLES.glob("*.png"))


def test_there_is_one_for_each_class_and_their_checksums_are_different():
    classes = {place.split("/")[1] for place, _ in samples.COURSE_PHOTOS.values()}
    assert len(samples.COURSE_PHOTOS) == 12 and len(classes) == 10
    assert len(set(samples.COURSE_PHOTOS.values())) == 12


def test_the_photos_are_fetched_once_and_come_before_the_drawings(data_set):
    first = walk.picture_file("course")
    asked = len(DataSet.asked)
    assert walk.picture_file("course") == first and len(DataSet.asked) == asked == 12
    photos = walk.sample_pictures("course")[:12]
    assert photos[0] == first and all(photo.read_bytes() == CONTENT for photo in photos)
    assert walk.sample_pictures("course")[12:] == drawings()


def test_other_pictures_bring_the_drawings_alone(data_set):
    walk.picture_file("course")
    assert walk.sample_pictures("notebooks/assets/jeans.png") == drawings()


def test_without_a_connection_the_drawings_stand_in_and_a_sentence_says_so(capsys, monkeypatch):
    monkeypatch.setattr(samples, "DATA_SET", "http://127.0.0.1:9")  # nobody listens there
    assert walk.picture_file("course") == walk.SAMPLES / "jeans.png"
    assert walk.sample_pictures("course") == drawings()
    assert "could not be downloaded (ConnectionError): the drawings take" in capsys.readouterr().out


def test_a_photo_that_is_not_the_one_of_the_data_set_is_not_taken(capsys, data_set, monkeypatch):
    known = {name: (place, "0" * 64) for name, (place, _) in samples.COURSE_PHOTOS.items()}
    monkeypatch.setattr(samples, "COURSE_PHOTOS", known)
    assert walk.picture_file("course") == walk.SAMPLES / "jeans.png"
    assert "could not be downloaded (ValueError)" in capsys.readouterr().out
    assert not list(samples.PHOTOS.iterdir())
