//! Builds an SBPF program from a folder of bitcode.
//!
//! usage: sbf-lower FOLDER PROGRAM.so

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let [folder, out] = &args[..] else {
        eprintln!("usage: sbf-lower FOLDER PROGRAM.so");
        return ExitCode::from(2);
    };
    match build(Path::new(folder), Path::new(out)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(folder: &Path, out: &Path) -> Result<(), sbf_lower::Error> {
    let program = sbf_lower::program::build(folder)?;
    let unwritable = |e| sbf_lower::Error(format!("failed to write `{}`: {e}", out.display()));
    std::fs::write(out, program).map_err(unwritable)
}
