"""The events that the function is tested with: well-formed ones, wrong ones and hostile ones.

All are built by code from the sample pictures. Each case has a name, an event, and what is expected:
the name of a picture whose scores come back, or the name of an error, or a set of both where a
decoder may decide either way.
"""

import base64
import json
from functools import cache
from pathlib import Path

from picture_files import JEANS, all_files, bomb, encoded, picture

EVENTS = Path(__file__).parent.parent / "lambda" / "events"


def base64_text(content):
    return base64.b64encode(content).decode()


def image_event(content):
    return {"image": base64_text(content)}


@cache
def pictures():
    """Direct events with a picture: by name, the event and what is expected."""
    cases = {name: (image_event(file), expected) for name, (file, expected) in all_files().items()}
    return {f"picture, {name}": case for name, case in (cases | dialects()).items()}


def dialects():
    """Direct events with the jeans, encoded as people do it."""
    text, lines = base64_text(JEANS), base64.encodebytes(JEANS).decode()
    data_url = f"data:image/png;base64,{text}"
    ways = {
        "base64 in lines": lines,
        "base64 in lines, joined by spaces": " ".join(lines.split()),
        "base64 in lines, moved in": lines.replace("\n", "\r\n    "),
        "base64 for URLs": base64.urlsafe_b64encode(JEANS).decode(),
        "base64 without padding": text.rstrip("="),
        "base64 with spaces for its +": text.replace("+", " "),
        "base64 behind a byte-order mark": f"\ufeff{text}",
        "data URL": data_url,
        "data URL, escaped": data_url.replace("+", "%2B").replace("/", "%2f"),
        "data URL in capitals, with a name": f"DATA:image/png;name=a.png;Base64,{text}",
    }
    cases = {name: ({"image": way}, "jeans") for name, way in ways.items()}
    return cases | {"data URL as the address": ({"url": data_url}, "jeans")}


def malformed():
    """Direct events of another form than the two that the function takes."""
    wrong = {
        "null": None,
        "a number": 7,
        "true": True,
        "a string": "https://example.com/jeans.jpg",
        "a list": [{"image": base64_text(JEANS)}],
        "empty": {},
        "an unknown key": {"picture": base64_text(JEANS)},
        "non-ASCII keys": {"Bild": "ä", "画像": "い", "\u0000": "🙂"},
        "both": {"url": "https://example.com/jeans.jpg", "image": base64_text(JEANS)},
        "image is a number": {"image": 5},
        "image is null": {"image": None},
        "image is a list": {"image": ["a", "b"]},
        "url is a number": {"url": 5},
        "url is null": {"url": None},
        "url is a dict": {"url": {"url": "https://example.com"}},
        "10,000 keys": {str(number): number for number in range(10_000)},
        "deep": json.loads("[" * 500 + "]" * 500),
        "not base64": {"image": "abcde"},
        "non-ASCII base64": {"image": "Ümlaut"},
        "other characters": {"image": "!!!!"},
        "a data URL without base64": {"image": "data:image/svg+xml,%3Csvg/%3E"},
        "an HTTP event without its parts": {"requestContext": {"http": {}}, "body": "x"},
    }
    return {f"event, {name}": (event, "MalformedRequest") for name, event in wrong.items()}


# Forms of addresses that are not the internet's: this machine, its network, the cloud's own service.
NOT_PUBLIC = """127.0.0.1 2130706433 0177.0.0.1 0x7f000001 0x7f.1 127.1 localhost [::1] [::]
[::ffff:127.0.0.1] [::ffff:7f00:1] [64:ff9b::7f00:1] [2002:7f00:1::] 0.0.0.0
169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 [::ffff:a9fe:a9fe] [fd00:ec2::254]
10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 198.18.0.1 224.0.0.1 240.0.0.1 255.255.255.255
[fe80::1] [fec0::1] [ff02::1] [::127.0.0.1] [64:ff9b:1::a9fe:a9fe] [3fff::1] [2001::1]
192.0.0.8 192.88.99.1 %31%32%37.0.0.1 [fe80::1%25lo]""".split()


def urls():
    """Direct events with URLs that must not be fetched, whatever is there."""
    wrong = {
        "file": "file:///etc/hostname",
        "ftp": "ftp://example.com/jeans.jpg",
        "gopher": "gopher://example.com/",
        "data": "data:image/svg+xml,%3Csvg/%3E",
        "javascript": "javascript:alert(1)",
        "no scheme": "//example.com/jeans.jpg",
        "no host": "http:///jeans.jpg",
        "empty": "",
        "words": "no address at all",
        "password": "http://user:secret@example.com/jeans.jpg",
        "port is a word": "http://example.com:http/jeans.jpg",
        "port is too high": "http://example.com:99999/jeans.jpg",
        "a user name beyond ASCII": "http://ü@example.com/jeans.jpg",
        "half a character": "http://example.com/\ud800.jpg",
        "digits of another script": "http://１２７.０.０.１/jeans.jpg",
        "dots of another script": "http://127。0。0。1/jeans.jpg",
        "a circled digit": "http://①27.0.0.1/jeans.jpg",
        "a host with a slash inside": "http://example.com℀.invalid/jeans.jpg",
        "a backslash": "http://example.com\\@127.0.0.1/jeans.jpg",
        "line breaks": "http://example.com\r\nHost: other/",
    }
    cases = {f"url, {name}": ({"url": url}, "MalformedRequest") for name, url in wrong.items()}
    own_api = "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"
    cases["url, the function's own runtime API"] = ({"url": own_api}, "MalformedRequest")
    for host in NOT_PUBLIC:
        cases[f"url, {host}"] = ({"url": f"http://{host}/latest/meta-data"}, "MalformedRequest")
    cases["url, unknown host"] = ({"url": "http://nowhere.invalid/jeans.jpg"}, "ServerFailed")
    cases["url, host beyond ASCII"] = ({"url": "http://bücher.invalid/ä ö.jpg"}, "ServerFailed")
    cases["url, long host"] = ({"url": f"http://{'a' * 1000}.invalid/"}, "ServerFailed")
    return cases


def http_v2(method="POST", path="/", stage="$default", **rest):
    """An event of an HTTP API or a function URL."""
    context = {"http": {"method": method, "path": path}, "stage": stage, "requestId": "id"}
    return {"version": "2.0", "rawPath": path, "requestContext": context, "headers": {}} | rest


def direct_examples():
    """Our own example events for direct calls, by file name."""
    return {path.stem: json.loads(path.read_text()) for path in EVENTS.glob("direct-*.json")}


def http_v1(method="POST", path="/", **rest):
    """An event of a REST API."""
    event = {"httpMethod": method, "path": path, "requestContext": {"stage": "prod"}}
    return event | {"headers": None, "body": None, "isBase64Encoded": False} | rest


def body(content, kind):
    """The parts of an HTTP event that carry a picture as the body."""
    return {
        "headers": {"Content-Type": kind},
        "body": base64_text(content),
        "isBase64Encoded": True,
    }


FILE = 'name="picture"; filename="jeans.png"'


def form(*fields, boundary="----WebKitFormBoundary7MA4YWxkTrZu0gW", newline=b"\r\n", end=b"--"):
    """The parts of an HTTP event that carry a form: its fields, each a disposition and a content."""
    line = b"--" + boundary.encode()
    content = b""
    for disposition, value in fields:
        head = f"Content-Disposition: form-data; {disposition}".encode()
        content += newline.join([line, *head.split(b"\r\n"), b"", value, b""])
    return body(content + line + end + newline, f"multipart/form-data; boundary={boundary}")


def forms():
    """Forms as pages and programs send them: by name, the parts of the event, and the status."""
    token, nothing = ('name="token"', b"1"), ('name="picture"; filename=""', b"")
    in_base64 = FILE + "\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64"
    return {
        "a file": (form((FILE, JEANS)), 200),
        "a file with a type, among other fields": (
            form(token, (FILE + "\r\nContent-Type: image/png", JEANS), ('name="url"', b"")),
            200,
        ),
        "a file, whatever its field is called": (form(('name="x"; filename="y"', JEANS)), 200),
        "a name with an umlaut": (form(('name="picture"; filename="jäns.png"', JEANS)), 200),
        "lines of Unix": (form((FILE, JEANS), newline=b"\n"), 200),
        "a file in base64": (form((in_base64, base64.encodebytes(JEANS))), 200),
        "a field in base64": (form(('name="image"', base64_text(JEANS).encode())), 200),
        "a private url": (form(('name="url"', b"http://10.0.0.1/jeans.png")), 400),
        "two files": (form((FILE, JEANS), (FILE, JEANS)), 400),
        "a file and a url": (form((FILE, JEANS), ('name="url"', b"https://example.com/")), 400),
        "nothing chosen": (form(nothing, token), 400),
        "no fields": (form(), 400),
        "cut off": (form((FILE, JEANS), end=b""), 400),
        "many fields": (form(*[token] * 50, (FILE, JEANS)), 400),
        "an empty file": (form((FILE, b"")), 422),
        "too many pixels": (form((FILE, bomb())), 413),
    }


@cache
def http():
    """HTTP events: by name, the event and the status and prediction or error expected."""
    as_json = {"body": json.dumps(image_event(JEANS))}
    typed = {"headers": {"content-type": "application/json; charset=utf-8"}} | as_json
    encoded_json = {"body": base64_text(as_json["body"].encode()), "isBase64Encoded": True}
    jpeg = encoded(picture(), "JPEG", quality=95)
    webp = encoded(picture(), "WEBP", lossless=True)
    published = {
        f"AWS's example, {path.stem}": (json.loads(path.read_text()), 200)
        for path in EVENTS.glob("*.json")
        if not path.stem.startswith("direct")
    }
    sent = {f"form, {name}": (http_v2(**form), status) for name, (form, status) in forms().items()}
    return (
        published
        | sent
        | {
            "JSON, no type": (http_v2(**as_json), 200),
            "JSON, typed": (http_v2(**typed), 200),
            "JSON in base64": (http_v2(**encoded_json), 200),
            "JSON, REST": (http_v1(**as_json), 200),
            "PNG": (http_v2(**body(JEANS, "image/png")), 200),
            "JPEG": (http_v2(**body(jpeg, "image/jpeg")), 200),
            "WebP": (http_v1(**body(webp, "IMAGE/WEBP")), 200),
            "stage in the path": (http_v2(path="/prod/", stage="prod", **as_json), 200),
            "stage in the path, REST": (http_v1(path="/prod/", **as_json), 200),
            "type is empty": (http_v2(**as_json, headers={"content-type": ""}), 200),
            "GET": (http_v2("GET"), 200),
            "HEAD, as for GET": (http_v2("HEAD"), 200),
            "GET, REST": (http_v1("GET"), 200),
            "OPTIONS": (http_v2("OPTIONS"), 204),
            "PUT": (http_v2("PUT", **as_json), 405),
            "DELETE, REST": (http_v1("DELETE"), 405),
            "a path that begins like the stage": (http_v2(path="/prodx", stage="prod"), 404),
            "another path": (http_v2(path="/admin", **as_json), 404),
            "another path, REST": (http_v1(path="/../etc", **as_json), 404),
            "no body": (http_v2(), 400),
            "no body, REST": (http_v1(), 400),
            "empty body": (http_v2(body=""), 400),
            "body is no JSON": (http_v2(body="{'image'"), 400),
            "body is JSON of another form": (http_v2(body="[1, 2]"), 400),
            "body is deep JSON": (http_v2(body="[" * 100_000), 400),
            "body with both": (http_v2(body='{"url": "http://a.b", "image": "aaaa"}'), 400),
            "body is not base64": (http_v2(body="abc", isBase64Encoded=True), 400),
            "body is binary where JSON is due": (http_v2(**body(JEANS, "application/json")), 400),
            "picture as text": (http_v2(headers={"content-type": "image/png"}, body="PNG"), 400),
            "private url": (http_v2(body='{"url": "http://169.254.169.254/"}'), 400),
            "form without a boundary": (http_v2(**body(JEANS, "multipart/form-data")), 400),
            "form of another kind": (
                http_v2(
                    **body(b"url=https%3A%2F%2Fexample.com", "application/x-www-form-urlencoded")
                ),
                415,
            ),
            "text": (http_v2(**as_json, headers={"content-type": "text/plain;charset=UTF-8"}), 415),
            "JSON behind a byte-order mark": (http_v2(body="\ufeff" + as_json["body"]), 200),
            "JSON in UTF-16": (
                http_v2(**body(as_json["body"].encode("utf-16"), "application/json")),
                200,
            ),
            "image/jpg, which is no type": (http_v2(**body(jpeg, "image/jpg")), 200),
            "a data URL in the place of a PNG": (
                http_v2(
                    **body(f"data:image/png;base64,{base64_text(JEANS)}".encode(), "image/png")
                ),
                200,
            ),
            "bytes of any kind": (http_v2(**body(jpeg, "application/octet-stream")), 200),
            "TIFF": (http_v2(**body(encoded(picture(), "TIFF"), "image/tiff")), 415),
            "TIFF as PNG": (http_v2(**body(encoded(picture(), "TIFF"), "image/png")), 415),
            "broken picture": (http_v2(**body(JEANS[:5000], "image/png")), 422),
            "empty picture": (http_v2(body='{"image": ""}'), 422),
            "bomb": (http_v2(**body(bomb(), "image/png")), 413),
            "too large": (http_v2(**body(JEANS + bytes(2_000_001), "image/png")), 413),
            "unknown host": (http_v2(body='{"url": "http://nowhere.invalid/"}'), 502),
        }
    )
