"""Writes small valid inputs for each fuzz target to corpus/TARGET/, so that fuzzing starts with inputs that parsers accept."""

import gzip
import io
import pathlib
import tarfile
import zipfile

HERE = pathlib.Path(__file__).parent


def put(target: str, name: str, content: bytes | str) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(content.encode() if isinstance(content, str) else content)


def zip_of(compression: int, streamed: bool) -> bytes:
    class Pipe(io.RawIOBase):
        """Can't seek, so zipfile writes the sizes after the data."""

        def __init__(self) -> None:
            self.written = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, some) -> int:
            self.written += some
            return len(some)

    pipe = Pipe() if streamed else io.BytesIO()
    with zipfile.ZipFile(pipe, "w", compression) as archive:
        for name, mode, content in [
            ("a/", 0o40755, ""),
            ("a/b", 0o100755, "content " * 20),
            ("c", 0o120777, "a/b"),
            ("a/ü", 0o100400, ""),
        ]:
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = mode << 16
            entry.compress_type = compression
            archive.writestr(entry, content)
    return bytes(pipe.written) if streamed else pipe.getvalue()


def tar_of(form: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=form) as archive:

        def add(name: str, kind: bytes, content: bytes = b"", target: str = "") -> None:
            entry = tarfile.TarInfo(name)
            entry.type, entry.size, entry.linkname, entry.mode = kind, len(content), target, 0o755
            archive.addfile(entry, io.BytesIO(content))

        add("a", tarfile.DIRTYPE)
        add("a/b", tarfile.REGTYPE, b"content")
        add("c", tarfile.SYMTYPE, target="a/b")
        add("d", tarfile.LNKTYPE, target="a/b")
        if form != tarfile.USTAR_FORMAT:
            add("long/" * 25 + "ü", tarfile.REGTYPE, b"x")
    # The padding to 10 KiB only makes the input longer.
    return file.getvalue().rstrip(b"\0") + bytes(1536)


for name, compression, streamed in [
    ("stored", zipfile.ZIP_STORED, False),
    ("deflated", zipfile.ZIP_DEFLATED, False),
    ("streamed", zipfile.ZIP_DEFLATED, True),
]:
    put("zip", name, zip_of(compression, streamed))
for name, form in [("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
    whole = tar_of(form)
    whole += bytes(-len(whole) % 512)
    put("tar", name, whole)
    put("tar_gz", name, gzip.compress(whole))
    put("tar_gz", f"{name}-members", gzip.compress(whole[:700], 1) + gzip.compress(whole[700:], 0))
for number, text in enumerate(["", "plain {} ${x} {a,b}", "{Config:Key}", "a {Config:A}{Config:Ü b} {Config:A}", "{Config:"]):
    put("placeholder", str(number), text)
for path in (HERE.parent / "events").glob("*.json"):
    put("event", path.stem, path.read_bytes())
for name, text in {
    "token": 'tcodepipeline-worker/1 Test/Custom/LinkCheck/1 1768469402 47f8%20-a9 {"build": "17"}',
    "token-of-http": 'h{"http":1,"location":"https://service.example/jobs/7","executionId":"e","notBefore":1768469402,'
    '"externalExecutionId":"x","percentComplete":5,"summary":"s"}',
    "location": "lhttps://service.example/jobs/7#a",
    "location-relative": "l../jobs/7?x=y",
    "result": 'r{"status":"succeeded","summary":"correct-horse-battery","externalExecutionId":"7","outputVariables":{"A":"0"},'
    '"revision":{"revision":"a","changeIdentifier":"b","summary":"c"}}',
    "failure": 'r{"status":"failed","failure":{"type":"ConfigurationError","message":"correct-horse-battery"}}',
    "progress": 'r{"summary":"s","externalExecutionId":"e","percentComplete":66.6}',
    "entry": 'e{"format":1,"write":"000000000000000000000000000000ff","job":"j","phase":"reporting","owner":'
    '"00000000000000000000000000000001","leaseMs":30000,"adoptions":1,"marked":true,"inferred":true,"kind":"thirdParty",'
    '"clientId":"c","actionType":{"category":"Test","owner":"Custom","provider":"LinkCheck","version":"1"},'
    '"pipelineExecutionId":"p","actionExecutionId":"a","outcome":"o"}',
    "will": 'w{"report":{"Continuation":{"token":"t","details":{"summary":"s","external_execution_id":"x","percent_complete":7}}},'
    '"running":["e","t"]}',
    "will-of-failure": 'w{"report":{"Failure":{"kind":"JobFailed","message":"m","reason":"r","external_execution_id":null}}}',
    "variables": "vA=1\nB<<EOF\nfirst\ncorrect-horse-battery\nEOF\nC@-_=x=y\n",
    "variables-windows": "v\ufeff# note\r\nA=1\r\nB<<EOF\r\nxEOF\r\n",
    "revision": "crevision=c0ffee\nchangeIdentifier=7\nsummary<<EOF\nfix\nEOF\ncreated=2015-10-21T07:28:00Z\n",
}.items():
    put("responses", name, text)
