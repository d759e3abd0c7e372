//! Tar archives in a gzip. An input that begins like a gzip is unpacked unchanged. Any other input generates one.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use codepipeline_worker_fuzz::folder::unpack_and_check;
use codepipeline_worker_fuzz::tar_gz::TarGz;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if data.starts_with(&[0x1f, 0x8b]) {
        return unpack_and_check(data);
    }
    if let Ok(archive) = TarGz::arbitrary_take_rest(Unstructured::new(data)) {
        unpack_and_check(&archive.bytes());
    }
});
