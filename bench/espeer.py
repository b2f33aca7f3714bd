"""Runs operations of dataknobs-data's Elasticsearch backend on request, as peer.py does.

python espeer.py RECORDS.jsonl PORT INDEX

The asynchronous backend, since the synchronous one reads ten records and stops. It is told not to
refresh the index with each batch, nor the server to do so, and is given large batches: all of it makes
it faster. Each batch create fills an index that it has just made.
"""
import asyncio, json, logging, sys, time, warnings

logging.disable(logging.CRITICAL)
warnings.filterwarnings("ignore")
from dataknobs_data import Query, Record, async_database_factory  # noqa: E402
from dataknobs_data.streaming import StreamConfig  # noqa: E402

data, port, index = [json.loads(line) for line in open(sys.argv[1])], int(sys.argv[2]), sys.argv[3]
chunk = 5000


async def run(db, op):
    if op == "batch create":
        await db._client.indices.delete(index=index)
        await db._ensure_index()
        await db._client.indices.put_settings(index=index, settings={"refresh_interval": "-1", "number_of_replicas": 0})
        records = [Record(dict(d)) for d in data]
        start = time.perf_counter()
        n = 0
        for i in range(0, len(records), chunk):
            n += len(await db.create_batch(records[i : i + chunk]))
        await db._client.indices.refresh(index=index)
    elif op == "read everything":
        start = time.perf_counter()
        n = 0
        async for _ in db.stream_read(None, StreamConfig(batch_size=chunk)):
            n += 1
    else:
        start = time.perf_counter()
        n = len(list(await db.search(Query().filter("city", "=", "Lisbon").limit(1000))))
    return time.perf_counter() - start, n


async def main():
    db = async_database_factory.create(backend="elasticsearch", hosts=["http://127.0.0.1:%d" % port], index=index, refresh=False)
    await db.connect()
    for line in sys.stdin:
        try:
            seconds, n = await run(db, line.strip())
            print(json.dumps({"seconds": seconds, "n": n}), flush=True)
        except Exception as e:  # the other side reports it
            print(json.dumps({"error": "%s: %s" % (type(e).__name__, e)}), flush=True)
    await db.close()


asyncio.run(main())
