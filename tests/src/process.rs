//! Runs the `tributary` program like a user: as a separate process with a separate environment.

use std::{
    collections::VecDeque,
    env,
    ffi::OsStr,
    fmt,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::simulated::SimulatedModel;

/// The timeout of a process in tests. A process that takes longer hangs.
const TOO_LONG: Duration = Duration::from_secs(120);

/// Returns the path of the program. Builds the program at the first call.
///
/// Cargo builds a package's programs only for the tests of that package, so this function runs cargo. The build covers
/// the whole workspace, so that dependencies have the same features as in the tests. A fresh build takes a moment.
/// Variables that cargo sets for tests are removed, because some build scripts would treat them as a change.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let this = env::current_exe().expect("a program knows where it is");
        // Tests are in `TARGET/PROFILE/deps`, other programs one folder above.
        let folder = this.parent().expect("a program is in a folder");
        let profile_folder =
            if folder.ends_with("deps") { folder.parent().expect("the folder has a parent") } else { folder };
        let target = profile_folder.parent().expect("a test stands deep in the target folder");
        let profile = match profile_folder.file_name().and_then(OsStr::to_str) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        let of_this_test = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "LD_LIBRARY_PATH"];
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(|name| of_this_test.iter().any(|start| name.starts_with(start))) {
                cargo.env_remove(name);
            }
        }
        let build = cargo
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["build", "--quiet", "--workspace", "--bin", "tributary", "--profile", profile])
            .arg("--target-dir")
            .arg(target)
            .stdin(Stdio::null())
            .output()
            .expect("cargo runs");
        let binary = profile_folder.join("tributary").with_extension(env::consts::EXE_EXTENSION);
        let complaint = String::from_utf8_lossy(&build.stderr);
        assert!(build.status.success() && binary.is_file(), "no {}: {complaint}", binary.display());
        binary
    })
}

/// A command line of the program, without the environment of the test.
pub struct Tributary {
    command: Command,
}

impl Tributary {
    /// Returns a command of the program in this folder.
    pub fn in_folder(folder: &Path) -> Self {
        let mut command = Command::new(binary());
        command.env_clear().env("HOME", folder).current_dir(folder).stdin(Stdio::null());
        Self { command }
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Uses the simulated model for all tasks.
    pub fn asking(self, model: &SimulatedModel) -> Self {
        self.args(["--model", "openai/simulated"]).env("OPENAI_BASE_URL", &model.base_url)
    }

    pub fn start(mut self) -> Running {
        let shown = format!("{:?}", self.command);
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let stdout = drain(child.stdout.take().expect("stdout is piped"));
        let stderr = drain(child.stderr.take().expect("stderr is piped"));
        Running { shown, child, stdout, stderr }
    }

    /// Runs the command to the end.
    pub fn run(self) -> Ended {
        self.start().wait()
    }
}

/// Reads a stream to the end, so that the writer never blocks.
fn drain(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A started program. Killed when dropped.
pub struct Running {
    shown: String,
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Running {
    /// Waits for the end of the program.
    ///
    /// # Panics
    /// Panics with the program's output if the program doesn't end in time.
    pub fn wait(mut self) -> Ended {
        let deadline = Instant::now() + TOO_LONG;
        let status = loop {
            match self.child.try_wait().expect("a child can be waited for") {
                Some(status) => break Some(status),
                None if Instant::now() > deadline => break None,
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let hangs = status.is_none();
        let ended = self.end(status);
        assert!(!hangs, "the program did not end: {ended}");
        ended
    }

    /// Kills the program without warning. Unwritten output is lost.
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("a child can be killed");
        let status = self.child.wait().expect("a child can be waited for");
        self.end(Some(status))
    }

    /// Asks the program to stop, like Ctrl-C.
    pub fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "failed to run `kill`");
    }

    /// Returns the process id, for other signals.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns true if the program is still running.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    fn end(mut self, status: Option<ExitStatus>) -> Ended {
        if status.is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        let text = |stream: &mut JoinHandle<String>| {
            let stream = std::mem::replace(stream, thread::spawn(String::new));
            stream.join().expect("reading doesn't panic")
        };
        let (stdout, stderr) = (text(&mut self.stdout), text(&mut self.stderr));
        Ended { shown: std::mem::take(&mut self.shown), code: status.and_then(|status| status.code()), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The exit code and the output of a finished process.
#[derive(Debug)]
pub struct Ended {
    shown: String,
    /// The exit code. `None` if a signal ended the process.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Checks the exit code.
    ///
    /// # Panics
    /// Panics with the output if the exit code differs.
    #[track_caller]
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Checks that stderr contains a text.
    ///
    /// # Panics
    /// Panics with the output if the text is missing.
    #[track_caller]
    pub fn tells(&self, what: &str) -> &Self {
        assert!(self.stderr.contains(what), "stderr doesn't contain {what:?}: {self}");
        self
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last: VecDeque<_> = self.stderr.lines().rev().take(60).collect();
        writeln!(f, "{}\nexit code: {:?}\nstdout: {}\nstderr:", self.shown, self.code, self.stdout)?;
        last.iter().rev().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Waits until `holds` returns true.
///
/// # Panics
/// Panics after a timeout.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TOO_LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "timed out waiting: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
