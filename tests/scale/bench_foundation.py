"""100,000 people with sealed identity, tokens and one chained event each, written through the services.

    PYTHONPATH=src:tests python -m scale.bench_foundation --rows 100000 [--chunk 500] [--profile]

Writes into a throw-away database: a SQLite file in a temporary folder, or, with XIANGSUI_DATABASE_URL, a PostgreSQL
database `test_…` that is made for it and dropped. Goal: under 30 s, no transaction over half a second.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import resource
import sys
import time
from contextlib import nullcontext

GOAL_SECONDS = 30.0
GOAL_TRANSACTION = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--chunk", type=int, default=250, help="people a transaction")
    parser.add_argument("--profile", action="store_true", help="say where the time went (slower)")
    parser.add_argument("--rotate", action="store_true", help="measure a key rotation over the rows too")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "xiangsui.settings.testing"
    import django

    django.setup()
    from django.db import connection

    made = None
    if connection.vendor == "sqlite":
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
    else:
        made = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        return measure(options)
    finally:
        if made:
            connection.creation.destroy_test_db(made, verbosity=0)


def measure(options: argparse.Namespace) -> int:
    from django.db import connection, transaction

    from support import factories
    from support.people import identities
    from xiangsui.foundation.ledger.models import Event
    from xiangsui.foundation.ledger.services import Fact, events_append
    from xiangsui.foundation.ledger.verification import ledger_verify
    from xiangsui.foundation.people.services import PersonDraft, persons_record
    from xiangsui.foundation.privacy.models import LookupToken
    from xiangsui.foundation.privacy.services import keys_rotate

    began = time.perf_counter()
    drafts = list(identities(options.rows))
    print(f"{connection.vendor}: {options.rows:,} identities read in {time.perf_counter() - began:.1f} s (not counted)")
    places = [factories.organisation() for _number in range(4)]
    longest, spans = 0.0, []
    profile = cProfile.Profile() if options.profile else nullcontext()
    began, cpu = time.perf_counter(), time.process_time()
    with profile:
        for start in range(0, options.rows, options.chunk):
            chunk = drafts[start : start + options.chunk]
            place = places[start // options.chunk % len(places)]
            opened = time.perf_counter()
            with transaction.atomic():
                people = persons_record(drafts=[PersonDraft(place, identity) for identity in chunk])
                facts = [Fact("person.recorded", place.uuid, person.pk) for person in people]
                events_append(facts=facts, actor=None)
            spans.append(time.perf_counter() - opened)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    longest = max(spans)
    spans.sort()
    print(
        f"{connection.vendor}: {options.rows:,} people, tokens and events in {seconds:.1f} s (of it {cpu:.1f} s this "
        f"process's CPU), {options.rows / seconds:,.0f} a second; transactions of {options.chunk}: "
        f"median {spans[len(spans) // 2]:.3f} s, 95 % {spans[len(spans) * 95 // 100]:.3f} s, longest {longest:.3f} s; "
        f"{LookupToken.objects.count():,} tokens; peak memory "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )
    if options.profile:
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
    began = time.perf_counter()
    assert not list(ledger_verify()), "the ledger is not clean"
    print(f"{connection.vendor}: {Event.objects.count():,} events verified in {time.perf_counter() - began:.1f} s")
    if options.rotate:
        rotation(keys_rotate)
    passed = seconds < GOAL_SECONDS * options.rows / 100_000 and longest <= GOAL_TRANSACTION
    print("goal met" if passed else f"goal missed: {GOAL_SECONDS:.0f} s a hundred thousand, {GOAL_TRANSACTION} s each")
    return 0 if passed else 1


def rotation(keys_rotate) -> None:
    """How long a key rotation takes, and its longest transaction."""
    from django.db import connection, transaction

    spans, real = [], transaction.Atomic

    class Timed(real):
        def __enter__(self):
            self.outermost = not connection.in_atomic_block
            self.began = time.perf_counter()
            return super().__enter__()

        def __exit__(self, *problem):
            super().__exit__(*problem)
            if self.outermost:
                spans.append(time.perf_counter() - self.began)

    transaction.Atomic = Timed
    try:
        began = time.perf_counter()
        moved = keys_rotate()
    finally:
        transaction.Atomic = real
    print(
        f"{connection.vendor}: {moved:,} keys rotated in {time.perf_counter() - began:.1f} s, longest {max(spans):.3f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
