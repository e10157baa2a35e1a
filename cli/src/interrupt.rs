//! Handles Ctrl-C and SIGTERM: the first signal asks the program to stop, the second ends the program at once.

use tokio::sync::watch;

use crate::{exit::Exit, terminal::Terminal};

/// A flag set when the user asks the program to stop. Cheap to clone.
#[derive(Clone)]
pub struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Starts to listen for signals. Must be called within the runtime.
    pub fn listen(terminal: &Terminal) -> Self {
        let (sender, receiver) = watch::channel(false);
        let terminal = terminal.clone();
        tokio::spawn(async move {
            signal().await;
            let again = if terminal.takes_bars() { "; Ctrl-C again leaves at once" } else { "" };
            terminal.say(format!("stopping: calls that are under way may end{again}"));
            // Every receiver may be gone; the second signal still counts.
            let _ = sender.send(true);
            signal().await;
            let _ = terminal.bars().clear();
            std::process::exit(Exit::Interrupted as i32);
        });
        Self(receiver)
    }

    pub fn happened(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns the output of `work`, or `None` if the user stops the program first.
    pub async fn unless<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.wait() => None,
            done = work => Some(done),
        }
    }

    /// Returns when the user wants the program to stop.
    pub async fn wait(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|stop| *stop).await.is_err() {
            // The listener is gone, so no stop will ever be requested.
            std::future::pending().await
        }
    }
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!(%error, "failed to listen for SIGTERM");
            return ctrl_c().await;
        }
    };
    tokio::select! {
        () = ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    ctrl_c().await;
}

async fn ctrl_c() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "failed to listen for Ctrl-C");
        std::future::pending().await
    }
}
