"""The site of `make site` in a real browser: for phones, keyboards, readers of all kinds, the dark."""

import functools
import importlib.util
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from test_site import LESSONS, PAGES, all_pages
from walk import web_server

pytestmark = pytest.mark.xdist_group("site")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(importlib.util.find_spec("axe_playwright_python").origin).parent / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
SCREENS = {"phone": (390, 844), "desk": (1280, 900)}


@pytest.fixture(scope="module")
def address(site):
    """The address of a web server for the site, as plain as that of GitHub Pages."""
    with web_server(site) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (apt install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def tab(browser, address):
    """A function from a system's colours to a tab for all tests, and the list of what goes wrong there.

    Each has a memory of its own: the site opens in the colours that it had last, and then changes them.
    """

    @functools.cache
    def tab(scheme):
        tab, wrong = browser.new_page(base_url=address, color_scheme=scheme), []
        ours = address, "data:"
        tab.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("request", lambda sent: sent.url.startswith(ours) or wrong.append(sent.url))
        return tab, wrong

    return tab


@pytest.fixture
def view(tab, request):
    """A tab of a browser: its screen and its colours are the test's parameter."""
    screen, scheme = getattr(request, "param", ("desk", "light"))
    tab, wrong = tab(scheme)
    tab.set_viewport_size(dict(zip(("width", "height"), SCREENS[screen], strict=True)))
    yield tab
    tab.goto("about:blank")
    assert wrong == []


def axe(tab):
    """What axe-core finds against the page."""
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"runOnly": WCAG, "resultTypes": ["violations"]}
    options |= {"preload": False}  # it would look for style sheets in wrong places
    found = tab.evaluate("async options => (await axe.run(options)).violations", options)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


# What does not fit, but for code and tables: the theme lets the article scroll, and clips links.
TOO_WIDE = """Array.from(document.querySelectorAll("main, main *"))
    .filter(each => each.clientWidth && each.scrollWidth > each.clientWidth + 1)
    .filter(each => !each.closest("pre, .pst-scrollable-table-container, svg"))
    .map(each => each.outerHTML.slice(0, 200))"""

# On a phone in the light, at a desk in the dark; what all pages share, the other way round, too.
VIEWS = [(("phone", "light"), page) for page in PAGES] + [
    (("desk", "dark"), page) for page in PAGES
]
VIEWS += [
    (("phone", "dark"), "index"),
    (("desk", "light"), "index"),
    (("phone", "dark"), LESSONS[2]),
]


# axe-core takes minutes for thousands of words. What is code in a line of text has one colour, so that
# its first word stands for all; the colours that code in a cell has are looked at by the next test.
FEWER_WORDS = """document.querySelectorAll(".pre + .pre").forEach(w => w.replaceWith(w.textContent));
document.querySelectorAll(".highlight pre").forEach(p => p.textContent = p.textContent)"""


@pytest.mark.parametrize(("view", "page"), VIEWS, indirect=["view"])
def test_a_page_is_accessible_and_fits_the_screen(view, page):
    """Wide tables and code scroll in their own box, which the keyboard reaches."""
    view.goto(f"/{page}.html")
    assert view.evaluate("document.documentElement.scrollWidth") <= view.viewport_size["width"]
    assert view.evaluate(TOO_WIDE) == []
    view.evaluate(FEWER_WORDS)
    assert axe(view) == []


@pytest.mark.parametrize("view", [("desk", "light"), ("desk", "dark")], indirect=True)
def test_each_colour_of_the_code_can_be_read(view, site):
    pages = all_pages(site).values()
    words = {
        " ".join(tag["class"]) for page in pages for tag in page.select(".highlight pre [class]")
    }
    assert len(words) > 15
    view.goto("/01-keras-model.html")
    view.evaluate(
        "words => { document.querySelector('.highlight pre').innerHTML ="
        " words.map(each => `<span class='${each}'>${each}</span>`).join('\\n') }",
        sorted(words),
    )
    assert axe(view) == []


@pytest.mark.parametrize("view", [("desk", "light"), ("desk", "dark")], indirect=True)
def test_it_is_as_dark_as_the_readers_system(view, request):
    view.goto("/index.html")
    background = view.evaluate("getComputedStyle(document.body).backgroundColor")
    light = request.node.callspec.params["view"][1] == "light"
    assert (background == "rgb(255, 255, 255)") == light


def test_search_finds_a_word(view):
    view.goto("/index.html")
    view.keyboard.press("Control+k")
    view.keyboard.type("quantisation")
    view.keyboard.press("Enter")
    expect(view.locator("#search-results")).to_contain_text("From Keras to TensorFlow Lite")
    view.get_by_role("link", name="2. From Keras to TensorFlow Lite").last.click()
    expect(view.get_by_role("heading", level=1)).to_contain_text("From Keras to TensorFlow Lite")


@pytest.mark.parametrize("view", [("phone", "light")], indirect=True)
def test_on_a_phone_the_menu_leads_to_every_page(view):
    view.goto("/03-predict.html")
    view.get_by_role("button", name="Site navigation").click()
    view.get_by_role("link", name="Glossary").click()
    expect(view.get_by_role("heading", level=1)).to_contain_text("Glossary")


@pytest.mark.parametrize("view", [("phone", "dark"), ("desk", "light")], indirect=True)
def test_the_map_that_fits_the_screen_is_shown_and_leads_on(view):
    view.goto("/03-predict.html")
    shown = view.locator(".walk-map svg:visible")
    expect(shown).to_have_count(1)
    shown.locator("a").nth(3).click()
    expect(view.get_by_role("heading", level=1)).to_contain_text("4. The Lambda function")
