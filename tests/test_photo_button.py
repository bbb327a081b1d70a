"""The button for a photo of one's own, in JupyterLab as `make lab` starts it, in a real browser."""

import shutil
import socket
import subprocess
import sys
import urllib.request

import nbformat
import pytest
from conftest import copy_repository, environment, wait_for
from PIL import Image
from test_own_photo import HEIC, landscape, turned

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip(
        "there is no Chromium on this machine (apt install chromium)", allow_module_level=True
    )

from playwright.sync_api import expect, sync_playwright  # noqa: E402 - needs Chromium

# As in lesson 1, but that there Keras looks at the photo, which takes longer to start than all of this.
CELLS = [
    "import sys; sys.path.insert(0, '.'); import walk; walk.begin('button')",
    "walk.photo_button(lambda file: walk.gallery({'the photo': file}))",
    "print('taken along:', *walk.your_photo())",
]


@pytest.fixture(scope="module")
def folder(module_path):
    """A copy of the repository, with a notebook that has the button."""
    folder = copy_repository(module_path / "copy")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(each) for each in CELLS])
    lesson = nbformat.read(folder / "notebooks/01-keras-model.ipynb", as_version=4)
    notebook.metadata = lesson.metadata
    nbformat.write(notebook, folder / "notebooks/button.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(folder):
    """The address of a JupyterLab there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = [f"--port={port}", "--port-retries=0", "--IdentityProvider.token=secret"]
    process = subprocess.Popen(
        [sys.executable, "notebooks/commands", "lab", "--no-browser", "--allow-root", *settings],
        cwd=folder,
        env=environment() | {"JUPYTER_RUNTIME_DIR": str(folder / ".cache/runtime")},
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return urllib.request.urlopen(f"{address}/api?token=secret", timeout=5)
        except OSError:
            return None

    try:
        wait_for(answers)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def page(lab):
    """The notebook, after all of its cells ran."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)  # the machine may be busy with other tests
        page.goto(f"{lab}/doc/tree/notebooks/button.ipynb?token=secret")
        run_all(page)
        yield page
        browser.close()


def run_all(page):
    """Run all cells, and wait for the last one."""
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    expect(page.locator(".jp-OutputArea-output").last).to_contain_text(
        "taken along:", timeout=60_000
    )


def choose(page, file):
    """Press the button, and choose a file."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a photo").click()
    chooser.value.set_files(file)


def test_the_button_takes_a_photo_shows_it_and_hands_it_on(page, folder, tmp_path):
    kept, shown = folder / "generated/your-photo.png", page.locator(".widget-output")
    large = tmp_path / "IMG_1.JPG"  # more than the 10 MB at which JupyterLab cuts the connection
    noise = Image.effect_noise((4000, 3000), 90).convert("RGB")
    large.write_bytes(turned(Image.blend(landscape(4000, 3000), noise, 0.5), quality=100))
    assert large.stat().st_size > 11_000_000
    choose(page, large)
    expect(shown).to_contain_text("run the cells below")
    assert Image.open(kept).size == (768, 1024) and shown.locator("img").count() == 1

    (tmp_path / "IMG_2.HEIC").write_bytes(HEIC)
    choose(page, tmp_path / "IMG_2.HEIC")
    expect(shown).to_contain_text("Problem: IMG_2.HEIC is a HEIC photo")
    assert kept.exists() and shown.locator("img").count() == 0

    landscape(300, 200).save(tmp_path / "next.png")
    choose(page, tmp_path / "next.png")
    expect(shown).to_contain_text("run the cells below")
    assert Image.open(kept).size == (300, 200)

    run_all(page)
    last = page.locator(".jp-OutputArea-output").last
    expect(last).to_contain_text("taken along: generated/your-photo.png")
    expect(shown).to_contain_text("run the cells below")  # and shown again
