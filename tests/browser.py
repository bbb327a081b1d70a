"""The function's page in a real browser, on the stack of `make serve`: how the tests handle it."""

import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine (apt install chromium)")
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
