//! How the core is called: GIL released, signals and progress watched, panics caught, threads chosen.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

use super::errors::exception;
use crate::error::{Error, Result};
use crate::parallel::{self, Monitor};

/// How often the calling thread looks for signals and reports progress.
const POLL: Duration = Duration::from_millis(50);

/// Runs a long computation on a thread of its own, so that Ctrl-C and progress get through.
///
/// `progress` is called with (units done, units in all) from the calling thread, and once more when all is done.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Monitor) -> Result<T> + Send,
) -> PyResult<T> {
    choose_threads(py);
    let monitor = Monitor::new();
    let finished = AtomicBool::new(false);
    let caller = thread::current();
    let (outcome, interruption) = thread::scope(|scope| {
        let started = thread::Builder::new().name("ilk".to_string()).spawn_scoped(scope, || {
            let outcome = catch_unwind(AssertUnwindSafe(|| work(&monitor)));
            finished.store(true, Ordering::Release);
            caller.unpark();
            outcome
        });
        let worker = started.map_err(|error| {
            exception("IlkError", format!("no thread could be started: {error}"))
        })?;
        let mut interruption = None;
        while !finished.load(Ordering::Acquire) {
            py.detach(|| thread::park_timeout(POLL));
            if interruption.is_none()
                && let Err(error) = py.check_signals().and_then(|()| report(progress, &monitor))
            {
                monitor.stop();
                interruption = Some(error);
            }
        }
        Ok::<_, PyErr>((py.detach(|| worker.join()), interruption))
    })?;
    if let Some(error) = interruption {
        return Err(error);
    }
    let value = outcome.and_then(|caught| caught).map_err(|panic| internal(panic.as_ref()))??;
    report(progress, &monitor)?;
    Ok(value)
}

/// Runs a computation that takes milliseconds.
pub(crate) fn quick<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    choose_threads(py);
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    Ok(outcome.map_err(|panic| internal(panic.as_ref()))??)
}

fn report(progress: Option<&Bound<'_, PyAny>>, monitor: &Monitor) -> PyResult<()> {
    match progress {
        Some(callback) => callback.call1(monitor.progress()).map(drop),
        None => Ok(()),
    }
}

fn internal(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown".to_string());
    exception("InternalError", format!("this is a bug in ilk, please report it: {text}"))
}

/// One thread inside a daemonic worker of multiprocessing, whose siblings already use the cores; looked up once a process.
fn choose_threads(py: Python<'_>) {
    static PROCESS: AtomicU32 = AtomicU32::new(0);
    let process = std::process::id();
    if PROCESS.swap(process, Ordering::Relaxed) == process {
        return;
    }
    let daemonic = || -> PyResult<bool> {
        let modules = py.import("sys")?.getattr("modules")?;
        let multiprocessing = modules.call_method1("get", ("multiprocessing.process",))?;
        if multiprocessing.is_none() {
            return Ok(false);
        }
        multiprocessing.call_method0("current_process")?.getattr("daemon")?.extract()
    };
    parallel::set_shared(daemonic().unwrap_or(false));
}

/// Set the number of threads for all later calls in this process.
///
/// The same call gives the same bits for any number of threads.
///
/// Parameters
/// ----------
/// threads : int
///     At most 1024; 0 restores the default: the environment variable ``ILK_NUM_THREADS``, else one inside a daemonic
///     worker of multiprocessing, else the number of cores that this process may use.
///
/// Examples
/// --------
/// >>> import ilk
/// >>> ilk.set_num_threads(2)
/// >>> ilk.num_threads()
/// 2
/// >>> ilk.set_num_threads(0)
#[pyfunction]
pub(crate) fn set_num_threads(threads: i64) -> PyResult<()> {
    let threads = usize::try_from(threads)
        .map_err(|_| Error::argument("threads", threads, "0 (the default) or more is needed"))?;
    parallel::set_num_threads(threads);
    Ok(())
}

/// Say how many threads calls use.
///
/// Returns
/// -------
/// int
///     What :func:`set_num_threads` set, or the default.
///
/// Examples
/// --------
/// >>> import ilk
/// >>> ilk.num_threads() >= 1
/// True
#[pyfunction]
pub(crate) fn num_threads(py: Python<'_>) -> usize {
    choose_threads(py);
    parallel::num_threads()
}

/// Panics as a bug would, on the worker thread or on the calling one; only in builds with debug assertions, for the
/// test that a panic reaches Python as an exception.
#[cfg(debug_assertions)]
#[pyfunction]
pub(crate) fn _panic(py: Python<'_>, long: bool) -> PyResult<()> {
    #[allow(clippy::panic)]
    fn bug() -> Result<()> {
        panic!("index 7 of 3")
    }
    if long {
        run(py, None, |_| parallel::map_tasks(2, |_| bug()).swap_remove(0))
    } else {
        quick(py, bug)
    }
}
