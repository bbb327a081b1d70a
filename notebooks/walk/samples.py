"""The pictures that lesson 1 predicts: drawings, and photos of the course's data set."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SAMPLES = Path("notebooks/assets")
PHOTOS = Path("generated/downloads/course-photos")

# A dozen photos (CC0) of https://github.com/alexeygrigorev/clothing-dataset-small: by what they show,
# the file of the data set and its SHA-256. None was trained on.
DATA_SET = "https://raw.githubusercontent.com/alexeygrigorev/clothing-dataset-small/master"
COURSE_PHOTOS = {
    "pants": (
        "validation/pants/17bebe65-17cc-42b3-885f-4e6c64a16f26.jpg",
        "72219f714188ef76d37850a9b641328bd0bcf09d9dc37b081ce526e0415774e8",
    ),
    "dress": (
        "validation/dress/35f5fecb-755a-45d6-ac3d-3feb8299dc87.jpg",
        "eb0341e26b1e0ad88e3374dc0ecdafe965d32df0ed4c6c3e5169802e579d5fac",
    ),
    "dress-2": (
        "validation/dress/19e4de0d-fb90-47c2-83b4-37e3652c5a16.jpg",
        "ad12c968d78857ceb68de251de0660f99792de15b6c4ca615382f00a07b46269",
    ),
    "hat": (
        "validation/hat/50cf0bbc-5a25-4df9-94fe-3323d2b61bff.jpg",
        "539f97eca9d1383251540878aa23e0e61b026c21be212bce6f3afd2248d99c61",
    ),
    "longsleeve": (
        "validation/longsleeve/2b12ad64-97e5-4500-ad2e-f74ea31eacbb.jpg",
        "8507460e38ec675e2dce14370a9d0031d087527c2af4c8e3c91ed98a7483fcbb",
    ),
    "outwear": (
        "validation/outwear/2c1c3c2a-5b22-4133-9509-1877d6a106a0.jpg",
        "3dee385832fc63594b123bed9acc5b51631fd1a54d40968461e3a5d1335be7cf",
    ),
    "shirt": (
        "validation/shirt/4db14d3d-05ca-48b1-9257-204b447c27bb.jpg",
        "52fa372bff8d1dbd405727a9f36082d1f79e41f7433ad24cf315703883c8db78",
    ),
    "shoes": (
        "validation/shoes/65368501-a7a8-4552-9035-7e812b9b4828.jpg",
        "5f1c9f6f3d4edef4e6bbc31fbc658231aed9d22dc10a2662e9eb371a1f4d7e20",
    ),
    "shoes-2": (
        "validation/shoes/5e577f40-dd22-4b40-9827-ce6cae5ac3fd.jpg",
        "d53ddbabac3a26d5549365413a857e9860b06d001f56f10ef2e61921a5b895b8",
    ),
    "shorts": (
        "validation/shorts/0e88c86f-911f-4dd6-85b6-cb953e9dd2c5.jpg",
        "ce70966bbf4f49768d337a09b7dc6ed224b994a1ccfa1b0a92edeab11b10f9c8",
    ),
    "skirt": (
        "validation/skirt/4d5d201a-11cb-4e5c-b291-9b8c833c4ddf.jpg",
        "3003c38069002927547f50399998c9248ad35c466141c9e0f8f57deb88aff41b",
    ),
    "t-shirt": (
        "validation/t-shirt/06de9ebd-be39-4cc6-aea7-1d047ccf1a52.jpg",
        "b70b597192e172e94ae24a2de4539b2a700956842c9a5efc935f477743473605",
    ),
}
# Seconds: for a connection to each of the server's addresses, and without a byte.
TIMEOUT = 2, 10


def course_photos() -> list[Path]:
    """Return the photos of the course, downloaded once; say so and return none if they cannot be."""
    import pooch

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT)

    def download(name: str) -> None:
        place, checksum = COURSE_PHOTOS[name]
        pooch.retrieve(
            f"{DATA_SET}/{place}", checksum, _photo(name).name, PHOTOS, downloader=downloader
        )

    first, *others = COURSE_PHOTOS
    try:
        download(first)  # alone: where there is no connection, one learns that only once
        with ThreadPoolExecutor(len(others)) as pool:
            list(pool.map(download, others))
    except (OSError, ValueError) as error:
        print(
            f"The course's photos could not be downloaded ({type(error).__name__}): the drawings take "
            "their place. Is there a connection?"
        )
        return []
    return [_photo(name) for name in COURSE_PHOTOS]


def sample_pictures(image: str) -> list[Path]:
    """Return the drawings, and before them, if IMAGE is "course", the photos that are there."""
    photos = [_photo(name) for name in COURSE_PHOTOS if image == "course"]
    return [file for file in photos if file.exists()] + sorted(SAMPLES.glob("*.png"))


def with_samples(file: Path, image: str) -> list[Path]:
    """Return the picture that IMAGE stands for, and behind it the samples, without it."""
    return [file, *(each for each in sample_pictures(image) if each != file)]


def _photo(name: str) -> Path:
    """Return where a photo of the course's is kept; some drawing has the name without "photo-"."""
    return PHOTOS / f"photo-{name}.jpg"
