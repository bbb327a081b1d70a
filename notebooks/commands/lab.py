"""Open JupyterLab at the repository's root, with lesson 1: `make lab` runs this.

    python notebooks/commands lab

Notebooks that are run and saved there count as unchanged in git. Two things bring that about:
.gitattributes names a filter, strip.py, through which git reads notebooks; and after each
save git is told to look. The next time it opens what was open. Arguments are passed on to JupyterLab.
"""

import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = ROOT / ".cache" / "jupyter"
LESSON = "notebooks/01-keras-model.ipynb"

# Bytes: what lesson 1's button sends to the notebook's process arrives in one message, and a phone's photo
# has more than the 10 MB at which the connection would be cut, without a word.
LARGEST_MESSAGE = 100_000_000

NO_NEWS = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}

# Named in a URL, the lesson would open as well, but the file browser would show notebooks/ alone.
OPEN_LESSON = {
    "metadata": {"id": "default"},
    "data": {
        "file-browser-filebrowser:cwd": {"path": ""},
        f"notebook:{LESSON}": {"data": {"path": LESSON, "factory": "Notebook"}},
        "layout-restorer:data": {
            "left": {"current": "filebrowser", "widgets": ["filebrowser"]},
            "main": {"dock": {"type": "tab-area", "widgets": [f"notebook:{LESSON}"]}},
            "relativeSizes": [0.2, 0.8, 0],
        },
    },
}

one_by_one = ThreadPoolExecutor(max_workers=1)


def git(*arguments: str, given: str = "") -> str:
    """Run git in this folder; return what it printed, which is nothing where there is no clone."""
    text = {"encoding": "utf-8", "errors": "surrogateescape"}
    try:
        process = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, input=given, **text
        )
    except FileNotFoundError:  # no git
        return ""
    return process.stdout


def set_up_git() -> None:
    """Make strip.py the filter that .gitattributes names, in the settings of this clone alone."""
    if git("rev-parse", "--show-prefix") != "\n":
        return  # no clone, or a folder within somebody else's
    python = shlex.quote(Path(sys.executable).as_posix())
    # git goes on without it where the environment is gone, or a commit is older than the filter.
    there = f"test -x {python} && test -f notebooks/commands/strip.py"
    clean = f"{there} && exec {python} -X utf8 notebooks/commands/strip.py; exec cat"
    git("config", "--local", "filter.lesson.clean", clean)
    settle()


def settle() -> None:
    """Tell git to look at the notebooks that were saved, where only what the filter removes differs.

    git asks the filter only about files whose size it knows: to `git status` and `git pull` a file of
    another size is a changed one, until `git add` was there. `git diff` always asks.
    """
    touched = set(git("diff-files", "--name-only", "-z", "--", "notebooks").split("\0"))
    edited = set(git("diff", "--name-only", "-z", "--", "notebooks").split("\0"))
    if same := sorted(touched - edited):
        known = git("ls-files", "--stage", "-z", "--", *same)
        git("add", "--update", "--", *same)
        if git("ls-files", "--stage", "-z", "--", *same) != known:  # saved again meanwhile
            git("update-index", "-z", "--index-info", given=known)


def saved(**_) -> None:
    """Settle, and let JupyterLab go on meanwhile: it calls this after each save."""
    one_by_one.submit(settle)


def set_up_lab() -> None:
    """Leave out the news, and open lesson 1 where nothing was open yet."""
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    page = SETTINGS / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(json.dumps(NO_NEWS))
    os.environ["JUPYTER_CONFIG_PATH"] = str(SETTINGS)

    workspaces = SETTINGS / "workspaces"
    if not workspaces.exists():
        WorkspacesManager(str(workspaces)).save("default", json.dumps(OPEN_LESSON))
    os.environ["JUPYTERLAB_WORKSPACES_DIR"] = str(workspaces)


def main(*arguments: str) -> None:
    """Set everything up, and run JupyterLab until it is stopped."""
    set_up_git()
    set_up_lab()
    os.chdir(ROOT)

    from jupyterlab.labapp import main as jupyter_lab

    settings = {
        "FileContentsManager.post_save_hook": "commands.lab.saved",
        "ServerApp.tornado_settings": {"websocket_max_message_size": LARGEST_MESSAGE},
    }
    jupyter_lab([*(f"--{name}={value}" for name, value in settings.items()), *arguments])
