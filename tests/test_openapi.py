"""lambda/openapi.yaml says what the served API does: requests that schemathesis invents find out."""

from urllib.parse import urlsplit

import hypothesis
import pytest
import schemathesis
from conftest import REPOSITORY
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import positive_data_acceptance

pytestmark = pytest.mark.xdist_group("serve")

SCHEMA = schemathesis.openapi.from_path(REPOSITORY / "lambda/openapi.yaml")


@SCHEMA.parametrize()
@hypothesis.settings(max_examples=60, deadline=20_000, derandomize=True, database=None)
def test_the_served_api_answers_as_it_is_described(case, served):
    host = urlsplit(served).netloc
    response = case.call_and_validate(
        base_url=f"http://127.0.0.1:{urlsplit(served).port}",
        headers={"Host": host},
        # 502 and 504 tell of the picture's server; a schema cannot say what is a picture
        excluded_checks=[not_a_server_error, positive_data_acceptance],
    )
    assert response.status_code != 500
