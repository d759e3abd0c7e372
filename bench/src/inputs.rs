//! The inputs of the comparison. They need no download: a seed makes them, and always makes the same bytes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::Failed;
use crate::content::{Code, Random, compressed_already, half_compressible};

const MB: usize = 1_000_000;
/// Large files are made in pieces of this size.
const PIECE: usize = 8 * MB;

/// Writes the input `name` into the folder. Returns the bytes of its files.
pub(crate) fn write(name: &str, folder: &Path) -> Result<u64, Failed> {
    fs::create_dir_all(folder)?;
    match name {
        "small" => source_files(folder, 17_000, 225 * MB),
        "large" => large_file(folder, 738 * MB),
        "mixed" => mixed_files(folder, 2_000),
        "large-185" => large_file(folder, 185 * MB),
        "large-5000" => large_file(folder, 5_000 * MB),
        "tiny-small" => source_files(folder, 50, MB),
        "tiny-large" => large_file(folder, 9 * MB),
        "tiny-mixed" => mixed_files(folder, 30),
        _ => Err(format!("{name} is not an input").into()),
    }
}

/// Files as in a repository: many short ones and some long ones, in folders.
fn source_files(folder: &Path, count: usize, bytes: usize) -> Result<u64, Failed> {
    let mut random = Random::new(1);
    let code = Code::new(&mut random);
    let mean = bytes / count;
    let mut written = 0;
    for number in 0..count {
        let parent = folder.join(format!("module{:02}/src/package{:03}", number % 40, number / 40 % 60));
        fs::create_dir_all(&parent)?;
        // The mean of the product of two such numbers is a quarter of the largest product.
        let length = (random.below(2001) * random.below(2001)) / 1000 * mean / 1000;
        let text = code.file(&mut random, length);
        fs::write(parent.join(format!("Source{number:05}.java")), &text)?;
        written += text.len() as u64;
    }
    Ok(written)
}

fn large_file(folder: &Path, bytes: usize) -> Result<u64, Failed> {
    let mut random = Random::new(2);
    let mut file = File::create(folder.join("database.bin"))?;
    let mut piece = Vec::with_capacity(PIECE + 64);
    let mut left = bytes;
    while left > 0 {
        piece.clear();
        half_compressible(&mut random, left.min(PIECE), &mut piece);
        file.write_all(&piece)?;
        left -= piece.len();
    }
    Ok(bytes as u64)
}

/// A third source code, a third half-compressible, and a third compressed already. Most are short, and some have megabytes.
fn mixed_files(folder: &Path, count: usize) -> Result<u64, Failed> {
    let mut random = Random::new(3);
    let code = Code::new(&mut random);
    let mut written = 0;
    for number in 0..count {
        let parent = folder.join(format!("part{:02}", number % 20));
        fs::create_dir_all(&parent)?;
        let length = if random.below(100) == 0 { random.below(4 * MB) } else { random.below(180_000) };
        let mut content = Vec::with_capacity(length + 256);
        let ending = match number % 3 {
            0 => {
                content.extend(code.file(&mut random, length).into_bytes());
                "js"
            }
            1 => {
                half_compressible(&mut random, length, &mut content);
                "so"
            }
            _ => {
                compressed_already(&mut random, length, &mut content);
                "jpg"
            }
        };
        fs::write(parent.join(format!("file{number:04}.{ending}")), &content)?;
        written += content.len() as u64;
    }
    Ok(written)
}
