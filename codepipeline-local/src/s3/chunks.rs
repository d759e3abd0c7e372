//! Bodies in the `aws-chunked` encoding: checks of frame, length and chunk signatures.

use http::HeaderMap;
use s3s::{S3Error, S3Result, s3_error};
use sha2::{Digest, Sha256};

use super::signature::{ChunkSigner, hex};

const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
/// The limit of a chunk header, which holds the size in hexadecimal and a signature of 64 digits.
const LONGEST_HEAD: usize = 1024;
const LONGEST_TRAILERS: usize = 16 * 1024;
const SIGNATURE: &str = "chunk-signature=";
const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// A parser of chunks.
pub(super) struct Chunks {
    /// The number of data bytes still to come.
    left: u64,
    state: State,
    /// The signer of the chunks, if it is known.
    signer: Option<ChunkSigner>,
}

enum State {
    /// In the header line of a chunk.
    Head(Vec<u8>),
    /// In a chunk's data.
    Data { left: u64, seen: Sha256, signature: String },
    /// In the line end after the data, with these bytes left.
    LineEnd(&'static [u8]),
    /// In the trailers after the last chunk.
    Trailers(Vec<u8>),
}

impl Chunks {
    pub(super) fn new(headers: &HeaderMap, signer: Option<ChunkSigner>) -> S3Result<Self> {
        let length = headers
            .get(DECODED_LENGTH)
            .ok_or_else(|| s3_error!(MissingContentLength, "You must provide the {} HTTP header.", DECODED_LENGTH))?;
        let left = length.to_str().ok().and_then(|length| length.parse().ok());
        let left = left.ok_or_else(|| s3_error!(InvalidArgument, "{} must be a number", DECODED_LENGTH))?;
        Ok(Self { left, state: State::Head(Vec::new()), signer })
    }

    pub(super) fn see(&mut self, mut bytes: &[u8]) -> S3Result<()> {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Head(line) => {
                    let end = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
                    line.extend_from_slice(&bytes[..end]);
                    bytes = &bytes[end..];
                    if line.len() > LONGEST_HEAD {
                        return Err(broken());
                    }
                    if line.ends_with(b"\n") {
                        let line = std::mem::take(line);
                        self.begin(&line)?;
                    }
                }
                State::Data { left, seen, .. } => {
                    let now = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    seen.update(&bytes[..now]);
                    *left -= now as u64;
                    bytes = &bytes[now..];
                    if *left == 0 {
                        self.end_data(State::LineEnd(b"\r\n"))?;
                    }
                }
                State::LineEnd(rest) => {
                    if bytes[0] != rest[0] {
                        return Err(broken());
                    }
                    bytes = &bytes[1..];
                    self.state = match &rest[1..] {
                        [] => State::Head(Vec::new()),
                        rest => State::LineEnd(rest),
                    };
                }
                State::Trailers(text) => {
                    text.extend_from_slice(bytes);
                    if text.len() > LONGEST_TRAILERS {
                        return Err(broken());
                    }
                    bytes = &[];
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, line: &[u8]) -> S3Result<()> {
        let line = std::str::from_utf8(line).ok().and_then(|line| line.strip_suffix("\r\n")).ok_or_else(broken)?;
        let (size, more) = line.split_once(';').unwrap_or((line, ""));
        let size = u64::from_str_radix(size, 16).map_err(|_| broken())?;
        let signature = more.strip_prefix(SIGNATURE).unwrap_or_default().to_owned();
        self.left = self.left.checked_sub(size).ok_or_else(incomplete)?;
        self.state = State::Data { left: size, seen: Sha256::new(), signature };
        if size == 0 { self.end_data(State::Trailers(Vec::new())) } else { Ok(()) }
    }

    fn end_data(&mut self, next: State) -> S3Result<()> {
        if let State::Data { seen, signature, .. } = std::mem::replace(&mut self.state, next)
            && let Some(signer) = &mut self.signer
            && !signer.matches_chunk(&hex(&seen.finalize()), &signature)
        {
            return Err(unsigned());
        }
        Ok(())
    }

    pub(super) fn end(self) -> S3Result<()> {
        let State::Trailers(text) = self.state else { return Err(incomplete()) };
        if self.left != 0 {
            return Err(incomplete());
        }
        let text = std::str::from_utf8(&text).map_err(|_| broken())?;
        let mut trailers = Vec::new();
        let mut signature = None;
        for line in text.lines().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or_else(broken)?;
            let (name, value) = (name.to_ascii_lowercase(), value.trim());
            if name == TRAILER_SIGNATURE { signature = Some(value) } else { trailers.push(format!("{name}:{value}\n")) }
        }
        trailers.sort();
        match (self.signer, signature) {
            (Some(signer), Some(signature)) if !signer.matches_trailer(&trailers.concat(), signature) => {
                Err(unsigned())
            }
            (Some(_), None) if !trailers.is_empty() => Err(unsigned()),
            _ => Ok(()),
        }
    }
}

fn broken() -> S3Error {
    s3_error!(InvalidRequest, "The body is not aws-chunked, although x-amz-content-sha256 says so.")
}

fn incomplete() -> S3Error {
    s3_error!(
        IncompleteBody,
        "You did not provide the number of bytes specified by the x-amz-decoded-content-length header."
    )
}

fn unsigned() -> S3Error {
    s3_error!(
        SignatureDoesNotMatch,
        "A chunk's signature does not match the request's access key: check the secret access key and the signing method."
    )
}

#[cfg(test)]
mod tests {
    use super::super::signature::Signed;
    use super::*;

    /// The code of the error for a body, parsed whole and byte by byte.
    fn of(body: &str, length: u64) -> String {
        let run = |size: usize| {
            let mut chunks = Chunks { left: length, state: State::Head(Vec::new()), signer: None };
            let seen = body.as_bytes().chunks(size).try_for_each(|piece| chunks.see(piece)).and_then(|()| chunks.end());
            seen.err().map_or_else(|| "taken".to_owned(), |error| error.code().as_str().to_owned())
        };
        let whole = run(body.len().max(1));
        assert_eq!(whole, run(1), "{body}");
        whole
    }

    /// The example in the S3 API Reference, "Signature calculations for the Authorization header: transferring
    /// payload in multiple chunks".
    fn example(first: &str) -> Result<(), S3Error> {
        let headers = [
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
              SignedHeaders=host,Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            ),
            ("x-amz-date", "20130524T000000Z"),
            (DECODED_LENGTH, "66560"),
        ];
        let mut request = http::Request::builder().uri("/examplebucket/chunkObject.txt");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let signer = Signed::of(&parts).unwrap().chunk_signer("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let mut chunks = Chunks::new(&parts.headers, Some(signer)).unwrap();
        for (size, signature) in [
            (65536, first),
            (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ] {
            chunks.see(format!("{size:x};chunk-signature={signature}\r\n{}\r\n", "a".repeat(size)).as_bytes())?;
        }
        chunks.end()
    }

    #[test]
    fn documented_chunk_signatures_match() {
        example("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648").unwrap();
        let refused = example(&"0".repeat(64)).unwrap_err();
        assert_eq!(refused.code().as_str(), "SignatureDoesNotMatch");
    }

    #[test]
    fn broken_and_short_frames_get_different_errors() {
        assert_eq!(of("2\r\nhi\r\n0\r\n\r\n", 2), "taken");
        assert_eq!(of("2\r\nhi\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n", 2), "taken");
        assert_eq!(of("2;chunk-signature=00\r\nhi\r\n0;chunk-signature=00\r\n\r\n", 2), "taken");
        assert_eq!(of("2\r\nhi\r\n0\r\n\r\n", 3), "IncompleteBody");
        assert_eq!(of("2\r\nhi\r\n0\r\n\r\n", 1), "IncompleteBody");
        assert_eq!(of("2\r\nhi\r\n", 2), "IncompleteBody");
        assert_eq!(of("2\r\nh", 2), "IncompleteBody");
        assert_eq!(of("", 0), "IncompleteBody");
        assert_eq!(of("hi\r\n", 2), "InvalidRequest");
        assert_eq!(of("2\r\nhixx0\r\n\r\n", 2), "InvalidRequest");
        assert_eq!(of("2\nhi\r\n0\r\n\r\n", 2), "InvalidRequest");
        assert_eq!(of("2\r\nhi\r\n0\r\nno colon\r\n\r\n", 2), "InvalidRequest");
        assert_eq!(of(&"1".repeat(2000), 2), "InvalidRequest");
    }
}
