"""The exercises of lessons 5 to 10: the function on AWS."""

# The first template, and the same for another function's handler.
TEMPLATE = "template = open('lambda/template-first.yaml').read()"
OWN_HANDLER = TEMPLATE + ".replace('lambda_function.lambda_handler', 'shoes.classify')"


def factors(model, one, other):
    """Code that divides one precision's milliseconds by the other's, out of the record."""
    return f"""
ms = {{
    (each["model"], each["runtime"], each["precision"]): each["request_ms"]["as documented"]["median"]
    for each in contenders
}}
factors = {{
    runtime: ms["{model}", runtime, "{one}"] / ms["{model}", runtime, "{other}"]
    for runtime in ("tflite-runtime", "litert")
}}
"""


WRONG = {
    # lesson 5
    "own-template": [
        (TEMPLATE, "The handler is lambda_function.lambda_handler"),
        (TEMPLATE + ".replace('lambda_function.lambda_handler', 'classify.shoes')", "without .py"),
        (OWN_HANDLER, "The function has 1769 MB"),
        (OWN_HANDLER + ".replace('1769', '2')", "MemorySize counts megabytes"),
        (OWN_HANDLER + ".replace('1769', '2048')", "The function has a timeout of 20"),
        (
            OWN_HANDLER + ".replace('1769', '2048').replace(' 20 ', ' 60000 ')",
            "Lambda counts seconds",
        ),
        (
            OWN_HANDLER
            + ".replace('1769', '2048').replace(' 20 ', ' 60 ').replace('Runtime', 'Run')",
            "The function has no Runtime",
        ),
        (OWN_HANDLER + ".replace('Transform: AWS', 'Uses: AWS')", "Which line of it calls SAM"),
        ("template = 'Resources:\\n  Function: {'", "This is not YAML"),
        ("template = 'shoes.classify'", "It has no Resources"),
        ("template = 'lambda/template-first.yaml'", "the name of a file is not enough"),
        (OWN_HANDLER + ".replace('1769', '3 GB')", "'3 GB' is not a size"),
        (
            "template = 'Resources: {F: {Type: AWS::Serverless::Function, Properties: '\\\n"
            "    '{Handler: shoes.classify, MemorySize: \"3072\", Timeout: 60}}}'",
            "Which line of it calls SAM",
        ),
        ("template = 'Resources: {}'", "It has 0 functions"),
        ("template = {'Resources': {}}", "A text is asked for"),
    ],
    "allowed": [
        ("allowed = list(REQUESTS)", "does not let its holder change the shop's function"),
        ("allowed = []", "4 more are allowed"),
        (
            "allowed = ['change our function', 'make a role for our function', "
            "'list the names of all logs']",
            "a Resource of stars alone",
        ),
        ("allowed = ['all']", "There is no request 'all'"),
        ("allowed = {'make a user': False}", "A list is asked for"),
    ],
    "too-wide": [
        ("resource = '*'", "Lambda's layers, too"),
        ("resource = 'arn:aws:lambda:*:*:function:clothing-*'", "Which letters keep it out"),
        ("resource = 'arn:aws:lambda:*:*:function:shop-*'", "does not fit our own function"),
        ("resource = 'arn:aws:lambda:::function:*'", "Leave all as it is"),
        ("resource = 'shop-checkout'", "They begin with arn:aws:"),
        ("resource = ['arn:aws:lambda:*:*:function:*']", "A text is asked for"),
    ],
    # lesson 6
    "which-machine": [
        ("address = '1.1.168.192'", "Which digit of a number comes first?"),
        ("address = '127.0.0.1'", "the number of the lesson"),
        ("address = '3232235777'", "It has four numbers"),
    ],
    "own-network": [
        ("def may_ask(address):\n    return guards.is_public(address)", "It refuses 10.0.1.7"),
        (
            "def may_ask(address):\n"
            "    return address.startswith('10.0.1') or guards.is_public(address)",
            "It lets 10.0.10.5 through",
        ),
        (
            "import ipaddress\n\n\ndef may_ask(address):\n"
            "    ip = ipaddress.ip_address(address)\n"
            "    return ip.is_private or ip.is_global",
            "this machine itself",
        ),
        (
            "import ipaddress\n\n\ndef may_ask(address):\n"
            "    ip = ipaddress.ip_address(address)\n"
            "    return ip in ipaddress.ip_network('10.0.1.0/24') or not ip.is_private",
            "Not private does not yet mean public",
        ),
        (
            "import ipaddress\n\n\ndef may_ask(address):\n"
            "    return address in ipaddress.ip_network('10.0.1.0/24')",
            "Only what ip_address has made of a text",
        ),
        (
            "import ipaddress\n\n\ndef may_ask(address):\n"
            "    return ipaddress.ip_address(address) in ipaddress.ip_network('10.0.1.0/24')",
            "It refuses 8.8.8.8",
        ),
        ("may_ask = '10.0.1.0/24'", "A function is asked for"),
        ("def may_ask(address):\n    guards.is_public(address)", "It returned nothing"),
        ("def may_ask(address):\n    return guards.is_public", "True or False is asked for"),
        ("def may_ask(address):\n    return is_public(address)", "the name of its module"),
    ],
    "rebinding": [
        ("addresses = ['127.0.0.1', '8.8.8.8']", "The first answer is the one that it checks"),
        ("addresses = ['8.8.8.8', '8.8.8.8']", "urlopen gets a name"),
        ("addresses = ['8.8.8.8']", "the neighbour was not asked"),
        ("addresses = ['8.8.8.8', 'http://127.0.0.1']", "is not an address"),
        ("addresses = {'first': '8.8.8.8', 'second': '127.0.0.1'}", "A list is asked for"),
    ],
    # lesson 7
    "named-errors": [
        (
            "errors = dict.fromkeys(EVENTS, 'MalformedRequest')",
            "'a text in base64' is not answered with MalformedRequest",
        ),
        ("errors = dict.fromkeys(EVENTS, 'ValueError')", "There are: BrokenPicture"),
        ("errors = ['MalformedRequest'] * 4", "A dict is asked for"),
    ],
    "own-event": [
        (
            "import base64\n\n\ndef event_of(picture):\n"
            "    return {'image': base64.b64encode(picture).decode()}",
            "That is the request's body",
        ),
        (
            "import base64\n\n\ndef event_of(picture):\n"
            "    return {\n"
            "        'requestContext': {'http': {'method': 'POST'}},\n"
            "        'rawPath': '/',\n"
            "        'headers': {'content-type': 'image/png'},\n"
            "        'body': base64.b64encode(picture).decode(),\n"
            "        'isBase64Encoded': True,\n"
            "    }",
            "That is lesson 7's event",
        ),
        (
            "import base64\n\n\ndef event_of(picture):\n"
            "    return {\n"
            "        'requestContext': {'http': {'method': 'POST'}},\n"
            "        'rawPath': '/',\n"
            "        'headers': {'content-type': 'application/json'},\n"
            "        'body': {'image': base64.b64encode(picture).decode()},\n"
            "    }",
            "Its body is of the type dict",
        ),
        (
            "import base64\nimport json\n\n\ndef event_of(picture):\n"
            "    return {\n"
            "        'requestContext': {'http': {'method': 'POST'}},\n"
            "        'rawPath': '/',\n"
            "        'headers': {'content-type': 'application/json'},\n"
            "        'body': json.dumps({'image': base64.b64encode(picture).decode()}),\n"
            "        'isBase64Encoded': True,\n"
            "    }",
            "And is it in base64, or not?",
        ),
        (
            "import base64\nimport json\n\n\ndef event_of(picture):\n"
            "    return {\n"
            "        'method': 'POST',\n"
            "        'path': '/',\n"
            "        'body': json.dumps({'image': base64.b64encode(picture).decode()}),\n"
            "    }",
            "the path in rawPath",
        ),
        (
            "import base64\nimport json\n\n\ndef event_of(picture):\n"
            "    return {'body': json.dumps({'image': base64.b64encode(picture)})}",
            "JSON has no bytes",
        ),
        ("def event_of(picture):\n    return 'POST /'", "A dict is asked for"),
        (
            "def event_of(picture):\n"
            "    return {\n"
            "        'requestContext': {'http': {'method': 'POST'}},\n"
            "        'rawPath': '/',\n"
            "        'headers': 'Content-Type: application/json',\n"
            "        'body': json.dumps({'image': base64.b64encode(picture).decode()}),\n"
            "    }",
            "The headers are a dict",
        ),
    ],
    "try-again": [
        ("def try_again(status):\n    return status >= 500", "there were too many at once"),
        ("def try_again(status):\n    return status >= 400", "It is as wrong the next time"),
        ("def try_again(status):\n    return True", "why ask again?"),
        ("def try_again(status):\n    return '502' in status", "It ended in an error"),
        ("def try_again(status):\n    status == 502", "It returned nothing"),
        ("def try_again(status):\n    return status == 429 or 502", "True or False is asked for"),
    ],
    # lesson 8
    "what-is-open": [
        ("doors = ['Page', 'Address']", "AuthorizationType has a default"),
        ("doors = ['Page', 'Admin']", "Which resource gives the function a URL of its own"),
        ("doors = ['Admin', 'Address']", "What does NONE mean"),
        ("doors = ['Page', 'Order', 'Admin', 'Address']", "What does AWS_IAM mean"),
        ("doors = ['Page', 'Admin', 'Address', 'AddressMayInvoke']", "is not a door"),
        ("doors = ['Address']", "Another route is open"),
        ("doors = ['Shop']", "There is no resource 'Shop'"),
        ("doors = {'Page': 'NONE'}", "A list is asked for"),
    ],
    "worst-month": [
        ("dollars = 50 * 30 * 24 * 3600 * (CALL + 20 * HTTP_REQUEST)", "There were 5 before"),
        ("dollars = 45 * 30 * 24 * 3600 * (CALL + HTTP_REQUEST)", "counts each 512 KB"),
        ("dollars = 45 * 30 * 24 * 3600 * 20 * HTTP_REQUEST", "for each request, too"),
        ("dollars = 45 * 24 * 3600 * (CALL + 20 * HTTP_REQUEST)", "The worst month has 30"),
        ("dollars = 45 * 30 * 24 * 3600 * (0.20 + 20)", "not for a million"),
        ("dollars = 746.30", "the requests that come on top"),
        ("dollars = 2000", "It is not 2,000.00"),
        ("dollars = '$ 2,000'", "A number is asked for"),
    ],
    "signatures": [
        (
            "reasons = dict.fromkeys(['first', 'second', 'third', 'fourth'], 'region')",
            "The second was not refused for its region",
        ),
        (
            "reasons = {'first': 'service', 'second': 'clock', 'third': 'body', 'fourth': 'region'}",
            "Its Credential names a place",
        ),
        (
            "reasons = {'first': 'region', 'second': 'body', 'third': 'clock', 'fourth': 'service'}",
            "AWS takes five minutes",
        ),
        (
            "reasons = {'first': 'region', 'second': 'clock', 'third': 'body', 'fourth': 'key'}",
            "'key' is not one of the reasons",
        ),
        ("reasons = {1: 'region'}", "The requests have other names"),
        ("reasons = ['region', 'clock', 'body', 'service']", "A dict is asked for"),
    ],
    # lesson 9
    "int8-speed": [
        (factors("ours", "int8", "float32"), "the other way round"),
        (factors("xception", "float32", "int8"), "that is Xception's"),
        ("factors = {'tflite-runtime': 72, 'litert': 4.9}", "Do not round before you have divided"),
        ("factors = [0.12, 1.9]", "A dict is asked for"),
        ("factors = {1: 0.12, 2: 1.9}", "Its keys are 1, 2.\n  Hint: Two runtimes"),
        ("factors = {'tflite-runtime': '0.12', 'litert': 1.9}", "'0.12' is not a factor"),
    ],
    "gb-seconds": [
        (
            "def gb_seconds(milliseconds, memory_mb):\n    return milliseconds * memory_mb / 1024",
            "is given milliseconds",
        ),
        (
            "def gb_seconds(milliseconds, memory_mb):\n    return milliseconds * memory_mb / 1e6",
            "1,024 MB as one GB",
        ),
        (
            "def gb_seconds(milliseconds, memory_mb):\n    return milliseconds * memory_mb / 1000",
            "is given megabytes",
        ),
        (
            "def gb_seconds(milliseconds):\n    return milliseconds / 1000",
            "Hint: It is given two numbers",
        ),
        (
            "def gb_seconds(milliseconds, memory_mb):\n    return [milliseconds / 1000 * memory_mb]",
            "A number is asked for",
        ),
    ],
    "cheapest-memory": [
        (
            "def cheapest(milliseconds, limit):\n    return min(milliseconds, key=milliseconds.get)",
            "Fast is not cheap",
        ),
        (
            "def cheapest(milliseconds, limit):\n    return min(milliseconds)",
            "the time is paid for",
        ),
        ("def cheapest(milliseconds, limit):\n    return 1000", "a key of the dict"),
        ("def cheapest(milliseconds, limit):\n    return milliseconds", "a key of the dict"),
        (
            "def cheapest(milliseconds, limit):\n    return 1024",
            "each setting in the dict that it is given",
        ),
        (
            "def cheapest(milliseconds, limit):\n"
            "    return min(milliseconds, key=lambda memory: milliseconds[memory] * memory)",
            "First leave out what is too slow",
        ),
        (
            "def cheapest(milliseconds, limit):\n"
            "    fast = [memory for memory in milliseconds if milliseconds[memory] < limit]\n"
            "    return min(fast, key=lambda memory: milliseconds[memory] * memory)",
            "the limit itself is still fast enough",
        ),
        (
            "def cheapest(milliseconds):\n    return min(milliseconds)",
            "Hint: It is given two things",
        ),
    ],
    # lesson 10
    "batch-size": [
        ("in_a_batch = 100", "Such a batch takes 150 seconds"),
        ("in_a_batch = 1", "let more scans share what a batch costs"),
        ("in_a_batch = 12.5", "Whole scans are asked for"),
        ("in_a_batch = {'PicturesInABatch': 12}", "A number is asked for"),
    ],
    "comes-twice": [
        (
            "left = {'objects': 4, 'rows': 9, 'errors': 2, 'pictures': 3}",
            "objects: not so many as 4.\n  Hint: An object's name is made from the keys",
        ),
        ("left = {'objects': 3, 'rows': 9, 'errors': 2, 'pictures': 3}", "exist in the end"),
        ("left = {'objects': 3, 'rows': 6, 'errors': 1, 'pictures': 3}", "hat.png is in two"),
        ("left = {'objects': 3, 'rows': 6, 'errors': 2, 'pictures': 6}", "the newest"),
        ("left = {'objects': 3}", "It needs: objects, rows, errors, pictures"),
        ("left = [3, 6, 2, 3]", "A dict is asked for"),
    ],
    "tried-again": [
        ("again = dict.fromkeys(again, 2)", "a picture is empty: not 2.\n  Hint: Asking again"),
        ("again = dict(zip(again, (0, 0, 9, 3, 3)))", "does not count the first try"),
        ("again = dict(zip(again, (0, 0, 2, 2, 2)))", "which rule names it?"),
        ("again = dict(zip(again, (0, 0, 8, 8, 2)))", "Which rule fits any error?"),
        ("again = dict(zip(again, ('row', 'row', 8, 2, 2)))", "Whole numbers are asked for"),
        ("again = [0, 0, 8, 2, 2]", "A dict is asked for"),
    ],
}
