//! Generated files: the IDL, the app's client and the app's build.

use crate::failure::Result;
use crate::{app, command, files, program};

/// Writes the IDL and the app's client, or compares them with those that are there.
///
/// # Errors
/// The program doesn't compile, the app's generator fails, or a file differs.
pub fn generate(check: bool) -> Result<()> {
    if check {
        program::check_idl()?
    } else {
        program::write_idl()?
    }
    if !app::folder().join("package.json").is_file() {
        return Ok(());
    }
    if command::find("npm").is_none() {
        println!("npm is not on the PATH: the app's client and build are left as they are");
        return Ok(());
    }
    app::install()?;
    app::generate(check)?;
    app::build(check)
}

/// Writes the compute units of every instruction.
///
/// # Errors
/// An instruction fails.
pub fn compute_units() -> Result<()> {
    let mut test = command::cargo();
    test.args(["nextest", "run", "--locked", "-p", "rampart-tests", "cu_snapshot"]);
    command::run(test.env("RAMPART_WRITE_CU", "1"))
}

/// Plays the incidents, writes their table and prints it.
///
/// # Errors
/// An incident can't be played.
pub fn incidents() -> Result<()> {
    let mut test = command::suites();
    test.args(["incidents_are_as_the_table_says"]);
    command::run(test.env("RAMPART_WRITE_INCIDENTS", "1"))?;
    print!("{}", files::read_text(&files::root().join("docs/incidents.md"))?);
    Ok(())
}
