"""What a client of ChipBridge does besides: a fresh key for every request that changes something."""

import uuid

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.method.upper() == "POST" and case.headers is not None:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
