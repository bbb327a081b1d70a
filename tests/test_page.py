"""The page on which people try the function, in a real browser, on the stack of `make serve`."""

import importlib.util
from pathlib import Path

import corpus
import pytest
from browser import choose, expect_answer, expect_error
from conftest import PICTURES
from picture_files import JEANS
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("serve")

AXE = Path(importlib.util.find_spec("axe_playwright_python").origin).parent / "axe.min.js"
LONG_NAME = "a_very_long_name_" * 9 + ".png", "image/png", JEANS[:5000]  # a broken picture
COAT = next(path for path in PICTURES if path.name == "coat.png")


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


def test_a_picture_in_its_address_is_answered(page):
    """Such addresses come from searches for pictures."""
    url = f"data:image/png;base64,{corpus.base64_text(JEANS)}"
    page.get_by_label("Or the address of a picture").fill(url)
    page.keyboard.press("Enter")
    expect_answer(page, "pants")
    assert len(page.locator("#answers li p.quiet").first.inner_text()) == 100


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("UnsupportedPicture", "Copy the address of the picture itself, or download the picture"),
        ("PictureTooLarge", "download it and choose it, and the page makes it smaller"),
        ("BrokenPicture", "download it, and if it opens, choose it"),
        ("ServerFailed", "check the address, or download the picture and choose it"),
    ],
)
def test_an_address_without_an_answer_shows_another_way(page, error, words):
    answer = {"error": error, "message": "no"}
    page.route("**/*", lambda route: route.fulfill(status=422, json=answer))
    page.get_by_label("Or the address of a picture").fill("https://example.com/page")
    page.keyboard.press("Enter")
    expect_error(page, words)


def test_the_page_asks_the_function_also_where_its_address_ends_without_a_slash(page, served):
    """As with a stage of a REST API: /prod and /prod/ are the same page there."""
    content = page.content()
    page.route("**/prod", lambda route: route.fulfill(body=content, content_type="text/html"))
    page.goto(f"{served.rstrip('/')}/prod")
    assert page.get_by_role("link").get_attribute("href") == "/prod/openapi.yaml"
    with page.expect_request(lambda request: request.method == "POST") as sent:
        choose(page, COAT)
    assert sent.value.url.endswith("/prod/")
    expect_error(page, "try again, or take another picture")  # here is no such stage


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
    [
        (403, "signed requests"),
        (413, "too large: take a smaller one"),
        (429, "wait a moment"),
        (500, "The function failed: try again"),
        (503, "wait a moment"),
        (504, "take a smaller picture"),
    ],
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
    options = {"resultTypes": ["violations"]}
    found = page.evaluate("async options => (await axe.run(options)).violations", options)
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
