# totals.py - the sums of a profile that was exported, by a reader of our own
#
# python3 totals.py FORMAT FILE
#
# It prints a line, NAME VALUE, for each figure that the format has.  It knows
# nothing of heaptide: the formats are as pprof's profile.proto, speedscope's
# schema and flamegraph.pl have them, and what they forbid is an error here.
import csv
import gzip
import json
import re
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            assert at + size <= len(data), "a message is cut off"
            value, at = data[at:at + size], at + size
        else:
            sys.exit(f"wire type {key & 7}")
        yield key >> 3, value


def packed(data):
    at, values = 0, []
    while at < len(data):
        value, at = varint(data, at)
        values.append(value - (1 << 64) if value >> 63 else value)
    return values


def one(message, number, default=0):
    return dict(fields(message)).get(number, default)


def pprof(name):
    with gzip.open(name) as file:
        whole = list(fields(file.read()))
    of = {n: [v for k, v in whole if k == n] for n in range(1, 16)}
    strings = [s.decode("utf-8") for s in of[6]]
    assert strings[0] == "", "string 0 is not empty"
    types = [strings[one(t, 1)] for t in of[1]]
    functions = {one(f, 1): strings[one(f, 2)] for f in of[5]}
    mappings = {one(m, 1): m for m in of[3]}
    locations = {one(l, 1): l for l in of[4]}
    assert 0 not in functions and 0 not in mappings and 0 not in locations
    assert len(locations) == len(of[4]), "two locations of one number"
    for location in locations.values():
        mapping, address = one(location, 2), one(location, 3)
        assert mapping == 0 or mapping in mappings, "no such mapping"
        if address and mapping:
            m = mappings[mapping]
            assert one(m, 2) <= address < one(m, 3), "outside of its mapping"
        lines = [v for k, v in fields(location) if k == 4]
        assert lines and all(one(l, 1) in functions for l in lines)
        print("inlined", len(lines) - 1)
    sums = [0] * len(types)
    for sample in of[2]:
        ids, values = packed(one(sample, 1, b"")), packed(one(sample, 2, b""))
        assert ids and all(i in locations for i in ids)
        assert len(values) == len(types)
        sums = [a + b for a, b in zip(sums, values)]
    for name, value in zip(types, sums):
        print(name, value)
    print("period", one_of(of[12]))
    print("time", one_of(of[9]))
    print("default", strings[one_of(of[14])])
    for mapping in of[3]:
        print("build", strings[one(mapping, 6)], strings[one(mapping, 5)])
    for comment in of[13]:
        print("comment", strings[comment])


def one_of(values):
    return values[0] if values else 0


# What the schema at speedscope.app/file-format-schema.json asks for.
def speedscope(name):
    with open(name) as file:
        whole = json.load(file)
    assert whole["$schema"] == \
        "https://www.speedscope.app/file-format-schema.json"
    frames = whole["shared"]["frames"]
    assert set(whole) <= {"$schema", "name", "exporter", "shared",
                          "profiles", "activeProfileIndex"}
    for frame in frames:
        assert set(frame) <= {"name", "file", "line", "col"}
        assert isinstance(frame["name"], str)
        assert isinstance(frame.get("line", 0), int)
    assert len({json.dumps(f, sort_keys=True) for f in frames}) == len(frames)
    assert 0 <= whole["activeProfileIndex"] < len(whole["profiles"])
    for profile in whole["profiles"]:
        assert set(profile) == {"type", "name", "unit", "startValue",
                                "endValue", "samples", "weights"}
        assert profile["type"] == "sampled"
        assert profile["unit"] in ("none", "nanoseconds", "microseconds",
                                   "milliseconds", "seconds", "bytes")
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(0 <= i < len(frames)
                   for s in profile["samples"] for i in s)
        assert sum(profile["weights"]) == profile["endValue"]
        print(profile["name"].replace(" ", "_"), profile["endValue"])
    print("active", whole["activeProfileIndex"])
    roots = {frames[s[0]]["name"] for s in whole["profiles"][0]["samples"]}
    print("roots", "|".join(sorted(roots)))


# A line is read as flamegraph.pl does it.
def collapsed(name):
    total = 0
    with open(name) as file:
        for line in file:
            match = re.match(r"^(.*)\s+?(\d+)$", line.rstrip("\n"))
            assert match, f"no stack: {line}"
            assert all(match[1].split(";")), f"a frame without a name: {line}"
            total += int(match[2])
    print("total", total)


def table(name):
    sums = {}
    with open(name, newline="") as file:
        for row in csv.DictReader(file):
            assert None not in row and None not in row.values(), row
            for key, value in row.items():
                if re.fullmatch(r"-?\d+", value) and key not in ("id", "line"):
                    sums[key] = sums.get(key, 0) + int(value)
    for key, value in sums.items():
        print(key, value)


{"pprof": pprof, "speedscope": speedscope, "collapsed": collapsed,
 "csv": table}[sys.argv[1]](sys.argv[2])
