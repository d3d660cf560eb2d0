"""``generate``: fill a database (1 M leads; ``--events 10`` for 10 M events) and say how long it took."""

from __future__ import annotations

from bench import generator, harness


def run(plan: harness.Plan) -> harness.Report:
    """Generate each size anew, once; the databases stay for the other scenarios."""
    report = harness.Report("generate", harness.Plan(plan.sizes, 1, plan.events))
    for size in plan.sizes:
        harness.drop(generator.name_of(size=size, events=plan.events))

        def made(size: int = size) -> int:
            generator.database(size=size, events=plan.events)
            return size

        name = f"generate {size:,} leads × {plan.events} events"
        report.series.append(harness.measure(name, "leads", made, reps=1))
        report.facts[f"{size:,} leads"] = ", ".join(f"{k} {v:,}" for k, v in generator.counts().items())
    return report
