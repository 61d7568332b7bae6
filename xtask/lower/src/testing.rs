//! What the unit tests of the passes share.

use crate::ir::Module;
use crate::{Error, arithmetic, signatures};

/// Lowers LLVM IR text, checks the result with LLVM's verifier and returns it as text.
///
/// # Errors
/// What the passes refuse.
pub fn try_lowered(text: &str) -> Result<String, Error> {
    let mut module = Module::empty();
    module.link_text("test", text)?;
    arithmetic::lower(&module)?;
    signatures::lower(&module)?;
    module.verify()?;
    Ok(module.text())
}

/// Lowers LLVM IR text that the passes accept.
pub fn lowered(text: &str) -> String {
    try_lowered(text).unwrap()
}
