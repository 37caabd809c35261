#!/usr/bin/python3
"""embed.py OUT.c FILE... - writes the files into one C source, as the table of src/webd/asset.h."""
import os
import sys

with open(sys.argv[1], "w", encoding="utf-8") as out:
    out.write('/* Made by web/embed.py. */\n#include "webd/asset.h"\n')
    for n, path in enumerate(sys.argv[2:]):
        with open(path, "rb") as f:
            data = f.read()
        out.write(f"static const char file_{n}[] = {{")
        # Aligned bytes and a final NUL; a NUL behind the end makes reading past it visible, not fatal.
        for i in range(0, len(data), 20):
            out.write("\n\t" + ", ".join(str(b if b < 128 else b - 256) for b in data[i:i + 20]) + ",")
        out.write("\n\t0,\n};\n")
    out.write("const struct asset assets[] = {\n")
    for n, path in enumerate(sys.argv[2:]):
        out.write(f'\t{{"{os.path.basename(path)}", {{file_{n}, sizeof file_{n} - 1}}}},\n')
    out.write("\t{0},\n};\n")
