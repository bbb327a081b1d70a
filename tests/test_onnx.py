"""The appendix on ONNX: Keras's model and files of one's own, in the function that asks the file."""

import json
import re
import shutil

import numpy as np
import onnx
import pytest
from bundle import FILES, LIMIT
from conftest import PICTURES, REPOSITORY, code_cells, copy_of, copy_repository, make, run
from corpus import http_v2
from onnx.reference import ReferenceEvaluator
from onnx_files import ask, classifier, image, save_as_pytorch_does
from PIL import Image

pytestmark = pytest.mark.xdist_group("onnx")

FUNCTION = "lambda/onnx_function.py"
COAT = REPOSITORY / "notebooks/assets/coat.png"
MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]  # of ImageNet


def outputs(folder):
    """All that the cells of the executed appendix printed, as one text."""
    found = []
    for cell in code_cells(folder / "generated/onnx.ipynb"):
        for output in cell.outputs:
            found.append(output.get("text", "") + output.get("data", {}).get("text/plain", ""))
    return "\n".join(found)


# --- Keras's model -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keras(walked, module_path):
    """A copy of the walk in which `make onnx` has run."""
    folder = copy_of(walked, module_path / "walk")
    (folder / "said.txt").write_text(make(folder, "onnx").stdout)
    return folder


def test_make_onnx_says_what_it_made_and_that_keras_agrees(keras):
    said = (keras / "said.txt").read_text()
    assert "jeans.png is pants, says the function on ONNX Runtime under AWS's own runtime" in said
    assert "Keras agrees." in said and "lambda/onnx_function.py" in said
    assert "lambda/onnx_function.py" not in make(keras, "walk").stdout  # that ends as ever


def test_the_scores_are_kerass_for_every_picture(keras):
    expected = json.loads((keras / "generated/expected-scores.json").read_text())["scores"]
    model = "generated/clothing-model.onnx"
    said = ask(keras, model, [image(keras / picture) for picture in expected])
    for answer, scores in zip(said, expected.values(), strict=True):
        assert list(answer) == list(scores)
        assert answer == pytest.approx(scores, abs=1e-4 * np.ptp([*scores.values()]))


def test_with_it_in_the_place_of_lesson_3s_function_guards_and_http_answer_as_before(keras):
    events = [http_v2(body=json.dumps(image(picture))) for picture in PICTURES[:2]]
    events += [http_v2(body="no picture"), http_v2("GET", "/openapi.yaml")]
    before = ask(keras, "generated/clothing-model.tflite", events, "api")
    (keras / "other").mkdir()
    for file in FILES:
        shutil.copy(keras / "lambda" / file, keras / "other")
    shutil.copy(keras / FUNCTION, keras / "other/lambda_function.py")
    after = ask(keras, "generated/clothing-model.onnx", events, "api", "other")
    assert [each["statusCode"] for each in after] == [200, 200, 400, 200]
    for one, other in zip(before[:2], after[:2], strict=True):
        one, other = json.loads(one["body"]), json.loads(other["body"])
        assert other["prediction"] == one["prediction"]
        assert other["scores"] == pytest.approx(one["scores"], abs=1e-3)
    assert after[2:] == before[2:]


def test_what_is_in_a_zip_fits(keras):
    said = re.search(r"^(\d+) MB of the (\d+) MB that Lambda takes", outputs(keras), re.MULTILINE)
    assert 0 < int(said[1]) < int(said[2]) == round(LIMIT / 1e6)


def test_it_loads_in_the_environment_of_the_zip_without_keras_or_tensorflow(keras):
    python = keras / ".cache/environments/onnx-function/bin/python"
    listed = run(["uv", "pip", "list", "--python", python, "--format=json"], keras).stdout
    names = {package["name"] for package in json.loads(listed)}
    assert "onnxruntime" in names and not names & {"tensorflow", "keras", "ai-edge-litert"}
    assert "REPORT RequestId" in (keras / "generated/lambda-runtime.log").read_text()


# --- the homework of 2025, on a model of the same kind -------------------------------------------


@pytest.fixture(scope="module")
def hair(module_path):
    """A fresh copy of the repository in which make has run with such a file."""
    folder = copy_repository(module_path / "hair")
    (folder / "files").mkdir()
    save_as_pytorch_does(classifier(), folder / "files/hair.onnx")
    given = ["MODEL=files/hair.onnx", "CLASSES=curly straight", "IMAGE=notebooks/assets/coat.png"]
    (folder / "said.txt").write_text(make(folder, *given).stdout)
    return folder


def prepared(file):
    """A picture as the homework prepares it, without the walk: shape (1, 3, 200, 200)."""
    resized = Image.open(file).convert("RGB").resize((200, 200), Image.Resampling.NEAREST)
    x = (np.asarray(resized, "float32") / 255 - MEAN) / DEVIATION
    return x.astype("float32").transpose(2, 0, 1)[None]


@pytest.fixture(scope="module")
def answer(hair):
    """What the model says, asked with ONNX's own reference, in place of ONNX Runtime."""
    model = onnx.load(hair / "files/hair.onnx")
    return float(ReferenceEvaluator(model).run(None, {"input": prepared(COAT)})[0][0, 0])


def test_question_1_the_name_of_the_output(hair):
    assert "output output [1] tensor(float)" in outputs(hair)


def test_question_2_the_size_of_the_pictures(hair):
    assert "200 x 200 pixels, channels first" in outputs(hair)


def test_question_3_the_first_pixel(hair):
    said = re.search(r"first pixel: \[ *(\S+)", outputs(hair))[1]
    assert float(said) == pytest.approx(prepared(COAT)[0, 0, 0, 0], abs=6e-4)


def test_question_4_the_score(hair, answer):
    assert 0.01 < answer < 0.99
    said = re.search(r"array\(\[(\S+)\], dtype=float32\)", outputs(hair))[1]
    assert float(said) == pytest.approx(answer, abs=6e-4)


def test_question_5_the_size_of_what_is_deployed(hair):
    said = re.search(r"^(\d+) MB of the \d+ MB that Lambda takes", outputs(hair), re.MULTILINE)
    assert int(said[1]) > 100


def test_question_6_the_functions_answer(hair, answer):
    best = ["curly", "straight"][answer > 0.5]
    (said,) = ask(hair, "generated/clothing-model.onnx", [image(COAT)])
    assert said == pytest.approx({"curly": 1 - answer, "straight": answer}, abs=1e-4)
    printed = (hair / "said.txt").read_text()
    assert f"coat.png is {best}, says the function on ONNX Runtime under AWS's own" in printed
    assert "PREPROCESSING=torch RESIZE=nearest" in printed and "channels first" in printed


def test_the_function_is_the_same_for_every_model_and_the_lessons_are_left_alone(hair, keras):
    committed = (REPOSITORY / FUNCTION).read_text()
    assert (hair / FUNCTION).read_text() == (keras / FUNCTION).read_text() == committed
    made = {path.name for path in (hair / "generated").iterdir()}
    assert "expected-scores.json" not in made and "01-keras-model.ipynb" not in made
