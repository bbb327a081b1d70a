"""Conversions are seen to go on; a variant that fails does not stop the walk."""

import sys
from pathlib import Path

import nbclient
import nbformat
import pytest
import walk
from conftest import REPOSITORY, run

MLIR = """Could not translate MLIR to FlatBuffer.<unknown>:0: error: loc(callsite(fused["Betainc:", "a"] at
<unknown>:0: note: called from
<unknown>:0: error: failed while converting: 'main': 'tf.Betainc' op is neither a custom op nor a flex op
}) {tf.entry_function = {}} : () -> ()"""


def test_a_variant_that_fails_leaves_a_line_and_no_file_of_an_earlier_model(tmp_path, capsys):
    file = tmp_path / "int8.tflite"
    file.write_bytes(b"of an earlier model")
    with walk.attempt(str(file), optional=True):
        raise RuntimeError("data[i] != 0 was not true.")
    assert capsys.readouterr().out == (
        "int8.tflite failed, and the lesson goes on without it. The reason given: "
        "RuntimeError: data[i] != 0 was not true.\n"
    )
    assert not file.exists()


def test_a_conversion_that_is_needed_says_in_a_sentence_what_the_converter_says_in_hundreds(
    tmp_path,
):
    file = tmp_path / "float32.tflite"
    file.write_bytes(b"of an earlier model")
    with pytest.raises(walk.Problem) as raised, walk.attempt(str(file)):
        raise ValueError(MLIR)
    expected = (
        "float32.tflite could not be made. The reason given: TensorFlow Lite knows no Betainc"
    )
    assert str(raised.value) == expected
    assert file.exists()


SLOW = """
import sys, time
sys.path.insert(0, ".")
import walk
with walk.attempt("model.tflite"):
    time.sleep(2.5)
print("done")
"""


class Watched(nbclient.NotebookClient):
    """Notes what a cell displays while it runs."""

    def process_message(self, msg, cell, cell_index):
        if "display_data" in msg["msg_type"]:
            self.seen = [*getattr(self, "seen", []), msg["content"]["data"]["text/plain"]]
        return super().process_message(msg, cell, cell_index)


def test_the_seconds_of_a_slow_cell_are_counted_and_nothing_stays_of_them():
    cell = nbformat.v4.new_code_cell(SLOW)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    client = Watched(notebook, resources={"metadata": {"path": REPOSITORY / "notebooks"}})
    client.execute()
    assert client.seen[0] == "model.tflite: 0 s …" and "model.tflite: 2 s …" in client.seen
    assert [output.text for output in cell.outputs] == ["done\n"]


BAR = """
import sys, time
from commands.execute import seconds_counted
from tqdm.auto import tqdm
with seconds_counted(every=0.2):
    for cell in tqdm(range(1)):
        time.sleep(1)
"""


def test_the_bar_of_make_counts_on_within_a_cell():
    process = run([sys.executable, "-c", BAR], Path(REPOSITORY / "notebooks"))
    assert process.stderr.count("| 0/1 [00:0") > 2, process.stderr
