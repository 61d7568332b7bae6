//! Entry point: parse, run, map the error to an exit code.

use rampart_keeper::cli;
use rampart_keeper::error::chain;
use std::process::ExitCode;

/// The system's allocator, which counts: whether a process that runs for months grows can't be seen from its resident memory.
#[global_allocator]
static ALLOCATOR: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

fn main() -> ExitCode {
    let cli = match cli::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err((text, code)) => {
            // Nowhere left to tell it.
            let _ = text.print();
            return ExitCode::from(code);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: failed to start the runtime: {error}");
            return ExitCode::from(5);
        }
    };
    let result = runtime.block_on(cli.execute());
    // A blocked thread must not hold the process back: what matters is in the journal.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cli.output().print_error(&error);
            eprintln!("error: {}\nhint: {}", chain(&error), error.hint());
            ExitCode::from(error.exit_code())
        }
    }
}
