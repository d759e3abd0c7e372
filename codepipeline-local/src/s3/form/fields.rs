//! The fields of a form, before its file.

use http::{HeaderMap, StatusCode, header};
use multer::{Field, Multipart};
use s3s::{Body, S3Error, S3ErrorCode, S3Result, s3_error};

/// The limit of all fields, in bytes (S3 API Reference, "POST Object").
const MOST_BYTES: usize = 20 * 1024;

/// A form up to its file, which is still to be read.
pub(super) struct Fields {
    /// Names in lower case, in order.
    values: Vec<(String, String)>,
    pub(super) file: Field<'static>,
}

impl Fields {
    /// Reads a form up to its file. Fields after the file are ignored (S3 API Reference, "POST Object").
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> S3Result<Self> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = multer::parse_boundary(content_type).map_err(|error| malformed(&error))?;
        let mut form = Multipart::new(body, boundary);
        let mut values = Vec::new();
        let mut size = 0;
        while let Some(mut field) = form.next_field().await.map_err(|error| malformed(&error))? {
            let name = field.name().unwrap_or_default().to_ascii_lowercase();
            if name == "file" {
                let mut fields = Self { values, file: field };
                fields.put_file_name();
                return Ok(fields);
            }
            let mut value = Vec::new();
            size += name.len();
            while let Some(bytes) = field.chunk().await.map_err(|error| malformed(&error))? {
                size += bytes.len();
                value.extend_from_slice(&bytes);
                if size > MOST_BYTES {
                    let message = "Your POST request fields preceding the upload file were too large.";
                    return Err(bad_request("MaxPostPreDataLengthExceededError", message));
                }
            }
            let value = String::from_utf8(value).map_err(|error| malformed(&error))?;
            values.push((name, value));
        }
        Err(s3_error!(InvalidArgument, "POST requires exactly one file upload per request."))
    }

    /// The value of a field. For a repeated field, the first.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// The value of a required field.
    pub(super) fn required(&self, name: &str) -> S3Result<&str> {
        self.get(name).ok_or_else(|| missing(name))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Replaces `${filename}` in the key. A browser may send a whole path; the part after the last slash or backslash
    /// counts (S3 API Reference, "POST Object").
    fn put_file_name(&mut self) {
        let name = self.file.file_name().unwrap_or_default();
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        for (_, value) in self.values.iter_mut().filter(|(field, _)| field == "key") {
            *value = value.replace("${filename}", &name);
        }
    }
}

/// The error for a missing field.
pub(super) fn missing(name: &str) -> S3Error {
    let message = format!(
        "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    );
    S3Error::with_message(S3ErrorCode::InvalidArgument, message)
}

fn malformed(error: &impl std::fmt::Display) -> S3Error {
    let message = format!("The body of your POST request is not well-formed multipart/form-data: {error}");
    S3Error::with_message(S3ErrorCode::MalformedPOSTRequest, message)
}

/// An error with status 400 and a code that `s3s` does not know.
fn bad_request(code: &'static str, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(StatusCode::BAD_REQUEST);
    error
}
