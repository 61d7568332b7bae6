//! From the BPF object file to the SBPF shared object.

use crate::Error;
use sbpf_linker::{OptimizationConfig, ProgramOptions, SbpfArch, SbpfLinkerError, link_program};

/// Bytes of a stack frame.
const FRAME_BYTES: i32 = 4096;

/// Links a BPF object file as an SBPF v3 program.
///
/// # Errors
/// A relocation that a program can't have: of a writable static, above all.
pub fn link(object: &[u8]) -> Result<Vec<u8>, Error> {
    let options = ProgramOptions::new(OptimizationConfig::default(), SbpfArch::V3, FRAME_BYTES);
    link_program(object, options).map_err(|errors| {
        let hint = "a program can't have writable statics; find the crate that brings one in";
        Error(format!("{}\nhint: {hint}", SbpfLinkerError::format_errors(&errors)))
    })
}
