# %% both-keys
with walk.web_server(JEANS) as url:
    both = image_event(COAT) | {"url": url}
    answer = lambda_handler(both, None)
winner = "image" if answer == lambda_handler(image_event(COAT), None) else "url"


# %% durations
def durations(log):
    """The durations of the requests in milliseconds, a list of floats."""
    parts = [part for line in log for part in line.split("\t")]
    return [float(part.split()[1]) for part in parts if part.startswith("Duration:")]


# %% own-key
# What you do by hand, written as a program: change a cell of the copy, save it, export it.
import nbformat

copy = copy_of_lesson_3()
notebook = nbformat.read(copy, as_version=4)
for cell in notebook.cells:
    if cell.source.startswith("def lambda_handler"):
        cell.source = cell.source.replace(
            "return score(preprocessor.convert_to_tensor(picture))",
            "scores = score(preprocessor.convert_to_tensor(picture))\n"
            '        return {"prediction": max(scores, key=scores.get), "scores": scores}',
        )
nbformat.write(notebook, copy)
export = "jupyter nbconvert --to script --config lambda/nbconvert_config.py"
walk.run(f"{export} --output-dir notebooks/exercises/own notebooks/exercises/own/03-predict.ipynb")
exported = "notebooks/exercises/own/lambda_function.py"
