"""A function that does nothing: what the emulator, AWS's runtime client and HTTP take themselves."""


def lambda_handler(event, context):
    """Answer any event."""
    print('{"fetch_ms": 0, "decode_ms": 0, "invoke_ms": 0}', flush=True)
    return {}
