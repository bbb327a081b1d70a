"""The stack of lesson 10, run over hundreds of pictures; `make catalogue`; the lesson itself."""

import io
import json
import os
import shutil
import signal
import statistics
import sys
import time

import boto3
import commands
import pytest
import walk
from commands import score_photos
from conftest import (
    REPOSITORY,
    code_cells,
    make,
    processes_in,
    run,
    start_make,
    wait_for,
)
from deployment import template
from picture_files import ASSETS
from PIL import Image

pytestmark = pytest.mark.xdist_group("catalogue stack")

LESSON = REPOSITORY / "notebooks/10-catalogue.ipynb"
TEMPLATE = "template-catalogue.yaml"


def tiny(number):
    """A small picture that differs from the others."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, number // 256, 90)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def stack(cloud):
    """The outputs of the stack, deployed there for a machine with two cores."""
    return walk.deploy("catalogue", MaxConcurrency="2")


@pytest.fixture
def s3(stack):
    return boto3.client("s3")


def start(stack, photos, results):
    """Start a run; return a client and the run."""
    job = json.dumps({"photos": photos, "results": results})
    client = boto3.client("stepfunctions")
    machine = stack["StateMachine"]
    return client, client.start_execution(stateMachineArn=machine, input=job)["executionArn"]


def test_a_run_that_is_killed_and_started_again_is_complete_without_doubles(stack, cloud, s3):
    for number in range(300):
        content = b"no picture" if number in (17, 170) else tiny(number)
        s3.put_object(Bucket=stack["Bucket"], Key=f"photos/ä {number}+.png", Body=content)
    client, killed = start(stack, "photos/", "results/")
    walk.watch(client, killed, until=100)
    cloud.aws.stop()
    cloud.aws = walk.start_aws(cloud.aws.port, cloud.kept)
    assert client.describe_execution(executionArn=killed)["status"] == "FAILED"
    assert 100 <= len(walk.keys(s3, stack["Bucket"], "results/")) < 300

    counts = walk.watch(*start(stack, "photos/", "results/"))
    assert (counts["succeeded"], counts["failed"], counts["total"]) == (300, 0, 300)
    objects = walk.keys(s3, stack["Bucket"], "results/")
    assert len(objects) == 300  # MiniStack makes batches of one
    rows = walk.result_rows(s3, stack["Bucket"], "results/")
    assert {row["picture"] for row in rows} == {f"photos/ä {n}+.png" for n in range(300)}
    wrong = [row["picture"] for row in rows if "error" in row]
    assert wrong == ["photos/ä 17+.png", "photos/ä 170+.png"]


def test_a_prefix_of_more_than_one_page_is_taken_whole(stack, s3):
    for number in range(1200):
        s3.put_object(Bucket=stack["Bucket"], Key=f"many/{number}", Body=b"")
    assert len(walk.keys(s3, stack["Bucket"], "many/")) == 1200
    client, execution = start(stack, "many/", "results/many/")
    counts = walk.watch(client, execution, until=1)
    assert counts["total"] == 1200


def test_a_run_in_which_too_much_fails_says_so(stack):
    """The bucket that it writes to is not there."""
    machine = boto3.client("stepfunctions")
    arn = stack["StateMachine"]
    definition = json.loads(machine.describe_state_machine(stateMachineArn=arn)["definition"])
    definition["States"]["ForEachBatch"]["ItemReader"]["Parameters"]["Bucket"] = "nowhere"
    machine.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))
    with pytest.raises(walk.Problem, match="The run ended as FAILED: .*does not exist"):
        walk.watch(*start(stack, "photos/", "results/"))


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
        actions, places = (
            value if isinstance(value, list) else [value]
            for value in (statement["Action"], statement["Resource"])
        )
        for action in actions:
            found.setdefault(action, []).extend(next(iter(place.values())) for place in places)
    return found


def test_awss_linters_find_nothing(work_there):
    for command in ["cfn-lint", TEMPLATE], ["sam", "validate", "--lint", "--template", TEMPLATE]:
        process = run(command, work_there / "lambda", AWS_DEFAULT_REGION="us-east-1")
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
    for action in "states:DescribeExecution", "states:StopExecution", "states:RedriveExecution":
        ends = {place.split(":execution:")[1] for place in machine[action]}
        assert ends == {"${AWS::StackName}:*", "${AWS::StackName}/*"}, action
    assert not [action for action in machine | function if "*" in action]


# --- make catalogue ------------------------------------------------------------------------------


@pytest.fixture
def photos(tmp_path):
    """A folder with photos, in folders that bear the names of their classes."""
    for sample, name in (("jeans", "pants"), ("top-hat", "hat"), ("dress", "dress")):
        (tmp_path / "my photos" / name).mkdir(parents=True)
        shutil.copy(ASSETS / f"{sample}.png", tmp_path / "my photos" / name / "ä 1+1.png")
    (tmp_path / "my photos/pants/note.txt").write_text("no photo")
    (tmp_path / "my photos/hat/broken.JPG").write_bytes(b"\xff\xd8\xff")
    return tmp_path / "my photos"


def test_make_catalogue_scores_a_folder(work_there, photos):
    said = make(work_there, "catalogue", f"PHOTOS={photos}").stdout
    text = (work_there / "generated/catalogue/scores.jsonl").read_text(encoding="utf-8")
    rows = {row["picture"]: row for row in map(json.loads, text.splitlines())}
    names = ["dress/ä 1+1.png", "hat/broken.JPG", "hat/ä 1+1.png", "pants/ä 1+1.png"]
    assert sorted(rows) == names
    assert rows["hat/broken.JPG"]["error"] == "BrokenPicture"
    assert rows["pants/ä 1+1.png"]["prediction"] == "pants"
    assert "1  without scores: BrokenPicture" in said
    assert "As their folders say: 3 of 4 (75.0%)" in said
    assert not list((work_there / "generated/catalogue").glob("*.part"))


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
def test_a_folder_that_cannot_be_scored_gets_one_clear_message(work_there, photos, spoil, message):
    spoil(photos)
    command = [sys.executable, "notebooks/commands", "score_photos", f"PHOTOS={photos}"]
    process = run(command, work_there)
    assert process.returncode == 1 and process.stdout == ""
    assert message in process.stderr and len(process.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["PHOTOS="], ["PHOTOS=.", "AWS=yes"]])
def test_what_must_be_given_is_said(arguments):
    message = commands.call("score_photos", *arguments)
    assert "PHOTOS must be a folder, and AWS true or false." in message


def test_a_full_disk_is_named_and_what_was_there_stays(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    score_photos.SCORES.parent.mkdir(parents=True)
    score_photos.SCORES.write_text("before")
    (tmp_path / f"{score_photos.SCORES}.part").symlink_to("/dev/full")
    save = lambda *_: walk.save(score_photos.SCORES, "after")  # noqa: E731
    monkeypatch.setattr(score_photos, "run", save)
    message = commands.call("score_photos", "PHOTOS=.")
    assert message.startswith("[Errno 28] No space left on device. The disk is full: free some")
    assert score_photos.SCORES.read_text() == "before"


def test_ctrl_c_leaves_nothing(work_there, photos):
    shutil.rmtree(work_there / "generated/catalogue", ignore_errors=True)
    process = start_make(work_there, "catalogue", f"PHOTOS={photos}")
    before = set(processes_in(work_there))
    while "Deploying" not in process.stdout.readline():
        pass
    wait_for(lambda: len(set(processes_in(work_there)) - before) > 0)
    time.sleep(3)  # MiniStack runs, and sam is at work
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=30)[0]
    assert "Stopped: nothing was written." in said and "Traceback" not in said
    assert not list((work_there / "generated/catalogue").iterdir())


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
    assert statistics.median(counts) <= 6 and max(counts) <= 20
    for cell in cells:
        if "lambda" not in cell.metadata.get("tags", []):
            for word in "try:", "raise ", "assert ":
                assert word not in cell.source


def test_the_first_cell_starts_an_aws_and_no_other_asks_whether_there_is_one():
    first, *others = [cell.source for cell in code_cells(LESSON)]
    assert "walk.start_aws(" in first
    assert not [source for source in others if "if aws" in source]


def test_an_aws_that_starts_afresh_forgets_what_an_earlier_process_left(monkeypatch, tmp_path):
    def start(*_):
        raise walk.Problem("It does not start.")

    (tmp_path / "kept").mkdir()
    monkeypatch.setattr("walk.aws._start", start)
    for fresh in False, True:
        with pytest.raises(walk.Problem):
            walk.start_aws(folder=tmp_path / "kept", fresh=fresh)
        assert (tmp_path / "kept").exists() is not fresh


def test_the_lesson_says_what_each_resource_is_for():
    (cell,) = [cell for cell in code_cells(LESSON) if "PURPOSE = {" in cell.source]
    names = {}
    exec(cell.source.split("walk.table")[0], names)
    assert list(names["PURPOSE"]) == list(template(TEMPLATE)["Resources"])


def test_the_committed_lesson_was_run_to_its_end():
    said = "".join(
        output.get("text", "")
        for cell in code_cells(REPOSITORY / "generated/published/10-catalogue.ipynb")
        for output in cell.outputs
    )
    assert "complete, and equal to the first run: True" in said
    assert "functions: []" in said


def test_the_picture_of_the_state_machine_says_what_it_shows():
    picture = walk.state_machine(definition())
    assert "ItemBatcher puts 100 pictures in a batch" in picture.metadata["alt"]
