//! The program's IDL, without Anchor's command line.

use crate::command;
use crate::failure::{Failure, Result};
use crate::files;
use anchor_lang_idl::build::IdlBuilder;

/// Returns the program's IDL as JSON.
///
/// Calls this binary again: the builder reads the environment of its own process, and what rustup sets there
/// (`RUSTUP_TOOLCHAIN`) it passes on wrongly.
///
/// # Errors
/// The program doesn't compile, or two of its types have one name.
pub fn generate() -> Result<String> {
    let own = std::env::current_exe().map_err(|e| Failure::new(format!("failed to find this binary: {e}")))?;
    let mut print = command::clean(own);
    print.current_dir(files::root()).arg("print-idl");
    print.env("CARGO_TARGET_DIR", files::root().join("target/sbf/idl"));
    command::output(&mut print).map(|json| json + "\n")
}

/// Prints the program's IDL; the environment MUST be that of [`generate`].
///
/// # Errors
/// Those of [`generate`].
pub fn print() -> Result<()> {
    let builder = IdlBuilder::new().program_path(files::root().join("programs/rampart")).skip_lint(false);
    let args = ["--lib", "--locked"].map(String::from).to_vec();
    let idl = builder.cargo_args(args).build().map_err(|e| Failure::new(format!("failed to build the IDL: {e:#}")))?;
    let json = serde_json::to_string_pretty(&idl).map_err(|e| Failure::new(format!("failed to print the IDL: {e}")))?;
    println!("{json}");
    Ok(())
}
