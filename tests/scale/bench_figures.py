"""How long the register's pages and figures take as it grows. Run on purpose, never collected:

    PYTHONPATH=src:tests DJANGO_SETTINGS_MODULE=xiangsui.settings.testing python tests/scale/bench_figures.py 10000 100000

Measures on the database of XIANGSUI_DATABASE_URL (SQLite in a temporary folder without it), in a database of its own
that is dropped afterwards. Prints p50, p95 and the number of queries, and marks what takes over 200 ms.
"""

import datetime as dt
import random
import re
import statistics
import sys
import time

import django

LIMIT = 200  # milliseconds, at the 95th percentile
ROUNDS = 15
CITIES, COUNTIES = 4, 3


def place_all():
    from support import factories
    from xiangsui.foundation.orgs.models import Kind

    nation = factories.organisation(kind=Kind.NATION, code="CN")
    provinces = [factories.organisation(nation, Kind.PROVINCE) for _ in range(5)]
    cities = [factories.organisation(province, Kind.CITY) for province in provinces for _ in range(CITIES)]
    return nation, provinces, cities, [factories.organisation(c, Kind.COUNTY) for c in cities for _ in range(COUNTIES)]


def fill(count, counties):
    """Donors, typings, consents, people and their events, as a registration writes them but in bulk."""
    from support.world import patient_gl
    from xiangsui.foundation.kit import clock
    from xiangsui.foundation.people.identity import Identity
    from xiangsui.programme.donors.services import DonorDraft, donors_register

    rng, gl = random.Random(7), patient_gl()
    today, surnames, given = clock.today(), "赵钱孙李周吴郑王冯陈", "明华军丽芳强伟洋敏静磊娜"
    for start in range(0, count, 2_000):
        drafts = []
        for number in range(start, min(count, start + 2_000)):
            identity = Identity(
                name=rng.choice(surnames) + rng.choice(given) + rng.choice(given),
                id_kind="passport",
                id_number=f"E{number:08d}",
                phones=(f"13{number:09d}",),
            )
            drafts.append(
                DonorDraft(
                    organisation=rng.choice(counties),
                    sex=rng.choice("MF"),
                    birth_year=today.year - rng.randint(19, 54),
                    abo=rng.choice(["A", "B", "AB", "O"]),
                    rhesus="+",
                    typing=gl if number % 10 else "",
                    cmdp_number=f"{number:012d}",
                    registered_on=today - dt.timedelta(days=rng.randint(0, 3000)),
                    identity=identity,
                )
            )
        donors_register(drafts=drafts)


def measured(name, call, rounds=ROUNDS):
    from django.db import connection

    queries = []

    def noted(execute, sql, parameters, many, context):
        begun = time.perf_counter()
        try:
            return execute(sql, parameters, many, context)
        finally:
            queries.append((time.perf_counter() - begun, sql))

    call()
    with connection.execute_wrapper(noted):
        call()
    slow_time, slow_text = max(queries, default=(0, ""))
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        took.append((time.perf_counter() - begun) * 1000)
    took.sort()
    p50, p95 = statistics.median(took), took[min(len(took) - 1, round(0.95 * len(took)))]
    mark = "  OVER" if p95 > LIMIT else ""
    print(f"  {name:44} p50 {p50:8.1f}  p95 {p95:8.1f} ms  {len(queries):3} queries{mark}", flush=True)
    if mark:
        print(f"      slowest query {slow_time * 1000:.0f} ms: {' '.join(slow_text.split())[-500:]}", flush=True)
    return p95


def measure(nation, provinces, cities, counties):
    from django.test import Client
    from django.urls import reverse
    from django_scopes import scopes_disabled

    from support import factories
    from xiangsui.foundation.indicators.selectors import figure
    from xiangsui.foundation.indicators.services import rollup
    from xiangsui.foundation.indicators.table import find
    from xiangsui.foundation.kit import clock
    from xiangsui.foundation.ledger.models import Event
    from xiangsui.programme.donors.models import Donor
    from xiangsui.programme.donors.selectors import donors_found

    begun = time.perf_counter()
    added = rollup(until=clock.now())
    print(f"  roll-up of {added:,} events: {time.perf_counter() - begun:.1f} s; {Event.objects.count():,} events")
    for title, role, where in (("city", "city_officer", cities[0]), ("nation", "province_staff", nation)):
        client = Client()
        user = factories.user((role, where))
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        assignment = user.assignments.select_related("organisation").get()
        url = reverse("donors:list")

        def get(address=url, client=client, **query):
            answer = client.get(address, query)
            assert answer.status_code == 200, answer.status_code
            return answer

        measured(f"{title}: list, first page", get)
        following = re.search(r"page=([\w-]+)", get().content.decode())
        if following:
            measured(f"{title}: list, second page", lambda get=get, cursor=following[1]: get(page=cursor))
        measured(f"{title}: list, sorted by birth year", lambda get=get: get(sort="birth_year"))
        measured(f"{title}: list, one state", lambda get=get: get(status="enrolled"))
        measured(f"{title}: list, AB men", lambda get=get: get(abo="AB", sex="M"))
        with scopes_disabled():
            donor = Donor.objects.filter(organisation__path__startswith=where.path).order_by("uuid").first()
            number = int(donor.cmdp_number)
        measured(f"{title}: list, one GRID", lambda get=get, grid=donor.grid: get(grid=grid))
        measured(f"{title}: file", lambda get=get, pk=donor.pk: get(reverse("donors:detail", args=[pk])))
        measured(f"{title}: home page", lambda get=get: get(reverse("home")))
        for what, text in (
            ("GRID", donor.grid), ("CMDP number", donor.cmdp_number), ("document", f"E{number:08d}"),
            ("telephone", f"13{number:09d}"), ("four digits", f"{number % 10000:04d}"), ("name", "王明华"),
            ("initials", "wmh"), ("nobody", "欧阳无人"),
        ):  # fmt: skip

            def found(text=text, assignment=assignment):
                with scopes_disabled():
                    return list(donors_found(assignment=assignment, text=text)[:50])

            measured(f"{title}: found by {what}", found)
    today = clock.today()
    for code in (
        "donors.listed",
        "donors.sampled",
        "donors.utilisation",
        "donors.people_donated",
        "donors.sample_to_listed",
    ):
        for title, last in (("today", today), ("a year ago", today - dt.timedelta(days=365))):

            def by_province(code=code, last=last):
                first = None if code == "donors.listed" else last - dt.timedelta(days=365)
                return [
                    figure(indicator=find(code), organisation=p, occurred_from=first, occurred_until=last)
                    for p in provinces
                ]

            measured(f"{code} by province, {title}", by_province, rounds=5)
    known = clock.now()
    measured(
        "donors.listed by province, as known at a time",
        lambda: [
            figure(indicator=find("donors.listed"), organisation=p, occurred_until=today, recorded_until=known)
            for p in provinces
        ],
        rounds=3,
    )


def main(sizes):
    django.setup()
    from django.db import connection
    from django_scopes import scopes_disabled

    for size in sizes:
        name = connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=False)
        try:
            with scopes_disabled():
                tree = place_all()
                begun = time.perf_counter()
                fill(size, tree[3])
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("ANALYZE")
            print(f"{connection.vendor}, {size:,} donors, written in {time.perf_counter() - begun:.0f} s")
            measure(*tree)
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [10_000])
