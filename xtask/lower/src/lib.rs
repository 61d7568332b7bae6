//! Turns the LLVM bitcode of a Rust program into an SBPF v3 shared object, with the LLVM that Debian ships.
//!
//! The upstream BPF backend refuses what Rust code does as a matter of course: wide returns, many arguments, 128-bit
//! multiplication, signed division. The passes here rewrite it ([`arithmetic`], [`signatures`], [`panics`]); [`program`]
//! puts them in order between LLVM's own optimisations. `cargo xtask build-program` calls the binary; nothing else does.
//!
//! Background: docs/building-the-program.md.

pub mod abi;
pub mod arithmetic;
pub mod cold;
pub mod division;
pub mod floats;
pub mod inputs;
pub mod ir;
pub mod link;
pub mod machine;
pub mod memory;
pub mod overflow;
pub mod panics;
pub mod program;
pub mod rewrite;
pub mod signatures;
pub mod wide;

#[cfg(test)]
mod testing;

/// Why a program can't be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(pub String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}
