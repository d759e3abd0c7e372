//! Sparse files. Their regions may overlap, exceed the file, or have no content.

use arbitrary::Arbitrary;

use crate::tars::{BLOCK, fill, header, pax_record, put};

/// The regions of a sparse file, in one of GNU tar's forms.
#[derive(Arbitrary, Debug)]
pub(crate) struct Sparse {
    form: SparseForm,
    regions: Vec<(u16, u16)>,
    size: Option<u32>,
    name: bool,
}

#[derive(Arbitrary, Debug)]
enum SparseForm {
    /// In the header, for entries of any type.
    Old,
    Pax00,
    Pax01,
    /// Before the content, with this number of regions claimed.
    Pax10(Option<u32>),
}

impl Sparse {
    fn regions(&self) -> impl Iterator<Item = (u64, u64)> {
        self.regions.iter().take(64).map(|(offset, size)| (u64::from(*offset), u64::from(*size)))
    }

    fn size(&self) -> u64 {
        let end = self.regions().map(|(offset, size)| offset + size).max().unwrap_or(0);
        self.size.map_or(end, u64::from)
    }

    pub(crate) fn write_before(&self, archive: &mut Vec<u8>, content: &mut Vec<u8>) {
        let record = |key: &str, value: &[u8]| pax_record(format!("GNU.sparse.{key}").as_bytes(), value);
        let numbers = |between: &str| {
            self.regions().map(|(offset, size)| format!("{offset}{between}{size}")).collect::<Vec<_>>().join(between)
        };
        let mut records = Vec::new();
        match self.form {
            SparseForm::Old => return,
            SparseForm::Pax00 => {
                for (offset, size) in self.regions() {
                    records.extend(record("offset", offset.to_string().as_bytes()));
                    records.extend(record("numbytes", size.to_string().as_bytes()));
                }
                records.extend(record("size", self.size().to_string().as_bytes()));
            }
            SparseForm::Pax01 => {
                records.extend(record("map", numbers(",").as_bytes()));
                records.extend(record("size", self.size().to_string().as_bytes()));
            }
            SparseForm::Pax10(claims) => {
                records.extend(record("major", b"1"));
                records.extend(record("minor", b"0"));
                records.extend(record("realsize", self.size().to_string().as_bytes()));
                let count = claims.map_or(self.regions().count() as u64, u64::from);
                let mut map = format!("{count}\n{}\n", numbers("\n")).into_bytes();
                map.resize(map.len().next_multiple_of(BLOCK), 0);
                content.splice(..0, map);
            }
        }
        if self.name {
            records.extend(record("name", b"a/sparse"));
        }
        put(archive, header(b'x', b"pax", records.len()), &records);
    }

    /// Returns the blocks after the header.
    pub(crate) fn write_into(&self, header: &mut [u8; BLOCK]) -> Vec<u8> {
        if !matches!(self.form, SparseForm::Old) {
            return Vec::new();
        }
        let fields: Vec<_> =
            self.regions().map(|(offset, size)| format!("{offset:011o}\0{size:011o}\0").into_bytes()).collect();
        let (first, others) = fields.split_at(fields.len().min(4));
        fill(&mut header[386..482], &first.concat());
        header[482] = u8::from(!others.is_empty());
        fill(&mut header[483..495], format!("{:011o}\0", self.size()).as_bytes());
        let mut blocks = Vec::new();
        for (at, fields) in others.chunks(21).enumerate() {
            let mut block = [0; BLOCK];
            fill(&mut block, &fields.concat());
            block[504] = u8::from((at + 1) * 21 < others.len());
            blocks.extend(block);
        }
        blocks
    }
}
