// Browsers as participants: each sends a tone and a plain colour instead of microphone and camera, and measures what it
// gets: the spectrum of the room's sound, the pixels of the room's picture.
import puppeteer from 'puppeteer-core';
import { until } from './until.mjs';

const chromiumArguments = [
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

export function launchChromium() {
  return puppeteer.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', ...chromiumArguments] });
}

export function launchFirefox() {
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.autoplay.default': 0,
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  });
}

// Runs in the page before its own scripts. One AudioContext serves the tone and the measuring.
function instrument({ frequency, colour }) {
  const context = new AudioContext();
  const makeStream = (wants, paint) => {
    const stream = new MediaStream();
    if (wants.audio) {
      const oscillator = new OscillatorNode(context, { frequency });
      const gain = new GainNode(context, { gain: 0.25 });
      const destination = context.createMediaStreamDestination();
      oscillator.connect(gain).connect(destination);
      oscillator.start();
      stream.addTrack(destination.stream.getAudioTracks()[0]);
    }
    if (wants.video) {
      const canvas = document.createElement('canvas');
      canvas.width = 640;
      canvas.height = 360;
      const drawing = canvas.getContext('2d');
      let frame = 0;
      setInterval(() => {
        drawing.fillStyle = paint;
        drawing.fillRect(0, 0, 640, 360);
        drawing.fillStyle = frame++ % 2 ? '#777' : '#888'; // something must change, or nothing is sent
        drawing.fillRect(0, 0, 8, 8);
      }, 66);
      stream.addTrack(canvas.captureStream(15).getVideoTracks()[0]);
    }
    return stream;
  };
  navigator.mediaDevices.getUserMedia = async (wants) => makeStream(wants, colour);
  navigator.mediaDevices.getDisplayMedia = async () => makeStream({ video: true }, '#00ffff');

  const analysers = new Map();
  const streams = () => [...document.querySelectorAll('audio, video')]
    .filter((element) => !element.matches('[data-testid=self-video], [data-testid=preview-video]'))
    .map((element) => element.srcObject).filter((stream) => stream?.getAudioTracks().length);
  window.probe = {
    // Level of each frequency in dB of full scale, as heard now.
    tones(frequencies) {
      context.resume();
      for (const stream of streams()) {
        const track = stream.getAudioTracks()[0];
        if (!analysers.has(track.id)) {
          const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0.3 });
          context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
          analysers.set(track.id, analyser);
        }
      }
      const levels = frequencies.map(() => -200);
      for (const analyser of analysers.values()) {
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        frequencies.forEach((hertz, i) => {
          const bin = Math.round((hertz * analyser.fftSize) / context.sampleRate);
          for (const near of [bin - 1, bin, bin + 1]) levels[i] = Math.max(levels[i], bins[near]);
        });
      }
      return levels;
    },
    // Share of the picture (0..1) that has each colour, [r, g, b] with a tolerance.
    colours(colours, testid = 'room-video') {
      const video = document.querySelector(`[data-testid=${testid}]`);
      if (!video || !video.videoWidth) return colours.map(() => 0);
      const canvas = document.createElement('canvas');
      canvas.width = 160;
      canvas.height = 90;
      const drawing = canvas.getContext('2d', { willReadFrequently: true });
      drawing.drawImage(video, 0, 0, 160, 90);
      const pixels = drawing.getImageData(0, 0, 160, 90).data;
      return colours.map((colour) => {
        let hits = 0;
        for (let i = 0; i < pixels.length; i += 4) {
          if (colour.every((part, k) => Math.abs(part - pixels[i + k]) < 60)) hits++;
        }
        return hits / (160 * 90);
      });
    },
  };
}

export const colours = { red: [255, 0, 0], green: [0, 160, 0], blue: [0, 0, 255], cyan: [0, 255, 255] };
export const css = (colour) => `rgb(${colour.join(',')})`;

export class Person {
  static async open(browser, { frequency, colour }) {
    const person = new Person();
    person.context = await browser.createBrowserContext();
    person.page = await person.context.newPage();
    await person.page.setViewport({ width: 1280, height: 720 });
    person.log = [];
    person.page.on('console', (line) => person.log.push(line.text()));
    person.page.on('pageerror', (problem) => person.log.push(String(problem)));
    await person.page.evaluateOnNewDocument(instrument, { frequency, colour: css(colour) });
    return person;
  }

  get(testid) {
    return this.page.locator(`[data-testid=${testid}]`);
  }

  async join(url, room, { name, pin, query = '' }) {
    await this.page.goto(`${url}/join/${room}${query}`);
    await this.get('join-name').fill(name);
    if (pin !== undefined) await this.get('join-pin').fill(pin);
    await this.get('join-button').click();
  }

  state(name, milliseconds = 15_000) {
    return until(async () => (await this.data('state')) === name, milliseconds,
      async () => `state ${await this.data('state')} ${this.log.slice(-5).join(' | ')}`);
  }

  data(name) {
    return this.page.evaluate((key) => document.documentElement.dataset[key], name);
  }

  tones(frequencies) {
    return this.page.evaluate((list) => window.probe.tones(list), frequencies);
  }

  // Hears each of `these` and none of `those`.
  hears(these, those = [], milliseconds = 15_000) {
    let last;
    return until(async () => {
      last = await this.tones([...these, ...those]);
      return last.slice(0, these.length).every((level) => level > -55) && last.slice(these.length).every((level) => level < -65);
    }, milliseconds, () => `${[...these, ...those]} Hz at ${last} dB`);
  }

  sees(these, those = [], testid = 'room-video', milliseconds = 15_000) {
    let last;
    return until(async () => {
      last = await this.page.evaluate(([list, id]) => window.probe.colours(list, id), [[...these, ...those], testid]);
      return last.slice(0, these.length).every((share) => share > 0.05) && last.slice(these.length).every((share) => share < 0.01);
    }, milliseconds, () => `shares ${last}`);
  }

  close() {
    return this.context.close();
  }
}
