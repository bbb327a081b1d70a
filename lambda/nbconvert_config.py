"""nbconvert's configuration for the export of the functions. From the repository's root:

jupyter nbconvert --to script --config lambda/nbconvert_config.py notebooks/03-predict.ipynb

writes lambda/lambda_function.py: the cells of the notebook that are tagged `lambda` or `parameters`,
in order. `06-strangers.ipynb` becomes lambda/guards.py, `07-http.ipynb` lambda/api.py,
`10-catalogue.ipynb` lambda/catalogue.py, and `onnx.ipynb` lambda/onnx_function.py.
The executed copies in generated/ have the same cells, and the parameters that they were run with.
"""

from pathlib import Path

from nbconvert.preprocessors import Preprocessor

HERE = str(Path(__file__).parent)
TAGS = {"lambda", "parameters", "injected-parameters"}  # papermill adds the last one
MODULES = {
    "03-predict": "lambda_function",
    "06-strangers": "guards",
    "07-http": "api",
    "10-catalogue": "catalogue",
    "onnx": "onnx_function",
}


class KeepTaggedCells(Preprocessor):
    """Keep the cells that are the function, and check that there are any."""

    def preprocess(self, notebook, resources):
        name = resources["metadata"]["name"]
        notebook.cells = [c for c in notebook.cells if TAGS & set(c.metadata.get("tags", []))]
        if name not in MODULES or not any(
            "lambda" in cell.metadata.tags for cell in notebook.cells
        ):
            raise ValueError(
                f"{name}.ipynb has no cell tagged `lambda`: export 03-predict.ipynb, "
                "06-strangers.ipynb, 07-http.ipynb, 10-catalogue.ipynb or onnx.ipynb"
            )
        if (
            resources["output_extension"] != ".py"
        ):  # nbconvert would write a .txt, and say so in passing
            raise ValueError(
                f"{name}.ipynb does not say that it is Python: choose a kernel, and save it"
            )
        resources["unique_key"] = MODULES[name]  # nbconvert's word for the file's name
        return notebook, resources


c = get_config()  # noqa: F821 (nbconvert provides it)
c.Exporter.preprocessors = [KeepTaggedCells]
c.TemplateExporter.extra_template_paths = [HERE]
c.PythonExporter.template_file = "function.py.j2"
c.FilesWriter.build_directory = HERE
