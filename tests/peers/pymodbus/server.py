#!/usr/bin/python3
"""A Modbus TCP server (pymodbus 3.0) that serves the tags of a JSON file, encoded here from struct and the order's letters alone.

server.py --port 5020 --tags tags.json [--host 127.0.0.1]

tags.json: [{"unit": 1, "area": "holding", "address": 100, "type": "float32", "order": "CDAB", "value": "21.1"}, ...]
Areas: coil, discrete, input, holding. A bool in registers may carry "bit". Only addresses of tags exist (all others: exception 2).
Prints "ready" when it listens.
"""
import argparse
import asyncio
import json
import logging
import struct
import sys
import types

# pymodbus imports the serial packages even for TCP; Debian only recommends them. Nothing of them is used here.
sys.modules.setdefault("serial", types.ModuleType("serial"))
serial_asyncio = sys.modules.setdefault("serial_asyncio", types.ModuleType("serial_asyncio"))
serial_asyncio.create_serial_connection = None

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server.async_io import ModbusTcpServer

FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I", "int64": ">q", "uint64": ">Q", "float32": ">f", "float64": ">d"}


def wire(tag):
    """The tag's bytes in the order they go over the wire."""
    kind, value, order = tag["type"], tag["value"], tag.get("order") or "AB"
    if kind == "bool":
        big = struct.pack(">H", (1 << (tag.get("bit") or 0)) if value == "true" else 0)
    elif kind == "string":
        big = value.encode("latin-1").ljust(tag["length"] + tag["length"] % 2, b"\0")
    else:
        big = struct.pack(FORMATS[kind], float(value) if kind.startswith("float") else int(value))
    if len(order) == len(big):
        return bytes(big[ord(letter) - ord("A")] for letter in order)
    if order == "BA":  # text: only bytes within registers can be swapped
        return b"".join(big[i + 1:i + 2] + big[i:i + 1] for i in range(0, len(big), 2))
    return big


def build(tags):
    units = {}
    for tag in tags:
        areas = units.setdefault(tag["unit"], {"coil": {}, "discrete": {}, "input": {}, "holding": {}})
        if tag["area"] in ("coil", "discrete"):
            areas[tag["area"]][tag["address"]] = tag["value"] == "true"
            continue
        data = wire(tag)
        for i in range(0, len(data), 2):
            areas[tag["area"]][tag["address"] + i // 2] = struct.unpack(">H", data[i:i + 2])[0]

    def block(values):
        return ModbusSparseDataBlock(values or {65535: 0})

    slaves = {unit: ModbusSlaveContext(co=block(a["coil"]), di=block(a["discrete"]), ir=block(a["input"]), hr=block(a["holding"]), zero_mode=True)
              for unit, a in units.items()}
    return ModbusServerContext(slaves=slaves, single=False)


async def main():
    logging.disable(logging.CRITICAL)
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tags", required=True)
    options = parser.parse_args()
    with open(options.tags, encoding="utf-8") as file:
        context = build(json.load(file))
    server = ModbusTcpServer(context, address=(options.host, options.port), allow_reuse_address=True)
    serving = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print("ready", flush=True)
    await serving


asyncio.run(main())
