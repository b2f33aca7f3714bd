"""Runs operations of dataknobs-data on request, for the side-by-side benchmark.

Reads one operation a line from standard input and answers with its seconds and
a check (how many records it found or wrote). python peer.py RECORDS.jsonl WORKDIR
"""
import gc, itertools, json, logging, os, sys, time, warnings

logging.disable(logging.CRITICAL)
warnings.filterwarnings("ignore")
from dataknobs_data import Query, Record, database_factory  # noqa: E402
from dataknobs_data.query_logic import QueryBuilder  # noqa: E402

data = [json.loads(line) for line in open(sys.argv[1])]
path = os.path.join(sys.argv[2], "peer.json")
store = memory = None
fresh = itertools.count()


def open_store(**config):
    db = database_factory.create(**config)
    db.connect()
    return db


def one():
    return Record({"id": "new%d" % next(fresh), "name": "One More", "age": 1, "city": "Nowhere"})


def ids(results):
    return len(list(results))


CITIES = ["Berlin", "Lisbon", "Oslo", "Rome", "Tokyo"]
SEARCH = {
    "search =": lambda: Query().filter("city", "=", "Lisbon"),
    "search range, top 100": lambda: Query().filter("age", "between", [30, 50]).sort_by("score", "desc").limit(100),
    "search LIKE": lambda: Query().filter("name", "like", "Mar%"),
    "search IN": lambda: Query().filter("city", "in", CITIES),
    "search AND/OR": lambda: (QueryBuilder().where("city", "=", "Paris").or_where("city", "=", "Tokyo")).build()
    if hasattr(QueryBuilder(), "or_where") else Query().filter("city", "in", ["Paris", "Tokyo"]),
}


def run(op):
    global store, memory
    if op == "batch create":
        if os.path.exists(path):
            os.unlink(path)
        store = open_store(backend="file", path=path)
        records = [Record(dict(d)) for d in data]
        start = time.perf_counter()
        n = len(store.create_batch(records))
    elif op == "memory batch create":
        memory = open_store(backend="memory")
        records = [Record(dict(d)) for d in data]
        start = time.perf_counter()
        n = len(memory.create_batch(records))
    elif op == "memory create one by one":
        memory = open_store(backend="memory")
        records = [Record(dict(d)) for d in data[:20000]]
        start = time.perf_counter()
        n = sum(1 for r in records if memory.create(r))
    elif op == "create one":
        record = one()
        start = time.perf_counter()
        n = 1 if store.create(record) else 0
    elif op == "read one":
        start = time.perf_counter()
        n = 1 if store.read(next(iter(run.known))) else 0
    elif op == "read everything":
        start = time.perf_counter()
        n = ids(store.search(Query()))
    else:
        query = SEARCH[op]()
        start = time.perf_counter()
        n = ids(store.search(query))
    return time.perf_counter() - start, n


run.known = [data[len(data) // 2]["id"]]
for line in sys.stdin:
    try:
        gc.collect()  # what the operation before left behind is not this one's
        seconds, n = run(line.strip())
        print(json.dumps({"seconds": seconds, "n": n}), flush=True)
    except Exception as e:  # the other side reports it
        print(json.dumps({"error": "%s: %s" % (type(e).__name__, e)}), flush=True)
