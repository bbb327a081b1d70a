"""What the tests of the deployment share: the templates, and where they are."""

from conftest import REPOSITORY
from samtranslator.yaml_helper import yaml_parse

LAMBDA = REPOSITORY / "lambda"
FIRST = REPOSITORY / "notebooks/05-deployment.ipynb"
LESSON = REPOSITORY / "notebooks/08-public.ipynb"
TEMPLATES = ["template.yaml", "template-image.yaml"]
REGION = "eu-central-1"


def template(name):
    return yaml_parse((LAMBDA / name).read_text())
