"""Photos that vary: parts of them, turned, in other colours, blurred, and two mixed into one."""

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter


def varied(
    photo: Image.Image, size: int, variation: Mapping[str, float], rng: np.random.Generator
) -> Image.Image:
    """Return a photo as it might have been taken otherwise, of size x size pixels.

    Parameters
    ----------
    photo
        An RGB photo of any size.
    size
        Height and width of the result, in pixels.
    variation
        `part`: the smallest share of the photo's area that is taken. The others are probabilities:
        `whole`: that all of it is; `nearest`: that it is shrunk by taking the nearest pixel, and not
        between pixels (bilinear); `colour`: of other brightness, contrast and saturation, for each;
        `hue`: of other colours; `grey`: of none; `blur`.
    rng
        Decides; the same state gives the same pixels.
    """
    return _in_other_light(_from_elsewhere(photo, size, variation, rng), variation, rng)


def _from_elsewhere(photo, size, variation, rng):
    """A part of the photo, mirrored, turned and sheared."""
    area = rng.uniform(variation["part"], 1)
    shape = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))  # width by height
    share = np.minimum(1, [np.sqrt(area * shape), np.sqrt(area / shape)])
    if rng.random() < variation["whole"]:
        share = np.ones(2)
    centre = rng.uniform(share / 2, 1 - share / 2) * photo.size
    angle, shear = np.radians(rng.normal(0, 8)), rng.normal(0, 0.08)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    stretch = np.diag(share * photo.size)  # from the unit square to the photo's pixels
    matrix = stretch @ turn @ np.array([[1, shear], [0, 1]]) / size
    matrix[:, 0] *= rng.choice([-1, 1])
    offset = centre - matrix @ [size / 2, size / 2]
    nearest = rng.random() < variation["nearest"]
    return photo.transform(
        (size, size),
        Image.Transform.AFFINE,
        np.column_stack([matrix, offset]).ravel(),
        Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR,
        fillcolor=tuple(rng.integers(0, 256, 3).tolist()),
    )


def _in_other_light(picture, variation, rng):
    """The picture in other colours, without colours, or blurred."""
    for enhance in ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color:
        if rng.random() < variation["colour"]:
            picture = enhance(picture).enhance(rng.uniform(0.6, 1.4))
    if rng.random() < variation["hue"]:
        hue, *others = picture.convert("HSV").split()
        turn = rng.integers(256)
        hue = hue.point([(value + turn) % 256 for value in range(256)])
        picture = Image.merge("HSV", [hue, *others]).convert("RGB")
    if rng.random() < variation["grey"]:
        picture = picture.convert("L").convert("RGB")
    if rng.random() < variation["blur"]:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 2.5)))
    return picture


def mixed(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return a batch in which each picture is mixed with another of it, and the labels as much.

    Half of the time one is laid over the other (mixup, https://arxiv.org/abs/1710.09412), half of the
    time a square of one is put into the other (CutMix, https://arxiv.org/abs/1905.04899).

    Parameters
    ----------
    x
        Pictures, shape (batch, size, size, 3).
    y
        Shares of the classes, shape (batch, classes).
    rng
        Decides.

    Returns
    -------
    ndarray, ndarray
        The same shapes, float32.
    """
    size = x.shape[1]
    others = rng.permutation(len(x))
    if rng.random() < 0.5:  # mixup
        share = rng.beta(0.4, 0.4)
        x = share * x + (1 - share) * x[others]
    else:  # CutMix
        side = int(size * np.sqrt(rng.random()))
        top, left = rng.integers(0, size - side + 1, 2)
        window = np.s_[:, top : top + side, left : left + side]
        share = 1 - (side / size) ** 2
        x = x.copy()
        x[window] = x[others][window]
    return x.astype("float32"), (share * y + (1 - share) * y[others]).astype("float32")
