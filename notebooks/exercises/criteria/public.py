"""What makes an answer right: the exercises of lesson 8."""

import hashlib
import numbers
import re

from checks import Wrong, exercise
from walk.costs import CALL, HTTP_REQUEST

# A template of somebody who is in a hurry.
SHOP = """\
Resources: # what is not about access is left out
  Page:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: GET /, AuthorizationType: NONE }

  Order:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: POST /order, AuthorizationType: AWS_IAM }

  Admin:
    Type: AWS::ApiGatewayV2::Route
    Properties: { RouteKey: ANY /admin }

  Address:
    Type: AWS::Lambda::Url
    Properties: { TargetFunctionArn: !GetAtt Shop.Arn, AuthType: NONE }

  AddressMayInvoke:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Shop
      Action: lambda:InvokeFunctionUrl
      Principal: "*"
      FunctionUrlAuthType: NONE

  CallerMayInvoke: # since October 2025 a URL needs both
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Shop
      Action: lambda:InvokeFunction
      Principal: "*"
      InvokedViaFunctionUrl: true

  ApiMayInvoke:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Shop
      Action: lambda:InvokeFunction
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*
"""
NAMES = re.findall(r"^  (\w+):", SHOP, re.MULTILINE)

MONTH = 30 * 24 * 3600  # seconds

# Four requests to https://abc123.execute-api.eu-central-1.amazonaws.com/, each refused.
BODY = b'{"url": "https://example.com/coat.png"}'
SENT = "2026-11-28 09:15:00 UTC"


def _signed(date="20261128T091458Z", region="eu-central-1", service="execute-api", body=BODY):
    """Return what a request says of its signature."""
    return {
        "x-amz-date": date,
        "Credential": f"AKIDEXAMPLE/{date[:8]}/{region}/{service}/aws4_request",
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
    }


REFUSED = {
    "first": _signed(region="us-east-1"),
    "second": _signed(date="20261128T081458Z"),
    "third": _signed(body=BODY.replace(b"coat", b"hat")),
    "fourth": _signed(service="lambda"),
}
REASONS = {"first": "region", "second": "clock", "third": "body", "fourth": "service"}


@exercise(
    "what-is-open",
    list,
    hint="Go through the two kinds of doors: routes of a gateway and addresses of functions. What does "
    "each say about who may come in?",
)
def what_is_open(answer):
    unknown = [name for name in answer if name not in NAMES]
    if unknown:
        raise Wrong(f"There is no resource {unknown[0]!r}.", f"There are: {', '.join(NAMES)}.")
    if "Order" in answer:
        raise Wrong("Order wants a signature.", "What does AWS_IAM mean?")
    permissions = [name for name in answer if name.endswith("MayInvoke")]
    if permissions:
        raise Wrong(
            f"{permissions[0]} is not a door.",
            "A permission says whom the function answers; a request comes in by a route or a URL.",
        )
    missing = [name for name in ("Page", "Admin", "Address") if name not in answer]
    if "Page" in missing:
        raise Wrong("Another route is open.", "What does NONE mean?")
    if "Admin" in missing:
        raise Wrong(
            "Another route is open.",
            "AuthorizationType has a default. What holds for a route that does not name it?",
        )
    if "Address" in missing:
        raise Wrong(
            "A door beside the gateway is open.",
            "Which resource gives the function a URL of its own?",
        )
    return (
        "What a template does not say has a default, and that of AuthorizationType is NONE. And a "
        "function with two doors is as open as the wider one."
    )


@exercise(
    "worst-month",
    numbers.Real,
    hint="Which of the two lines of lesson 8's worst bill depends on RequestsPerSecond? What is the "
    "difference of that line?",
)
def worst_month(answer):
    request = CALL + 20 * HTTP_REQUEST
    truth = 45 * MONTH * request

    def near(value):
        return abs(answer - value) <= 0.002 * abs(value)

    if near(truth):
        return (
            f"${truth:,.0f} more, for one number in a file. The copies of the function cost no more than "
            "before: their number did not change. That is why an open gateway has both limits."
        )
    if near(50 * MONTH * request):
        raise Wrong("That is the whole line.", "By how much does it grow? There were 5 before.")
    if near(45 * MONTH * (CALL + HTTP_REQUEST)):
        raise Wrong(
            "That is for small requests.",
            "The gateway takes 10 MB, and counts each 512 KB of them.",
        )
    if near(45 * MONTH * 20 * HTTP_REQUEST):
        raise Wrong("The gateway's part is right.", "Lambda charges for each request, too.")
    if near(45 * 24 * 3600 * request):
        raise Wrong("That is a day.", "The worst month has 30 of them.")
    if 10 * truth < answer or near(truth * 1e6):
        raise Wrong("That is too much.", "The prices are for one request, not for a million.")
    raise Wrong(
        f"It is not {answer:,.2f}.",
        "Seconds in 30 days, times the requests that come on top in each, times what the largest "
        "request costs.",
    )


@exercise(
    "signatures",
    dict,
    hint="Compare each with the URL (region and service), with the time when it was sent, and with "
    "hashlib.sha256(BODY).hexdigest().",
)
def signatures(answer):
    if set(answer) != set(REASONS):
        raise Wrong("The requests have other names.", f"They are: {', '.join(REASONS)}.")
    for reason in answer.values():
        if reason not in REASONS.values():
            raise Wrong(
                f"{reason!r} is not one of the reasons.",
                f"They are: {', '.join(sorted(REASONS.values()))}.",
            )
    hints = {
        "first": "Its Credential names a place, the URL another one.",
        "second": "Compare x-amz-date with the time when it was sent; AWS takes five minutes.",
        "third": "Does the checksum belong to the body that was sent?",
        "fourth": "The Credential names a service. Who is asked, the gateway or the function?",
    }
    for name, reason in answer.items():
        if reason != REASONS[name]:
            raise Wrong(f"The {name} was not refused for its {reason}.", hints[name])
    return (
        "All of these stand in what is signed, so that nobody can take a signature and use it for "
        "another place, another day or another picture."
    )
