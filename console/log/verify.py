"""Checks an export of an activity log: that no event was changed, dropped, inserted or put in another order since it was signed.

    python3 verify.py EXPORT [--key VKEY] [--since CHECKPOINT_FILE]

EXPORT: the zip archive, or a folder with its files; VKEY: the key that you were given; the rules: docs/reference/log-format.md.
"""

import argparse
import base64
import json
import re
import zipfile
import zlib
from binascii import unhexlify
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import reduce
from hashlib import sha256, sha512
from itertools import chain, islice
from pathlib import Path
from typing import Any

READING = {"case-file.pdf", "run.json", "opened.json"}
EVENTS, VALUES, DOCUMENTS = "events.jsonl", "values.jsonl", "documents.jsonl"
FILES = {EVENTS, VALUES, DOCUMENTS, "checkpoint", "proofs.json", "leaves", "key", "verify.py", "README.txt", *READING}
DOCUMENT = re.compile(r"documents/[^/\\\x00-\x1f]{1,200}")
DOCUMENT_LINE = re.compile(rb'\{"file":"(documents/[^"]+)","sha256":"([0-9a-f]{64})"\}')
HEX = re.compile(rb'"([0-9a-f]{64})"')
BLOCK, LONGEST = 1 << 20, 64 << 20  # bytes that are read at once; bytes of a line

class Fault(Exception):
    """The first bad place: the `kind` of what is wrong, why, the `line` from 1 (0: the file as a whole), the file of the export."""

    def __init__(self, kind: str, why: str, line: int = 0, file: str = EVENTS) -> None:
        place = file if not line else f"line {line}" if file == EVENTS else f"{file} line {line}"
        super().__init__(f"{place}: {kind}: {why}")
        self.kind, self.line, self.file = kind, line, file

def node(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours in the tree of RFC 6962 and RFC 9162, section 2.1."""
    return sha256(b"\x01" + left + right).digest()

class Tree:
    """The root over leaves that come one after another; keeps one hash for each level: a left one that waits for its right one."""

    def __init__(self) -> None:
        self.size, self.waiting = 0, [b""] * 64
    def append(self, leaves: Sequence[bytes]) -> None:
        """Add these leaves at the end."""
        row, level, self.size = list(leaves), 0, self.size + len(leaves)
        while row:
            row[:0] = filter(None, [self.waiting[level]])
            self.waiting[level] = row.pop() if len(row) % 2 else b""
            row = [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]
            level += 1
    def root(self) -> bytes:
        """The root of what has been added so far."""
        return reduce(lambda found, left: node(left, found), filter(None, self.waiting)) if self.size else sha256().digest()

def roots(index: int, size: int, path: Sequence[bytes], *, whole: bool = False) -> tuple[bytes, bytes] | None:
    """What `path` leads to from leaf `index`, or from the `whole` part that ends with it: without all that comes after it, and with that."""
    right = []  # for each level from the root down: whether the way goes to the right
    while size > (index + 1 if whole else 1):
        half = 1 << (size - 1).bit_length() - 1
        right.append(index >= half)
        index, size = (index - half, size - half) if index >= half else (index, half)
    before = after = path[0] if path else b""
    for goes_right, item in zip(reversed(right), path[1:], strict=False):
        before, after = (node(item, before) if whole else b"", node(item, after)) if goes_right else (before, node(after, item))
    return (before, after) if len(path) == len(right) + 1 and 0 <= index < size else None

def included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the tree of `size` leaves with this root holds `leaf` as number `index`, counted from 0."""
    return (roots(index, size, [leaf, *proof]) or b"  ")[1] == root

def consistent(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` leaves with this root begins with the tree of `old` leaves with that root."""
    if not 0 < old <= size:
        return old == 0 and not proof and old_root == sha256().digest()
    begins = old == size or not old & (old - 1)  # the old tree is a whole part of the new one
    return roots(old - 1, size, [old_root, *proof] if begins else proof, whole=True) == (old_root, root)

P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # Ed25519 of RFC 8032
D = -121665 * pow(121666, -1, P) % P
BASE = 15112221349535400772501151409588531511454012693041857206046113283949847762202, 4 * pow(5, -1, P) % P
NOTE = re.compile(  # C2SP signed-note, tlog-checkpoint
    r"(([^\s+]+)\n(0|[1-9][0-9]{0,17})\n([A-Za-z0-9+/]{43}=)\n)\n((?:— [^\s+]+ (?:[A-Za-z0-9+/]{4}){2,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\n)+)"
)

def signed(public: bytes, text: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) of `text` was made by the key whose public half is `public` (32 bytes). ValueError: no such key."""
    y, odd = int.from_bytes(public, "little") & (1 << 255) - 1, public[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = x if (x := pow(square, (P + 3) // 8, P)) * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and odd):
        raise ValueError("the public key is no point of the curve")
    minus, s, a = ((P - x if x & 1 == odd else x), y), int.from_bytes(signature[32:], "little"), (0, 1)
    challenge = int.from_bytes(sha512(signature[:32] + public + text).digest(), "little") % ORDER
    for bit in reversed(range(253)):  # a = s × BASE − challenge × public, doubling and adding on the curve −x² + y² = 1 + D x² y²
        for b in (a, *[BASE] * (s >> bit & 1), *[minus] * (challenge >> bit & 1)):
            mixed = D * a[0] * b[0] * a[1] * b[1] % P
            a = (a[0] * b[1] + b[0] * a[1]) * pow(1 + mixed, -1, P) % P, (a[1] * b[1] + a[0] * b[0]) * pow(1 - mixed, -1, P) % P
    return len(signature) == 64 and s < ORDER and (a[1] | (a[0] & 1) << 255).to_bytes(32, "little") == signature[:32]

def key_of(text: str) -> tuple[str, bytes, bytes]:
    """Origin, id and public key of `origin+id+base64(0x01 ‖ public key)`; base64 may hold more plus signs. Raises ValueError."""
    origin, number, encoded = text.strip().split("+", 2)
    data = base64.b64decode(encoded, validate=True)
    name = sha256(origin.encode() + b"\n" + data).digest()[:4]
    if (data[:1], len(data), len(encoded), number) != (b"\x01", 33, 44, name.hex()):
        raise ValueError("no Ed25519 verifier key")
    return origin, name, data[1:]

def checkpoint(data: bytes, keys: Sequence[tuple[str, bytes, bytes]], file: str) -> tuple[int, bytes]:
    """Size and root that the signed note tells. Raises Fault unless one of the keys has signed it, and none of them wrongly."""
    form = NOTE.fullmatch(data.decode("utf-8", "replace"))
    if form is None:
        raise Fault("edited" if data.endswith(b"\n") and b"\n\n" in data else "truncated", "not in the form of a checkpoint", 0, file)
    text, origin, size, root, lines = form.groups()
    signatures = [(name, base64.b64decode(encoded)) for _, name, encoded in map(str.split, lines.splitlines())]
    trusted = [(key, raw) for log, number, key in keys for name, raw in signatures if (log, log, number) == (origin, name, raw[:4])]
    if not trusted:
        signers = [f"{name}+{raw[:4].hex()}" for name, raw in signatures]
        raise Fault("re-signed", f"signed by {signers}, and by no key that you trust", 0, file)
    if not all(signed(key, text.encode(), raw[4:]) for key, raw in trusted):
        raise Fault("edited", "the signature does not fit: it was changed, or what it signs", 0, file)
    return int(size), base64.b64decode(root)

class Export:
    """The files of an export: of a zip archive, read where it lies, or of a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.archive = None if path.is_dir() else zipfile.ZipFile(path)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            with path.open("rb") as file:
                cut = b"PK\x03\x04".startswith(file.read(4))
            raise Fault("truncated" if cut else "edited", f"this is no whole zip archive, and no folder: {error}", 0, path.name) from None
        items = self.archive.infolist() if self.archive else []
        twice = Counter(item.filename for item in items)
        self.names = set(twice) if self.archive else {str(found.relative_to(path)) for found in path.rglob("*")}
        for item in items:
            odd = (item.filename not in FILES and not DOCUMENT.fullmatch(item.filename)) or twice[item.filename] > 1
            if odd or item.flag_bits & 1 or item.compress_type not in {0, 8} or item.file_size > LONGEST + 500 * item.compress_size:
                raise Fault("inserted", f"by its name, size or form {item.filename[:80]!r} is no part of an export", 0, path.name)
    def blocks(self, name: str, size: int = BLOCK) -> Iterator[bytes]:
        """The file's bytes, at most `size` at a time. Raises Fault where it is not there or damaged."""
        try:
            with self.archive.open(name) if self.archive else (self.path / name).open("rb") as stream:
                yield from iter(lambda: stream.read(size), b"")
        except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            gone = isinstance(error, (KeyError, FileNotFoundError))
            raise Fault("truncated" if gone else "edited", f"the file is {'not there' if gone else 'damaged'}: {error}", 0, name) from None
    def lines(self, name: str) -> Iterator[list[bytes]]:
        """The lines without their ends, many at a time. Raises Fault at a line that has no end."""
        count, rest = 0, b""
        for block in self.blocks(name):
            *full, rest = (rest + block).split(b"\n")
            count += len(full)
            if len(rest) > LONGEST:
                raise Fault("inserted", f"longer than {LONGEST} bytes", count + 1, name)
            yield full
        if rest:
            raise Fault("truncated", "the line breaks off", count + 1, name)
    def proofs(self, outside: bytearray) -> Iterator[list[bytes]]:
        """The lists of hashes in proofs.json; `outside` gets what stands around them, with the number of each, from 0, in its place."""
        count, rest = 0, b""
        for block in self.blocks("proofs.json"):
            whole, end, rest = (rest + block).rpartition(b"]")
            for number, text in enumerate(HASHES.split(whole + end)):
                outside += b"%d" % count if number % 2 else text
                if number % 2:
                    yield [unhexlify(item) for item in text.split(b'"')[1::2]]
                    count += 1
        outside += rest

HASHES = re.compile(rb'(\[\s*"[0-9a-f]{64}"\s*(?:,\s*"[0-9a-f]{64}"\s*)*\])')
TEXT = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
FLAT = rb"(?:null|\{[^{}]*\}|\{(?:%b:(?:%b|[0-9]+|null),?)*\})" % (TEXT, TEXT)
BODY = {"actor": b"", "at": b"", "cause": b"", "data": b"", "id": b'("[0-9a-f-]{36}")', "label?": TEXT, "policy": b"[0-9]+",  # keys in their order; "?": not
    "prev": b'"([0-9a-f]{64}|)"', "req": b"(?:null|%b)" % TEXT, "run": b"(%b)" % TEXT, "run_seq": b"([1-9][0-9]{0,9})",  # always; later there may be more
    "step": FLAT, "target": FLAT, "type": b'"([a-z_]+)"', "v": b"1", "wf": FLAT}
MORE = rb'(?:,"(?!(?:%b)")[a-z_]+":(?:%b|%b|[0-9]+))*' % ("|".join(key.strip("?") for key in BODY).encode(), FLAT, TEXT)
PAIRS = [(rb'(?:,"%b":%b)?' if "?" in key else rb',"%b":%b') % (key.strip("?").encode(), form) for key, form in BODY.items() if form]
TAIL, WIDER = (re.compile(rb"\}\}%b\}" % more.join([*PAIRS, b""])) for more in (b"", MORE))  # after `data`: id, prev, run, run_seq, type
CHANGED = re.compile(rb'"open":\{(?:[^{}]*,)?"former":"([^"]+)","key":"([^"]+)".*"type":"signing_key_changed","v":1,"wf":null\}$')

def placed(line: int, leaf: bytes, log: dict[str, Any], proofs: Iterator[list[bytes]]) -> Fault | None:
    """The fault of the position that a filtered export claims for this line, whose proof comes next. None: no fault."""
    if line > len(places := log["positions"]):
        return Fault("inserted", f"the export has {len(places)} events by its own account", line)
    if line > 1 and places[line - 1] <= places[line - 2]:
        return Fault("reordered", f"place {places[line - 1]} comes after place {places[line - 2]}", line)
    fits = included(leaf, places[line - 1] - 1, log["size"], next(proofs, []), log["root"])
    return None if fits else Fault("edited", f"with its proof it does not lead to the signed root from place {places[line - 1]}", line)

def check_events(export: Any, log: dict[str, Any], start: int, values: "Values") -> tuple[int, bytes, int]:
    """How many events there are, the root over the first `start` (complete exports), and how many chains lack some (filtered)."""
    tree, older, count, complete, proofs = Tree(), b"", 0, log["complete"], log["inclusion"]()
    ends, gaps = {b"": (0, b"", 0)}, set[bytes]()
    for batch in chain([[]], export.lines(EVENTS)):
        leaves = [sha256(b"\x00" + line).digest() for line in batch]
        for count, (line, leaf) in enumerate(zip(batch, leaves, strict=True), count + 1):  # noqa: B020 - counts on
            if (found := TAIL.fullmatch(line, at := max(0, line.rfind(b'}},"id":"'))) or WIDER.fullmatch(line, at)) is None:
                raise Fault("edited", "this is no event", count)
            event, prev, run, number, kind = found.groups()
            seq, (last, end, former) = int(number), ends.get(run, ends[b""])
            if seq <= last or (complete and seq > last + 1):
                later = any(b'"run":%b,"run_seq":%d,' % (run, last + 1) in other for other in chain.from_iterable(export.lines(EVENTS)))
                kind = "inserted" if seq <= last else "reordered" if later else "dropped"
                raise Fault(kind, f"event {seq} of {run.decode()} comes after its event {last}", count)
            if seq == last + 1 and unhexlify(prev) != end:
                raise Fault("edited", f"its hash is not what the next event of its chain tells in line {count}", former or count)
            gaps.update([run] if seq > last + 1 else ())
            ends[run] = seq, leaf, count
            if not complete and (fault := placed(count, leaf, log, proofs)):
                raise fault
            if (sealed := line[line.rfind(b'"sealed":{', 0, at) + 10 : at]) or kind in NOTES:
                values.check(count, event, sealed, kind, line)
        if complete and 0 <= (cut := start - tree.size) <= len(leaves):
            tree.append(leaves[:cut])
            older, leaves = tree.root(), leaves[cut:]
        tree.append(leaves)
    if count != (total := log["size"] if complete else len(log["positions"])):
        raise Fault("truncated" if count < total else "inserted", f"{count} events, and {total} were signed", min(count, total) + 1)
    if complete and tree.root() != log["root"]:
        raise Fault("edited", "the chains fit, but the events do not lead to the signed root: hashed anew, or put in another order")
    return count, older, len(gaps)

def located(export: Any, log: dict[str, Any], fault: Fault) -> Fault:
    """The first line that is not what was signed for its place, if the file `leaves` leads to the signed root and so can tell."""
    tree, lines, proofs = Tree(), chain.from_iterable(export.lines(EVENTS)), log["inclusion"]()
    try:
        for number, want in enumerate(export.blocks("leaves", 32), 1):
            tree.append([want])
            if not log["complete"] and placed(number, want, log, proofs):
                return fault
        if log["complete"] and (tree.size, tree.root()) != (log["size"], log["root"]):
            return fault
        for place, want in enumerate(chain(export.blocks("leaves", 32), [b""]), 1):  # noqa: B007 - told below
            if (line := next(lines, None)) is None or (have := sha256(b"\x00" + line).digest()) != want:
                break
    except Fault as broken:
        return broken if broken.file == EVENTS else fault
    if line is None:
        return Fault("truncated", f"the events end here, and {tree.size} were signed", place) if want else fault
    later = set[bytes]()
    with suppress(Fault):
        later.update(leaf for line in lines if (leaf := sha256(b"\x00" + line).digest()) in (have, want))
    moved, known = want in later or not want, have in islice(export.blocks("leaves", 32), place, None)
    kind = ("reordered" if known and have not in later else "inserted") if moved else "dropped" if known else "edited"
    return Fault(kind, "another event was signed for this place" if want else f"only {tree.size} events were signed", place)

VALUE = re.compile(rb'(?s)\{"event":(%b)(?:,"missing":(%b))?,"name":(%b)(?:,"salt":"([0-9a-f]{32})","value":(.+))?\}' % (TEXT, TEXT, TEXT))
SALTED, COMMITTED = re.compile(rb'(?s)([0-9a-f]{32})","value":(.+)\}'), re.compile(rb'(?s)(%b):"([0-9a-f]{64})",?|.' % TEXT)
MISSING, COUNT = "value missing without a note", re.compile(rb'"data":\{"open":\{(?:[^{}]*,)?"count":([0-9]{1,15})[,}]')
UTF16 = lambda pair: pair[0].encode("utf-16-be", "surrogatepass")  # noqa: E731 - the order of keys
NOTES = {b"subject_erased": "erased", b"values_expired": "expired", b"": "masked"}  # why a value is missing, by the event that says so

def tidy(line: bytes) -> re.Match[bytes] | None:
    """A line of values.jsonl in canonical form, RFC 8785: keys in the order of their UTF-16 code units. The log has no floats. A key twice: null."""
    with suppress(ValueError, TypeError, RecursionError):
        parsed = json.loads(line, object_pairs_hook=lambda pairs: whole if len(whole := dict(sorted(pairs, key=UTF16))) == len(pairs) else None)
        parsed = {key: parsed[key] for key in ("event", "missing", "name", "salt", "value") if key in parsed}
        return VALUE.fullmatch(json.dumps(parsed, ensure_ascii=False, separators=(",", ":")).encode())
    return None

class Values:
    """The lines of values.jsonl, in the order of the events and of the commitments in each. The first fault waits for `finish`."""

    def __init__(self, export: Any) -> None:
        self.export, self.lines, self.line, self.faults = export, chain.from_iterable(export.lines(VALUES)), 0, list[Fault]()
        self.told, self.claims = Counter[str](), dict[str, tuple[int, int, bytes]]()  # claims: first line, events, the last of them
    def check(self, at: int, event: bytes, sealed: bytes, kind: bytes, line: bytes) -> None:
        """The values of the event of line `at`. One that tells of an erasure or expiry accounts for as many events before it as it says."""
        if kind in NOTES and (reason := NOTES[kind]) in self.claims:
            (first, events, last), count = self.claims.pop(reason), COUNT.search(line)
            self.claims |= {reason: (first, left, last)} if (left := events - int(count[1]) if count else 0) > 0 else {}
        try:
            for name, commitment in [] if self.faults else COMMITTED.findall(sealed):
                raw, self.line, head = next(self.lines, b""), self.line + 1, b'{"event":%b,"name":%b,"salt":"' % (event, name)
                form = SALTED.fullmatch(raw, len(head)) if raw.startswith(head) else None
                plain = form and sha256(unhexlify(form[1]) + form[2]).hexdigest().encode() == commitment  # nearly every line
                self.told["shown" if plain else self._told(at, event, name, commitment, raw)] += 1
        except Fault as fault:
            self.faults.append(fault)
    def _told(self, at: int, event: bytes, name: bytes, commitment: bytes, raw: bytes) -> str:
        right = (form := tidy(raw)) and form.group(1, 3) == (event, name)
        if form and right and form[5] and not form[2] and sha256(unhexlify(form[4]) + form[5]).hexdigest().encode() == commitment:
            return "shown"
        what = f"{name.decode()} of the event of line {at}"
        if not raw or (form and not right):
            raise self._misplaced(form and form.group(1, 3), (event, name), what)
        if not form or form[5]:
            raise Fault("value changed", f"{what}, or its salt, is not what was committed to", self.line, VALUES)
        if (reason := (form[2] or b"").decode().strip('"')) not in NOTES.values():
            raise Fault(MISSING, f"{what} is not there, and {reason!r} is no reason", self.line, VALUES)
        self.claims[reason] = (had := self.claims.get(reason, (self.line, 0, b"")))[0], had[1] + (had[2] != event), event
        return reason
    def _misplaced(self, have: Any, wanted: tuple[bytes, bytes], what: str) -> Fault:
        seen, known = Counter[Any](), False
        with suppress(Fault):
            for form in map(tidy, chain.from_iterable(self.export.lines(VALUES))):
                seen.update({form.group(1, 3)} & {have, wanted} if form else ())
            marks = [b'"id":%b' % have[0], b'%b:"' % have[1]] if have else [b"\n"]
            known = any(all(mark in raw for mark in marks) for raw in chain.from_iterable(self.export.lines(EVENTS)))
        kind = ("reordered" if known and seen[have] == 1 else "inserted") if seen[wanted] else MISSING
        return Fault(kind, f"{what} belongs here{'' if have else ', where the file ends'}", self.line, VALUES)
    def finish(self, complete: bool) -> None:
        """Raises the first fault, if there is one."""
        if self.faults:
            raise self.faults[0]
        if next(self.lines, None) is not None:
            raise Fault("inserted", "no event has committed to this value", self.line + 1, VALUES)
        if owed := [first for reason, (first, *_) in self.claims.items() if complete and reason != "masked"]:
            raise Fault(MISSING, "said to be erased or expired, and no event after its own says so of so many", min(owed), VALUES)

def check_documents(export: Export) -> str:
    """In words, how many documents of a case file are those whose SHA-256 its events name. Raises Fault where one is not that of its line."""
    there, unnamed, count = {name for name in export.names if DOCUMENT.fullmatch(name)}, set(), 0
    for count, line in enumerate(chain.from_iterable(export.lines(DOCUMENTS)) if DOCUMENTS in export.names else (), 1):
        line_parts, seen = DOCUMENT_LINE.fullmatch(line), sha256()
        name = line_parts[1].decode() if line_parts else ""
        for block in export.blocks(name) if name in there else ():
            seen.update(block)
        if line_parts is None or name not in there or seen.hexdigest().encode() != line_parts[2]:
            raise Fault("edited", f"this line is not that of a document: {name}", count, DOCUMENTS)
        there.discard(name)
        unnamed.add(line_parts[2])
    if there:
        raise Fault("inserted", f"no line of {DOCUMENTS} is about it", 0, min(there))
    for line in chain.from_iterable(chain(export.lines(EVENTS), export.lines(VALUES))) if unnamed else ():
        unnamed.difference_update(HEX.findall(line))
    told_of = f"; documents: {count}, {len(unnamed)} of them named by no event shown here" if count else ""
    return told_of + (f"; only to read, not proved: {', '.join(sorted(reading))}" if (reading := READING & export.names) else "")

def log_of(export: Export, size: int, root: bytes) -> dict[str, Any]:
    """Size and root, and of proofs.json `complete`, `positions` and `inclusion` by line, `steps` from the tree of `start` events."""
    with suppress(LookupError, TypeError, ValueError, OverflowError, RecursionError):
        deque(export.proofs(outside := bytearray()), 0)
        proofs_file = json.loads(outside)
        older = proofs_file["consistency"] or {"from": 0, "proof": []}
        places, proofs = proofs_file["positions"] or [], proofs_file["inclusion"] or []
        first, step = (numbers[0] if numbers and numbers[0] != [] else 0 for numbers in (proofs, [older["proof"]]))
        right = proofs == ([[]] * len(places) if size == 1 else [*range(first, first + len(places))])
        if right and proofs_file["size"] == size >= older["from"] >= 0 and proofs_file["complete"] is (proofs_file["positions"] is None):
            steps = [] if older["proof"] == [] else next(islice(export.proofs(bytearray()), step, None))
            log = {"size": size, "root": root, "complete": proofs_file["complete"], "start": int(older["from"]), "steps": steps}
            return log | {"positions": [*map(int, places)], "inclusion": lambda: islice(export.proofs(bytearray()), first, None)}
    raise Fault("edited", f"no proofs for a checkpoint of {size} events", 0, "proofs.json")

def verify(path: Path, keys: Sequence[str], since: Path | None) -> str:
    """A sentence about what was verified. Raises Fault."""
    export = Export(path)
    try:
        trusted = [*map(key_of, texts := keys or [next(export.blocks("key"), b"").decode()])]
        kept = checkpoint(since.read_bytes(), trusted, since.name) if since else None
        heirs = kept and not any(b" " + base64.b64encode(number[:3]) in next(export.blocks("checkpoint"), b"") for _, number, _ in trusted)
        for line in islice(chain.from_iterable(export.lines(EVENTS)), kept[0] if kept and heirs else 0):
            trusted += [key_of(new.decode()) for old, new in CHANGED.findall(line) if key_of(old.decode()) in trusted]
        size, root = checkpoint(next(export.blocks("checkpoint"), b""), trusted, "checkpoint")
    except ValueError:
        raise Fault("edited", "no verifier key: one is a name, 8 and 44 signs, with + between them", 0, "--key" if keys else "key") from None
    log, values = log_of(export, size, root), Values(export)
    complete, (start, first) = log["complete"], kept or (log["start"], b"")
    try:
        count, older, gaps = check_events(export, log, start, values)
    except Fault as fault:
        raise located(export, log, fault) from None
    if kept and (start > size or (first != older if complete else heirs)):
        kind, place = ("truncated", size + 1) if start > size else ("re-signed", 1)
        raise Fault(kind, f"the {start} events of {since} are not the first ones here", place)
    known, steps = first or older, log["steps"] if log["start"] == start else [] if start == size else None  # a tree begins with itself
    if known and (not complete if steps is None else not consistent(start, known, size, root, steps)):
        raise Fault("edited" if complete else "re-signed", f"no proof that fits: export with since={start}", 0, "proofs.json")
    values.finish(complete)
    left = f"a filter, or somebody, left out events of {gaps} chain{'' if gaps == 1 else 's'}" if gaps else "no chain here has a gap"
    scope = "complete" if complete else f"chosen from {size}; {left}"
    counted = ", ".join(f"{values.told[kind]} {kind}" for kind in ("shown", *NOTES.values())) + check_documents(export)
    trust = "" if keys else f"\nThe key came with the export: compare it with the one that you were given. {texts[0].strip()}"
    return f"verified {count} events, {scope}; values: {counted}{f'; unchanged since {since}' if since else ''}{trust}"

def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 when everything fits, 1 with the first bad place."""
    parser = argparse.ArgumentParser(description="Checks an export of an activity log.")
    parser.add_argument("export", type=Path, help="the zip archive, or a folder with its files")
    parser.add_argument("--key", action="append", default=[], help="the verifier key that you were given; several after a change")
    parser.add_argument("--since", type=Path, help="a checkpoint that you kept earlier")
    given = parser.parse_args(arguments)
    try:
        print(verify(given.export, given.key, given.since))
    except (Fault, OSError) as error:
        print(error)
        return 1
    return 0

if __name__ == "__main__":
    raise SystemExit(main())
