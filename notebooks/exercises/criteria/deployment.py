"""What makes an answer right: the exercises of lesson 5."""

import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from checks import Wrong, exercise

POLICY = json.loads(Path("lambda/deployer-policy.json").read_text(encoding="utf-8"))
AWS = "eu-central-1:123456789012"
FUNCTIONS = f"arn:aws:lambda:{AWS}:function"
ROLES = "arn:aws:iam::123456789012:role"

# What somebody with the deployer's policy may want to do: an action, and on what.
REQUESTS = {
    "change our function": (
        "lambda:UpdateFunctionCode",
        f"{FUNCTIONS}:clothing-classifier-first-Function-1",
    ),
    "change the shop's function": ("lambda:UpdateFunctionCode", f"{FUNCTIONS}:shop-checkout"),
    "make a role for our function": (
        "iam:CreateRole",
        f"{ROLES}/clothing-classifier-first-FunctionRole-1",
    ),
    "make a user": ("iam:CreateUser", "arn:aws:iam::123456789012:user/somebody"),
    "read the shop's log": (
        "logs:GetLogEvents",
        f"arn:aws:logs:{AWS}:log-group:/aws/lambda/shop-checkout:*",
    ),
    "list the names of all logs": ("logs:DescribeLogGroups", "*"),
    "call the shop's API": ("execute-api:Invoke", f"arn:aws:execute-api:{AWS}:shop/$default/GET/"),
}


def as_list(value) -> list[str]:
    return [value] if isinstance(value, str) else value


def allowed(action: str, resource: str) -> bool:
    """Return whether a statement of the policy names this action and fits this resource."""
    return any(
        action in as_list(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in as_list(statement["Resource"]))
        for statement in POLICY["Statement"]
    )


class Loader(yaml.SafeLoader):
    """Reads YAML with AWS's short forms, such as !Ref: as a dict, {"Ref": "Memory"}."""


Loader.add_multi_constructor("!", lambda loader, name, node: {name: node.value})


def function_of(text: str) -> dict:
    """Return the properties of the function in a template, by name; raise what is wrong."""
    try:
        template = yaml.load(text, Loader)
    except yaml.YAMLError as error:
        raise Wrong(
            f"This is not YAML: {' '.join(str(error).split())[:150]}",
            "The spaces at the beginning of a line say what belongs to what.",
        ) from None
    resources = template.get("Resources") if isinstance(template, dict) else None
    if not isinstance(resources, dict):
        raise Wrong(
            "It has no Resources.",
            "The text of a whole template is asked for, with the sections of lesson 5's; the name of a "
            "file is not enough.",
        )
    found = [
        each.get("Properties") or {}
        for each in resources.values()
        if isinstance(each, dict) and each.get("Type") == "AWS::Serverless::Function"
    ]
    if len(found) != 1:
        raise Wrong(
            f"It has {len(found)} functions.", "One is asked for, an AWS::Serverless::Function."
        )
    if "Serverless" not in str(template.get("Transform")):
        raise Wrong("CloudFormation does not know this function.", "Which line of it calls SAM?")
    shared = (template.get("Globals") or {}).get("Function") or {}
    return {
        name: resolved(value, template.get("Parameters") or {})
        for name, value in (shared | found[0]).items()
    }


def resolved(value, parameters: dict):
    """Return a value of a template: that of a parameter by its name, a number in quotes as a number."""
    if isinstance(value, dict) and "Ref" in value:
        value = (parameters.get(value["Ref"]) or {}).get("Default")
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@exercise(
    "own-template",
    str,
    hint="Read lambda/template-first.yaml as a text and replace three values. Which of them stands "
    "among the Parameters?",
)
def own_template(answer):
    function = function_of(answer)
    if function.get("Handler") != "shoes.classify":
        raise Wrong(
            f"The handler is {function.get('Handler')}.",
            "The file without .py, a dot, the function in it.",
        )
    memory = function.get("MemorySize")
    if memory is None:
        raise Wrong(
            "It does not say how much memory the function has.",
            "Lesson 5's template has a MemorySize, which leads to a parameter.",
        )
    if memory == 2:
        raise Wrong("The function has 2 MB.", "MemorySize counts megabytes, 1,024 to the gigabyte.")
    if memory != 2048:
        raise Wrong(
            f"The function has {memory} MB."
            if isinstance(memory, int)
            else f"{memory!r} is not a size.",
            "A plain number of MB, 1,024 to the gigabyte. Where does the template say how much memory "
            "there is?",
        )
    seconds = function.get("Timeout")
    if seconds != 60:
        raise Wrong(
            f"The function has a timeout of {seconds}.",
            "A plain number, and Lambda counts seconds: 900 are the most.",
        )
    for name in "Runtime", "CodeUri":
        if name not in function:
            raise Wrong(f"The function has no {name}.", f"What is {name} in lesson 5's template?")
    return (
        "sam would deploy that. The file is all that somebody needs to make your function anew, in "
        "another region or another account."
    )


@exercise(
    "allowed",
    list,
    hint="For each request, look for a statement whose Action names it. Then compare its Resource: a "
    "star stands for any letters.",
)
def allowed_requests(answer):
    unknown = [name for name in answer if name not in list(REQUESTS)]
    if unknown:
        raise Wrong(f"There is no request {unknown[0]!r}.", f"There are: {', '.join(REQUESTS)}.")
    for name, request in REQUESTS.items():
        if name in answer and not allowed(*request):
            raise Wrong(
                f"The policy does not let its holder {name}.",
                "What a policy does not name is forbidden; and names have to fit to the last letter.",
            )
    missing = [
        name for name, request in REQUESTS.items() if name not in answer and allowed(*request)
    ]
    if "call the shop's API" in missing and len(missing) == 1:
        raise Wrong(
            "One more is allowed.",
            "Which statements have a Resource of stars alone, where our names should stand?",
        )
    if missing:
        raise Wrong(
            f"{len(missing)} more are allowed.",
            "Look for the Action first, in every statement; a Resource may be one star.",
        )
    return (
        "That the shop's API can be called (and changed, by MakeTheApi) is a hole: the policy is written "
        "before the API exists, and its number is not known. Once it is there, the number belongs into "
        "those Resources."
    )


@exercise(
    "too-wide",
    str,
    hint="A Resource is a name in six parts, with colons between them; for a function the sixth is "
    "function:NAME. A star may stand for any letters of it.",
)
def too_wide(answer):
    ours, shops = f"{FUNCTIONS}:clothing-classifier-first-Function-1", f"{FUNCTIONS}:shop-checkout"
    if not re.match(r"arn:(aws|\*):|\*", answer):
        raise Wrong(f"{answer!r} is not a Resource.", "They begin with arn:aws:, as in the policy.")
    if not fnmatchcase(ours, answer):
        raise Wrong(
            "It does not fit our own function any more.",
            "Leave all as it is, but for the name behind function:, which has to fit both functions.",
        )
    if not fnmatchcase(shops, answer):
        raise Wrong(
            "The shop's function is still safe.", "Which letters keep it out? Take them away."
        )
    if fnmatchcase(f"arn:aws:lambda:{AWS}:layer:any", answer):
        raise Wrong(
            "It fits more than functions, Lambda's layers, too.",
            "The word that says what kind of thing it is stays.",
        )
    return (
        "With this, whoever deploys the classifier can put other code into the shop's function, which "
        "then runs with the shop's rights: its database, its customers. One star did that."
    )
