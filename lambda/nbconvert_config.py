"""nbconvert's configuration for the export of the Lambda function. From the repository's root:

jupyter nbconvert --to script --config lambda/nbconvert_config.py generated/03-predict.ipynb

writes lambda/lambda_function.py: the cells of the notebook that are tagged `lambda`, in order, with
the parameters that the notebook was run with.
"""

from pathlib import Path

from nbconvert.preprocessors import Preprocessor

HERE = str(Path(__file__).parent)
TAGS = {"lambda", "parameters", "injected-parameters"}  # papermill adds the last one


class KeepTaggedCells(Preprocessor):
    """Keep the cells that are the function, and check that there are any."""

    def preprocess(self, notebook, resources):
        notebook.cells = [c for c in notebook.cells if TAGS & set(c.metadata.get("tags", []))]
        if not any("lambda" in cell.metadata.tags for cell in notebook.cells):
            raise ValueError(
                f"{resources['metadata']['name']}.ipynb has no cell tagged `lambda`: "
                "export generated/03-predict.ipynb"
            )
        return notebook, resources


c = get_config()  # noqa: F821 (nbconvert provides it)
c.Exporter.preprocessors = [KeepTaggedCells]
c.TemplateExporter.extra_template_paths = [HERE]
c.PythonExporter.template_file = "lambda_function.py.j2"
c.NbConvertApp.output_base = "lambda_function"
c.FilesWriter.build_directory = HERE
