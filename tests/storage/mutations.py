"""Damage to bytes, JSON and arrays, drawn at random."""

import json
import struct

import numpy as np

from narrows.storage._arrays import read_arrays, write_arrays

# Under these names the fuzzer's session has registered functions and classes with Keras.
BAITS = ("fuzz_touch", "fuzz>touch", "touch", "fuzz_bait", "fuzz>Bait", "Bait", "fuzz_start")


def damage_bytes(draw, content):
    """Change, cut, double, move or overwrite some bytes."""
    content = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        at, to = sorted(draw.randrange(len(content) + 1) for _ in range(2))
        to = min(to, at + 64) if draw.random() < 0.7 else to
        kind = draw.randrange(7)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            content[at:to] = draw.randbytes(to - at)
        elif kind == 2:
            del content[at:to]
        elif kind == 3:
            content[at:at] = content[at:to]
        elif kind == 4:
            numbers = (0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, len(content), 2**63, 2**64 - 1)
            number = draw.choice(numbers)
            packed = struct.pack("<Q", number)[: draw.choice((1, 2, 4, 8))]
            content[at : at + len(packed)] = packed
        elif kind == 5:
            content[at:at] = draw.randbytes(draw.randrange(1, 9))
        else:
            del content[at:]
        if not content:
            content = bytearray(b"\0")
    return bytes(content)


def odd_value(draw, tree):
    """A value that does not belong where it is put; sometimes a part of the tree itself."""
    numbers = (-1, 0, 1, 2, 7, 10**4, 10**9, 10**15, 2**63, 2**64, 1.5, 1e308, -1e-9)
    texts = ("", "x", "relu", "Lambda", "__lambda__", "os", "../x", "é\x00\n", "int64", "V9", "a>b")
    choice = draw.randrange(10)
    if choice == 9:
        return bait(draw)
    if choice < 3:
        return draw.choice(numbers)
    if choice < 5:
        return draw.choice(texts)
    if choice == 5:
        return draw.choice((None, True, False, [], {}, [[]], [1, 2, 3], {"a": 1}))
    if choice == 6:
        name = draw.choice(("Lambda", "Dense", "function", "__numpy__", "TorchModuleWrapper", 3))
        module = draw.choice((None, "os", "keras.layers", "builtins"))
        return {"class_name": name, "module": module, "config": draw.choice(({}, "eval", None))}
    if choice == 7:
        return [draw.choice(numbers)] * draw.choice((1, 10, 1000))
    return random_place(draw, tree)[2]


def bait(draw):
    """A name of what the session has registered, in one of the ways in which files name things."""
    name = draw.choice(BAITS)
    module = draw.choice((None, "builtins", "keras.activations", "keras.layers", "storage.fuzz"))
    registered = draw.choice((None, name, "fuzz>Bait"))
    kind = draw.randrange(3)
    if kind == 0:
        return name
    if kind == 1:
        named = {"class_name": "function", "config": name}
    else:
        named = {"class_name": name, "config": draw.choice(({}, {"name": "x"}, {"units": 2}))}
    return {**named, "module": module, "registered_name": registered}


def baited(draw, text):
    """Put bait into a graph: for a value of a layer, or in what is added and whose result is lost.

    An operation calls what it is given as soon as the graph is built.
    """
    tree = json.loads(text)
    layers = tree["config"]["layers"]
    values = ("activation", "kernel_initializer", "bias_initializer", "kernel_regularizer", "dtype")
    kind = draw.randrange(4)
    if kind == 0:
        layers[-1]["config"][draw.choice(values)] = bait(draw)
        return json.dumps(tree).encode()
    tensor = {
        "class_name": "__keras_tensor__",
        "config": {
            "shape": layers[0]["config"]["batch_shape"],
            "dtype": "float32",
            "keras_history": [layers[0]["name"], 0, 0],
        },
    }
    added = {"registered_name": None, "name": "dead", "module": "keras.layers"}
    if kind == 1:
        config = {"name": "dead", "activation": bait(draw)}
        added |= {"class_name": "Activation", "config": config, "args": [tensor]}
    elif kind == 2:
        config = {"name": "dead", "layer": bait(draw)}
        added |= {"class_name": "TimeDistributed", "config": config, "args": [tensor]}
    else:
        added |= {"class_name": "JVP", "module": "keras.src.ops.linalg", "config": {"name": "dead"}}
        added["args"] = [bait(draw), [tensor], [tensor]]
    added["inbound_nodes"] = [{"args": added.pop("args"), "kwargs": {}}]
    layers.append(added)
    return json.dumps(tree).encode()


def random_place(draw, tree):
    """A node of a tree, a key of it, and what stands there."""
    node, key = tree, draw.choice([*tree])
    while isinstance(node[key], dict | list) and node[key] and draw.random() < 0.9:
        node = node[key]
        key = draw.choice([*node]) if isinstance(node, dict) else draw.randrange(len(node))
    return node, key, node[key]


def damage_tree(draw, text):
    """Change, remove, double or move a value in a JSON text, once or a few times."""
    tree = json.loads(text)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        node, key, old = random_place(draw, tree)
        kind = draw.randrange(6)
        if kind == 0:
            del node[key]
        elif kind == 1 and isinstance(node, list):
            node[key:key] = [old] * draw.choice((1, 1, 5, 200))
        elif kind == 2 and isinstance(node, dict):
            node[draw.choice(("x", "class_name", "config", "kind", "name"))] = old
        else:
            node[key] = json.loads(json.dumps(odd_value(draw, tree)))
        if not tree:
            return b"{}"
    text = json.dumps(tree, ensure_ascii=draw.random() < 0.5).encode("utf-8", "surrogatepass")
    if draw.random() < 0.05:
        text = text.replace(b"0", draw.choice((b"NaN", b"Infinity", b"1e999", b"-0")), 1)
    if draw.random() < 0.02:
        text = text.replace(b"[]", b"[" * 5000 + b"]" * 5000, 1)
    return text


def damage_arrays(draw, weights):
    """Change arrays, with a sound header; or change the header."""
    if draw.random() < 0.5:
        length = struct.unpack("<Q", weights[:8])[0]
        header = damage_tree(draw, weights[8 : 8 + length])
        return struct.pack("<Q", len(header)) + header + weights[8 + length :]
    if draw.random() < 0.3:
        return damage_bytes(draw, weights)
    arrays = read_arrays(weights)
    name = draw.choice(sorted(arrays))
    value = arrays.pop(name)
    kind = draw.randrange(5)
    if kind == 1:
        arrays[name] = value.astype(draw.choice(("float64", "float16", "int8", "bool")))
    elif kind == 2:
        arrays[name] = np.resize(value, draw.choice(((), (0,), (1,), (2, 3), (70_000,))))
    elif kind == 3:
        arrays[name] = np.full_like(value, draw.choice((0, 1, 100)))
    elif kind == 4:
        arrays[draw.choice(("x", "x/y", name + "x", name.replace("/", "//")))] = value
    return write_arrays(arrays)
