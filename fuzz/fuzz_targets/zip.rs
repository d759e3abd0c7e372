//! Zip archives. An input that begins like a zip is unpacked unchanged. Any other input generates one, whose fields may be wrong.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use codepipeline_worker_fuzz::folder::unpack_and_check;
use codepipeline_worker_fuzz::zips::Zip;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if data.starts_with(b"PK") {
        return unpack_and_check(data);
    }
    if let Ok(zip) = Zip::arbitrary_take_rest(Unstructured::new(data)) {
        unpack_and_check(&zip.bytes());
    }
});
