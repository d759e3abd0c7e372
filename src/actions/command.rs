//! The `command` action.
