"""What goes to AWS: the bundle, the Dockerfile, the templates, the policy, the signed call."""

import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import threading
import tomllib
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
import corpus
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from conftest import BIN, REPOSITORY, code_cells, emulator, make, run
from corpus import JEANS, image_event
from docker.utils import exclude_paths
from samcli.lib.bootstrap.bootstrap import SAM_CLI_STACK_NAME as BUCKET_STACK
from samcli.lib.bootstrap.companion_stack.data_types import CompanionStack, ECRRepo
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

pytestmark = pytest.mark.xdist_group("walk")

LAMBDA = REPOSITORY / "lambda"
TEMPLATES = ["template.yaml", "template-image.yaml"]
REGION = "eu-central-1"
SAM = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": REGION}


def template(name):
    return yaml_parse((LAMBDA / name).read_text())


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home without AWS credentials; sam keeps its notes there."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def checked(walk, tmp_path_factory):
    """A copy of the walk, in a folder with a space, where `make deploy-check` has run."""
    folder = shutil.copytree(walk, tmp_path_factory.mktemp("deployment") / "a copy")
    (folder / "said.txt").write_text(make(folder, "deploy-check").stdout)
    return folder


@pytest.fixture(scope="module")
def bundle(checked):
    return checked / "lambda/.aws-sam/build/Function"


@pytest.fixture(scope="module")
def lambdas_python(checked):
    """Python 3.13 with AWS's runtime client, which notebook 6 made where it found such a Python."""
    python = checked / "generated/lambda-python/bin/python"
    if not python.exists():
        pytest.skip("there is no Python 3.13 on this machine")
    assert "The bundle gives Keras's scores" in (checked / "said.txt").read_text()
    return python


def outputs(notebook):
    """All that the cells of an executed notebook printed."""
    cells = code_cells(notebook)
    return "".join(out.get("text", "") for cell in cells for out in cell.outputs)


# --- the zip -------------------------------------------------------------------------------------


def test_deploy_check_passes_in_a_fresh_copy(checked):
    assert "templates pass AWS's checks" in (checked / "said.txt").read_text()
    printed = outputs(checked / "generated/06-deployment.ipynb")
    for name in TEMPLATES:
        assert f"{name}: sam validate --lint and cfn-lint agree" in printed
    assert "Not deployed." in printed


def test_the_bundle_holds_the_function_its_model_and_packages_within_the_limit(bundle, checked):
    for name, original in (
        ("lambda_function.py", "lambda"),
        ("clothing-model.tflite", "generated"),
    ):
        assert (bundle / name).read_bytes() == (checked / original / name).read_bytes()
    packages = {path.name.split("-")[0] for path in bundle.glob("*.dist-info")}
    assert {"ai_edge_litert", "keras_image_helper", "numpy", "pillow", "urllib3"} <= packages
    assert not packages & {"tensorflow", "keras", "tflite_runtime", "boto3", "matplotlib"}
    assert sum(p.stat().st_size for p in bundle.rglob("*") if p.is_file()) < 120e6
    left_out = runpy.run_path(LAMBDA / "bundle.py")["LEFT_OUT"]
    assert not [path for pattern in left_out for path in bundle.glob(pattern)]


def test_the_bundle_answers_every_event_as_the_walks_function_does(
    bundle, lambdas_python, checked, tmp_path
):
    cases = corpus.pictures() | corpus.malformed() | corpus.http()
    events = [event for event, *_ in cases.values()]
    events += [image_event(path.read_bytes()) for path in corpus.ASSETS.glob("*.png")]
    for module in bundle.rglob("*.py"):  # nothing is left to compile at a cold start
        assert (module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc").exists(), module
    answers, clean = [], {"PYTHONDONTWRITEBYTECODE": "1"}
    model = str(checked / "generated/clothing-model.tflite")
    for python, folder in (None, LAMBDA), (lambdas_python, bundle):
        with emulator(tmp_path / "log.txt", python, folder, MODEL_PATH=model, **clean) as url:
            answers.append([urllib3.request("POST", url, json=event).json() for event in events])
    for event, walks, bundles in zip(events, *answers, strict=True):
        assert alike(walks, bundles), (str(event)[:200], walks, bundles)


def alike(one, other):
    """Whether two answers are equal, their numbers to 1e-3."""
    if isinstance(one, float) and isinstance(other, float):
        return one == pytest.approx(other, abs=1e-3)
    if isinstance(one, dict) and isinstance(other, dict):
        # Where in which library an error was raised may differ, not what is said of it.
        keys = (one.keys() | other.keys()) - {"stackTrace", "requestId"}
        return all(alike(one.get(key), other.get(key)) for key in keys)
    if isinstance(one, str) and one.startswith("{") and one != other:
        return alike(json.loads(one), json.loads(other))
    return one == other


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda folder: (folder / "generated/clothing-model.tflite").unlink(),
            "generated/clothing-model.tflite is missing: run `make` first.",
        ),
        (
            lambda folder: os.truncate(folder / "generated/clothing-model.tflite", 300_000_000),
            "of which the model has 300. Lambda takes 262 MB, unzipped.",
        ),
        (
            lambda folder: change(folder / "lambda/samconfig.toml", "=x86_64", "=sparc"),
            "samconfig.toml: Architecture=sparc is none of: x86_64, arm64",
        ),
        (
            lambda folder: change(folder / "lambda/samconfig.toml", "model.tflite", "model.lite"),
            "generated/clothing-model.lite is missing: run `make` first.",
        ),
        (
            lambda folder: change(
                folder / "lambda/requirements-zip.txt", "urllib3==", "urllib3==9"
            ),
            "bundle.py: a package could not be installed; uv says why, above.",
        ),
    ],
)
def test_a_bundle_that_cannot_be_made_gets_one_clear_message(checked, tmp_path, spoil, message):
    folder = tmp_path / "copy"
    shutil.copytree(checked / "lambda", folder / "lambda", ignore=lambda *_: [".aws-sam"])
    (folder / "generated").mkdir()
    shutil.copy(checked / "generated/clothing-model.tflite", folder / "generated")
    spoil(folder)
    command = [sys.executable, "bundle.py", folder / "bundle"]
    process = run(command, folder / "lambda")
    assert process.returncode == 1
    assert message in process.stderr and "Traceback" not in process.stderr


def test_a_bundle_without_lambdas_python_says_what_it_lacks(checked, tmp_path):
    """And takes the model that is chosen."""
    shutil.copytree(checked / "lambda", tmp_path / "lambda", ignore=lambda *_: [".aws-sam"])
    int8 = Path("generated/clothing-model-int8.tflite")
    (tmp_path / "generated").mkdir()
    shutil.copy(checked / int8, tmp_path / int8)
    change(tmp_path / "lambda/samconfig.toml", "clothing-model.tflite", int8.name)
    alone = {"PATH": str(BIN), "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON_INSTALL_DIR": "none"}
    process = run([sys.executable, "bundle.py", "bundle"], tmp_path / "lambda", **alone)
    assert process.returncode == 0, process.stderr
    assert "without Python 3.13 there is no bytecode in the bundle" in process.stderr
    assert not list((tmp_path / "lambda/bundle").rglob("*.pyc"))
    chosen = tmp_path / "lambda/bundle/clothing-model.tflite"
    assert chosen.read_bytes() == (checked / int8).read_bytes()


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


# --- the image -----------------------------------------------------------------------------------


def instructions():
    """Name and arguments of each instruction of the Dockerfile."""
    lines = (LAMBDA / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    return [line.split(maxsplit=1) for line in text.replace("\\\n", "").splitlines() if line]


def test_docker_sees_only_what_the_dockerfile_copies(checked):
    patterns = (REPOSITORY / ".dockerignore").read_text().splitlines()
    patterns = [line for line in patterns if not line.startswith("#")]
    seen = {p for p in exclude_paths(str(checked), patterns) if (checked / p).is_file()}
    copied = [rest.split()[:-1] for name, rest in instructions() if name == "COPY"]
    copied = {p for paths in copied for p in paths if not p.startswith(("--", "/"))}
    assert seen - {".dockerignore"} == copied


def test_the_dockerfile_replayed_into_an_empty_folder_answers_as_the_walk_does(checked, tmp_path):
    """Each COPY and RUN as Docker would do it, with / being a folder for each stage."""
    assert run(["uv", "venv", "--seed", "--python", "3.11", "python"], tmp_path).returncode == 0
    python = tmp_path / "python/bin/python"
    stages, settings = {}, {}
    for name, rest in instructions():
        match name, rest.split():
            case "FROM", ["python:3.11-slim-bookworm", *alias]:
                root = stages[alias[-1] if alias else ""] = tmp_path / f"stage-{len(stages)}"
                root.mkdir()
            case "COPY", [option, source, target] if option.startswith("--from="):
                source = stages[option.removeprefix("--from=")] / source.lstrip("/")
                shutil.copytree(source, root / target.lstrip("/"))
            case "COPY", [*sources, target]:
                for source in sources:
                    shutil.copy(checked / source, root / target.lstrip("/"))
            case "RUN", _:
                command = re.sub(r"(?<= )/(?=\w)", f"{root}/", rest)
                path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
                subprocess.run(["sh", "-ec", command], check=True, env=os.environ | {"PATH": path})
            case "WORKDIR" | "USER" | "ENTRYPOINT" | "CMD", _:
                settings[name] = rest
            case _:
                pytest.fail(f"{name} is not replayed")
    started = json.loads(settings["ENTRYPOINT"]) + json.loads(settings["CMD"])
    assert started == "python -m awslambdaric lambda_function.lambda_handler".split()
    assert settings["USER"] == "nobody"
    folder = root / settings["WORKDIR"].lstrip("/")
    for path in folder.rglob("*"):
        assert path.stat().st_mode & (0o005 if path.is_dir() else 0o004), f"nobody can read {path}"
    left_out = runpy.run_path(LAMBDA / "bundle.py")["LEFT_OUT"]
    assert not [path for pattern in left_out for path in folder.glob(pattern)]
    assert list(folder.glob("__pycache__/lambda_function.*.pyc"))

    expected = json.loads((checked / "generated/expected-scores.json").read_text())["scores"]
    bare = tmp_path / "bare"  # the image's Python: nothing but what the Dockerfile installed
    assert run(["uv", "venv", "--python", "3.11", bare], tmp_path).returncode == 0
    with emulator(tmp_path / "log.txt", bare / "bin/python", folder) as url:
        for picture, scores in expected.items():
            event = image_event((REPOSITORY / picture).read_bytes())
            answer = urllib3.request("POST", url, json=event).json()
            assert answer == pytest.approx(scores, abs=1e-4)


def test_the_image_has_the_runtime_client_that_the_tests_use():
    pinned = re.search(r"awslambdaric==[\d.]+", (REPOSITORY / "environment.yml").read_text())[0]
    assert pinned in (LAMBDA / "Dockerfile").read_text()


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("requirements", "python", "glibc"),
    [
        ("requirements.txt", "3.11", "manylinux_2_36"),
        ("requirements-zip.txt", "3.13", "manylinux_2_28"),
    ],
    ids=["image", "zip"],
)
def test_there_are_wheels_for_both_architectures(tmp_path, requirements, python, glibc, machine):
    """Debian 12 has glibc 2.36; the bundle asks for 2.28, and Amazon Linux 2023 has 2.34."""
    command = ["uv", "pip", "install", "--dry-run", "--only-binary", ":all:", "--target", tmp_path]
    command += ["--python-version", python, "--python-platform", f"{machine}-{glibc}"]
    process = run([*command, "-r", LAMBDA / requirements, "awslambdaric"], tmp_path)
    assert process.returncode == 0, process.stderr


# --- the templates -------------------------------------------------------------------------------


def test_both_templates_are_equal_but_for_the_function():
    one, other = (template(name) for name in TEMPLATES)
    zipped, image = (t["Resources"].pop("Function") for t in (one, other))
    assert one == other
    for function in zipped, image:
        function.pop("Metadata")
    differ = {"CodeUri", "Handler", "Runtime", "PackageType"}
    assert zipped["Properties"].keys() ^ image["Properties"].keys() == differ
    for function in zipped, image:
        for key in differ:
            function["Properties"].pop(key, None)
    assert zipped == image


@pytest.mark.parametrize("name", TEMPLATES)
def test_aws_linters_find_nothing(name, home):
    for command in ["sam", "validate", "--lint", "--template", name], ["cfn-lint", name]:
        process = run(command, LAMBDA, HOME=str(home), **SAM)
        assert process.returncode == 0, process.stdout + process.stderr
        assert not re.search(r"\b[EWI]\d{4}\b", process.stdout + process.stderr)


def test_samconfig_chooses_what_the_template_takes():
    config = tomllib.loads((LAMBDA / "samconfig.toml").read_text())["default"]
    lines = config["global"]["parameters"]["parameter_overrides"]
    parameters = template("template.yaml")["Parameters"]
    for name, value in (line.split("=", 1) for line in lines):
        assert value in parameters[name].get("AllowedValues", [value])
        least = parameters[name].get("MinValue", 0)
        assert parameters[name]["Type"] == "String" or int(value) >= least


def test_requests_go_to_the_function_and_from_this_api_alone():
    resources = template("template.yaml")["Resources"]
    integration = resources["Integration"]["Properties"]
    assert integration["IntegrationUri"] == {"Fn::GetAtt": ["Function", "Arn"]}
    assert integration["PayloadFormatVersion"] == "2.0"  # tests/test_contract.py sends such events
    permission = resources["ApiMayInvoke"]["Properties"]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${Api}/*")
    stage = resources["Stage"]["Properties"]
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert resources["Logs"]["Properties"]["RetentionInDays"] == 14


def test_only_signed_requests_come_through_unless_public_is_switched_on():
    route = template("template.yaml")["Resources"]["Route"]["Properties"]
    assert route["AuthorizationType"] == {"Fn::If": ["IsPublic", "NONE", "AWS_IAM"]}
    assert template("template.yaml")["Parameters"]["Public"]["Default"] == "false"


def test_the_function_may_write_its_log_and_nothing_else():
    (policy,) = template("template.yaml")["Resources"]["Role"]["Properties"]["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == {"Fn::GetAtt": ["Logs", "Arn"]}


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """An AWS of our own; yields the environment variables with which AWS's tools find it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (tmp_path_factory.mktemp("moto") / "log.txt").open("w") as log:
        server = subprocess.Popen([BIN / "moto_server", "-p", str(port)], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    urllib3.request("GET", url, retries=urllib3.Retry(connect=60, backoff_factor=0.05))
    yield {
        "AWS_ENDPOINT_URL": url,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    server.kill()
    server.wait()


@pytest.fixture
def aws(moto, monkeypatch):
    """The same variables, set for this test's own process, too."""
    for name, value in moto.items():
        monkeypatch.setenv(name, value)
    return moto


@pytest.mark.parametrize(("public", "concurrency"), [("false", None), ("true", 2)])
def test_the_stack_is_made_by_awss_transform_and_moto(aws, home, public, concurrency):
    """moto's CloudFormation knows no HTTP APIs and no LoggingConfig; the rest of the stack is made."""
    bucket = f"bundles-{public}"
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="bundle.zip", Body=b"")
    fragment = template("template.yaml")
    fragment["Resources"]["Function"]["Properties"]["CodeUri"] = f"s3://{bucket}/bundle.zip"
    plain = transform(fragment, {}, ManagedPolicyLoader(None))
    assert plain["Resources"]["Function"]["Properties"]["LoggingConfig"] == {
        "LogGroup": {"Ref": "Logs"}
    }
    boto3.client("cloudformation").create_stack(
        StackName=(stack := f"{STACK}-{public}"),
        TemplateBody=json.dumps(plain),
        Parameters=[{"ParameterKey": "Public", "ParameterValue": public}],
        Capabilities=["CAPABILITY_IAM"],
    )
    command = ["sam", "list", "stack-outputs", "--stack-name", stack]
    process = run([*command, "--output", "json"], LAMBDA, HOME=str(home), **SAM | aws)
    assert process.returncode == 0, process.stderr
    found = {each["OutputKey"]: each["OutputValue"] for each in json.loads(process.stdout)}
    assert found["Url"].endswith(f".execute-api.{REGION}.amazonaws.com/")
    assert found["Curl"].endswith(found["Url"])
    assert ("--aws-sigv4" in found["Curl"]) == (public == "false")
    assert found["LogGroup"] == f"/aws/lambda/{stack}"

    client = boto3.client("lambda")
    function = client.get_function(FunctionName=found["FunctionName"])
    settings = function["Configuration"]
    assert (settings["MemorySize"], settings["Timeout"]) == (1769, 20)
    reserved = function.get("Concurrency", {}).get("ReservedConcurrentExecutions")
    assert reserved == concurrency
    role = settings["Role"].split("/")[-1]
    iam = boto3.client("iam")
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["log"]


POLICY = json.loads((LAMBDA / "deployer-policy.json").read_text())
STACK = "clothing-classifier"
COMPANION = CompanionStack(STACK)
REPOSITORY_NAME = ECRRepo(COMPANION, "Function").physical_id
AWS = f"{REGION}:123456789012"


def allowed(action, resource):
    """Whether the deployer's policy lets its holder do this (conditions aside)."""
    for statement in POLICY["Statement"]:
        actions, resources = (
            [value] if isinstance(value, str) else value
            for value in (statement["Action"], statement["Resource"])
        )
        if action in actions and any(fnmatchcase(resource, pattern) for pattern in resources):
            return True
    return False


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{AWS}:stack/{STACK}/1"),
        ("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{AWS}:stack/{BUCKET_STACK}/1"),
        (
            "cloudformation:CreateChangeSet",
            f"arn:aws:cloudformation:{REGION}:aws:transform/Serverless-2016-10-31",
        ),
        (
            "cloudformation:CreateStack",
            f"arn:aws:cloudformation:{AWS}:stack/{COMPANION.stack_name}/1",
        ),
        ("cloudformation:DeleteStack", f"arn:aws:cloudformation:{AWS}:stack/{STACK}/1"),
        ("s3:PutObject", f"arn:aws:s3:::{BUCKET_STACK}-samclisourcebucket-1/zip"),
        ("ecr:PutImage", f"arn:aws:ecr:{AWS}:repository/{REPOSITORY_NAME}"),
        ("lambda:CreateFunction", f"arn:aws:lambda:{AWS}:function:{STACK}-Function-1"),
        ("iam:DeleteRole", f"arn:aws:iam::123456789012:role/{STACK}-Role-1"),
        ("iam:ListRolePolicies", f"arn:aws:iam::123456789012:role/{STACK}-Role-1"),
        ("iam:PassRole", f"arn:aws:iam::123456789012:role/{STACK}-Role-1"),
        ("logs:CreateLogGroup", f"arn:aws:logs:{AWS}:log-group:/aws/lambda/{STACK}:*"),
        ("logs:FilterLogEvents", f"arn:aws:logs:{AWS}:log-group:/aws/lambda/{STACK}:*"),
        ("apigateway:POST", f"arn:aws:apigateway:{REGION}::/apis/1/routes"),
        ("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{AWS}:alarm:{STACK}-ErrorAlarm-1"),
        ("sns:CreateTopic", f"arn:aws:sns:{AWS}:{STACK}-AlarmTopic-1"),
        ("execute-api:Invoke", f"arn:aws:execute-api:{AWS}:1/$default/POST/"),
    ],
)
def test_the_deployers_policy_allows_what_deploying_does(action, resource):
    """With the names that SAM itself gives to its stacks and its repository."""
    assert allowed(action, resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:PassRole", "arn:aws:iam::123456789012:role/Admin"),
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/Admin"),
        ("iam:CreateUser", "arn:aws:iam::123456789012:user/me"),
        ("lambda:UpdateFunctionCode", f"arn:aws:lambda:{AWS}:function:payments"),
        ("s3:GetObject", "arn:aws:s3:::payroll/2026.csv"),
        ("cloudformation:DeleteStack", f"arn:aws:cloudformation:{AWS}:stack/production/1"),
        ("logs:GetLogEvents", f"arn:aws:logs:{AWS}:log-group:/aws/lambda/payments:*"),
    ],
)
def test_the_deployers_policy_allows_nothing_elsewhere(action, resource):
    assert not allowed(action, resource)


def test_the_deployers_policy_is_one_that_aws_takes(aws, tmp_path):
    text = json.dumps(POLICY)
    boto3.client("iam").create_policy(PolicyName="deployer", PolicyDocument=text)
    resource = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": POLICY}}
    (tmp_path / "policy.json").write_text(json.dumps({"Resources": {"Policy": resource}}))
    process = run(["cfn-lint", "policy.json"], tmp_path)
    assert process.returncode == 0, process.stdout
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, without blanks
    assert len(re.sub(r"\s", "", text)) < 6144
    for statement in POLICY["Statement"]:
        actions = statement["Action"]
        assert not any("*" in each for each in ([actions] if isinstance(actions, str) else actions))


# --- the call ------------------------------------------------------------------------------------


class Recorder(BaseHTTPRequestHandler):
    """Keeps the last request."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.request = AWSRequest("POST", self.server.url, dict(self.headers), body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def recorder():
    server = HTTPServer(("127.0.0.1", 0), Recorder)
    server.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def signature(request, secret, token=None):
    """The signature that botocore gives to a request that somebody else has signed."""
    authorization = request.headers["Authorization"]
    assert f"/{REGION}/execute-api/aws4_request" in authorization
    signed = re.search("SignedHeaders=([^,]+)", authorization)[1].split(";")
    headers = {name: request.headers[name] for name in signed}
    copy = AWSRequest("POST", request.url, headers, request.data)
    copy.context["timestamp"] = request.headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials("AKID", secret, token), "execute-api", REGION)
    auth.credentials = auth.credentials.get_frozen_credentials()
    return auth.signature(auth.string_to_sign(copy, auth.canonical_request(copy)), copy)


@pytest.mark.parametrize("token", ["", "a-session-token"])
def test_the_printed_curl_command_signs_as_botocore_does(recorder, token):
    option = '--header "x-amz-security-token: $AWS_SESSION_TOKEN"'
    notebook = (REPOSITORY / "notebooks/06-deployment.ipynb").read_text()
    assert option in notebook.replace('\\"', '"')
    curl = template("template.yaml")["Outputs"]["Curl"]["Value"]["Fn::If"][2]["Fn::Sub"]
    curl = curl.replace(
        "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/", recorder.url
    )
    curl = curl.replace("${AWS::Region}", REGION) + (f" {option}" if token else "")
    keys = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s/cret+"}
    process = run(["sh", "-c", curl], REPOSITORY, AWS_SESSION_TOKEN=token, **keys)
    assert process.returncode == 0, process.stderr
    request = recorder.request
    assert request.data == JEANS and request.headers["content-type"] == "image/png"
    assert request.headers.get("x-amz-security-token", "") == token
    theirs = re.search("Signature=([0-9a-f]+)", request.headers["Authorization"])[1]
    assert theirs == signature(request, "s/cret+")


def test_the_notebooks_python_signs_and_posts(recorder):
    names = {}
    for cell in code_cells(REPOSITORY / "notebooks/06-deployment.ipynb"):
        if "def signed_headers" in cell.source:
            exec("import urllib3\nfrom pathlib import Path", names)
            names |= {"AWSRequest": AWSRequest, "SigV4Auth": SigV4Auth}
            exec(cell.source, names)
    headers = names["signed_headers"](
        recorder.url, JEANS, "image/png", REGION, Credentials("AKID", "secret", "token")
    )
    urllib3.request("POST", recorder.url, body=JEANS, headers=headers)
    theirs = re.search("Signature=([0-9a-f]+)", recorder.request.headers["Authorization"])[1]
    assert theirs == signature(recorder.request, "secret", "token")
    sent = datetime.strptime(recorder.request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")
    assert abs((datetime.now(UTC).replace(tzinfo=None) - sent).total_seconds()) < 300
    assert recorder.request.headers["X-Amz-Security-Token"] == "token"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "DEPLOY=True, but there are no AWS credentials: set AWS_ACCESS_KEY_ID"),
        (
            {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
            "DEPLOY=True, but no region is chosen: set AWS_DEFAULT_REGION",
        ),
    ],
    ids=["no credentials", "no region"],
)
def test_deploying_without_credentials_or_region_gets_one_clear_message(
    checked, home, variables, message
):
    process = run(
        ["make", "VENV=", "deploy-check", "DEPLOY=True"],
        checked,
        HOME=str(home),
        AWS_EC2_METADATA_DISABLED="true",
        **variables,
    )
    assert process.returncode != 0
    assert message in process.stderr and "Traceback" not in process.stderr
