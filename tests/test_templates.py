"""The templates of the stack, and the policy of who deploys it."""

import json
import re
import tomllib
from fnmatch import fnmatchcase
from hashlib import sha256

import boto3
import bundle
import nbformat
import pytest
import walk
from botocore.session import Session
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from conftest import REPOSITORY, run
from deployment import LAMBDA, LESSON, REGION, TEMPLATES, template
from samcli.lib.bootstrap.bootstrap import SAM_CLI_STACK_NAME as BUCKET_STACK
from samcli.lib.bootstrap.companion_stack.data_types import CompanionStack, ECRRepo
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

pytestmark = pytest.mark.xdist_group("templates")

BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


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


def test_samconfig_chooses_what_the_template_takes():
    config = tomllib.loads((LAMBDA / "samconfig.toml").read_text())["default"]
    lines = config["global"]["parameters"]["parameter_overrides"]
    parameters = template("template.yaml")["Parameters"]
    for name, value in (line.split("=", 1) for line in lines):
        assert value in parameters[name].get("AllowedValues", [value])
        least = parameters[name].get("MinValue", 0)
        assert parameters[name]["Type"] == "String" or int(value) >= least


def test_without_a_build_sam_finds_nothing_to_deploy():
    """Left to itself, it would deploy the folder as it is, without the packages."""
    stacks = tomllib.loads((LAMBDA / "samconfig.toml").read_text())
    del stacks["version"]
    for stack in stacks.values():
        folder = stack["build"]["parameters"].get("build_dir", ".aws-sam/build")
        assert stack["deploy"]["parameters"]["template"] == f"{folder}/template.yaml"


def test_the_parameters_are_read_in_the_form_that_sam_writes_too(monkeypatch):
    """`sam deploy --guided` makes one text of them."""
    written = {"parameter_overrides": 'Public="false" Architecture="arm64"'}
    monkeypatch.setattr(
        bundle, "settings", lambda: {"default": {"global": {"parameters": written}}}
    )
    assert bundle.overrides() == {"Public": "false", "Architecture": "arm64"}
    assert bundle.architecture() == "arm64"


def test_sam_makes_the_bucket_and_the_registry_so_that_nobody_types_an_address():
    config = tomllib.loads((LAMBDA / "samconfig.toml").read_text())["default"]
    assert config["deploy"]["parameters"]["resolve_s3"] is True
    assert config["deploy"]["parameters"]["resolve_image_repos"] is True
    told = [REPOSITORY / "README.md", *REPOSITORY.glob("notebooks/*.ipynb"), *LAMBDA.glob("*")]
    for file in told:
        text = file.read_text() if file.is_file() else ""
        assert not re.search(r"docker (login|push|tag)|ecr get-login|\.dkr\.ecr\.", text), file


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
def stack(checked):
    """The stack on an AWS on this machine, not public; its outputs, and a session of AWS's library."""
    with pytest.MonkeyPatch.context() as patch, walk.local_aws(log_file=checked / "aws.log") as aws:
        patch.chdir(checked)
        for name, value in aws.variables.items():
            patch.setenv(name, value)
        walk.prepare_sam()
        yield walk.deploy(), Session()


def test_the_stack_is_what_the_template_says(stack):
    outputs, session = stack
    assert outputs["Url"].endswith(".execute-api.us-east-1.amazonaws.com/")
    assert outputs["Curl"].endswith(outputs["Url"]) and "--aws-sigv4" in outputs["Curl"]
    assert outputs["LogGroup"] == f"/aws/lambda/{STACK}"
    function = session.create_client("lambda").get_function(FunctionName=outputs["FunctionName"])
    settings = function["Configuration"]
    assert (settings["MemorySize"], settings["Timeout"]) == (1769, 20)
    assert settings["LoggingConfig"] == {"LogGroup": outputs["LogGroup"]}
    role = settings["Role"].split("/")[-1]
    iam = session.create_client("iam")
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert iam.list_role_policies(RoleName=role)["PolicyNames"] == ["log"]
    (route,) = session.create_client("apigatewayv2").get_routes(
        ApiId=outputs["Url"].split(".")[0].removeprefix("https://")
    )["Items"]
    assert (route["RouteKey"], route["AuthorizationType"]) == ("$default", "AWS_IAM")


def plainly(fragment):
    """A template as AWS's own transform makes it of SAM's short form."""
    fragment["Resources"]["Function"]["Properties"]["CodeUri"] = "s3://bucket/bundle.zip"
    return transform(fragment, {}, ManagedPolicyLoader(None))


def test_a_public_stack_works_in_a_new_account_and_can_be_limited_in_others():
    """AWS refuses to divide a new account's quota; MiniStack knows no such limit."""
    plain = plainly(template("template.yaml"))
    reserved = plain["Resources"]["Function"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved == {
        "Fn::If": ["Reserves", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]
    }
    assert plain["Parameters"]["ReservedConcurrency"]["Default"] == 0
    assert "ReservedConcurrency=0" in (LAMBDA / "samconfig.toml").read_text()
    zero = {"Fn::Equals": [{"Ref": "ReservedConcurrency"}, 0]}
    assert plain["Conditions"]["Reserves"] == {
        "Fn::And": [{"Condition": "IsPublic"}, {"Fn::Not": [zero]}]
    }


def test_the_lines_for_a_gradual_release_are_what_aws_takes(tmp_path):
    """Those of lesson 8, put into the template as it says; MiniStack has no CodeDeploy."""
    lesson = nbformat.read(LESSON, as_version=4)
    text = "\n".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown")
    (lines,) = [part for part in re.findall(r"```yaml\n(.+?)```", text, re.DOTALL)]
    source = (LAMBDA / "template.yaml").read_text()
    source = source.replace("      CodeUri: .\n", f"      CodeUri: .\n{lines}")
    source = source.replace("Uri: !GetAtt Function.Arn", "Uri: !Ref Function.Alias")
    source = source.replace(
        "FunctionName: !GetAtt Function.Arn", "FunctionName: !Ref Function.Alias"
    )
    resources = plainly(yaml_parse(source))["Resources"]
    alias = resources["FunctionAliaslive"]
    assert "CodeDeployLambdaAliasUpdate" in alias["UpdatePolicy"]
    assert resources["Integration"]["Properties"]["IntegrationUri"] == {"Ref": "FunctionAliaslive"}
    group = resources["FunctionDeploymentGroup"]["Properties"]
    assert group["AlarmConfiguration"]["Alarms"] == [{"Name": {"Ref": "ErrorAlarm"}}]
    assert group["DeploymentConfigName"] == {
        "Fn::Sub": [
            "CodeDeployDefault.Lambda${ConfigName}",
            {"ConfigName": "Canary10Percent10Minutes"},
        ]
    }
    (tmp_path / "template.yaml").write_text(source)
    process = run(["cfn-lint", "template.yaml"], tmp_path)
    assert process.returncode == 0, process.stdout


def test_the_role_that_sam_makes_for_the_first_function_may_write_logs_alone():
    role = plainly(template("template-first.yaml"))["Resources"]["FunctionRole"]["Properties"]
    assert role["ManagedPolicyArns"] == [BASIC]  # which the deployer may attach, and no other
    assert "Policies" not in role


def test_aws_login_takes_the_place_of_a_key_that_lies_in_a_file(tmp_path, monkeypatch):
    """What `aws login` leaves is found by the library with which sam and boto3 sign."""
    session, cache = "arn:aws:iam::123456789012:user/student", tmp_path / "cache"
    cache.mkdir()
    (tmp_path / "config").write_text(f"[default]\nlogin_session = {session}\n")
    token = {"accessKeyId": "ASIA", "secretAccessKey": "s", "sessionToken": "t"}
    token |= {"accountId": "123456789012", "expiresAt": "2999-01-01T00:00:00Z"}
    content = {"accessToken": token, "refreshToken": "r", "dpopKey": "k", "clientId": "c"}
    name = sha256(session.encode()).hexdigest()
    (cache / f"{name}.json").write_text(json.dumps(content))
    for name in "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", str(cache))
    found = boto3.Session().get_credentials()
    assert (found.method, found.access_key, found.token) == ("login", "ASIA", "t")


POLICY, CATALOGUE_POLICY = (
    json.loads((LAMBDA / f"{name}-policy.json").read_text()) for name in ("deployer", "catalogue")
)
STACK = "clothing-classifier"
COMPANION = CompanionStack(STACK)
REPOSITORY_NAME = ECRRepo(COMPANION, "Function").physical_id
AWS = f"{REGION}:123456789012"


def as_list(value):
    return [value] if isinstance(value, str) else value


def allowed(action, resource, statements=POLICY["Statement"]):
    """Whether the deployer's policy lets its holder do this (conditions aside)."""
    return any(
        action in as_list(each["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in as_list(each["Resource"]))
        for each in statements
    )


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
        ("s3:TagResource", f"arn:aws:s3:::{BUCKET_STACK}-samclisourcebucket-1"),
        ("s3:DeleteObjectVersion", f"arn:aws:s3:::{BUCKET_STACK}-samclisourcebucket-1/zip"),
        ("ecr:PutImage", f"arn:aws:ecr:{AWS}:repository/{REPOSITORY_NAME}"),
        ("lambda:CreateFunction", f"arn:aws:lambda:{AWS}:function:{STACK}-Function-1"),
        ("iam:DeleteRole", f"arn:aws:iam::123456789012:role/{STACK}-Role-1"),
        ("iam:ListRolePolicies", f"arn:aws:iam::123456789012:role/{STACK}-Role-1"),
        ("iam:PassRole", f"arn:aws:iam::123456789012:role/{STACK}-Role-1"),
        ("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{AWS}:stack/{STACK}-first/1"),
        ("lambda:CreateFunction", f"arn:aws:lambda:{AWS}:function:{STACK}-first-Function-1"),
        ("lambda:InvokeFunction", f"arn:aws:lambda:{AWS}:function:{STACK}-first-Function-1"),
        ("iam:AttachRolePolicy", f"arn:aws:iam::123456789012:role/{STACK}-first-FunctionRole-1"),
        ("iam:DetachRolePolicy", f"arn:aws:iam::123456789012:role/{STACK}-first-FunctionRole-1"),
        ("logs:CreateLogGroup", f"arn:aws:logs:{AWS}:log-group:/aws/lambda/{STACK}-first:*"),
        ("logs:CreateLogGroup", f"arn:aws:logs:{AWS}:log-group:/aws/lambda/{STACK}:*"),
        ("logs:FilterLogEvents", f"arn:aws:logs:{AWS}:log-group:/aws/lambda/{STACK}:*"),
        ("apigateway:POST", f"arn:aws:apigateway:{REGION}::/apis/1/routes"),
        (
            "iam:CreateServiceLinkedRole",
            "arn:aws:iam::123456789012:role/aws-service-role/ops.apigateway.amazonaws.com/"
            "AWSServiceRoleForAPIGateway",
        ),
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
        ("iam:AttachRolePolicy", "arn:aws:iam::123456789012:role/Admin"),
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


def test_the_deployer_may_read_what_cloudformation_reads():
    """AWS's own schemas say what; they grow, as AWS does. Nothing here is encrypted by a key of ours."""
    names = {action for each in POLICY["Statement"] for action in as_list(each["Action"])}
    for file in "template-first.yaml", "template.yaml":
        for resource in plainly(template(file))["Resources"].values():
            schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, resource["Type"]).schema
            needed = set(schema["handlers"]["read"]["permissions"]) - {
                "kms:Decrypt",
                "s3:getObject",
            }
            assert needed <= names, resource["Type"]


def test_the_catalogues_deployer_may_do_what_the_stack_needs_and_nothing_elsewhere():
    """Together with the policy of lesson 5, whose names the stack's name begins with."""
    config = tomllib.loads((LAMBDA / "samconfig.toml").read_text())["catalogue"]
    stack = config["global"]["parameters"]["stack_name"]
    both = [*POLICY["Statement"], *CATALOGUE_POLICY["Statement"]]
    bucket, states = f"arn:aws:s3:::{stack}-bucket-1", f"arn:aws:states:{AWS}"
    for action, resource in (
        ("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{AWS}:stack/{stack}/1"),
        ("lambda:CreateFunction", f"arn:aws:lambda:{AWS}:function:{stack}-Function-1"),
        ("iam:CreateRole", f"arn:aws:iam::123456789012:role/{stack}-StateMachineRole-1"),
        ("logs:CreateLogGroup", f"arn:aws:logs:{AWS}:log-group:/aws/lambda/{stack}:*"),
        ("cloudwatch:PutMetricAlarm", f"arn:aws:cloudwatch:{AWS}:alarm:{stack}-FailedRunAlarm-1"),
        ("s3:CreateBucket", bucket),
        ("s3:PutObject", f"{bucket}/photos/coat.jpg"),
        ("states:CreateStateMachine", f"{states}:stateMachine:{stack}"),
        ("states:StartExecution", f"{states}:stateMachine:{stack}"),
        ("states:StopExecution", f"{states}:execution:{stack}:1"),
        ("states:DescribeMapRun", f"{states}:mapRun:{stack}/Batches:1"),
    ):
        assert allowed(action, resource, both), action
    for action, resource in (
        ("s3:GetObject", "arn:aws:s3:::payroll/2026.csv"),
        ("states:StartExecution", f"{states}:stateMachine:payroll"),
        ("states:StopExecution", f"{states}:execution:payroll:1"),
    ):
        assert not allowed(action, resource, both), action


def test_of_policies_the_deployer_may_attach_the_one_for_logs_alone():
    (statement,) = [s for s in POLICY["Statement"] if s["Action"] == "iam:AttachRolePolicy"]
    assert statement["Condition"] == {"ArnEquals": {"iam:PolicyARN": BASIC}}


@pytest.mark.parametrize("policy", [POLICY, CATALOGUE_POLICY], ids=["deployer", "catalogue"])
def test_the_deployers_policy_is_one_that_aws_takes(policy, tmp_path):
    text = json.dumps(policy)
    resource = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": policy}}
    (tmp_path / "policy.json").write_text(json.dumps({"Resources": {"Policy": resource}}))
    process = run(["cfn-lint", "policy.json"], tmp_path)
    assert process.returncode == 0, process.stdout
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, without blanks
    assert len(re.sub(r"\s", "", text)) < 6144
    for statement in policy["Statement"]:
        assert not any("*" in each for each in as_list(statement["Action"]))
