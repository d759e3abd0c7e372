//! The page at `/_/`: pipelines live in a browser.
//!
//! The page is static files that the program holds. They read views as JSON: once, or as server-sent events. A few calls of CodePipeline
//! are its buttons. Faults, counters and the request log do not concern the page.
//!
//! Another web page must not read or drive the emulator. So `guard` checks `Host` and `Origin`, and buttons need the token in the page's
//! address.

mod artifacts;
mod calls;
mod differences;
mod files;
mod guard;
mod live;
mod mode;
mod reply;
mod routes;
mod site;
mod token;
mod view;
mod views;

pub(crate) use guard::is_for_page;
pub use mode::PageMode;
pub(crate) use site::Page;
