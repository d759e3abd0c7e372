//! Signature Version 4 (S3 API Reference, "Authenticating requests"). Ordinary users may have any secret, but `s3s`
//! verifies signatures against a known one. So the signature of an ordinary user's request is replaced by one with a
//! fixed secret before `s3s` sees it. All other checks (dates, expiry, the body's hash) stay.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Uri};
use sha2::{Digest, Sha256};

/// The secret for ordinary users' requests inside the emulator. It protects nothing: any client that reaches the port
/// is a user.
pub(super) const ORDINARY_SECRET: &str = "ordinary";

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
pub(super) const CONTENT_SHA256: &str = "x-amz-content-sha256";
pub(super) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The signature of a request and its parameters.
pub(super) struct Signed {
    access_key_id: String,
    /// `date/region/service/aws4_request`
    scope: String,
    time: String,
    headers: Vec<String>,
    /// The signature in the header.
    signature: String,
    place: Place,
}

enum Place {
    Header,
    Query,
}

impl Signed {
    /// Creates the parameters for a request with only these signed headers.
    pub(super) fn anew(access_key_id: &str, (date, region): (&str, &str), time: &str, headers: &[&str]) -> Self {
        let scope = format!("{date}/{region}/s3/aws4_request");
        let headers = headers.iter().map(|&name| name.to_owned()).collect();
        Self {
            access_key_id: access_key_id.into(),
            scope,
            time: time.into(),
            headers,
            signature: String::new(),
            place: Place::Header,
        }
    }

    /// Reads the signature from the `Authorization` header or a presigned URL; `None` without either.
    pub(super) fn of(parts: &Parts) -> Option<Self> {
        if let Some(header) = parts.headers.get(http::header::AUTHORIZATION) {
            let fields = header.to_str().ok()?.strip_prefix(ALGORITHM)?.split(',');
            let fields: BTreeMap<_, _> = fields.filter_map(|field| field.trim().split_once('=')).collect();
            let time = parts.headers.get("x-amz-date")?.to_str().ok()?;
            let mut signed = Self::new(fields.get("Credential")?, time, fields.get("SignedHeaders")?, Place::Header)?;
            signed.signature = fields.get("Signature").map(|&signature| signature.to_owned()).unwrap_or_default();
            Some(signed)
        } else {
            let query = query_values(&parts.uri);
            query.get("X-Amz-Signature")?;
            let (credential, headers) = (query.get("X-Amz-Credential")?, query.get("X-Amz-SignedHeaders")?);
            Self::new(credential, query.get("X-Amz-Date")?, headers, Place::Query)
        }
    }

    fn new(credential: &str, time: &str, headers: &str, place: Place) -> Option<Self> {
        let (access_key_id, scope) = credential.split_once('/')?;
        let mut headers: Vec<String> = headers.split(';').map(str::to_owned).collect();
        headers.sort_unstable();
        let (scope, time) = (scope.into(), time.into());
        Some(Self { access_key_id: access_key_id.into(), scope, time, headers, signature: String::new(), place })
    }

    pub(super) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The scope, `date/region/service/aws4_request` in a well-formed request.
    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// Whether the signature is in the query.
    pub(super) fn is_presigned(&self) -> bool {
        matches!(self.place, Place::Query)
    }

    /// Replaces the signature in the request by one with this secret.
    pub(super) fn replace(&self, parts: &mut Parts, secret: &str) {
        let signature = self.signature(parts, secret);
        match self.place {
            Place::Header => {
                let (key, scope, headers) = (&self.access_key_id, &self.scope, self.headers.join(";"));
                let header =
                    format!("{ALGORITHM} Credential={key}/{scope}, SignedHeaders={headers}, Signature={signature}");
                // Its parts come from a valid header value.
                if let Ok(value) = HeaderValue::try_from(header) {
                    parts.headers.insert(http::header::AUTHORIZATION, value);
                }
            }
            Place::Query => {
                let mut query = query_values(&parts.uri);
                query.insert("X-Amz-Signature".into(), signature);
                let pairs = query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
                let pairs: Vec<_> = pairs.collect();
                if let Ok(uri) = Uri::try_from(format!("{}?{}", parts.uri.path(), pairs.join("&"))) {
                    parts.uri = uri;
                }
            }
        }
    }

    fn signature(&self, parts: &Parts, secret: &str) -> String {
        let request = hex(&Sha256::digest(self.canonical_request(parts)));
        let text = format!("{ALGORITHM}\n{}\n{}\n{request}", self.time, self.scope);
        hex(&mac(&self.key(secret), text.as_bytes()))
    }

    fn key(&self, secret: &str) -> Vec<u8> {
        let secret = format!("AWS4{secret}").into_bytes();
        self.scope.split('/').fold(secret, |key, step| mac(&key, step.as_bytes()))
    }

    /// The signer of the chunks, which starts from the request's signature.
    pub(super) fn chunk_signer(&self, secret: &str) -> ChunkSigner {
        let about = format!("{}\n{}", self.time, self.scope);
        ChunkSigner { key: self.key(secret), about, previous: self.signature.clone() }
    }

    fn canonical_request(&self, parts: &Parts) -> String {
        let mut query: Vec<_> = query_pairs(&parts.uri);
        query.retain(|(name, _)| name != "X-Amz-Signature");
        let mut query: Vec<_> =
            query.iter().map(|(name, value)| (uri_encode(name, true), uri_encode(value, true))).collect();
        query.sort_by(|left, right| left.0.cmp(&right.0));
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let present = |name: &&String| parts.headers.contains_key(name.as_str());
        let headers: String =
            self.headers.iter().filter(present).map(|name| header_line(&parts.headers, name)).collect();
        let names: Vec<_> = self.headers.iter().filter(present).map(String::as_str).collect();
        let payload = match self.place {
            Place::Query => UNSIGNED,
            Place::Header => {
                parts.headers.get("x-amz-content-sha256").and_then(|it| it.to_str().ok()).unwrap_or(UNSIGNED)
            }
        };
        let path = uri_encode(&decode(parts.uri.path(), false), false);
        let (method, query, names) = (&parts.method, query.join("&"), names.join(";"));
        format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}")
    }
}

/// A signer of chunks. Each signature includes the previous one.
pub(super) struct ChunkSigner {
    key: Vec<u8>,
    about: String,
    previous: String,
}

impl ChunkSigner {
    /// Whether the signature matches the next chunk, whose data has this hash.
    pub(super) fn matches_chunk(&mut self, hash: &str, signature: &str) -> bool {
        let nothing = hex(&Sha256::digest(b""));
        let text = format!("{ALGORITHM}-PAYLOAD\n{}\n{}\n{nothing}\n{hash}", self.about, self.previous);
        self.previous = hex(&mac(&self.key, text.as_bytes()));
        self.previous == signature
    }

    /// Whether the signature matches the trailers after the last chunk.
    pub(super) fn matches_trailer(&self, trailers: &str, signature: &str) -> bool {
        let hash = hex(&Sha256::digest(trailers.as_bytes()));
        let text = format!("{ALGORITHM}-TRAILER\n{}\n{}\n{hash}", self.about, self.previous);
        hex(&mac(&self.key, text.as_bytes())) == signature
    }
}

/// A header in its signed form: all values, with collapsed white space.
fn header_line(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let values = values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "));
    format!("{name}:{}\n", values.collect::<Vec<_>>().join(","))
}

/// The decoded names and values of the query.
pub(super) fn query_pairs(uri: &Uri) -> Vec<(String, String)> {
    let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (decode(name, true), decode(value, true))).collect()
}

/// The query as a map. For a repeated name, the last value.
pub(crate) fn query_values(uri: &Uri) -> BTreeMap<String, String> {
    query_pairs(uri).into_iter().collect()
}

pub(super) fn encoded(text: &str) -> String {
    uri_encode(text, true)
}

/// Percent-encodes all but the unreserved characters, as Signature Version 4 and S3's listings do.
pub(super) fn uri_encode(text: &str, slash: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            b'/' if !slash => encoded.push('/'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Decodes percent-encoding. `plus` decodes a plus sign as a space, as in queries.
pub(super) fn decode(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        let digits = others.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(if plus && *first == b'+' { b' ' } else { *first });
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("an HMAC key may have any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
