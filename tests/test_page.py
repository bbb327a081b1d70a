"""The page on which people try the function, in a real browser, on the stack of `make serve`."""

import base64
import importlib.util
import io
import shutil
from pathlib import Path

import corpus
import pytest
from conftest import PICTURES
from corpus import JEANS
from PIL import Image, ImageDraw

pytestmark = pytest.mark.xdist_group("serve")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip(
        "there is no Chromium on this machine (apt install chromium)", allow_module_level=True
    )

from playwright.sync_api import expect, sync_playwright  # noqa: E402 - needs Chromium

AXE = Path(importlib.util.find_spec("axe_playwright_python").origin).parent / "axe.min.js"
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
LONG_NAME = "a_very_long_name_" * 9 + ".png", "image/png", JEANS[:5000]  # a broken picture
COAT = next(path for path in PICTURES if path.name == "coat.png")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *CAMERA]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, served):
    """The page, just opened. At the end: no error in the console, no request to elsewhere."""
    page = browser.new_page(permissions=["camera"])
    complaints, requests = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(served)
    yield page
    failed = "Failed to load resource"  # what Chromium says of each answer that is an error
    assert not [text for text in complaints if failed not in text]
    assert not [url for url in requests if not url.startswith((served, "blob:", "data:"))]
    page.close()


def choose(page, *files):
    """Choose files: paths, or (name, content type, content)."""
    given = [
        {"name": each[0], "mimeType": each[1], "buffer": each[2]}
        if isinstance(each, tuple)
        else each
        for each in files
    ]
    page.set_input_files("#files", given)


def expect_answer(page, words):
    """The newest answer has these words as its heading."""
    expect(page.locator("#answers li").first.get_by_role("heading")).to_have_text(words)


def expect_error(page, words):
    expect_answer(page, "No answer")
    expect(page.locator("#answers li").first.locator(".error")).to_contain_text(words)


def send(page, event, target, content):
    """Let the page see a paste or a drop of a picture."""
    script = """([event, target, bytes]) => {
        const data = new DataTransfer();
        const options = { bubbles: true, cancelable: true };
        data.items.add(new File([new Uint8Array(bytes)], "jeans.png", { type: "image/png" }));
        const made = event === "paste"
            ? new ClipboardEvent(event, { clipboardData: data, ...options })
            : new DragEvent(event, { dataTransfer: data, ...options });
        document.querySelector(target).dispatchEvent(made);
    }"""
    page.evaluate(script, [event, target, list(content)])


def test_a_chosen_picture_is_answered_with_all_probabilities(page):
    choose(page, PICTURES[0].with_name("jeans.png"))
    expect_answer(page, "pants")
    item = page.locator("#answers li").first
    shares = [float(text.removesuffix(" %")) for text in item.locator("td.share").all_inner_texts()]
    assert len(shares) == 10 and shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(100, abs=0.5) and shares[0] > 90
    widths = item.locator(".bar").evaluate_all(
        "bars => bars.map(bar => parseFloat(bar.style.width))"
    )
    assert widths == pytest.approx(shares, abs=0.06)
    assert item.locator("img").evaluate("image => image.naturalWidth") > 0
    expect(item).to_contain_text("% sure, in")
    expect(page.get_by_role("status")).to_contain_text("jeans.png: pants")


def test_the_page_says_what_the_model_knows(page):
    classes = "dress, hat, longsleeve, outwear, pants, shirt, shoes, shorts, skirt, t-shirt"
    expect(page.get_by_text("A small neural network")).to_contain_text(
        f"names one of: {classes}. It"
    )


def test_several_pictures_are_answered_one_after_another(page):
    choose(page, COAT.with_name("jeans.png"), COAT)
    expect(page.locator("#answers li")).to_have_count(2)
    expect_answer(page, "outwear")  # the newest is on top
    choose(page, COAT.with_name("jeans.png"))
    expect(page.locator("#answers li")).to_have_count(3)
    expect_answer(page, "pants")


@pytest.mark.parametrize(("event", "target"), [("drop", "#drop"), ("paste", "body")])
def test_a_picture_may_be_dropped_or_pasted(page, event, target):
    send(page, event, target, JEANS)
    expect_answer(page, "pants")


def test_the_camera_takes_a_picture(page):
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#video")).to_have_js_property("readyState", 4)
    page.get_by_role("button", name="Take the picture").click()
    expect(page.locator("#answers tr.best")).to_have_count(1)  # of Chromium's test picture
    expect(page.locator("#viewfinder")).to_be_hidden()


def test_an_address_is_asked_for(page, picture_host):
    page.get_by_label("Or the address of a picture").fill(f"http://{picture_host}/jeans.png")
    page.keyboard.press("Enter")
    expect_answer(page, "pants")


KEEP_WHAT_IS_SENT = """() => {
    const send = window.fetch;
    window.fetch = (url, options) => { window.sent = options.body; return send(url, options); };
}"""


AS_BASE64 = """() => new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1]);
    reader.readAsDataURL(window.sent);
})"""


def photo(width, height, form="JPEG", **settings):
    """The content of a photo of noise, with a red stripe at its upper edge."""
    image = Image.effect_noise((width, height), 90).convert("RGB")
    ImageDraw.Draw(image).rectangle((0, 0, width, height // 10), "red")
    file = io.BytesIO()
    image.save(file, form, **settings)
    return file.getvalue()


def test_a_large_photo_is_shrunk_and_stays_upright(page):
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn me by 90 degrees, clockwise"
    content = photo(2600, 1950, quality=95, exif=exif)
    assert len(content) > 4_500_000  # more than Lambda takes
    page.evaluate(KEEP_WHAT_IS_SENT)
    choose(page, ("photo.jpg", "image/jpeg", content))
    expect(page.locator("#answers tr.best")).to_have_count(1)
    sent = base64.b64decode(page.evaluate(AS_BASE64))
    picture = Image.open(io.BytesIO(sent))
    assert len(sent) < 4_000_000 and picture.size == (1500, 2000)
    red, green, _ = picture.getpixel((1450, 1000))  # the stripe is at the right edge now
    assert red > 200 and green < 60


def test_a_picture_of_another_kind_is_sent_as_jpeg(page):
    gif = io.BytesIO()
    Image.open(io.BytesIO(JEANS)).save(gif, "GIF")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        choose(page, ("jeans.gif", "image/gif", gif.getvalue()))
    assert sent.value.headers["content-type"] == "image/jpeg"
    expect_answer(page, "pants")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (("letter.txt", "text/plain", b"no picture"), "take a JPEG, PNG or WebP"),
        (("fake.png", "image/png", b"no picture"), "take a JPEG, PNG or WebP"),
        (("half.png", "image/png", JEANS[:5000]), "The picture is broken"),
        (("bomb.png", "image/png", None), "The picture is too large"),
    ],
    ids=["no picture", "a text as PNG", "broken", "too many pixels"],
)
def test_a_picture_that_gets_no_answer_gets_advice(page, file, words):
    if file[2] is None:
        file = (*file[:2], corpus.bomb())
    choose(page, file)
    expect_error(page, words)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://169.254.169.254/", "not among the allowed ones"),
        ("ftp://example.com/", "must begin with http"),
    ],
)
def test_an_address_that_must_not_be_fetched_gets_the_reason(page, url, words):
    page.get_by_label("Or the address of a picture").fill(url)
    page.get_by_role("button", name="Ask").click()
    expect_error(page, words)


@pytest.mark.parametrize("path", ["missing", "silent"])
def test_a_pictures_server_that_fails_gets_advice(page, picture_host, path):
    page.get_by_label("Or the address of a picture").fill(f"http://{picture_host}/{path}")
    page.keyboard.press("Enter")
    expect(page.locator(".error")).to_contain_text("The picture's server", timeout=15_000)


@pytest.mark.parametrize(
    ("status", "words"),
    [(403, "signed requests"), (413, "too large"), (429, "wait a moment"), (503, "wait a moment")],
)
def test_what_the_gateway_refuses_gets_advice(page, status, words):
    """MiniStack's gateway does not throttle; AWS's answers like this."""
    page.route("**/*", lambda route: route.fulfill(status=status, json={"message": "No"}))
    choose(page, COAT)
    expect_error(page, words)


def test_a_lost_connection_gets_advice(page):
    page.context.set_offline(True)
    choose(page, COAT)
    expect_error(page, "cannot be reached")


def open_with(page, kind, answer):
    """Open the page of a function whose scores are of this kind, and give it a picture."""

    def fulfill(route):
        if route.request.method == "POST":
            route.fulfill(json=answer)
        elif "json" in route.request.headers.get("accept", ""):
            route.fulfill(json={"classes": list(answer["scores"]), "scores": kind})
        else:
            route.continue_()

    page.route("**/*", fulfill)
    page.reload()
    choose(page, COAT)


@pytest.mark.parametrize(
    ("kind", "scores", "probability", "shown", "caption"),
    [
        ("logits", {"x": 1, "y": 1}, 0.5, ["50.0 %", "50.0 %"], "each class is"),
        ("logits", {"x": 0.7, "y": 0.3}, 0.5987, ["59.9 %", "40.1 %"], "each class is"),
        ("softmax", {"x": 0.7, "y": 0.3}, 0.7, ["70.0 %", "30.0 %"], "each class is"),
        ("sigmoid", {"y": 0.6, "x": 0.7}, 0.7, ["70.0 %", "60.0 %"], "need not add up to 100 %"),
        ("independent-logits", {"x": 800, "y": -800}, 1, ["100.0 %", "0.0 %"], "need not add up"),
    ],
)
def test_what_the_scores_are_decides_on_what_is_shown(
    page, kind, scores, probability, shown, caption
):
    open_with(page, kind, {"prediction": "x", "probability": probability, "scores": scores})
    expect(page.locator("#answers td.share")).to_have_text(shown)
    expect(page.locator("#answers caption")).to_contain_text(caption)


def test_of_a_thousand_classes_the_ten_most_probable_are_shown(page):
    scores = {f"class {number}": number / 499_500 for number in range(1000)}
    best = {"prediction": "class 999", "probability": scores["class 999"]}
    open_with(page, "softmax", best | {"scores": scores})
    expect(page.locator("#answers th")).to_have_text([f"class {999 - n}" for n in range(10)])
    expect(page.locator("#answers caption")).to_contain_text("10 most probable of 1000 classes")
    expect(page.get_by_text("A small neural network")).to_contain_text("names what it sees.")


def test_nothing_that_comes_back_becomes_html(page):
    answer = {"prediction": "<b>x</b>", "probability": 1, "scores": {"<i>y</i>": 1, "<b>x</b>": 2}}
    page.route("**/*", lambda route: route.fulfill(json=answer))
    choose(page, ("<img src=x onerror=alert(1)>.png", "image/png", JEANS))
    expect_answer(page, "<b>x</b>")
    assert page.locator("#answers b, #answers i, #answers p img").count() == 0


def axe(page):
    """What axe-core finds against the page."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_accessible_and_fits(page, scheme, width, tmp_path):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    assert axe(page) == []
    choose(page, ("coat.png", "image/png", COAT.read_bytes()), LONG_NAME)
    expect(page.locator("#answers .error")).to_have_count(1)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(250, 250, 250)") == (scheme == "light")


def test_the_keyboard_reaches_everything(page):
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.textContent || document.activeElement.id")
        )
    assert reached == [
        "Choose pictures",
        "Use the camera",
        "address",
        "Ask",
        "The API behind this page",
    ]


def test_a_script_that_somebody_slips_in_does_not_run(browser, served):
    page = browser.new_page()
    page.goto(served)
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'),"
            " { textContent: 'window.slipped = true' }))"
        )
    assert page.evaluate("window.slipped") is None
    page.close()
