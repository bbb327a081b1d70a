"""The function over a bucket of pictures: batches, the stack that runs it, `make catalogue`."""

import base64
import io
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import boto3
import corpus
import pytest
import score_photos
import urllib3
import walk as plumbing
from botocore.exceptions import ClientError, EndpointConnectionError, ResponseStreamingError
from conftest import REPOSITORY, code_cells, environment, make, processes_in, run, wait_for
from corpus import JEANS
from deployment import LAMBDA, template
from PIL import Image
from test_contract import LIMITS, variables

pytestmark = pytest.mark.xdist_group("walk")

LESSON = REPOSITORY / "notebooks/08-catalogue.ipynb"
TEMPLATE = "template-catalogue.yaml"
BUCKET = "pictures"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """Where the AWS of these tests keeps what it has, when it is stopped."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def folder(walk, tmp_path_factory):
    """A copy of the walk, in a folder with a space in its name, and work goes on there."""
    folder = shutil.copytree(walk, tmp_path_factory.mktemp("catalogue") / "a copy")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def cloud(folder, kept):
    """An AWS on this machine that can be stopped and started; the environment leads to it."""
    plumbing.prepare_sam()
    aws = plumbing.start_aws(folder=kept)
    if aws is None:
        pytest.skip(plumbing.aws.NEEDS)
    cloud = SimpleNamespace(aws=aws)
    with variables(**aws.variables):
        yield cloud
    cloud.aws.stop()


@pytest.fixture(scope="module")
def s3(cloud):
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    client.put_object(Bucket=BUCKET, Key="jeans.png", Body=JEANS)
    return client


@pytest.fixture
def function(folder, s3, monkeypatch):
    """The function for batches in this process, freshly imported, on that AWS."""
    for name in "catalogue", "api", "lambda_function":
        monkeypatch.delitem(sys.modules, name, raising=False)
    model = str(folder / "generated/clothing-model.tflite")
    with variables(MODEL_PATH=model, **LIMITS):
        monkeypatch.syspath_prepend(str(LAMBDA))
        import catalogue
    yield catalogue
    for name in "catalogue", "api", "lambda_function":  # which other tests import in their own way
        sys.modules.pop(name, None)


def batch(*keys, results="results/"):
    """An event as Step Functions sends it."""
    return {
        "Items": [{"Key": key, "Etag": "…", "Size": 1} for key in keys],
        "BatchInput": {"bucket": BUCKET, "results": results},
    }


def written(s3, answer):
    """The rows of the object that an answer names."""
    content = s3.get_object(Bucket=BUCKET, Key=answer["object"])["Body"].read().decode()
    assert content.endswith("\n")
    return [json.loads(line) for line in content.splitlines()]


# --- a batch -------------------------------------------------------------------------------------


def test_each_picture_of_the_corpus_has_its_row_under_awss_emulator(folder, s3, cloud, tmp_path):
    cases = corpus.pictures()
    for name, (event, _) in cases.items():
        s3.put_object(Bucket=BUCKET, Key=f"{name}+ä", Body=base64.b64decode(event["image"]))
    model = str(folder / "generated/clothing-model.tflite")
    with plumbing.lambda_runtime(
        "catalogue.lambda_handler",
        folder=LAMBDA,
        log_file=tmp_path / "log.txt",
        environment=environment() | cloud.aws.variables,
        MODEL_PATH=model,
        **LIMITS,
    ) as runtime:
        event = batch(*(f"{name}+ä" for name in cases))
        answer = urllib3.request("POST", runtime.url, json=event, timeout=60).json()
    rows = written(s3, answer)
    assert [row["picture"] for row in rows] == [f"{name}+ä" for name in cases]
    for row, (_, expected) in zip(rows, cases.values(), strict=True):
        expected = {expected} if isinstance(expected, str) else expected
        if "error" in row:
            assert row.keys() == {"picture", "error", "message"} and row["error"] in expected
        else:
            assert row.keys() == {"picture", "prediction", "probability", "scores"}
            assert not expected & {"BrokenPicture", "UnsupportedPicture", "PictureTooLarge"} or (
                "scores" in expected
            ), row
            if expected & {"jeans", "like jeans"}:
                assert row["prediction"] == "pants"
    assert answer["errors"] == sum("error" in row for row in rows) > 15


def test_the_scores_are_those_of_the_function(function, s3, folder):
    expected = json.loads((folder / "generated/expected-scores.json").read_text())["scores"]
    for picture in expected:
        s3.put_object(Bucket=BUCKET, Key=picture, Body=(REPOSITORY / picture).read_bytes())
    for row in written(s3, function.lambda_handler(batch(*expected), None)):
        assert row["scores"] == pytest.approx(expected[row["picture"]], abs=1e-4)


NAMES = ["a b.png", "größe.png", "1+1.png", "100%.png", "a/b/../c.png", "#?&=.png", "'\"<>.png"]


def test_keys_may_hold_spaces_umlauts_plus_signs_and_the_like(function, s3):
    for name in NAMES:
        s3.put_object(Bucket=BUCKET, Key=name, Body=JEANS)
    rows = written(s3, function.lambda_handler(batch(*NAMES), None))
    assert [(row["picture"], row["prediction"]) for row in rows] == [(n, "pants") for n in NAMES]


def test_a_missing_object_is_a_row(function, s3):
    missing, jeans = written(s3, function.lambda_handler(batch("no.png", "jeans.png"), None))
    assert missing["error"] == "NoSuchKey" and jeans["prediction"] == "pants"


def test_an_object_that_may_not_be_read_is_a_row(function, s3, monkeypatch):
    """To another account this bucket's policy gives all objects but those of the safe."""
    s3.put_object(Bucket=BUCKET, Key="safe/jeans.png", Body=JEANS)
    stranger = {"AWS": "arn:aws:iam::111111111111:root"}
    anything = {"Principal": stranger, "Action": "s3:*", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    safe = anything | {"Resource": f"arn:aws:s3:::{BUCKET}/safe/*"}
    statements = [{"Effect": "Allow"} | anything, {"Effect": "Deny"} | safe]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)
    stranger = boto3.client("s3", aws_access_key_id="111111111111", aws_secret_access_key="x")
    monkeypatch.setattr(function, "s3", stranger)
    answer = function.lambda_handler(batch("safe/jeans.png", "jeans.png"), None)
    s3.delete_bucket_policy(Bucket=BUCKET)
    refused, jeans = written(s3, answer)
    assert refused["error"] == "AccessDenied" and jeans["prediction"] == "pants"


class Huge(BaseHTTPRequestHandler):
    """An S3 with an object of 5 GB; it notes how much of that somebody takes."""

    sent = 0

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(5 * 1024**3))
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(65536))
                Huge.sent += 65536
        except OSError:
            self.close_connection = True


def test_an_object_of_5_gb_is_a_row_and_is_not_fetched(function, s3, monkeypatch):
    with plumbing.serve(Huge) as address:
        monkeypatch.setattr(function, "s3", boto3.client("s3", endpoint_url=address))
        with pytest.raises(function.PictureTooLarge, match="more than 2000000 bytes"):
            function.fetch(BUCKET, "film.mp4")
    assert Huge.sent < 20e6  # what the two ends of a connection hold


def test_an_object_that_was_replaced_is_scored_as_it_is_now(function, s3):
    s3.put_object(Bucket=BUCKET, Key="changing", Body=b"")
    first = function.lambda_handler(batch("changing"), None)
    (before,) = written(s3, first)
    s3.put_object(Bucket=BUCKET, Key="changing", Body=JEANS)
    second = function.lambda_handler(batch("changing"), None)
    (after,) = written(s3, second)
    assert first["object"] == second["object"]
    assert before["error"] == "BrokenPicture" and after["prediction"] == "pants"


def failing(status, code):
    """An S3 that answers every request with this error."""

    class Failing(BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self):
            Failing.asked += 1
            self.send_response(status)
            self.end_headers()
            self.wfile.write(f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    return Failing


class Short(BaseHTTPRequestHandler):
    """An S3 that sends less than it announces."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(JEANS)))
        self.end_headers()
        self.wfile.write(JEANS[:-1000])


@pytest.mark.parametrize(
    "status", [(503, "SlowDown"), (500, "InternalError"), (404, "NoSuchBucket")]
)
def test_what_may_pass_or_is_our_mistake_fails_the_batch(function, monkeypatch, status):
    server = failing(*status)
    with plumbing.serve(server) as address:
        s3 = boto3.client("s3", endpoint_url=address, config=function.PATIENCE)
        monkeypatch.setattr(function, "s3", s3)
        with pytest.raises(ClientError, match=status[1]):
            function.lambda_handler(batch("jeans.png"), None)
    assert server.asked == (1 if status[0] == 404 else 3)  # the library itself asks three times


def test_a_connection_that_breaks_or_cannot_be_made_fails_the_batch(function, monkeypatch):
    with plumbing.serve(Short) as address:
        s3 = boto3.client("s3", endpoint_url=address, config=function.PATIENCE)
        monkeypatch.setattr(function, "s3", s3)
        with pytest.raises(ResponseStreamingError):
            function.lambda_handler(batch("jeans.png"), None)
    with pytest.raises(EndpointConnectionError):  # the server is no more
        function.lambda_handler(batch("jeans.png"), None)


def test_a_batch_that_comes_twice_writes_the_same_object(function, s3):
    twice = [function.lambda_handler(batch("jeans.png", results="twice/"), None) for _ in range(2)]
    assert twice[0] == twice[1]
    assert plumbing.keys(s3, BUCKET, "twice/") == [twice[0]["object"]]
    other = function.lambda_handler(batch("jeans.png", "no.png", results="twice/"), None)
    assert other["object"] != twice[0]["object"]
    assert len(plumbing.keys(s3, BUCKET, "twice/")) == 2


def test_of_a_picture_in_two_batches_the_newest_row_counts(function, s3):
    function.lambda_handler(batch("late.png", "jeans.png", results="moved/"), None)
    s3.put_object(Bucket=BUCKET, Key="late.png", Body=JEANS)
    time.sleep(1)  # S3 notes times in seconds
    function.lambda_handler(batch("late.png", results="moved/"), None)
    rows = plumbing.result_rows(s3, BUCKET, "moved/")
    assert [row["picture"] for row in rows] == ["jeans.png", "late.png"]
    assert all(row["prediction"] == "pants" for row in rows)


def test_one_item_alone_is_a_batch_of_one(function, s3):
    event = {"Key": "jeans.png", "bucket": BUCKET, "results": "one/"}
    answer = function.lambda_handler(event, None)
    assert answer["pictures"] == 1 and answer["object"].startswith("one/")
    assert written(s3, answer)[0]["prediction"] == "pants"


def test_at_most_one_picture_waits_while_one_is_scored(function, monkeypatch):
    fetched, scored = [], []

    def fetch(bucket, key):
        fetched.append(key)
        return JEANS

    def slow(picture):
        time.sleep(0.02)  # long enough to fetch everything, if anybody did
        scored.append(len(fetched))
        raise function.RequestError

    monkeypatch.setattr(function, "fetch", fetch)
    monkeypatch.setattr(function, "prepare", slow)
    keys = [str(number) for number in range(10)]
    assert [row["picture"] for row in function.rows(BUCKET, keys)] == keys
    assert all(ahead <= number + 2 for number, ahead in enumerate(scored))
    assert scored[0] == 2  # and one really waits


# --- the stack -----------------------------------------------------------------------------------


def tiny(number):
    """A small picture that differs from the others."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, number // 256, 90)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def stack(cloud, s3):
    """The outputs of the stack, deployed there for a machine with two cores."""
    return plumbing.deploy("catalogue", MaxConcurrency="2")


def start(stack, photos, results):
    """Start a run; return a client and the run."""
    job = json.dumps({"photos": photos, "results": results})
    client = boto3.client("stepfunctions")
    machine = stack["StateMachine"]
    return client, client.start_execution(stateMachineArn=machine, input=job)["executionArn"]


def test_a_run_that_is_killed_and_started_again_is_complete_without_doubles(stack, cloud, s3, kept):
    for number in range(300):
        content = b"no picture" if number in (17, 170) else tiny(number)
        s3.put_object(Bucket=stack["Bucket"], Key=f"photos/ä {number}+.png", Body=content)
    client, killed = start(stack, "photos/", "results/")
    plumbing.watch(client, killed, until=100)
    cloud.aws.stop()
    cloud.aws = plumbing.start_aws(cloud.aws.port, kept)
    assert client.describe_execution(executionArn=killed)["status"] == "FAILED"
    assert 100 <= len(plumbing.keys(s3, stack["Bucket"], "results/")) < 300

    counts = plumbing.watch(*start(stack, "photos/", "results/"))
    assert (counts["succeeded"], counts["failed"], counts["total"]) == (300, 0, 300)
    objects = plumbing.keys(s3, stack["Bucket"], "results/")
    assert len(objects) == 300  # MiniStack makes batches of one
    rows = plumbing.result_rows(s3, stack["Bucket"], "results/")
    assert {row["picture"] for row in rows} == {f"photos/ä {n}+.png" for n in range(300)}
    wrong = [row["picture"] for row in rows if "error" in row]
    assert wrong == ["photos/ä 17+.png", "photos/ä 170+.png"]


def test_a_prefix_of_more_than_one_page_is_taken_whole(stack, s3):
    for number in range(1200):
        s3.put_object(Bucket=stack["Bucket"], Key=f"many/{number}", Body=b"")
    assert len(plumbing.keys(s3, stack["Bucket"], "many/")) == 1200
    client, execution = start(stack, "many/", "results/many/")
    counts = plumbing.watch(client, execution, until=1)
    assert counts["total"] == 1200


def test_a_run_in_which_too_much_fails_says_so(stack):
    """The bucket that it writes to is not there."""
    machine = boto3.client("stepfunctions")
    arn = stack["StateMachine"]
    definition = json.loads(machine.describe_state_machine(stateMachineArn=arn)["definition"])
    definition["States"]["ForEachBatch"]["ItemReader"]["Parameters"]["Bucket"] = "nowhere"
    machine.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    with pytest.raises(plumbing.Problem, match="The run ended as FAILED: .*does not exist"):
        plumbing.watch(*start(stack, "photos/", "results/"))


# --- the template --------------------------------------------------------------------------------


def definition():
    """The state machine as the template writes it, with its defaults."""
    parameters = template(TEMPLATE)["Parameters"]
    machine = template(TEMPLATE)["Resources"]["StateMachine"]["Properties"]
    text = machine["DefinitionString"]["Fn::Sub"]
    for name, parameter in parameters.items():
        text = text.replace(f"${{{name}}}", str(parameter.get("Default")))
    return json.loads(text)


def statements(role):
    """What a role may do: by each action, where."""
    (policy,) = template(TEMPLATE)["Resources"][role]["Properties"]["Policies"]
    found = {}
    for statement in policy["PolicyDocument"]["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            found.setdefault(action, []).append(next(iter(statement["Resource"].values())))
    return found


def test_awss_linters_find_nothing(folder):
    for command in ["cfn-lint", TEMPLATE], ["sam", "validate", "--lint", "--template", TEMPLATE]:
        process = run(command, folder / "lambda", AWS_DEFAULT_REGION="us-east-1")
        assert process.returncode == 0, process.stdout + process.stderr


def test_the_state_machine_makes_batches_and_tries_again_with_patience():
    each = definition()["States"]["ForEachBatch"]
    assert each["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "EXPRESS",
    }
    assert (each["MaxConcurrency"], each["ToleratedFailurePercentage"]) == (5, 1)
    assert each["ItemBatcher"]["MaxItemsPerBatch"] == 100
    assert each["ItemBatcher"]["BatchInput"].keys() == {"bucket", "results.$"}
    assert each["ResultPath"] is None  # or a million results would be more than it may hand on
    throttled, other = each["ItemProcessor"]["States"]["ScoreBatch"]["Retry"]
    assert "Lambda.TooManyRequestsException" in throttled["ErrorEquals"]
    assert other["ErrorEquals"] == ["States.ALL"]
    for retry in throttled, other:
        assert retry["BackoffRate"] > 1 and retry["JitterStrategy"] == "FULL"


def test_the_bucket_is_private_encrypted_and_forgets_results():
    resources = template(TEMPLATE)["Resources"]
    bucket = resources["Bucket"]["Properties"]
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert bucket["BucketEncryption"]
    rules = {rule.get("Prefix"): rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
    assert rules.keys() == {"results/", "runs/", None}  # no rule is about pictures
    assert "ExpirationInDays" in rules["results/"] and "ExpirationInDays" not in rules[None]
    (statement,) = resources["BucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_nobody_may_do_more_than_the_run_needs():
    function = statements("FunctionRole")
    assert function == {
        "s3:GetObject": ["${Bucket.Arn}/*"],
        "s3:ListBucket": [["Bucket", "Arn"]],
        "s3:PutObject": ["${Bucket.Arn}/results/*"],
        "logs:CreateLogStream": [["Logs", "Arn"]],
        "logs:PutLogEvents": [["Logs", "Arn"]],
    }
    machine = statements("StateMachineRole")
    assert machine["lambda:InvokeFunction"] == [["Function", "Arn"]]
    assert machine["s3:PutObject"] == ["${Bucket.Arn}/runs/*"]
    assert machine["states:StartExecution"][0].endswith(":stateMachine:${AWS::StackName}")
    assert not [action for action in machine | function if "*" in action]


# --- make catalogue ------------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path):
    """A folder with photos, in folders that bear the names of their classes."""
    for sample, name in (("jeans", "pants"), ("top-hat", "hat"), ("dress", "dress")):
        (tmp_path / "my photos" / name).mkdir(parents=True)
        shutil.copy(corpus.ASSETS / f"{sample}.png", tmp_path / "my photos" / name / "ä 1+1.png")
    (tmp_path / "my photos/pants/note.txt").write_text("no photo")
    (tmp_path / "my photos/hat/broken.JPG").write_bytes(b"\xff\xd8\xff")
    return tmp_path / "my photos"


def test_make_catalogue_scores_a_folder(folder, photos):
    said = make(folder, "catalogue", f"PHOTOS={photos}").stdout
    text = (folder / "generated/catalogue/scores.jsonl").read_text(encoding="utf-8")
    rows = {row["picture"]: row for row in map(json.loads, text.splitlines())}
    assert rows.keys() == {
        "dress/ä 1+1.png",
        "hat/broken.JPG",
        "hat/ä 1+1.png",
        "pants/ä 1+1.png",
    }
    assert rows["hat/broken.JPG"]["error"] == "BrokenPicture"
    assert rows["pants/ä 1+1.png"]["prediction"] == "pants"
    assert "1  without scores: BrokenPicture" in said
    assert "As their folders say: 3 of 4 (75.0%)" in said
    assert not list((folder / "generated/catalogue").glob("*.part"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "there is no such folder."),
        (lambda folder: [each.unlink() for each in folder.rglob("*.*")], "is no picture in it"),
        (
            lambda folder: (folder / "a.jpg").symlink_to("nowhere"),
            "a.jpg cannot be read: No such file or directory.",
        ),
        (lambda folder: (folder / "\udcff.jpg").write_bytes(b""), "the name is not UTF-8"),
    ],
)
def test_a_folder_that_cannot_be_scored_gets_one_clear_message(folder, photos, spoil, message):
    spoil(photos)
    command = [sys.executable, "notebooks/score_photos.py", f"PHOTOS={photos}"]
    process = run(command, folder)
    assert process.returncode == 1 and process.stdout == ""
    assert message in process.stderr and len(process.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["PHOTOS="], ["PHOTOS=.", "AWS=yes"], ["PHOTO=."]])
def test_what_must_be_given_is_said(arguments):
    message = score_photos.main(*arguments)
    assert message.startswith("score_photos.py: PHOTOS must be a folder, and AWS true or false.")


def test_a_full_disk_is_named_and_what_was_there_stays(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    score_photos.SCORES.parent.mkdir(parents=True)
    score_photos.SCORES.write_text("before")
    (tmp_path / f"{score_photos.SCORES}.part").symlink_to("/dev/full")
    save = lambda *_: plumbing.save(score_photos.SCORES, "after")  # noqa: E731
    monkeypatch.setattr(score_photos, "run", save)
    message = score_photos.main("PHOTOS=.")
    assert message == "generated/: No space left on device. Free some space, and run it again."
    assert score_photos.SCORES.read_text() == "before"


def test_ctrl_c_leaves_nothing(folder, photos):
    shutil.rmtree(folder / "generated/catalogue", ignore_errors=True)
    process = subprocess.Popen(
        ["make", "VENV=", "catalogue", f"PHOTOS={photos}"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    before = set(processes_in(folder))
    while "Deploying" not in process.stdout.readline():
        pass
    wait_for(lambda: len(set(processes_in(folder)) - before) > 0)
    time.sleep(3)  # MiniStack runs, and sam is at work
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=30)[0]
    assert "Stopped: nothing was written." in said and "Traceback" not in said
    assert not list((folder / "generated/catalogue").iterdir())


def test_a_photo_whose_batch_failed_is_not_lost():
    rows = [{"picture": "photos/x/a.png", "prediction": "hat", "scores": {"hat": 1.0}}]
    found = score_photos.by_photo(rows, ["a.png", "b.png"], "photos/x/")
    assert [row["picture"] for row in found] == ["a.png", "b.png"]
    assert found[1]["error"] == "NotScored"
    assert "1  without scores: NotScored" in score_photos.summary(found, 1.0)


# --- the lesson ----------------------------------------------------------------------------------


def test_cells_are_short_and_nothing_is_guarded_but_in_the_function():
    cells = code_cells(LESSON)
    counts = [len([line for line in cell.source.splitlines() if line.strip()]) for cell in cells]
    assert statistics.median(counts) <= 6 and max(counts) <= 25
    for cell in cells:
        if "lambda" not in cell.metadata.get("tags", []):
            for word in "try:", "raise ", "assert ":
                assert word not in cell.source


def test_the_lesson_says_what_each_resource_is_for():
    (cell,) = [cell for cell in code_cells(LESSON) if "PURPOSE = {" in cell.source]
    names = {}
    exec(cell.source.split("template = ")[0], names)
    assert list(names["PURPOSE"]) == list(template(TEMPLATE)["Resources"])


def test_the_committed_lesson_was_run_to_its_end():
    said = "".join(
        output.get("text", "")
        for cell in code_cells(REPOSITORY / "generated/08-catalogue.ipynb")
        for output in cell.outputs
    )
    assert "complete, and equal to the first run: True" in said
    assert "functions: []" in said


def test_the_picture_of_the_state_machine_says_what_it_shows():
    picture = plumbing.state_machine(definition())
    assert "ItemBatcher puts 100 pictures in a batch" in picture.metadata["alt"]


def test_variations_are_the_same_each_time(monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    assert plumbing.variations(9) == plumbing.variations(9)
    assert len(set(plumbing.variations(16).values())) == 16
