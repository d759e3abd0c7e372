//! Tar archives. An input with tar's magic is unpacked unchanged. Any other input generates a tar archive with correct checksums.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use codepipeline_worker_fuzz::folder::unpack_and_check;
use codepipeline_worker_fuzz::tars::Tar;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if data.get(257..262) == Some(b"ustar") {
        return unpack_and_check(data);
    }
    if let Ok(tar) = Tar::arbitrary_take_rest(Unstructured::new(data)) {
        unpack_and_check(&tar.bytes());
    }
});
