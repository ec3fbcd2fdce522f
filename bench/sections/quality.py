"""A tone and speech through loss and jitter."""
import glob
import os
import pathlib
import subprocess
import threading

from harness import Failed, run_program
from sections import audio, tables

NAME, TITLE, ROUNDS, TOGETHER = "quality", "Sound through loss and jitter, towards the bridge", 1, 12
NETWORKS = ((0, 0), (5, 0), (10, 0), (20, 0), (0, 20), (0, 50), (0, 100), (10, 50))  # %, ms
RATES = {"opus": 48000, "pcmu": 8000}
RECORDING = "/usr/share/asterisk/sounds/en*/demo-congrats.g722"  # half a minute of speech
PREPARING = {rate: threading.Lock() for rate in RATES.values()}
REFERENCE = {codec: threading.Lock() for codec in RATES}


def cases():
    for sound in ("tone", "speech"):
        for codec in audio.CODECS:
            for loss, jitter in NETWORKS:
                yield audio.room_case("vmr", codec, 4, mode=sound, loss=loss, jitter=jitter, warmup=5, seconds=10,
                                      extra=f" {sound}, loss {loss} %, jitter {jitter} ms")


def measure(build, case):
    if case.settings["mode"] == "tone":
        return audio.measure(build, case.settings)
    settings = case.settings
    heard = record(build, settings, f"loss-{settings['loss']}-jitter-{settings['jitter']}")
    return run_program(build, "sound-compare", {"reference": reference(build, settings), "heard": heard,
                                                "rate": RATES[settings["codec"]]}, 60)


def record(build, settings, name):
    """What a listener hears of the speaker, as a file."""
    folder = build / "recordings"
    folder.mkdir(exist_ok=True)
    path = folder / f"{settings['codec']}-{name}.f32"
    audio.measure(build, {**settings, "speech": speech(folder, RATES[settings["codec"]]), "record": path})
    return path


def reference(build, settings):
    """What is heard where nothing is lost, once for all."""
    with REFERENCE[settings["codec"]]:
        path = build / "recordings" / f"{settings['codec']}-reference-{os.getpid()}.f32"
        if not path.exists():
            for old in path.parent.glob(f"{settings['codec']}-reference-*"):
                old.unlink()
            record(build, {**settings, "loss": 0, "jitter": 0}, path.stem.removeprefix(settings["codec"] + "-"))
        return path


def speech(folder, rate):
    with PREPARING[rate]:
        path = folder / f"speech-{rate}.f32"
        if path.exists():
            return path
        recordings = sorted(glob.glob(RECORDING))
        if not recordings:
            raise Failed("no recording of speech: asterisk-core-sounds-en-g722 is missing")
        half = pathlib.Path(str(path) + ".part")
        done = subprocess.run(
            ["gst-launch-1.0", "-q", "pushfilesrc", f"location={recordings[0]}", "time-segment=true", "!",
             "audio/G722,rate=16000,channels=1", "!", "avdec_g722", "!", "audioconvert", "!", "audioresample", "!",
             f"audio/x-raw,format=F32LE,rate={rate},channels=1", "!", "filesink", f"location={half}"],
            capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise Failed(f"no speech: {done.stderr[-200:]}")
        return half.rename(path)


def snr(result):
    return result["snr_db"] if "snr_db" in result else result["segmental_snr_db"]


def line(result):
    return (f"gap {result['gap_percent']:.1f} %, longest {result['longest_gap_ms']:.0f} ms, "
            f"{result['gaps_per_minute']:.0f} a minute, level {result['level_dbfs']:.1f} dBFS, SNR {snr(result):.1f} dB")


def table(entries):
    def row(entry):
        settings, result = entry.case.settings, entry.median()
        what = [settings["mode"], audio.CODECS[settings["codec"]], f"{settings['loss']} %, {settings['jitter']} ms"]
        if result is None:
            return [*what, tables.why_not(entry), "", "", "", ""]
        return [*what, f"{result['gap_percent']:.1f} %", f"{result['longest_gap_ms']:.0f} ms",
                f"{result['gaps_per_minute']:.0f}", f"{result['level_dbfs']:.1f} dBFS", f"{snr(result):.1f} dB"]
    return tables.table(["sound", "codec", "loss, jitter", "share of gaps", "longest", "gaps a minute", "level",
                         "SNR (speech: segmental, against a run without loss)"], map(row, entries))
