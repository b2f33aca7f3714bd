"""Writes the Parquet files of other writers that the tests read, and beside
each the records that must come of it, as NDJSON with tagged times and bytes.

    python3 -m venv v && v/bin/pip install pyarrow duckdb && v/bin/python generate.py
"""
import base64
import datetime as dt
import decimal
import json
import os
import uuid

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

UTC = dt.timezone.utc
D = decimal.Decimal


def tag(v):
    """The value as our tagged JSON."""
    if isinstance(v, dt.datetime):
        v = v.astimezone(UTC) if v.tzinfo else v.replace(tzinfo=UTC)
        s = v.strftime("%%04d-%m-%dT%H:%M:%S") % v.year
        if v.microsecond:
            s += ("." + "%06d" % v.microsecond).rstrip("0")
        return {"$time": s + "Z"}
    if isinstance(v, dt.date):
        return {"$time": v.isoformat() + "T00:00:00Z"}
    if isinstance(v, dt.time):
        s = v.strftime("%H:%M:%S")
        if v.microsecond:
            s += ("." + "%06d" % v.microsecond).rstrip("0")
        return s
    if isinstance(v, bytes):
        return {"$bytes": base64.b64encode(v).decode()}
    if isinstance(v, uuid.UUID):
        return str(v)
    if isinstance(v, D):
        return str(v) if v.as_tuple().exponent < 0 else int(v)
    if isinstance(v, dict):
        return {k: tag(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [tag(x) for x in v]
    return v


def expect(name, rows):
    with open(name + ".ndjson", "w", encoding="utf-8") as f:
        for r in rows:
            f.write(json.dumps(tag(r), ensure_ascii=False) + "\n")


def rows(columns):
    names = list(columns)
    return [dict(zip(names, vs)) for vs in zip(*columns.values())]


def write(name, columns, types, **kw):
    """Writes columns (name to list) and expects them back as they are."""
    t = pa.table({k: pa.array(v, types[k]) for k, v in columns.items()})
    pq.write_table(t, name + ".parquet", **kw)
    expect(name, rows(columns))


def scalars():
    t1 = dt.datetime(2013, 1, 1, 10, 0, 0, 123456, tzinfo=UTC)
    t2 = dt.datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)
    t3 = dt.datetime(1, 1, 1, tzinfo=UTC)
    n1, n2 = t1.replace(tzinfo=None), t2.replace(tzinfo=None)
    cols = {
        "b": [True, None, False], "i8": [-128, None, 127], "i16": [-32768, None, 32767],
        "i32": [-2**31, None, 2**31 - 1], "i64": [-2**63, None, 2**63 - 1],
        "u8": [0, None, 255], "u16": [0, None, 65535], "u32": [0, None, 2**32 - 1], "u64": [0, None, 2**63 - 1],
        "f16": [1.5, None, -0.0009765625], "f32": [0.5, None, -1610612736.0], "f64": [0.1, None, -1e300],
        "s": ["", None, "Zürich 東京 🎈"], "bin": [b"", None, b"\x00\xff"], "fix": [b"abc", None, b"\x00\x01\x02"],
        "date": [dt.date(2024, 2, 29), None, dt.date(1, 1, 1)],
        "t32": [dt.time(1, 2, 3), None, dt.time(23, 59, 59, 999000)],
        "t64": [dt.time(1, 2, 3, 4), None, dt.time(0, 0)],
        "ms": [t1.replace(microsecond=123000), None, t2], "us": [t1, None, t3], "ns": [t1, None, t2],
        "local_ms": [n1.replace(microsecond=0), None, n2], "local_us": [n1, None, n2],
        "d9": [D("12.50"), None, D("-0.01")], "d18": [D("123456789012.345678"), None, D("-1.000000")],
        "d38": [D("12345678901234567890123456789012345.678"), None, D("-0.001")],
        "d0": [D("42"), None, D("-99")],
        "dict": ["red", None, "blue"],
    }
    types = {
        "b": pa.bool_(), "i8": pa.int8(), "i16": pa.int16(), "i32": pa.int32(), "i64": pa.int64(),
        "u8": pa.uint8(), "u16": pa.uint16(), "u32": pa.uint32(), "u64": pa.uint64(),
        "f16": pa.float16(), "f32": pa.float32(), "f64": pa.float64(),
        "s": pa.string(), "bin": pa.binary(), "fix": pa.binary(3), "date": pa.date32(),
        "t32": pa.time32("ms"), "t64": pa.time64("us"),
        "ms": pa.timestamp("ms", "UTC"), "us": pa.timestamp("us", "Europe/Zurich"), "ns": pa.timestamp("ns", "UTC"),
        "local_ms": pa.timestamp("ms"), "local_us": pa.timestamp("us"),
        "d9": pa.decimal128(9, 2), "d18": pa.decimal128(18, 6), "d38": pa.decimal128(38, 3), "d0": pa.decimal128(9, 0),
        "dict": pa.dictionary(pa.int32(), pa.string()),
    }
    write("scalars", cols, types)
    write("scalars_plain", cols, types, use_dictionary=False, store_decimal_as_integer=True, compression="none")
    write("scalars_v2", cols, types, data_page_version="2.0", compression="gzip", version="2.6")
    same("scalars_plain")
    same("scalars_v2")


def int96():
    t = dt.datetime(2013, 1, 1, 10, 0, 0, 123456)
    cols = {"t": [t, None, dt.datetime(1960, 5, 6, 7, 8, 9)]}
    write("int96", cols, {"t": pa.timestamp("us")}, use_deprecated_int96_timestamps=True)


def nested():
    cols = {
        "id": list(range(6)),
        "point": [{"x": 1, "y": "a"}, None, {"x": None, "y": "b"}, {"x": 3, "y": None}, {"x": 4, "y": "d"}, None],
        "tags": [["a", "b"], [], None, ["c", None], [""], ["z"] * 5],
        "pairs": [[{"k": "a", "v": [1, 2]}], [], None, [{"k": None, "v": None}, {"k": "b", "v": []}], [None], [{"k": "c", "v": [None, 7]}]],
        "deep": [[[1, 2], []], [], None, [None, [3]], [[None]], [[4], [5, 6], [7]]],
        "map": [{"a": 1, "b": None}, {}, None, {"": 3}, {"x y": 4}, {"q": 5}],
        "opt": [{"in": {"n": 1}}, {"in": None}, None, {"in": {"n": None}}, {"in": {"n": 5}}, {"in": {"n": 6}}],
    }
    intmap = [[(1, "a"), (2, None)], [], None, [(3, "c")], [(4, "")], [(5, "e")]]
    types = {
        "id": pa.int64(), "point": pa.struct([("x", pa.int32()), ("y", pa.string())]), "tags": pa.list_(pa.string()),
        "pairs": pa.list_(pa.struct([("k", pa.string()), ("v", pa.list_(pa.int64()))])),
        "deep": pa.list_(pa.list_(pa.int64())), "map": pa.map_(pa.string(), pa.int64()),
        "opt": pa.struct([("in", pa.struct([("n", pa.int64())]))]),
    }
    data = {k: pa.array([None if m is None else list(m.items()) for m in v] if k == "map" else v, types[k]) for k, v in cols.items()}
    data["ints"] = pa.array(intmap, pa.map_(pa.int32(), pa.string()))
    want = rows(cols)
    for r, m in zip(want, intmap):
        r["ints"] = None if m is None else [{"key": k, "value": v} for k, v in m]
    t = pa.table(data)
    for name, kw in {
        "nested": {}, "nested_v2": {"data_page_version": "2.0"}, "nested_groups": {"row_group_size": 2},
        "nested_pages": {"data_page_size": 1, "write_batch_size": 1, "write_page_index": True},
        "nested_small": {"data_page_size": 1, "write_batch_size": 1},
    }.items():
        pq.write_table(t, name + ".parquet", **kw)
    expect("nested", want)


def many(n):
    return {
        "n": list(range(n)), "word": ["w%02d" % (i * 7 % 30) for i in range(n)],
        "maybe": [None if i % 3 == 0 else i / 4 for i in range(n)],
        "when": [dt.datetime(2020, 1, 1, tzinfo=UTC) + dt.timedelta(minutes=i) for i in range(n)],
        "text": ["text number %d" % i for i in range(n)],
    }


MANY = {"n": pa.int64(), "word": pa.string(), "maybe": pa.float64(), "when": pa.timestamp("us", "UTC"), "text": pa.string()}


def groups():
    cols = many(400)
    for c in ("snappy", "zstd", "gzip", "brotli", "lz4"):
        write("many_" + c, cols, MANY, compression=c, row_group_size=180, data_page_size=256, write_batch_size=32,
              write_page_index=c in ("zstd", "gzip"), data_page_version="2.0" if c == "gzip" else "1.0")
    for c in ("snappy", "gzip", "brotli", "lz4"):
        same("many_" + c)
    enc = {"n": "DELTA_BINARY_PACKED", "word": "DELTA_BYTE_ARRAY", "maybe": "BYTE_STREAM_SPLIT", "when": "DELTA_BINARY_PACKED", "text": "DELTA_LENGTH_BYTE_ARRAY"}
    write("many_encodings", cols, MANY, use_dictionary=False, column_encoding=enc, row_group_size=250)
    same("many_encodings")


def same(name):
    """The records are those of another file: no need to keep them twice."""
    os.remove(name + ".ndjson")


def odd():
    write("empty", {"a": [], "b": []}, {"a": pa.int64(), "b": pa.string()})
    write("nulls", {"a": [None] * 3, "b": [None] * 3, "c": [None] * 3}, {"a": pa.int64(), "b": pa.string(), "c": pa.null()})
    # What cannot be a value.
    bad = pa.table({
        "ok": pa.array([1, 2, 3, 4]),
        "nan": pa.array([1.0, 2.0, float("nan"), 4.0]),
        "inf": pa.array([1.0, float("-inf"), 3.0, 4.0]),
        "big": pa.array([1, 2, 3, 2**63], pa.uint64()),
        "text": pa.Array.from_buffers(pa.string(), 4, pa.array([b"a", b"\xff\xfe", b"c", b"d"], pa.binary()).buffers()),
        "nul": pa.array(["a", "b", "c\x00", "d"]),
        "late": pa.array([0, 0, 2**62, 0], pa.timestamp("ms", "UTC")),
    })
    pq.write_table(bad, "bad.parquet")
    pq.write_table(bad, "bad_plain.parquet", use_dictionary=False)
    # Names that are no names of fields here.
    t = pa.table([pa.array([1]), pa.array([2]), pa.array([3]), pa.array([4])], names=["", "x", "x", "a.b"])
    pq.write_table(t, "names.parquet")


def duck():
    con = duckdb.connect()
    con.execute("set timezone='UTC'")
    q = """select i::integer as i, 'w' || (i % 5) as w, case when i % 4 = 0 then null else i / 8 end as f,
      [i::bigint, null, i::bigint + 1] as l, {'a': i::bigint, 'b': 'x' || i} as s, map {'k' || (i % 2): i::bigint} as m,
      (i / 3)::decimal(10, 3) as d, date '2020-01-01' + i::integer as day, timestamp '2020-01-01 00:00:00.5' + interval (i) hour as t,
      gen_random_uuid() as u, i % 2 = 0 as b, ('b' || i)::blob as bin, time '10:11:12.5' as tod, i::hugeint as h, i::ubigint as ub
      from range(40) r(i)"""
    con.execute("create table t as " + q)
    con.execute("copy t to 'duckdb.parquet' (format parquet, row_group_size 2048)")
    got = con.execute("select * from t")
    names = [d[0] for d in got.description]
    want = []
    for r in got.fetchall():
        r = dict(zip(names, r))
        r["h"] = float(r["h"])  # DuckDB writes HUGEINT as DOUBLE
        want.append(r)
    expect("duckdb", want)


scalars()
int96()
nested()
groups()
odd()
duck()
