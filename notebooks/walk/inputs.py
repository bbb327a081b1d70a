"""What a walk works on: MODEL, IMAGE, CLASSES and PREPROCESSING, found and checked."""

import hashlib
import importlib
import io
import json
import sys
import zipfile
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest import mock
from urllib.parse import urlparse

from PIL import Image, ImageOps

from .lesson import Problem, load, require, save

SAMPLES = Path("notebooks/assets")
DOWNLOADS = Path("generated/downloads")

RELEASES = "https://github.com/DataTalksClub/machine-learning-zoomcamp/releases/download"
MODELS = {
    "embedded": "notebooks/assets/clothing-model.h5",
    "course-2021": f"{RELEASES}/chapter7-model/xception_v4_large_08_0.894.h5",
    "course-2025": f"{RELEASES}/dl-models/clothing-model-new.keras",
}
# What the course publishes of its model of 2021: the file's size, and its logits for this picture.
COURSE_2021_BYTES = 86_185_888
COURSE_IMAGE = (
    "https://raw.githubusercontent.com/alexeygrigorev/clothing-dataset-small/master/test/pants/"
    "4aabd82c-82e1-4181-a84d-d0c6e550d26d.jpg"
)
COURSE_IMAGE_SHA256 = "7e408f15ec98b35305f2c7f84423a2464141168970a64e10f9da13303d8c2055"
COURSE_LOGITS = [-1.8682919, -4.761245, -2.3169832, -1.0625719, 9.887158]
COURSE_LOGITS += [-2.812432, -3.6662836, 3.200363, -2.6023405, -4.835046]


def class_names(classes: str) -> list[str]:
    """Split CLASSES; raise a Problem if a name is there twice, or none is there."""
    names = classes.split()
    if not names or len(set(names)) < len(names):
        wrong = "names a class twice" if names else "names no class"
        raise Problem(f'CLASSES="{classes}" {wrong}.')
    return names


def check_preprocessing(name: str) -> None:
    """Raise a Problem unless keras-image-helper knows this way to prepare pictures."""
    from keras_image_helper.helper import preprocessors

    if name not in preprocessors:
        raise Problem(f"PREPROCESSING={name} is not one of: {', '.join(preprocessors)}")


def preprocess_input(name: str):
    """Return Keras's `preprocess_input` for a value of PREPROCESSING."""
    return importlib.import_module(f"keras.applications.{name}").preprocess_input


def model_file(model: str) -> Path:
    """Return the file of a Keras model, downloaded where it has a URL.

    Parameters
    ----------
    model
        MODEL: a name in `MODELS`, or the path or URL of a .h5 or .keras file.

    Raises
    ------
    Problem
        There is no such file, it cannot be downloaded, or it is not a whole Keras model.
    """
    expected = f"{', '.join(MODELS)}, or the path or URL of a .h5 or .keras file"
    file = _local_file("MODEL", MODELS.get(model, model), expected)
    size = file.stat().st_size
    if model == "course-2021" and size != COURSE_2021_BYTES:
        refuse(file, f"MODEL={model} has {size:,} bytes, not {COURSE_2021_BYTES:,}: try again.")
    try:
        keras_version(file)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        refuse(
            file,
            f"MODEL={model} is not a Keras model, or it is broken. Expected: a whole model as "
            "model.save('model.keras') or model.save('model.h5') writes it, not weights alone.",
        )
    return file


def keras_version(file: Path) -> str:
    """Return the version of the Keras that wrote a model file, as in "3.15.1"."""
    import h5py

    if not h5py.is_hdf5(file):
        with zipfile.ZipFile(file) as archive:
            return json.loads(archive.read("metadata.json"))["keras_version"]
    with h5py.File(file) as opened:
        opened.attrs["model_config"]  # a file of weights alone has none
        return opened.attrs["keras_version"]


# Settings that Keras before 3.15 does not know, with the values at which they change nothing.
NEWER_SETTINGS = {
    "input_axes": None,
    "output_axes": None,
    "quantization_config": None,
    "renorm": False,
    "renorm_clipping": None,
    "renorm_momentum": 0.99,
}


def open_to_older_keras(file: Path) -> None:
    """Let Keras 3.4 and later read an HDF5 model of Keras 3.15; the weights stay untouched.

    Keras notes every setting of every layer, and an older Keras refuses those that it does not
    know. The ones that say nothing new are left out of the notes.
    """
    import h5py

    def known(settings):
        return {k: value for k, value in settings.items() if (k, value) not in newer}

    newer = NEWER_SETTINGS.items()
    with h5py.File(file, "r+") as opened:
        config = json.loads(opened.attrs["model_config"], object_hook=known)
        # Assigned instead of modified, the attribute would leave its old text's place empty.
        opened.attrs.modify("model_config", json.dumps(config))


@contextmanager
def loading(model: str, file: Path):
    """Turn an error of `load_model` in the `with` block into a message that says what to do.

    Within the block, `keras.models.load_model` reads a file of Keras 2 with that.
    """
    try:
        with _keras_2() if keras_version(file).startswith(("1.", "2.")) else nullcontext():
            yield
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        loaded = [name for name in ("keras", "tf_keras") if name in sys.modules]
        here = " and ".join(sys.modules[name].__version__ for name in loaded)
        refuse(
            file,
            f"MODEL={model} cannot be loaded. It was written by Keras {keras_version(file)}; here "
            f"is Keras {here}. The reason given: {reason}",
        )


def _keras_2():
    """Let Keras 2 do the work of `keras.models.load_model`, as long as the context lasts."""
    import keras
    import tf_keras

    return mock.patch.object(keras.models, "load_model", tf_keras.models.load_model)


def library_of(loaded) -> str:
    """Return the name of the library that a loaded model is of: keras, or tf_keras for Keras 2."""
    return type(loaded).__module__.partition(".")[0]


def check_model(model: str, loaded, classes: list[str]) -> None:
    """Raise a Problem unless a loaded model takes one RGB picture and scores these classes.

    Refused is, too, what would be answered wrongly without a word: a single output, whose softmax is
    always 1, and a model that scales its pictures itself, to which they would come scaled twice.
    """
    if len(loaded.inputs) != 1 or len(loaded.outputs) != 1:
        raise Problem(
            f"MODEL={model} has {len(loaded.inputs)} inputs and {len(loaded.outputs)} outputs. "
            "Expected: one picture in, one row of scores out."
        )
    match loaded.input_shape, loaded.output_shape:
        case (None, int(), int(), 3), (None, int(outputs)):
            pass
        case shapes:
            raise Problem(
                f"MODEL={model} has input {shapes[0]} and output {shapes[1]}. "
                "Expected: input (None, height, width, 3) and output (None, number of classes)."
            )
    if outputs == 1:
        raise Problem(
            f"MODEL={model} has a single output. Expected: one for each class; in place of one "
            "sigmoid, Dense(2) with a softmax or with none, trained anew."
        )
    inside = [layer.name for layer in loaded._flatten_layers() if _scales(layer)]
    if inside:
        raise Problem(
            f"MODEL={model} scales its pictures itself, in its layer {inside[0]}; the walk scales them "
            "before, and twice would be wrong. Expected: a model that takes what PREPROCESSING makes."
        )
    if len(classes) != outputs:
        raise Problem(
            f'CLASSES="{" ".join(classes)}" names {len(classes)} classes, but MODEL={model} has '
            f'{outputs} outputs. Name one class for each, as in CLASSES="cup fork glass".'
        )


def _scales(layer) -> bool:
    """Whether this layer, of Keras 2 or 3, does what `preprocess_input` does."""
    return type(layer).__name__ in ("Rescaling", "Normalization")


def check_course_scores(model: str, image_file: Path, scores: dict[str, float]) -> None:
    """Compare the scores of the course's model and picture with the published ones, if they are it.

    Raises
    ------
    Problem
        They differ by more than 0.001.
    """
    digest = hashlib.sha256(image_file.read_bytes()).hexdigest()
    if model == "course-2021" and digest == COURSE_IMAGE_SHA256:
        difference = max(abs(a - b) for a, b in zip(scores.values(), COURSE_LOGITS, strict=True))
        if not difference < 1e-3:
            raise Problem(f"Keras and the course's published logits differ by {difference}.")
        print("the same logits as the course publishes, to 0.001")


def keep_model(file: Path) -> str:
    """Copy the model's file to where the next lessons look for it; return its path."""
    import h5py

    suffix = ".h5" if h5py.is_hdf5(file) else ".keras"
    kept = f"generated/clothing-model{suffix}"
    save(kept, file.read_bytes())
    return kept


def load_kept_model(expected: dict):
    """Load the Keras model that lesson 1 kept, with the Keras that loaded it there."""
    library = importlib.import_module(expected["library"])
    return library.models.load_model(require(expected["model"]), compile=False)


def check_parameters(classes: str, preprocessing: str) -> None:
    """Raise a Problem unless CLASSES and PREPROCESSING are those that lesson 1 was run with."""
    expected = load("generated/expected-scores.json")
    names = class_names(classes)
    theirs = list(expected["scores"][expected["image"]])
    for name, here, there in (
        ("CLASSES", names, theirs),
        ("PREPROCESSING", [preprocessing], [expected["preprocessing"]]),
    ):
        if here != there:
            raise Problem(
                f'{name}="{" ".join(here)}" here, but lesson 1 was run with "{" ".join(there)}". '
                f"Give both lessons the same {name}."
            )


def picture_file(image: str) -> Path:
    """Return the file of a picture that any library reads alike.

    Phones note in the EXIF data how a photo is to be turned, some pictures are transparent, some
    have 16 bits, and Keras looks at none of that. Such a picture is written anew into generated/:
    upright, on a white background, 8 bits.

    Parameters
    ----------
    image
        IMAGE: the path or URL of a picture.

    Raises
    ------
    Problem
        There is no such file, it cannot be downloaded, or it is not a picture.
    """
    file = _local_file("IMAGE", image, "the path or URL of a picture")
    try:
        opened = Image.open(file)
        opened.load()  # decodes it whole
    except (OSError, SyntaxError, Image.DecompressionBombError):
        refuse(file, f"IMAGE={image} is not a picture, or it is broken. Try another.")
    plain = _plain(opened)
    if plain.tobytes() == opened.tobytes():
        return file
    content, copy = io.BytesIO(), Path("generated", f"{file.stem}.png")
    plain.convert("RGB").save(content, "PNG")
    save(copy, content.getvalue())
    return copy


def _plain(picture: Image.Image) -> Image.Image:
    """Turn a picture upright, and put it on a white background, with 8 bits a channel."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I"):  # 16 bits
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture


def _local_file(parameter: str, address: str, expected: str) -> Path:
    """Return the path of the file that a parameter names; a URL is downloaded, once."""
    if address.startswith(("http://", "https://")):
        return download(parameter, address)
    if not Path(address).is_file():
        found = "is a directory" if Path(address).is_dir() else "does not exist"
        raise Problem(f"{parameter}={address} {found}. Expected: {expected}.")
    return Path(address)


def download(parameter: str, url: str) -> Path:
    """Return the path of what is at a URL, downloaded once into generated/downloads/.

    Raises
    ------
    Problem
        It cannot be downloaded.
    """
    import pooch

    pooch.get_logger().setLevel("WARNING")
    folder = DOWNLOADS / hashlib.sha256(url.encode()).hexdigest()[:8]
    name = Path(urlparse(url).path).name or "download"
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=10)  # seconds without a byte
    try:
        pooch.retrieve(url, known_hash=None, fname=name, path=folder, downloader=downloader)
    except (OSError, ValueError) as error:
        raise Problem(
            f"{parameter}={url} could not be downloaded: {error}. Check the address and the "
            f"connection, or download it yourself and give its path as {parameter}."
        ) from None
    return folder / name


def refuse(file: Path, message: str):
    """Raise a Problem about a file; if it was downloaded, the next try downloads it again."""
    if file.is_relative_to(DOWNLOADS):
        file.unlink()
    raise Problem(message) from None
