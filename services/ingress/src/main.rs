//! `gramtap-ingress`: ingress as a service of its own.
//!
//! In: the configuration's file and the environment. Out: an exit code: 2 for wrong usage, 64
//! if the configuration is refused, 1 if the process could not start or did not end in order, 0 otherwise. Invariant: what
//! is printed holds no secret. Overloaded or dying: see `app.rs`.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use gramtap_ingress::{Config, app};
use gramtap_settings::{EXIT_CONFIG, Settings, process_environment};

const HELP: &str = "\
gramtap-ingress: the API door of Gramtap, as a service of its own

usage: gramtap-ingress [--config FILE]
       gramtap-ingress --help | --version

Every setting may be given by the environment as well, such as
GRAMTAP_INGRESS__LISTEN=0.0.0.0:8080. `gramtap config` prints them all.
";

const VERSION: &str = concat!("gramtap-ingress ", env!("CARGO_PKG_VERSION"), "\n");
/// As `gramtap` has it.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let file = match arguments() {
        Ok(file) => file,
        Err(code) => return code,
    };
    let settings = Settings::load(file.as_deref(), process_environment());
    let config = settings.and_then(|settings| Config::load(&settings, "gramtap-ingress"));
    let config = match config {
        Ok(config) => config,
        Err(error) => return complain(&error.to_string(), EXIT_CONFIG),
    };
    match actix_rt::System::new().block_on(app::run(config, |_| {})) {
        Ok(code) => code,
        Err(error) => {
            let refused = gramtap_ingress::config::is_refusal(&error);
            complain(&format!("{error:#}"), if refused { EXIT_CONFIG } else { 1 })
        }
    }
}

/// The one argument there is.
fn arguments() -> Result<Option<PathBuf>, ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        None => Ok(None),
        Some(flag) if flag == "--config" => match arguments.next() {
            Some(file) => Ok(Some(file.into())),
            None => Err(complain("--config needs a file", EXIT_USAGE)),
        },
        Some(flag) if flag == "--help" || flag == "-h" => Err(print(HELP)),
        Some(flag) if flag == "--version" || flag == "-V" => Err(print(VERSION)),
        Some(_) => Err(complain(HELP, EXIT_USAGE)),
    }
}

fn print(text: &str) -> ExitCode {
    let written = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(u8::from(written.is_err()))
}

fn complain(text: &str, code: u8) -> ExitCode {
    // Where standard error is closed there is nobody to tell.
    writeln!(
        std::io::stderr(),
        "{}",
        gramtap_telegram::redact::redact(text)
    )
    .ok();
    ExitCode::from(code)
}
