//! The part of LLVM's C interface that the passes use, behind small types.
//!
//! Owns every `unsafe` block of this crate except the ones that compile ([`crate::machine`]). A [`Type`], [`Value`] or
//! [`Block`] belongs to the [`Module`] it was read from and MUST NOT outlive it; nothing here checks that.

mod builder;
pub(crate) mod module;
mod types;
mod value;

pub use builder::{Builder, Compare};
pub use module::Module;
pub use types::{Shape, Type};
pub use value::{Block, Value};

/// Walks one of LLVM's linked lists from `first` to its end.
fn list<T>(first: *mut T, next: impl Fn(*mut T) -> *mut T) -> Vec<*mut T> {
    let some = |p: *mut T| (!p.is_null()).then_some(p);
    std::iter::successors(some(first), |p| some(next(*p))).collect()
}
