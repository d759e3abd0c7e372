//! Measurement of a request's body, and checks against the values that the request declares.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::HeaderMap;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum as Sums, StreamingBlob};
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, TrailingHeaders, s3_error};

use super::checksum::{Algorithm, Hash, Sum, content_md5, hex, several};

/// The header with the names of trailers.
const TRAILER: &str = "x-amz-trailer";
/// The header with the algorithm of an SDK's checksum.
const SDK_ALGORITHM: &str = "x-amz-sdk-checksum-algorithm";

/// The values that a request declares for its body.
pub(super) struct Declared {
    md5: Option<[u8; 16]>,
    sum: SaidSum,
}

enum SaidSum {
    Nothing,
    InHeader(Sum),
    InTrailer(Algorithm),
}

impl Declared {
    /// Reads the values from the headers and from the input's checksums.
    pub(super) fn of(headers: &HeaderMap, sums: Sums, md5: Option<&str>) -> S3Result<Self> {
        let md5 = md5.map(content_md5).transpose()?;
        let in_header = Sum::only(sums)?;
        let trailers = headers.get_all(TRAILER).iter().filter_map(|value| value.to_str().ok());
        let trailers: Vec<_> = trailers.flat_map(|value| value.split(',')).map(str::trim).collect();
        let named = |algorithm: &Algorithm| trailers.iter().any(|it| it.eq_ignore_ascii_case(&algorithm.header()));
        let mut in_trailer = Algorithm::ALL.into_iter().filter(named);
        let sum = match (in_header, in_trailer.next(), in_trailer.next()) {
            (_, _, Some(_)) | (Some(_), Some(_), _) => return Err(several()),
            (Some(sum), None, None) => {
                sum.check_form()?;
                SaidSum::InHeader(sum)
            }
            (None, Some(algorithm), None) => SaidSum::InTrailer(algorithm),
            (None, None, None) => SaidSum::Nothing,
        };
        let said = Self { md5, sum };
        said.check_sdk_algorithm(headers)?;
        Ok(said)
    }

    /// Checks that the algorithm named by an SDK is that of the checksum (S3 API Reference, PutObject).
    fn check_sdk_algorithm(&self, headers: &HeaderMap) -> S3Result<()> {
        let Some(named) = headers.get(SDK_ALGORITHM).and_then(|value| value.to_str().ok()) else { return Ok(()) };
        let named = Algorithm::of(named)?;
        match self.algorithm() {
            None => Err(s3_error!(
                InvalidRequest,
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
            )),
            Some(algorithm) if algorithm != named => {
                Err(s3_error!(InvalidRequest, "Value for x-amz-sdk-checksum-algorithm header is invalid."))
            }
            Some(_) => Ok(()),
        }
    }

    /// The algorithm of the declared checksum.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        match &self.sum {
            SaidSum::Nothing => None,
            SaidSum::InHeader(sum) => Some(sum.algorithm),
            SaidSum::InTrailer(algorithm) => Some(*algorithm),
        }
    }

    /// Returns an error if the body does not match. The trailers are known once the body has been read.
    pub(super) fn check(&self, received: &Received, trailers: Option<&TrailingHeaders>) -> S3Result<()> {
        if self.md5.is_some_and(|md5| md5 != received.md5) {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
        let said = match &self.sum {
            SaidSum::Nothing => return Ok(()),
            SaidSum::InHeader(sum) => sum.clone(),
            SaidSum::InTrailer(algorithm) => in_trailer(*algorithm, trailers)?,
        };
        if said == received.sum {
            return Ok(());
        }
        let name = said.algorithm.name();
        let message = format!("The {name} you specified did not match the calculated checksum.");
        Err(S3Error::with_message(S3ErrorCode::BadDigest, message))
    }
}

fn in_trailer(algorithm: Algorithm, trailers: Option<&TrailingHeaders>) -> S3Result<Sum> {
    let read = |trailers: &HeaderMap| Some(trailers.get(algorithm.header())?.to_str().ok()?.trim().to_owned());
    let value = trailers.and_then(|trailers| trailers.read(read).flatten());
    let Some(value) = value else {
        let message = format!("The announced trailer {} did not arrive.", algorithm.header());
        return Err(S3Error::with_message(S3ErrorCode::Custom("MalformedTrailerError".into()), message).with_400());
    };
    let sum = Sum { algorithm, value };
    sum.check_form()?;
    Ok(sum)
}

/// Sets status 400 for an error that `s3s` does not know.
trait With400 {
    fn with_400(self) -> Self;
}

impl With400 for S3Error {
    fn with_400(mut self) -> Self {
        self.set_status_code(http::StatusCode::BAD_REQUEST);
        self
    }
}

/// The measured facts about a body.
pub(super) struct Received {
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) sum: Sum,
}

impl Received {
    /// The entity tag of the bytes.
    pub(super) fn e_tag(&self) -> String {
        hex(&self.md5)
    }
}

/// A meter of a body that another reader consumes.
pub(super) struct Meter(Arc<Mutex<Option<State>>>);

struct State {
    size: u64,
    md5: Md5,
    hash: Hash,
}

impl Meter {
    /// Wraps a body, and returns its meter.
    pub(super) fn around(body: StreamingBlob, algorithm: Algorithm) -> (StreamingBlob, Self) {
        let state = State { size: 0, md5: Md5::new(), hash: Hash::new(algorithm) };
        let state = Arc::new(Mutex::new(Some(state)));
        (StreamingBlob::new(Measured { body, state: Arc::clone(&state) }), Self(state))
    }

    /// Reads a body to its end, and measures it.
    pub(super) async fn measure(body: StreamingBlob, algorithm: Algorithm) -> S3Result<Received> {
        let (mut body, meter) = Self::around(body, algorithm);
        while let Some(bytes) = body.next().await {
            bytes.map_err(|error| S3Error::with_source(S3ErrorCode::InternalError, error))?;
        }
        meter.finish()
    }

    /// The measured facts, once the body has been read.
    pub(super) fn finish(self) -> S3Result<Received> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let State { size, md5, hash } = state.ok_or_else(|| s3_error!(InternalError))?;
        Ok(Received { size, md5: md5.finalize(), sum: hash.finish() })
    }
}

struct Measured {
    body: StreamingBlob,
    state: Arc<Mutex<Option<State>>>,
}

impl Stream for Measured {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(Pin::new(&mut self.body).poll_next(cx));
        if let Some(Ok(bytes)) = &item
            && let Some(state) = self.state.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
        {
            state.size += bytes.len() as u64;
            state.md5.update(bytes);
            state.hash.update(bytes);
        }
        Poll::Ready(item)
    }
}

impl ByteStream for Measured {
    fn remaining_length(&self) -> RemainingLength {
        self.body.remaining_length()
    }
}
