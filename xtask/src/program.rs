//! `artifacts/`: the built program, its IDL, and what they were built with.

use crate::failure::{Failure, Result};
use crate::sbf::build_sbf;
use crate::sbf::toolchain::Toolchain;
use crate::{files, idl};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// The built program's file name.
const PROGRAM: &str = "rampart.so";

/// The IDL's file name.
const IDL: &str = "rampart.json";

/// The name of the file with the other files' hashes, in the format of `sha256sum`.
const SUMS: &str = "SHA256SUMS";

/// The name of the file with the versions of the tools.
const TOOLCHAIN: &str = "TOOLCHAIN";

/// What to do about files that are not what the source gives.
const REBUILD: &str = "run `cargo xtask build-program` and commit `artifacts/`";

/// Builds the program and its IDL to `artifacts/`.
///
/// # Errors
/// A tool is missing, or the program doesn't build.
pub fn build() -> Result<()> {
    let toolchain = Toolchain::find()?;
    build_sbf(&toolchain, &source(), &artifact(PROGRAM))?;
    files::write(&artifact(IDL), idl::generate()?)?;
    files::write(&artifact(TOOLCHAIN), toolchain.versions()?)?;
    let sums = sums()?;
    files::write(&artifact(SUMS), &sums)?;
    print!("{sums}");
    Ok(())
}

/// Builds the program again, compares with `artifacts/`, and returns the program that tests should run on.
///
/// Another compiler gives other bytes: then the comparison is left out, and the new program is the one to test.
///
/// # Errors
/// A tool is missing, the program doesn't build, or the IDL or the sums in `artifacts/` aren't what the source gives.
pub fn check() -> Result<PathBuf> {
    let toolchain = Toolchain::find()?;
    let built = crate::sbf::work_folder().join(PROGRAM);
    build_sbf(&toolchain, &source(), &built)?;
    check_idl()?;
    if files::read_text(&artifact(SUMS))? != sums()? {
        return Err(Failure::new(format!("`artifacts/{SUMS}` doesn't fit the files beside it")).hint(REBUILD));
    }
    let (recorded, present) = (files::read_text(&artifact(TOOLCHAIN))?, toolchain.versions()?);
    if recorded != present {
        println!("artifacts/{PROGRAM} was built with other tools and is not compared");
        println!("--- recorded\n{recorded}--- present\n{present}---");
        println!("tests should run on this build: RAMPART_SO={}", built.display());
        return Ok(built);
    }
    let (new, kept) = (files::read(&built)?, files::read(&artifact(PROGRAM))?);
    if new != kept {
        let sizes = format!("{} bytes, built now {}", kept.len(), new.len());
        return Err(Failure::new(format!("`artifacts/{PROGRAM}` ({sizes}) isn't what the source gives")).hint(REBUILD));
    }
    println!("artifacts/{PROGRAM} is what the source gives");
    Ok(artifact(PROGRAM))
}

/// Returns whether the tools at hand are those that built what is in `artifacts/`.
///
/// # Errors
/// A tool is missing.
pub fn is_same_toolchain() -> Result<bool> {
    Ok(files::read_text(&artifact(TOOLCHAIN))? == Toolchain::find()?.versions()?)
}

/// Compares the IDL with the one that the source gives.
///
/// # Errors
/// They differ, or the program doesn't compile.
pub fn check_idl() -> Result<()> {
    if files::read_text(&artifact(IDL))? == idl::generate()? {
        return Ok(());
    }
    Err(Failure::new(format!("`artifacts/{IDL}` isn't what the source gives"))
        .hint("run `cargo xtask build-program`, or `cargo xtask gen` for the IDL alone, and commit `artifacts/`"))
}

/// Writes the IDL, and the hashes if the program is there.
///
/// # Errors
/// The program doesn't compile.
pub fn write_idl() -> Result<()> {
    files::write(&artifact(IDL), idl::generate()?)?;
    if artifact(PROGRAM).is_file() { files::write(&artifact(SUMS), sums()?) } else { Ok(()) }
}

fn source() -> PathBuf {
    files::root().join("programs/rampart")
}

/// Returns the path of a file in `artifacts/`.
pub fn artifact(name: &str) -> PathBuf {
    files::root().join("artifacts").join(name)
}

/// Returns the hashes of the program and its IDL.
fn sums() -> Result<String> {
    let line = |name: &str| Ok(sum_line(name, &files::read(&artifact(name))?));
    [IDL, PROGRAM].into_iter().map(line).collect()
}

/// Returns the line of `sha256sum` for a file.
pub fn sum_line(name: &str, bytes: &[u8]) -> String {
    let hash: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hash}  {name}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sum_line_is_that_of_sha256sum() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  abc\n";
        assert_eq!(sum_line("abc", b"abc"), expected);
    }
}
