"""How Sphinx makes the site: `make site` stages its pages and calls it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import pages

project = html_title = "Serverless deep learning"
language = "en"
extensions = ["myst_nb"]
nb_execution_mode = "off"  # the pages show the outputs that the notebooks have
nb_render_markdown_format = "myst"  # of outputs: with tables
myst_heading_anchors = 4  # links to headings work as on GitHub
# Nothing is loaded from elsewhere: the site works offline, and tells nobody who reads it.
nb_ipywidgets_js = {}

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "article_header_start": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["sphinx-version"],
    "footer_end": [],
    "search_bar_text": "Search the lessons ...",
}
html_sidebars = {"**": ["contents.html"]}
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_favicon = "static/icon.svg"
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_extra_path = ["../../.cache/site/extra"]
html_copy_source = html_show_sourcelink = False
html_use_index = False


LESSONS = pages.lessons()
NOTEBOOKS = {page.name: page for page in [*LESSONS, *pages.exercises()]}


def tell_the_templates(app, name, template, context, doctree):
    """Give the templates what is on the map, and which notebook a page shows, if it shows one."""
    context |= {"lessons": LESSONS, "gives": pages.GIVES, "notebook": NOTEBOOKS.get(name)}
    context |= {"address": pages.address(), "branch": pages.BRANCH}


def setup(app):
    app.connect("html-page-context", tell_the_templates)
