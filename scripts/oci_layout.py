"""Writes a module as an OCI image layout of one image with one layer.

The bytes depend on the module and on the version alone: no time, user, umask or
compressor counts. Usage: oci_layout.py MODULE VERSION DIRECTORY. Prints the hex
digest of the image's manifest.

Istio and Envoy Gateway take the layer's file `plugin.wasm` and demand the media
type `tar+gzip`. What they compare with `sha256` is the digest of the manifest.
"""

import hashlib
import io
import json
import os
import struct
import sys
import tarfile
import zlib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

# Istio's agent chooses this platform of an index, on any machine.
PLATFORM = {"architecture": "amd64", "os": "linux"}

LARGEST_BLOCK = 0xFFFF


def archive(module):
    """A tar archive with the file that Istio and Envoy Gateway look for."""
    entry = tarfile.TarInfo("plugin.wasm")
    entry.size = len(module)
    entry.mode = 0o644
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        tar.addfile(entry, io.BytesIO(module))
    return out.getvalue()


def gzip(data):
    """The data in gzip's format (RFC 1952), stored and not compressed (RFC 1951, section 3.2.4).
    Versions of compressors differ in the bytes that they write, and so would the digest."""
    out = bytearray(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")
    for start in range(0, len(data), LARGEST_BLOCK):
        block = data[start : start + LARGEST_BLOCK]
        is_last = start + LARGEST_BLOCK >= len(data)
        out += struct.pack("<BHH", is_last, len(block), len(block) ^ 0xFFFF) + block
    return bytes(out + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF))


def compact(document):
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def main(module_path, version, directory):
    with open(module_path, "rb") as file:
        module = file.read()
    if not module.startswith(b"\0asm"):
        sys.exit(f"error: {module_path} is no WebAssembly module")

    def blob(media_type, data, **more):
        write(os.path.join(directory, "blobs/sha256", digest(data)[7:]), data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}

    tar = archive(module)
    layer = blob(LAYER, gzip(tar))
    config = blob(
        CONFIG,
        compact({**PLATFORM, "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest(tar)]}}),
    )
    annotations = {
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.title": "n8n-idp-gate",
        "org.opencontainers.image.version": version,
    }
    manifest = blob(
        MANIFEST,
        compact(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": config,
                "layers": [layer],
                "annotations": annotations,
            }
        ),
        platform=PLATFORM,
        annotations={"org.opencontainers.image.ref.name": version},
    )
    write(os.path.join(directory, "index.json"), compact({"schemaVersion": 2, "manifests": [manifest]}))
    write(os.path.join(directory, "oci-layout"), compact({"imageLayoutVersion": "1.0.0"}))
    print(manifest["digest"][7:])


main(*sys.argv[1:])
