//! AWS's own actions, which run outside the engine.

#[cfg_attr(not(test), expect(dead_code, reason = "the providers that unpack and pack artifacts come next"))]
pub(crate) mod archive;
#[cfg_attr(not(test), expect(dead_code, reason = "the providers that run commands come next"))]
pub(crate) mod shell;
