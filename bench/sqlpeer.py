"""Runs operations of dataknobs-data's SQL backends on request, as peer.py does.

python sqlpeer.py FORM RECORDS.jsonl SETTINGS.json    FORM: sqlite, psycopg2 or asyncpg
"""
import asyncio, inspect, json, logging, sys, time, warnings

logging.disable(logging.CRITICAL)
warnings.filterwarnings("ignore")
from dataknobs_data import Query, Record, async_database_factory, database_factory  # noqa: E402

form, data, settings = sys.argv[1], [json.loads(line) for line in open(sys.argv[2])], json.loads(sys.argv[3])
chunk = {"sqlite": 1000, "asyncpg": 5000}.get(form, len(data))  # a statement takes so many parameters
loop = asyncio.new_event_loop()
factory = async_database_factory if form == "asyncpg" else database_factory


def wait(x):
    return loop.run_until_complete(x) if inspect.isawaitable(x) else x


db = factory.create(**settings)
wait(db.connect())


def run(op):
    if op == "batch create":
        wait(db.clear())
        records = [Record(dict(d)) for d in data]
        start = time.perf_counter()
        n = sum(len(wait(db.create_batch(records[i : i + chunk]))) for i in range(0, len(records), chunk))
    else:
        query = Query() if op == "read everything" else Query().filter("city", "=", "Lisbon")
        start = time.perf_counter()
        n = len(list(wait(db.search(query))))
    return time.perf_counter() - start, n


for line in sys.stdin:
    try:
        seconds, n = run(line.strip())
        print(json.dumps({"seconds": seconds, "n": n}), flush=True)
    except Exception as e:  # the other side reports it
        print(json.dumps({"error": "%s: %s" % (type(e).__name__, e)}), flush=True)
