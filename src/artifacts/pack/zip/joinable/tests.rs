use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Compressor};

use super::*;

/// Contents whose streams have stored blocks, fixed codes and codes of their own.
fn contents() -> Vec<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut bytes = |length: usize, values: u8| (0..length).map(|_| random.u8(..values)).collect::<Vec<_>>();
    let noise = bytes(200_000, 255);
    let letters = bytes(300_000, 4);
    let words: Vec<u8> = (0..60_000).flat_map(|number: u32| format!("line {}\n", number % 977).into_bytes()).collect();
    vec![
        vec![],
        b"a".to_vec(),
        b"abcabcabcabcabc".to_vec(),
        vec![7; 500_000],
        [&noise[..70_000], &words, &letters[..9_000], &noise[70_000..]].concat(),
        [&words[..], &letters].concat(),
        noise,
        letters,
        words,
    ]
}

fn by_libdeflate(content: &[u8], level: i32) -> Vec<u8> {
    let mut library = Compressor::new(CompressionLvl::new(level).unwrap());
    let mut stream = vec![0; library.deflate_compress_bound(content.len())];
    let length = library.deflate_compress(content, &mut stream).unwrap();
    stream.truncate(length);
    stream
}

fn by_zlib(content: &[u8], level: u32) -> Vec<u8> {
    let mut stream = Vec::with_capacity(content.len() + content.len() / 10 + 100);
    let mut library = Compress::new(Compression::new(level), false);
    library.compress_vec(content, &mut stream, FlushCompress::Finish).unwrap();
    stream
}

/// Inflates with a library that shares nothing with the scan.
fn inflated(stream: &[u8], length: usize) -> (Vec<u8>, Status) {
    let mut content = Vec::with_capacity(length + 1);
    let mut library = Decompress::new(false);
    let status = library.decompress_vec(stream, &mut content, FlushDecompress::Sync).unwrap();
    assert_eq!(library.total_in(), stream.len() as u64);
    (content, status)
}

#[test]
fn opened_streams_of_each_level_join_to_one() {
    let contents = contents();
    let whole = contents.concat();
    let by = |deflate: &dyn Fn(&[u8]) -> Vec<u8>| {
        let mut joined = Vec::new();
        for content in &contents {
            let mut stream = deflate(content);
            open_end(&mut stream).unwrap();
            joined.extend(stream);
        }
        assert_eq!(inflated(&joined, whole.len()), (whole.clone(), Status::Ok));
        joined.extend(deflate(b""));
        assert_eq!(inflated(&joined, whole.len()), (whole.clone(), Status::StreamEnd));
    };
    for level in 0..=12 {
        by(&|content| by_libdeflate(content, level));
    }
    for level in 0..=9 {
        by(&|content| by_zlib(content, level));
    }
}

#[test]
fn opened_stream_ends_at_a_byte_after_any_number_of_bits() {
    let mut seen = [false; 8];
    for length in 0..200 {
        let content: Vec<u8> = (0..length).map(|at: usize| (at * at % 251) as u8 | 0x80).collect();
        let mut stream = by_zlib(&content, 6);
        let (_, end) = Scan::new(&stream).last_block().unwrap();
        let padding = stream.len() * 8 - end;
        seen[padding] = true;
        // The padding may hold anything.
        *stream.last_mut().unwrap() |= !(0xff_u8 >> padding);
        open_end(&mut stream).unwrap();
        stream.extend(by_libdeflate(b"end", 6));
        assert_eq!(inflated(&stream, length + 3).0, [&content[..], b"end"].concat(), "{length}");
    }
    assert_eq!(seen, [true; 8]);
}

#[test]
fn contents_have_all_types_of_blocks() {
    // The type of a stream's first block.
    let kind = |stream: Vec<u8>| stream[0] >> 1 & 3;
    let contents = contents();
    let found =
        |deflate: fn(&[u8]) -> Vec<u8>| contents.iter().map(|content| kind(deflate(content))).collect::<Vec<_>>();
    let by_libdeflate = found(|content| by_libdeflate(content, 6));
    let by_zlib = found(|content| by_zlib(content, 6));
    for kind in [0, 2] {
        assert!(by_libdeflate.contains(&kind), "{by_libdeflate:?}");
    }
    assert!(by_zlib.contains(&1), "{by_zlib:?}");
}

#[test]
fn incomplete_and_damaged_streams_stay_unchanged() {
    let mut random = fastrand::Rng::with_seed(2);
    for content in contents() {
        let stream = by_libdeflate(&content, 6);
        for length in [0, 1, stream.len() / 2, stream.len() - 1] {
            let mut cut = stream[..length].to_vec();
            assert_eq!(open_end(&mut cut), None, "{length} of {}", stream.len());
            assert_eq!(cut, stream[..length]);
        }
        let mut longer = [&stream[..], &[0]].concat();
        assert_eq!(open_end(&mut longer), None);
        // A damaged stream may still be complete. It must end in time and without a panic.
        for _ in 0..200 {
            let mut damaged = stream.clone();
            let at = random.usize(..damaged.len());
            damaged[at] ^= 1 << random.u8(..8);
            let before = damaged.clone();
            if open_end(&mut damaged).is_none() {
                assert_eq!(damaged, before);
            }
        }
    }
}
