"""What a room does to a picture: each frame a viewer sees beside the very one that the camera saw."""
from harness import Case, run_program
from sections import tables

NAME, TITLE, ROUNDS, TOGETHER = "picture", "A numbered clip through a room: camera's H.264, vmr-mixer, viewer's H.264", 1, 1


def cases():
    for width, height, camera, viewer in ((1280, 720, 2500, 1500), (1280, 720, 2500, 300), (640, 360, 1000, 1000)):
        yield Case(f"{width} × {height}, camera {camera} kbit/s, viewer {viewer} kbit/s",
                   {"width": width, "height": height, "camera-kbits": camera, "viewer-kbits": viewer})


def measure(build, case):
    return run_program(build, "picture-quality", case.settings, 60)


def line(result):
    return (f"PSNR {result['psnr_db']:.1f} dB (worst {result['worst_psnr_db']:.1f}), SSIM {result['ssim']:.4f}, of it the "
            f"camera's encoder {result['camera']['psnr_db']:.1f} dB, {result['camera']['ssim']:.4f}; "
            f"{result['shown_per_second']:.1f} frames a second shown")


def table(entries):
    def row(entry):
        result = entry.median()
        if result is None:
            return [entry.case.name, tables.why_not(entry), "", "", "", ""]
        camera = result["camera"]
        return [entry.case.name, f"{camera['psnr_db']:.1f} dB, {camera['ssim']:.4f}",
                f"{result['psnr_db']:.1f} dB, {result['ssim']:.4f}", f"{result['worst_psnr_db']:.1f} dB",
                f"{result['shown_per_second']:.1f}"]
    return tables.table(["picture", "after the camera's encoder: Y-PSNR, SSIM", "at the viewer", "worst frame",
                         "frames a second, of 30"], map(row, entries))
