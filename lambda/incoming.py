"""What comes in, as people, gateways and timers really send it: bodies, paths, pings.

Written by hand, unlike its neighbours.
"""

import base64
import json
import re

from guards import MalformedRequest, check_bytes

# base64 for URLs has two characters of its own
FOR_URLS = str.maketrans("-_", "+/")
# how addresses and forms write what has a meaning of its own there
ESCAPED = {"%2B": "+", "%2F": "/", "%3D": "="}
# a form holds one picture, and a few fields that are nobody's business here
PARTS = 20
PART_HEADER = 2_000  # bytes
NOT_BINARY = (
    "the picture did not arrive as binary data, a gateway made a text of it: a REST API passes on "
    "what its binaryMediaTypes names; or send it in base64, as JSON"
)


def from_base64(text: str) -> bytes:
    """Return what the text encodes: in base64 or its form for URLs, with or without padding, in lines
    or in a data URL; a + that became a space, as in a form, is one again.

    Raises MalformedRequest or PictureTooLarge.
    """
    for escaped, meant in ESCAPED.items():
        text = text.replace(escaped, meant).replace(escaped.lower(), meant)
    text = text.strip("\ufeff \r\n")
    if found := re.match(r"data:[^,]{0,200};base64,", text, re.IGNORECASE):
        text = text[found.end() :]
    content = _in_one_line(text).translate(FOR_URLS).rstrip("=")
    if re.search(r"[^A-Za-z0-9+/]", content) or len(content) % 4 == 1:
        raise MalformedRequest(f"the picture is not base64: {_seen_in(text)}")
    check_bytes(len(content) * 3 // 4)  # base64 writes 3 bytes as 4 characters
    return base64.b64decode(content + "=" * (-len(content) % 4))


def _in_one_line(text: str) -> str:
    """Return base64 without its line breaks, and with + where spaces are none.

    Spaces around it are none of its own: what JPEG, PNG and GIF begin and end with has no + there.
    """
    text = "".join(line.strip() for line in text.splitlines())
    pieces = text.split(" ")
    joined = "".join(pieces)
    # Lines that somebody joined with spaces are of one length; between pluses it is any, and without
    # them the whole is too short.
    of_one_length = len({len(piece) for piece in pieces[:-1]}) == 1
    if len(pieces) == 2:
        are_lines = len(joined) % 4 == 0
    else:
        are_lines = of_one_length and (len(joined) % 4 == 0 or len(text) % 4 > 0)
    return joined if are_lines else "+".join(pieces)


def _seen_in(text: str) -> str:
    """Say what somebody sent in the place of base64."""
    if re.match(r"https?://", text):
        return 'it is an address, which goes into {"url": "https://…"}'
    if text.startswith("data:"):
        return "it is a data URL without ;base64"
    if text.startswith(("b'", 'b"')):
        return "it is Python's text of bytes; decode() makes a text of base64's bytes"
    if re.fullmatch(r"[^\r\n]{1,300}\.\w{2,4}", text):
        return "it is the name of a file, and its content is wanted"
    if strange := re.search(r"[^A-Za-z0-9+/=_ \r\n-]", text):
        return f"at {strange.start()} it has the character {strange[0]!a}"
    return "some of it is missing, or there is more behind its end"


def _content(event) -> bytes:
    body = event.get("body")
    if not isinstance(body, str) or not body:
        raise MalformedRequest("the request has no body")
    return from_base64(body) if event.get("isBase64Encoded") else body.encode(errors="replace")


def picture(event) -> bytes:
    """Return the body of an HTTP event, which is a picture. Raises MalformedRequest."""
    content = _content(event)
    if content[:5].lower() == b"data:":
        return from_base64(content.decode(errors="replace"))
    if not event.get("isBase64Encoded"):
        raise MalformedRequest(NOT_BINARY)
    return content


def from_json(event):
    """Return what the body of an HTTP event says in JSON, in any of Unicode's encodings, with or without
    its mark at the beginning. Raises MalformedRequest."""
    content = _content(event)
    try:
        return json.loads(content)
    except UnicodeDecodeError:
        seen = "it is no text"
    except RecursionError:
        seen = "it is nested too deeply"
    except ValueError as error:
        seen = getattr(error, "msg", "a number in it is too long")
    if content.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM")):
        seen = "it is a picture, of which the header content-type has to tell, as image/jpeg does"
    elif re.match(rb"\s*\{\s*['\w]", content):
        seen = 'its names and texts have to be in double quotes, as in {"url": "https://…"}'
    raise MalformedRequest(f"the body is not valid JSON: {seen}")


def from_form(event, content_type: str) -> dict:
    """Return what a form (multipart/form-data) holds: {"image": bytes or base64} or {"url": text}.

    Raises MalformedRequest or PictureTooLarge.
    """
    from email import message_from_bytes, message_from_string  # only forms need it

    content = _content(event)
    header = message_from_string(f"content-type: {content_type[:500]}")
    if not (boundary := header.get_boundary("")):
        raise MalformedRequest(
            "the form's content-type names no boundary: leave this header to the client"
        )
    # email would look for letters within letters, and a hostile one takes it minutes: its parser gets
    # the header of each part alone.
    line = rb"\r?\n--" + re.escape(boundary.encode(errors="replace")) + rb"(?=--|[ \t]*\r?\n)"
    _, *parts = re.split(line, b"\n" + content, maxsplit=PARTS)
    if not parts or not parts.pop().startswith(b"--"):
        raise MalformedRequest(f"the form is not whole, or has {PARTS} parts and more")
    found = []
    for part in parts:
        head, *rest = re.split(rb"\r?\n\r?\n", part, maxsplit=1)
        if len(head) > PART_HEADER or not rest:
            raise MalformedRequest("the form has a part whose header is too long, or has no end")
        found += _field(message_from_bytes(head.lstrip()), rest[0])
    if len(found) != 1:
        raise MalformedRequest(
            f"the form has {len(found) or 'no'} pictures and addresses. Expected one: a file, as from "
            "curl -F picture=@jeans.jpg, or an address, as from curl -F url=https://…"
        )
    if isinstance(image := found[0].get("image"), bytes) and not event.get("isBase64Encoded"):
        if not image.isascii():
            raise MalformedRequest(NOT_BINARY)
    return found[0]


def _field(part, content: bytes) -> list[dict]:
    """Return, in a list, what a part of a form brings; an empty list if that is nothing."""
    name = part.get_param("name", header="content-disposition")
    file = part.get_filename()
    if file is not None or part.get_content_maintype() == "image":
        if str(part.get("content-transfer-encoding")).lower() == "base64":
            content = from_base64(content.decode("latin-1"))
        # a form in which nobody chose a file has neither a name nor content
        return [{"image": content}] if file or content else []
    text = content.decode(errors="replace").strip()
    return [{name: text}] if name in ("url", "image") and text else []


def advice(content_type: str) -> str:
    """Return what to send instead of a body of this type."""
    return (
        f"{content_type[:60]!a} is not taken. Right is: curl -F picture=@jeans.jpg ADDRESS (not -d), or "
        "curl -F url=https://example.com/jeans.jpg ADDRESS; or a body of one of the types "
        "application/json, multipart/form-data, image/jpeg, image/png, image/webp"
    )


def path(event, path: str) -> str:
    """Return the path of an HTTP event without the slashes around it, and without what a gateway put in
    front of it: its stage, or the base path of a domain of one's own."""
    context = event["requestContext"]
    bare = f"{path}/".removeprefix(f"/{context.get('stage')}/").strip("/")
    domain = str(context.get("domainName") or "")
    if "." not in domain or re.search(r"\.(execute-api|lambda-url)\.|\.amazonaws\.", domain):
        return bare  # names of AWS's have no base paths
    match event:  # a gateway with routes says what it found behind the base path
        case {"pathParameters": {"proxy": str(rest)}}:
            return rest.strip("/")
        case {"routeKey": str(route)} if route.endswith(" /"):
            return ""
        case {"resource": "/"}:
            return ""
    last = path.rpartition("/")[2]
    return last if last in ("", "openapi.yaml") else bare


def is_ping(event) -> bool:
    """Whether an event only keeps the function awake, as schedules and plugins send it."""
    match event:
        case {"url": _} | {"image": _}:
            return False
        case {"source": "aws.events" | "aws.scheduler" | "serverless-plugin-warmup"}:
            return True
        case {"warmer": flag} | {"warmup": flag} | {"ping": flag}:
            return bool(flag)
    return False
