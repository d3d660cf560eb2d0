"""``python sdk_story.py SDK HOST KEY COUNT SECONDS``: so many calls of ten users through an unmodified SDK.

A program of its own, as an application is: the SDK keeps and repeats what the server did not answer. It ends
with status 1 when the SDK gave something up.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rudderstack.analytics.client import Client as RudderClient
from segment.analytics.client import Client as SegmentClient


def main(sdk: str, host: str, key: str, count: int, seconds: float) -> int:
    """Send, wait for the answers, and say whether any call was given up."""
    failures: list[Any] = []
    how: dict[str, Any] = {"upload_size": 20, "on_error": lambda error, _items: failures.append(error)}
    make: Callable[..., Any] = {"segment_python": SegmentClient, "rudder_python": RudderClient}[sdk]
    client = make(key, host=host, **how)
    for n in range(count):
        user = f"u-{sdk}-{n % 10}"
        if n < 10:
            client.identify(user, {"email": f"{user}@story.example"})
        else:
            client.track(user, "Story Told", {"n": n, "sdk": sdk})
        time.sleep(seconds / count)
    client.flush()
    client.join()
    return 1 if failures else 0


if __name__ == "__main__":
    sdk, host, key, count, seconds = sys.argv[1:]
    sys.exit(main(sdk, host, key, int(count), float(seconds)))
