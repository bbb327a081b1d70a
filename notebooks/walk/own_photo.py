"""A photo from the reader's disk: the button that takes it, and where it is kept."""

import io
from pathlib import Path

from IPython import get_ipython
from IPython.display import Markdown, display
from PIL import Image

from .inputs import BOMB, LONGEST, decoding, opened_photo
from .kinds import AS_JPEG, is_heic
from .lesson import Problem, save

YOUR_PHOTO = Path("generated/your-photo.png")

NO_BUTTON = (
    "Where somebody runs this cell, in JupyterLab, VS Code or Google Colab, it shows a button that takes "
    "a photo from your disk."
)


def your_photo() -> list[Path]:
    """Return the photo that the button took, in a list; an empty one where there is none.

    In a run that nobody attends, as make's and nbconvert's are, there is none: what a run leaves must not
    depend on what somebody tried before.
    """
    return [YOUR_PHOTO] if _somebody_is_there() and YOUR_PHOTO.exists() else []


def photo_button(look):
    """Return a button that takes a photo from the reader's disk, keeps it, and shows it.

    Parameters
    ----------
    look
        Called with the path of the photo, upright and in RGB; what it returns is displayed.
    """
    if not _somebody_is_there():
        return Markdown(f"*{NO_BUTTON}*")
    import ipywidgets

    button = ipywidgets.FileUpload(accept="image/*", multiple=False, description="Choose a photo")
    button.layout = {"width": "max-content", "align_self": "flex-start"}
    seen = ipywidgets.Output()

    def show():
        display(look(YOUR_PHOTO))
        print(
            "Now run the cells below, also if you did before: the photo goes along, and on to the next "
            f"lessons. To be rid of it, delete {YOUR_PHOTO}."
        )

    def take(change):
        seen.clear_output()
        with seen:  # what goes wrong here is shown there, too
            keep_photo(*_uploaded(change["new"]))
            show()

    button.observe(take, names="value")
    if YOUR_PHOTO.exists():
        with seen:
            show()
    return ipywidgets.VBox([button, seen])


def keep_photo(name: str, content: bytes) -> None:
    """Keep a photo as `YOUR_PHOTO`: upright, in RGB, and no larger than the lessons need.

    Parameters
    ----------
    name
        The name of the photo's file, for the messages.
    content
        What is in it.

    Raises
    ------
    Problem
        It is not a picture that Keras and the function read. An earlier photo stays.
    """
    if not content:
        raise Problem(f"{name} is empty. Choose another file.")
    if is_heic(content):
        raise Problem(
            f"{name} is a HEIC photo, which neither Keras nor the function reads. {AS_JPEG}"
        )
    try:
        picture, _ = opened_photo(content)
        picture.draft(None, (LONGEST, LONGEST))  # a JPEG's decoder can leave out what is too much
        picture = decoding().plain(picture)
    except Image.DecompressionBombError:
        raise Problem(f"{name} has too many pixels ({BOMB:,} at most). Make it smaller.") from None
    except Exception:  # a decoder may fail in any way
        raise Problem(
            f"{name} is not a picture, or it is broken. Choose a photo: JPEG, PNG or WebP."
        ) from None
    picture.thumbnail((LONGEST, LONGEST))
    file = io.BytesIO()
    picture.save(file, "PNG")
    save(YOUR_PHOTO, file.getvalue())


def _somebody_is_there() -> bool:
    """Whether somebody runs the cells who could be asked something, and not papermill or nbconvert."""
    kernel = getattr(get_ipython(), "kernel", None)
    return getattr(kernel, "_allow_stdin", False)  # each request to run a cell says so


def _uploaded(value) -> tuple[str, bytes]:
    """Return the name and the content of the file in a FileUpload's value, of ipywidgets 7 or 8."""
    file = next(iter(value.values() if isinstance(value, dict) else value))
    name = file["name"] if "name" in file else file["metadata"]["name"]
    return name, bytes(file["content"])
