"""Write the repository's public address into links, badges and the cells for Google Colab.

    python notebooks/commands address https://github.com/OWNER/REPOSITORY

`make address REPOSITORY=https://github.com/…` runs this. The address that stands there now is in
.github/address; it is replaced in every file that git knows.
"""

import re
import subprocess
from pathlib import Path

PLACE = Path(".github/address")
KINDS = ".ipynb", ".md", ".yml", ".json", ".html"


def main(address: str = "") -> str | None:
    """Replace the address; return the message to fail with, if it failed."""
    address = address.removesuffix("/")
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address):
        return (
            f"REPOSITORY={address} is not the address of a repository on GitHub, which is what Colab, "
            "Binder and Codespaces know. Expected: REPOSITORY=https://github.com/OWNER/NAME"
        )
    old, new = (
        each.removeprefix("https://github.com/").removesuffix(".git")
        for each in (PLACE.read_text().strip(), address)
    )
    listed = subprocess.run(
        ["git", "ls-files", "-z"], capture_output=True, encoding="utf-8", errors="replace"
    )
    if listed.returncode:
        return "This folder is not a clone: make address asks git which files there are."
    written = 0
    for file in map(Path, listed.stdout.rstrip("\0").split("\0")):
        if file.suffix in KINDS and old in (text := file.read_text(encoding="utf-8")):
            file.write_text(text.replace(old, new), encoding="utf-8", newline="\n")
            written += 1
    PLACE.write_text(f"https://github.com/{new}\n")
    print(f"Written into {written} files: look at `git diff`, commit, and run `make site`.")
    return None
