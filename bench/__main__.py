"""``bench/run SCENARIO``: one scenario, its own servers, its own databases, its figures."""

from __future__ import annotations

import argparse
import importlib
import os
import sys

import django

from bench import harness
from smarketing.embedded.process import StartError
from smarketing.embedded.servers import used

# Scenario → module and the sizes (number of leads) it is measured at by default.
SCENARIOS = {
    "ingest": ("bench.scenarios.ingest", "10000"),
    "import": ("bench.scenarios.imports", "1000000"),
    "lead": ("bench.scenarios.lead", "100000,1000000"),
    "list": ("bench.scenarios.lists", "100000,1000000"),
    "pages": ("bench.scenarios.pages", "100"),
    "finder": ("bench.scenarios.finder", "1000000"),
    "view": ("bench.scenarios.view", "20000"),
    "score": ("bench.scenarios.score", "100000"),
    "replay": ("bench.scenarios.replay", "100000"),
    "predict": ("bench.scenarios.predict", "100000"),
    "clocks": ("bench.scenarios.clocks", "10000"),
    "route": ("bench.scenarios.route", "10000"),
    "generate": ("bench.scenarios.generate", "1000000"),
}


def main() -> int:
    """Run what the command line names; the exit status is 1 where a floor was missed."""
    parser = argparse.ArgumentParser("bench/run", description="Measure the product and its limit.")
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--size", help="leads; several separated by commas")
    parser.add_argument("--reps", type=int, default=3, help="repetitions (3; fewer are noted)")
    parser.add_argument("--events", type=int, default=1, help="events per lead of the generated data")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    module, default = SCENARIOS[options.scenario]
    sizes = [int(text.replace("_", "")) for text in (options.size or default).split(",")]
    os.environ |= harness.environment()
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    try:
        with used(("postgres", "valkey"), harness.HOME):
            django.setup()
            scenario = importlib.import_module(module)
            plan = harness.Plan(sizes=sizes, reps=max(1, options.reps), events=options.events)
            report: harness.Report = scenario.run(plan)
    except StartError as error:
        sys.stderr.write(f"bench/run: {error}\n")
        return 2
    print(report.as_json() if options.json else report.as_text())
    return 1 if report.missed() else 0


if __name__ == "__main__":
    sys.exit(main())
