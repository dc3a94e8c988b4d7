//! What the binaries of the services have in common: arguments, exit codes.
//!
//! In: the command line, the configuration's file, the environment. Out: an exit code: 2 for wrong
//! usage, 64 if the configuration is refused, 1 if the process could not start or did not end in
//! order, 0 otherwise. Invariant: what is printed holds no secret.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use gramtap_settings::{EXIT_CONFIG, Settings, SettingsError, process_environment};
use gramtap_telegram::redact::redact;

/// As `gramtap` has it.
const EXIT_USAGE: u8 = 2;

/// The binary of a service.
#[derive(Clone, Copy, Debug)]
pub struct Binary {
    /// Its name, which brokers know it by too.
    pub name: &'static str,
    /// What it is, in one line.
    pub about: &'static str,
    /// Its version.
    pub version: &'static str,
    /// A setting as the environment gives it.
    pub example: &'static str,
}

impl Binary {
    /// Reads the arguments and the configuration, and runs the service to its end.
    pub fn main<C, R: Future<Output = anyhow::Result<ExitCode>>>(
        &self,
        load: impl FnOnce(&Settings, &str) -> Result<C, SettingsError>,
        run: impl FnOnce(C) -> R,
        is_refusal: impl FnOnce(&anyhow::Error) -> bool,
    ) -> ExitCode {
        let file = match self.arguments() {
            Ok(file) => file,
            Err(code) => return code,
        };
        let settings = Settings::load(file.as_deref(), process_environment());
        let config = match settings.and_then(|settings| load(&settings, self.name)) {
            Ok(config) => config,
            Err(error) => return complain(&error.to_string(), EXIT_CONFIG),
        };
        match actix_rt::System::new().block_on(run(config)) {
            Ok(code) => code,
            Err(error) => {
                let code = if is_refusal(&error) { EXIT_CONFIG } else { 1 };
                complain(&format!("{error:#}"), code)
            }
        }
    }

    /// The one argument there is.
    fn arguments(&self) -> Result<Option<PathBuf>, ExitCode> {
        let mut arguments = std::env::args_os().skip(1);
        match arguments.next() {
            None => Ok(None),
            Some(flag) if flag == "--config" => match arguments.next() {
                Some(file) => Ok(Some(file.into())),
                None => Err(complain("--config needs a file", EXIT_USAGE)),
            },
            Some(flag) if flag == "--help" || flag == "-h" => Err(print(&self.help())),
            Some(flag) if flag == "--version" || flag == "-V" => {
                Err(print(&format!("{} {}\n", self.name, self.version)))
            }
            Some(_) => Err(complain(&self.help(), EXIT_USAGE)),
        }
    }

    fn help(&self) -> String {
        let Self {
            name,
            about,
            example,
            ..
        } = self;
        format!(
            "{name}: {about}, as a service of its own\n\n\
             usage: {name} [--config FILE]\n       {name} --help | --version\n\n\
             Every setting may be given by the environment as well, such as\n\
             {example}. `gramtap config` prints them all.\n"
        )
    }
}

fn print(text: &str) -> ExitCode {
    let written = std::io::stdout().write_all(text.as_bytes());
    ExitCode::from(u8::from(written.is_err()))
}

fn complain(text: &str, code: u8) -> ExitCode {
    // Where standard error is closed there is nobody to tell.
    writeln!(std::io::stderr(), "{}", redact(text)).ok();
    ExitCode::from(code)
}
