//! The `tributary` program as its users start it: a process of its own, with an environment of its own.

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

/// No run of a test takes so long: who does hangs.
const TOO_LONG: Duration = Duration::from_secs(120);

/// The program, built when it is asked for first.
///
/// Cargo builds a package's programs for the tests of that package alone, so it is asked for this one: of the whole
/// workspace, so that dependencies have the features that the tests' own have. Where it is fresh, it costs a moment: what
/// cargo tells tests of themselves is kept from it, since some build scripts take a change there for a change of theirs.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let this = env::current_exe().expect("a program knows where it is");
        // Tests are in `TARGET/PROFILE/deps`, the other programs above them.
        let folder = this.parent().expect("a program is in a folder");
        let profile_folder = if folder.ends_with("deps") { folder.parent().expect("it is below") } else { folder };
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

/// A command line of the program, with nothing of the test's own environment.
pub struct Tributary {
    command: Command,
}

impl Tributary {
    /// The program in this folder.
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

    /// Lets the simulated model do all work.
    pub fn asking(self, model: &SimulatedModel) -> Self {
        self.args(["--model", "openai/simulated"]).env("OPENAI_BASE_URL", &model.base_url)
    }

    pub fn start(mut self) -> Running {
        let shown = format!("{:?}", self.command);
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let stdout = drain(child.stdout.take().expect("it is piped"));
        let stderr = drain(child.stderr.take().expect("it is piped"));
        Running { shown, child, stdout, stderr }
    }

    /// Runs it to its end.
    pub fn run(self) -> Ended {
        self.start().wait()
    }
}

/// Reads a stream to its end, so that nobody has to wait who writes it.
fn drain(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A started program. One that is dropped is killed.
pub struct Running {
    shown: String,
    child: Child,
    stdout: JoinHandle<String>,
    stderr: JoinHandle<String>,
}

impl Running {
    /// Waits for its end.
    ///
    /// # Panics
    /// Where it doesn't come, with what the program wrote.
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
        assert!(!hangs, "it did not end: {ended}");
        ended
    }

    /// Ends it with no warning: what it has not written by now it never will.
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("a child can be killed");
        let status = self.child.wait().expect("a child can be waited for");
        self.end(Some(status))
    }

    /// Asks it to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()), "`kill` can't be run");
    }

    /// Its number, for signals of all kinds.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still there.
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

/// What a process left.
#[derive(Debug)]
pub struct Ended {
    shown: String,
    /// None where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// # Panics
    /// Where it ended otherwise, with what it wrote.
    #[track_caller]
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// # Panics
    /// Where it has not told this on stderr.
    #[track_caller]
    pub fn tells(&self, what: &str) -> &Self {
        assert!(self.stderr.contains(what), "{what:?} is not told by {self}");
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

/// Waits until this holds.
///
/// # Panics
/// Where it never does.
#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TOO_LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}
