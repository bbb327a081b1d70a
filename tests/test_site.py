"""The site of `make site`: built from tracked files, whole, offline, and with words for every picture."""

import functools
import re
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from conftest import REPOSITORY, code_cells, copy_of, make

pytestmark = pytest.mark.xdist_group("site")

LESSONS = sorted(path.stem for path in (REPOSITORY / "notebooks").glob("[0-9]*[!0-9].ipynb"))
LESSONS += ["onnx", "measurements-in-depth", "train-the-model"]
EXERCISES = sorted(
    f"exercises/{path.stem}"
    for path in (REPOSITORY / "notebooks/exercises").glob("[0-9]*[!0-9].ipynb")
)
NOTEBOOKS = [*LESSONS, *EXERCISES, "homework"]
PAGES = [
    *NOTEBOOKS,
    "index",
    "functions",
    "notebooks",
    "glossary",
    "troubleshooting",
    "teachers",
    "search",
]


@functools.cache
def parsed(file):
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


@functools.cache
def places_in(file):
    """What a link may lead to within a page."""
    return {tag["id"] for tag in parsed(file).find_all(id=True)}


def html(site, page):
    return parsed(site / f"{page}.html")


def all_pages(site):
    """Each page of the site, by its path."""
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    return {name: parsed(file) for name, file in files.items() if "_static" not in name}


def test_it_is_built_without_a_word_of_complaint(site_copy):
    assert (site_copy / "complaints.txt").read_text() == ""


def test_it_has_a_page_for_everything_that_one_reads(site):
    assert set(all_pages(site)) == {f"{page}.html" for page in PAGES}


def test_a_lessons_page_shows_what_its_cells_printed(site):
    text = html(site, "01-keras-model").get_text()
    printed = [o.text for c in code_cells(REPOSITORY / "generated/published/01-keras-model.ipynb")
               for o in c.outputs if o.output_type == "stream"]  # fmt: skip
    assert len(printed) > 5
    assert [each for each in printed if each.strip() not in text] == []


@pytest.mark.parametrize("lesson", LESSONS)
def test_tables_that_cells_made_are_tables(site, lesson):
    markdown = [
        output.data["text/markdown"]
        for cell in code_cells(REPOSITORY / f"generated/published/{lesson}.ipynb")
        for output in cell.outputs
        if "text/markdown" in output.get("data", {})
    ]
    made = [text for text in markdown if re.search(r"^\| *:?-", text, re.MULTILINE)]
    assert len(html(site, lesson).select(".cell_output table")) == len(made)


def test_the_page_about_the_functions_says_what_they_take(site):
    text = html(site, "functions").get_text()
    assert all(word in text for word in ("lambda_function.py", "ALLOWED_HOSTS", "BrokenPicture"))


# --- nothing from elsewhere, and nothing missing -------------------------------------------------


def loaded(page):
    """What a browser loads with a page, or may load before somebody follows a link."""
    for tag in page.find_all(["script", "img", "iframe", "source", "video", "audio", "embed"]):
        yield from (tag[key] for key in ("src", "srcset") if tag.get(key))
    for tag in page.find_all("link"):
        yield tag["href"]
    for style in [tag.get_text() for tag in page.find_all("style")]:
        yield from re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')\s;]+)", style)


def test_no_page_loads_anything_from_elsewhere(site):
    addresses = [(name, each) for name, page in all_pages(site).items() for each in loaded(page)]
    assert len(addresses) > 100
    assert [each for each in addresses if re.match(r"(\w+:)?//", each[1])] == []


def test_no_style_or_script_loads_anything_from_elsewhere(site):
    found = []
    for file in [*site.rglob("*.css"), *site.rglob("*.js")]:
        text = file.read_text(encoding="utf-8")
        found += re.findall(r"(?:url\(|@import)\s*[\"']?((?:\w+:)?//[^\"')\s;]+)", text)
        found += re.findall(r"//[\w.-]*(?:cdn|unpkg|googleapis|gstatic)[\w.-]*", text)
        found += re.findall(r"(?:fetch|import|importScripts)\(\s*[\"'`](?:\w+:)?//\S+", text)
    assert found == []


def test_every_link_leads_to_a_file_and_a_place_in_it(site):
    broken, followed = [], 0
    for name, page in all_pages(site).items():
        links = [tag["href"] for tag in page.find_all("a", href=True)]
        for link in [*links, *loaded(page)]:
            if re.match(r"(\w+:)?//|data:|mailto:", link):
                continue
            target = urlsplit(urljoin(name, link))
            file = site / unquote(target.path) if target.path else site / name
            part = unquote(target.fragment)
            followed += 1
            if not file.is_file() or (
                part and file.suffix == ".html" and part not in places_in(file)
            ):
                broken.append((name, link))
    assert followed > 1000
    assert broken == []


def test_links_between_notebooks_are_links_between_pages(site):
    """They go by the notebooks' names in the repository, and by the pages' on the site."""
    for page in all_pages(site).values():
        for tag in page.find_all("a", href=True):
            if not tag.has_attr("download"):
                assert not re.search(r"\.(ipynb|md)(#|$)", tag["href"])
    links = [tag["href"] for tag in html(site, "02-tflite-model").find_all("a", href=True)]
    assert {"glossary.html#runtime", "exercises/02-tflite-model.html"} <= set(links)


@pytest.mark.parametrize("page", PAGES)
def test_every_picture_says_in_words_what_it_shows(site, page):
    for picture in html(site, page).find_all("img"):
        words = picture.get("alt", "").strip()
        # Where there are none, Sphinx puts in the file's name.
        assert len(words) > 10 and "/" not in words.split()[0], picture.get("src")


def test_the_words_are_those_of_the_executed_copies(site):
    for lesson in LESSONS:
        cells = code_cells(REPOSITORY / f"generated/published/{lesson}.ipynb")
        said = [
            output.metadata["image/png"]["alt"]
            for cell in cells
            for output in cell.outputs
            if "image/png" in output.get("data", {})
        ]
        article = html(site, lesson).find("article")
        assert [tag["alt"] for tag in article.find_all("img")] == said


# --- the way through it --------------------------------------------------------------------------


def test_one_page_leads_to_the_next_and_back(site):
    for before, after in zip(NOTEBOOKS, NOTEBOOKS[1:], strict=False):
        onward = html(site, before).find("a", class_="right-next")["href"]
        back = html(site, after).find("a", class_="left-prev")["href"]
        assert urljoin(f"{before}.html", onward) == f"{after}.html"
        assert urljoin(f"{after}.html", back) == f"{before}.html"


@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_lesson_leads_to_its_exercises_and_they_lead_back(site, exercise):
    lesson = exercise.removeprefix("exercises/")
    there = html(site, lesson).find("article").find_all("a", href=f"{exercise}.html")
    back = html(site, exercise).find("article").find_all("a", href=f"../{lesson}.html")
    assert there and back


def test_the_first_page_shows_each_lesson_with_its_picture_time_needs_and_leaves(site):
    sections = html(site, "index").find(id="the-lessons").find_all("section", recursive=False)
    assert [section.find("a")["href"] for section in sections] == [f"{n}.html" for n in LESSONS]
    for lesson, section in zip(LESSONS, sections, strict=True):
        pictures = [tag["alt"] for tag in html(site, lesson).find("article").find_all("img")]
        assert section.find("img")["alt"] in pictures
        facts = [tag.get_text() for tag in section.find_all("strong")]
        assert facts[:2] == ["time", "needs"]
        only_reads = "09-measurements", "measurements-in-depth"
        assert "leaves" in facts or lesson in only_reads
        assert re.search(r"time \w+", section.get_text())


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_map_marks_the_lesson_that_one_reads(site, lesson):
    drawings = html(site, lesson).select(".walk-map svg")
    assert len(drawings) == 2  # for wide screens and for narrow ones
    for drawing in drawings:
        here = drawing.find_all(attrs={"aria-current": "page"})
        assert [link["href"] for link in here] == [f"{lesson}.html"]
        assert [link["href"] for link in drawing.find_all("a")] == [f"{n}.html" for n in LESSONS]
        assert (
            drawing.find("title").get_text() and "you are here" in drawing.find("desc").get_text()
        )
    assert "→ 2 TensorFlow Lite model" not in html(site, lesson).get_text()  # the map in letters


def test_the_map_on_the_first_page_marks_nothing(site):
    assert html(site, "index").select(".walk-map svg")
    assert not html(site, "index").select(".walk-map [aria-current]")


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_each_notebook_can_be_downloaded(site, notebook):
    (link,) = html(site, notebook).find_all("a", download=True)
    file = (site / f"{notebook}.html").parent / link["href"]
    assert file.read_bytes() == (REPOSITORY / f"notebooks/{notebook}.ipynb").read_bytes()


# --- the repository's public address -------------------------------------------------------------


def test_with_the_repositorys_address_pages_lead_there_and_without_it_they_say_so(site_copy):
    """The copy is in one of the two states; another copy is brought into the other."""
    other = copy_of(site_copy, site_copy.with_name("the other"))
    file = other / ".github/address"
    unknown = "https://github.com/OWNER/REPOSITORY"
    known = file.read_text().strip() != unknown
    address = file.read_text().strip() if known else "https://github.com/somebody/something"
    file.write_text(unknown if known else address)
    make(other, "site")
    without, leading = (other, site_copy) if known else (site_copy, other)

    note = html(without / "generated/site", "08-public").find(class_="notebook-links")
    assert not note.find_all("a", href=re.compile("//"))
    page = html(without / "generated/site", "troubleshooting")
    assert "lambda/deployer-policy.json" in page.get_text()
    assert not page.find_all("a", href=re.compile("deployer-policy"))

    note = html(leading / "generated/site", "08-public").find(class_="notebook-links")
    place, notebook = address.removeprefix("https://github.com/"), "notebooks/08-public.ipynb"
    assert [tag["href"] for tag in note.find_all("a", href=re.compile("//"))] == [
        f"https://mybinder.org/v2/gh/{place}/main?labpath={notebook}",
    ]
    note = html(leading / "generated/site", "09-measurements").find(class_="notebook-links")
    colab = f"https://colab.research.google.com/github/{place}/blob/main/notebooks"
    assert note.find("a", href=f"{colab}/09-measurements.ipynb")
    page = html(leading / "generated/site", "troubleshooting")
    assert page.find_all("a", href=f"{address}/blob/main/lambda/deployer-policy.json")

    make(other, "clean")
    assert not (other / "generated/site").exists() and not (other / ".cache/site").exists()
