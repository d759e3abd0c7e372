//! Multipart uploads. An upload belongs to its bucket and key, and not to the credentials that began it, because a
//! job's credentials are renewed during an upload.
//!
//! An upload has a folder until it is completed or aborted, so it survives a restart. [`folder`] describes the
//! folder.

mod begin;
mod complete;
mod copy;
mod folder;
mod join;
mod listing;
mod open;
mod part;

pub(super) use open::Uploads;
