//! Multipart uploads. An upload belongs to its bucket and key, not to the credentials that began it: a job's credentials are
//! renewed while it uploads.
//!
//! An upload is a folder of its own until it is completed or aborted, so it survives a restart of the emulator. [`folder`] says
//! what the folder holds.

mod begin;
mod complete;
mod copy;
mod folder;
mod listing;
mod open;
mod part;

pub(super) use open::Uploads;
