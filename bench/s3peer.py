"""Runs operations of dataknobs-data's S3 backend on request, as peer.py does.

python s3peer.py ENDPOINT RECORDS.jsonl PREFIX    keys from the environment
"""
import json, logging, sys, time, warnings

logging.disable(logging.CRITICAL)
warnings.filterwarnings("ignore")
from dataknobs_data import Query, Record, database_factory  # noqa: E402

endpoint, data, prefix = sys.argv[1], [json.loads(line) for line in open(sys.argv[2])], sys.argv[3]
db = database_factory.create(backend="s3", bucket="bench", endpoint_url=endpoint, region="us-east-1", prefix=prefix)
db.connect()
ids = []


def run(op):
    global ids
    if op == "create":
        records = [Record(dict(d)) for d in data]
        start = time.perf_counter()
        ids = db.create_batch(records)
        n = len(ids)
    elif op == "read":
        start = time.perf_counter()
        n = sum(1 for r in db.read_batch(ids) if r)
    else:
        start = time.perf_counter()
        n = len(list(db.search(Query().filter("city", "=", "Lisbon"))))
    return time.perf_counter() - start, n


for line in sys.stdin:
    try:
        seconds, n = run(line.strip())
        print(json.dumps({"seconds": seconds, "n": n}), flush=True)
    except Exception as e:  # the other side reports it
        print(json.dumps({"error": "%s: %s" % (type(e).__name__, e)}), flush=True)
