//! What this binary does when cargo or rustc call it during a build of a program.
//!
//! As rustc's wrapper it adds the options that keep the machine's paths out of the program. As the linker it keeps what
//! rustc wants linked. [`RUSTC`], [`INPUTS`] and [`STEM`] in the environment tell such a call from a user's.

use crate::failure::{Failure, Result};
use crate::files;
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The environment variable with the path of rustc.
pub const RUSTC: &str = "RAMPART_SBF_RUSTC";

/// The environment variable with the folder that the linker keeps its inputs in.
pub const INPUTS: &str = "RAMPART_SBF_INPUTS";

/// The environment variable with the name of the program's crate.
pub const STEM: &str = "RAMPART_SBF_STEM";

/// Does what cargo or rustc call for; nothing if a user calls.
pub fn answer() -> Option<Result<()>> {
    let rustc = std::env::var_os(RUSTC)?;
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    if args.first() == Some(&rustc) { Some(wrap(&rustc, &args[1..])) } else { Some(link(&args)) }
}

/// Calls rustc so that nothing of it depends on the machine's paths: neither names of files nor crates' identities.
fn wrap(rustc: &OsString, args: &[OsString]) -> Result<()> {
    let variable = |name| std::env::var(name).ok();
    let package = variable("CARGO_PKG_NAME").zip(variable("CARGO_PKG_VERSION"));
    let package = package.map_or_else(String::new, |(name, version)| format!("{name}-{version}"));
    let mut command = Command::new(rustc);
    command.args(with_identity(&package, args));
    // the lowering optimises the program's own crate: only there is it known which functions are cold
    if is_program(args, variable(STEM)) {
        command.args(["-C", "no-prepopulate-passes"]);
    }
    for (path, name) in [("CARGO_MANIFEST_DIR", "src"), ("OUT_DIR", "out")] {
        if let Some(path) = variable(path) {
            command.arg(format!("--remap-path-prefix={path}=/{name}/{package}"));
        }
    }
    // Returns only if rustc can't be started.
    Err(Failure::new(format!("failed to start `{}`: {}", rustc.display(), command.exec())))
}

/// Tells whether rustc compiles the program itself.
fn is_program(args: &[OsString], stem: Option<String>) -> bool {
    let names = args.windows(2).filter(|pair| pair[0] == "--crate-name");
    stem.is_some_and(|stem| names.into_iter().any(|pair| pair[1] == stem.as_str()))
        && args.iter().any(|arg| arg == "--target")
}

/// Returns the arguments with an identity of the crate that depends on the package and its features alone.
///
/// Cargo's own (`-C metadata`) depends on where std's sources are, and the hashes of types depend on it. What is built for
/// this machine, not for the program, keeps it.
fn with_identity(package: &str, args: &[OsString]) -> Vec<OsString> {
    if !args.iter().any(|arg| arg == "--target") {
        return args.to_vec();
    }
    let follows = |names: &[&str], index: usize| index > 0 && names.iter().any(|name| args[index - 1] == *name);
    let mut hash = Sha256::new().chain_update(package);
    for (index, arg) in args.iter().enumerate() {
        if follows(&["--crate-name", "--crate-type", "--cfg"], index) {
            hash.update(b"\0");
            hash.update(arg.as_encoded_bytes());
        }
    }
    let identity: String = hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let replaced = |(index, arg): (usize, &OsString)| {
        let is_identity = follows(&["-C"], index) && arg.as_encoded_bytes().starts_with(b"metadata=");
        if is_identity { OsString::from(format!("metadata={identity}")) } else { arg.clone() }
    };
    args.iter().enumerate().map(replaced).collect()
}

/// Keeps the objects and libraries of the program, numbered in the order that rustc names them in.
///
/// Dependencies that are cdylibs call the linker, too; they are not the program.
fn link(args: &[OsString]) -> Result<()> {
    let out = output(args).ok_or_else(|| Failure::new("rustc named no output file"))?;
    let setting = |name| std::env::var_os(name).ok_or_else(|| Failure::new(format!("`{name}` is not set")));
    let mut program = OsString::from("lib");
    program.push(setting(STEM)?);
    program.push(".so");
    if out.file_name() == Some(&program) {
        keep(args, &PathBuf::from(setting(INPUTS)?))?;
    }
    files::write(out, "") // cargo looks for it
}

fn keep(args: &[OsString], folder: &Path) -> Result<()> {
    let partial = folder.with_extension("partial");
    files::remove_folder(&partial)?;
    for (number, input) in args.iter().map(Path::new).filter(|path| is_input(path)).enumerate() {
        let name = input.file_name().unwrap_or_default().to_string_lossy();
        files::copy(input, &partial.join(format!("{number:04}-{name}")))?;
    }
    files::remove_folder(folder)?;
    std::fs::rename(&partial, folder).map_err(|e| Failure::file("create", folder, e))
}

/// Returns the file that `-o` names.
fn output(args: &[OsString]) -> Option<&Path> {
    let position = args.iter().position(|arg| arg == "-o")?;
    args.get(position + 1).map(Path::new)
}

/// Returns whether an argument is bitcode of the program; `symbols.o` only lists the exported names.
fn is_input(path: &Path) -> bool {
    let is_kind = path.extension().is_some_and(|kind| kind == "o" || kind == "rlib");
    is_kind && path.file_name().is_some_and(|name| name != "symbols.o")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn linker_sees_objects_and_libraries_alone() {
        let args = words("--cpu v2 /t/symbols.o /t/a.rcgu.o /t/libcore.rlib -o /t/libprogram.so");
        let inputs: Vec<_> = args.iter().filter(|a| is_input(Path::new(a))).collect();
        assert_eq!(inputs, ["/t/a.rcgu.o", "/t/libcore.rlib"]);
        assert_eq!(output(&args), Some(Path::new("/t/libprogram.so")));
    }

    #[test]
    fn identity_depends_on_the_package_and_its_features_alone() {
        let identity = |package, text: &str| with_identity(package, &words(text))[5].clone();
        let first = identity("core-1", "--crate-name core --target t -C metadata=a /one/lib.rs");
        assert_eq!(first, identity("core-1", "--crate-name core --target t -C metadata=b /other/lib.rs"));
        assert_ne!(first, identity("core-2", "--crate-name core --target t -C metadata=a /one/lib.rs"));
        assert_ne!(first, identity("core-1", "--crate-name core --target t -C metadata=a --cfg x"));
        assert_eq!(with_identity("a-1", &words("-C metadata=a")), words("-C metadata=a"));
    }

    #[test]
    fn program_is_the_crate_of_that_name_built_for_the_target() {
        let stem = || Some("rampart".to_owned());
        assert!(is_program(&words("--crate-name rampart --target t"), stem()));
        assert!(!is_program(&words("--crate-name rampart_client --target t"), stem()));
        assert!(!is_program(&words("--crate-name rampart"), stem()));
        assert!(!is_program(&words("--crate-name rampart --target t"), None));
    }

    #[test]
    fn output_is_unknown_when_not_named() {
        assert_eq!(output(&words("a.o -o")), None);
    }
}
