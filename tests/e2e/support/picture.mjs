// Colours of a picture file, read by GStreamer.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

// Share (0..1) of the picture that has each colour, [r, g, b] with a tolerance.
export function pictureShares(png, colours) {
  execFileSync('gst-launch-1.0', ['-q', 'filesrc', `location=${png}`, '!', 'pngdec', '!', 'videoconvert', '!', 'videoscale',
    'add-borders=false', '!', 'video/x-raw,format=RGBx,width=160,height=90', '!', 'filesink', `location=${png}.raw`]);
  const pixels = readFileSync(`${png}.raw`);
  return colours.map((colour) => {
    let hits = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      if (colour.every((part, k) => Math.abs(part - pixels[i + k]) < 60)) hits++;
    }
    return hits / (160 * 90);
  });
}
