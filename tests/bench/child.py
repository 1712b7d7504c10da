"""A program run to its end, with a chance to tidy up when we are told to stop: it gets SIGTERM, never SIGKILL at once.

subprocess.run kills, and a killed driver leaves its supervisors and servers behind.
"""
import signal
import subprocess
import sys


def end_on_sigterm():
    """Turns SIGTERM into an exception, so that whatever stands open is closed on the way out."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped by SIGTERM"))


def finished(command):
    """Runs it; CalledProcessError if it fails."""
    words = [str(word) for word in command]
    process = subprocess.Popen(words)
    try:
        process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, words)
