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
      'media.autoplay.blocking_policy': 0,
      'media.autoplay.block-webaudio': false,
      'media.cubeb.force_mock_context': true, // no sound card: an AudioContext never starts without one
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  });
}

// Runs in the page before its own scripts. One AudioContext serves the tone and the measuring.
function instrument({ frequency, colour, relay, clock, busy }) {
  const context = new AudioContext();
  void context.resume();
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
      if (busy) {
        // Noise: takes whatever bits there are.
        const noise = new OffscreenCanvas(160, 90);
        const paper = noise.getContext('2d');
        const grains = paper.createImageData(160, 90);
        const numbers = new Uint32Array(grains.data.buffer);
        setInterval(() => {
          for (let i = 0; i < numbers.length; i++) numbers[i] = (Math.random() * 0x1000000) | 0xff000000;
          paper.putImageData(grains, 0, 0);
          drawing.drawImage(noise, 0, 0, 640, 360);
        }, 1000 / 15);
      } else if (clock) {
        // Thirty pictures a second that differ: each shows its number, one bit a column, black or white.
        setInterval(() => {
          frame++;
          for (let bit = 0; bit < 8; bit++) {
            drawing.fillStyle = frame & (1 << bit) ? '#fff' : '#000';
            drawing.fillRect(bit * 80, 0, 80, 360);
          }
        }, 1000 / 30);
      } else setInterval(() => {
        drawing.fillStyle = paint;
        drawing.fillRect(0, 0, 640, 360);
        drawing.fillStyle = frame++ % 2 ? '#777' : '#888'; // something must change, or nothing is sent
        drawing.fillRect(0, 0, 8, 8);
      }, 66);
      stream.addTrack(canvas.captureStream(clock ? 30 : 15).getVideoTracks()[0]);
    }
    return stream;
  };
  // Every connection and socket of the page: to count offers, to cut, and to listen past the page.
  const peers = [];
  const sockets = [];
  const PeerConnection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends PeerConnection {
    constructor(configuration, ...more) {
      super(relay ? { ...configuration, iceTransportPolicy: 'relay' } : configuration, ...more);
      peers.push(this);
    }
  };
  const Socket = window.WebSocket;
  window.WebSocket = class extends Socket {
    constructor(...options) {
      super(...options);
      sockets.push(this);
      this.bearer = [options[1]].flat().find((one) => one?.startsWith('vmr.bearer.'))?.slice('vmr.bearer.'.length);
    }
    send(data) {
      if (typeof data === 'string' && data.startsWith('{"type":"offer"')) {
        window.probe.offers++;
        if (window.forge) data = JSON.stringify({ type: 'offer', sdp: window.forge(JSON.parse(data).sdp) });
      }
      super.send(data);
    }
  };
  navigator.mediaDevices.getUserMedia = async (wants) => makeStream(wants, colour);
  navigator.mediaDevices.getDisplayMedia = async () => makeStream({ video: true }, '#00ffff');

  const analysers = new Map();
  const streams = () => [...document.querySelectorAll('audio, video')]
    .filter((element) => !element.matches('[data-testid=self-video], [data-testid=preview-video]'))
    .map((element) => element.srcObject).filter((stream) => stream?.getAudioTracks().length);
  const spectrum = (analyser, frequencies) => {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    return frequencies.map((hertz) => {
      const bin = Math.round((hertz * analyser.fftSize) / context.sampleRate);
      return Math.max(bins[bin - 1], bins[bin], bins[bin + 1]);
    });
  };
  const analyse = (track) => {
    if (!analysers.has(track.id)) {
      const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0.3 });
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      analysers.set(track.id, analyser);
    }
    return analysers.get(track.id);
  };
  const screens = new Map();
  const screen = (track) => {
    if (!screens.has(track.id)) {
      const element = document.createElement('video');
      element.muted = true;
      element.srcObject = new MediaStream([track]);
      void element.play();
      screens.set(track.id, element);
    }
    return screens.get(track.id);
  };
  const shares = (video, wanted) => {
    if (!video?.videoWidth) return wanted.map(() => 0);
    const canvas = document.createElement('canvas');
    canvas.width = 160;
    canvas.height = 90;
    const drawing = canvas.getContext('2d', { willReadFrequently: true });
    drawing.drawImage(video, 0, 0, 160, 90);
    const pixels = drawing.getImageData(0, 0, 160, 90).data;
    return wanted.map((colour) => {
      let hits = 0;
      for (let i = 0; i < pixels.length; i += 4) {
        if (colour.every((part, k) => Math.abs(part - pixels[i + k]) < 60)) hits++;
      }
      return hits / (160 * 90);
    });
  };
  const receivers = (kind) => peers.filter((peer) => peer.connectionState !== 'closed')
    .flatMap((peer) => peer.getReceivers()).map((receiver) => receiver.track).filter((track) => track.kind === kind);
  window.probe = {
    offers: 0,
    peers,
    sockets,
    // What arrives from the network, whatever the page shows of it: the loudest of each tone and the most of each
    // colour within the time.
    async arrives(frequencies, wanted, milliseconds) {
      context.resume();
      const loudest = frequencies.map(() => -200);
      const most = wanted.map(() => 0);
      const end = performance.now() + milliseconds;
      while (performance.now() < end) {
        for (const track of receivers('audio')) {
          spectrum(analyse(track), frequencies).forEach((level, i) => (loudest[i] = Math.max(loudest[i], level)));
        }
        for (const track of receivers('video')) {
          shares(screen(track), wanted).forEach((share, i) => (most[i] = Math.max(most[i], share)));
        }
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
      return { loudest, most };
    },
    // From now on, until steadiness() is asked: the longest silence of a tone, the longest stop of the picture (both in
    // milliseconds), the packets lost.
    async watch(frequency) {
      const analyser = analyse(receivers('audio')[0]);
      const video = document.querySelector('[data-testid=room-video]');
      const watched = { tone: () => spectrum(analyser, [frequency])[0] > -50 || null, picture: () => video.getVideoPlaybackQuality().totalVideoFrames };
      const gaps = { tone: 0, picture: 0 };
      const last = {};
      const timer = setInterval(() => {
        const now = performance.now();
        for (const [name, value] of Object.entries(watched)) {
          const seen = value();
          const going = name === 'tone' ? seen : seen !== last[name]?.seen;
          if (going || !last[name]) last[name] = { seen, at: now };
          gaps[name] = Math.max(gaps[name], now - last[name].at);
        }
      }, 50);
      const lost = async () => [...(await peers.at(-1).getStats()).values()]
        .reduce((sum, one) => sum + (one.type === 'inbound-rtp' ? one.packetsLost : 0), 0);
      const before = await lost();
      window.probe.steadiness = async () => {
        clearInterval(timer);
        return { ...gaps, lost: (await lost()) - before };
      };
    },
    // Within the time: how many different pictures of a `clock` the room showed, and the longest silence heard, in ms.
    async smoothness(milliseconds) {
      const video = document.querySelector('[data-testid=room-video]');
      const canvas = document.createElement('canvas');
      canvas.width = 64;
      canvas.height = 8;
      const drawing = canvas.getContext('2d', { willReadFrequently: true });
      let shown = 0, last = -1, pictures = 0, freeze = 0, since = performance.now(), over = false;
      const look = (now) => {
        if (over) return;
        pictures++;
        drawing.drawImage(video, 0, 0, 64, 8);
        const row = drawing.getImageData(0, 6, 64, 1).data; // below a name in the tile's middle, above its edge
        let number = 0;
        for (let bit = 0; bit < 8; bit++) number |= (row[(bit * 8 + 4) * 4] > 127 ? 1 : 0) << bit;
        if (number !== last) {
          shown++;
          freeze = Math.max(freeze, now - since);
          since = now;
        }
        last = number;
        video.requestVideoFrameCallback(look);
      };
      video.requestVideoFrameCallback(look);
      // Every sample that is played, 2.7 ms at a time.
      const ear = context.createScriptProcessor(256, 1, 1);
      let silent = 0, silence = 0, heard = 0;
      ear.onaudioprocess = (event) => {
        const samples = event.inputBuffer.getChannelData(0);
        const quiet = Math.sqrt(samples.reduce((sum, one) => sum + one * one, 0) / samples.length) < 0.003;
        heard++;
        silent = quiet ? silent + 1 : 0;
        silence = Math.max(silence, (silent * 256 * 1000) / context.sampleRate);
      };
      context.createMediaStreamSource(new MediaStream([receivers('audio')[0]])).connect(ear).connect(context.destination);
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      over = true;
      ear.disconnect();
      return { shown, pictures, freeze, silence, heard: (heard * 256 * 1000) / context.sampleRate };
    },
    // Level of each frequency in dB of full scale, as heard now.
    tones(frequencies) {
      context.resume();
      const levels = frequencies.map(() => -200);
      for (const stream of streams()) {
        spectrum(analyse(stream.getAudioTracks()[0]), frequencies).forEach((level, i) => (levels[i] = Math.max(levels[i], level)));
      }
      return levels;
    },
    // Share of the picture (0..1) that has each colour, [r, g, b] with a tolerance.
    colours(wanted, testid = 'room-video') {
      return shares(document.querySelector(`[data-testid=${testid}]`), wanted);
    },
  };
}

export const colours = { red: [255, 0, 0], green: [0, 160, 0], blue: [0, 0, 255], cyan: [0, 255, 255], magenta: [255, 0, 255] };
export const css = (colour) => `rgb(${colour.join(',')})`;

export class Person {
  // relay: media may go through TURN only. clock: the camera shows thirty numbered pictures a second, see smoothness().
  // busy: it shows noise.
  static async open(browser, { frequency, colour, relay = false, clock = false, busy = false }) {
    const person = new Person();
    person.context = await browser.createBrowserContext();
    person.page = await person.context.newPage();
    await person.page.setViewport({ width: 1280, height: 720 });
    person.log = [];
    person.page.on('console', (line) => person.log.push(line.text()));
    person.page.on('pageerror', (problem) => person.log.push(String(problem)));
    await person.page.evaluateOnNewDocument(instrument, { frequency, colour: css(colour), relay, clock, busy });
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

  // As a page does whose network has changed.
  restartIce() {
    return this.page.evaluate(async () => {
      const peer = window.probe.peers.at(-1);
      peer.restartIce();
      await peer.setLocalDescription();
      const leg = window.probe.sockets.findLast((one) => one.url.endsWith('/legs/webrtc'));
      leg.send(JSON.stringify({ type: 'offer', sdp: peer.localDescription.sdp }));
    });
  }

  // The way that media takes now, and what the server said of it.
  path() {
    return this.page.evaluate(async () => {
      const peer = window.probe.peers.at(-1);
      const stats = await peer.getStats();
      const all = [...stats.values()];
      const transport = all.find((one) => one.type === 'transport' && one.selectedCandidatePairId);
      const pair = transport ? stats.get(transport.selectedCandidatePairId) : all.find((one) => one.type === 'candidate-pair' && one.selected);
      const said = (what) => new RegExp(`a=${what}:(.*)`).exec(peer.remoteDescription.sdp)?.[1];
      return {
        state: peer.iceConnectionState.replace('completed', 'connected'),
        kind: pair && stats.get(pair.localCandidateId)?.candidateType,
        port: pair && stats.get(pair.remoteCandidateId)?.port,
        localPort: pair && stats.get(pair.localCandidateId)?.port,
        ufrag: said('ice-ufrag'),
        fingerprint: said('fingerprint'),
      };
    });
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

  // Nothing of these tones and colours arrives, over a time and not only at one moment: the loudest and most of each.
  // What was under way when the gate closed (jitter buffers, the analyser's memory) may end first. Hold music, and a browser that
  // stretches it to catch up, were measured at up to -68 dB at a tone's place; who hears a tone has more than -55.
  async isolated(tones, pictures, milliseconds = 1200) {
    let last;
    await until(async () => {
      last = await this.page.evaluate((...list) => window.probe.arrives(...list), tones, pictures, milliseconds);
      return last.loudest.every((level) => level < -65) && last.most.every((share) => share < 0.004);
    }, 8_000, () => `${tones} Hz at ${last.loudest} dB, colours ${last.most}`);
  }

  // How many connections and offers the page has made so far.
  offers() {
    return this.page.evaluate(() => `${window.probe.peers.length} connections, ${window.probe.offers} offers`);
  }

  click(testid) {
    return this.page.locator(`[data-testid=${testid}]`).click();
  }

  async openPeople() {
    if (!(await this.page.$('[data-testid=people-panel]'))) await this.click('people');
  }

  // The row of the roster (or of the list of who waits) with this name.
  row(name, list = 'person') {
    return `[data-testid=${list}][data-name="${name}"]`;
  }

  async flag(name, flag, value) {
    await this.openPeople();
    const row = this.row(name);
    return until(async () => (await this.page.$eval(row, (element, key) => element.dataset[key], flag).catch(() => null)) === String(value),
      10_000, () => `${name} ${flag} ${value}`);
  }

  // A host's action on one in the roster; `person-remove` asks first.
  async act(name, action) {
    await this.openPeople();
    await this.page.locator(`${this.row(name)} [data-testid=person-menu]`).click();
    await this.page.locator(`[data-testid=${action}]`).click();
    if (action === 'person-remove') await this.click('confirm-yes');
  }

  async answerWaiting(name, action) {
    await this.openPeople();
    await this.page.locator(`${this.row(name, 'waiting-person')} [data-testid=${action}]`).click();
  }

  async leave() {
    await this.click('leave');
    await this.click('confirm-yes');
    await this.state('left');
  }

  left(cause) {
    return until(async () => (await this.page.$eval('[data-testid=left]', (element) => element.dataset.cause).catch(() => null)) === cause,
      15_000, async () => `left with ${cause}; now ${await this.data('state')} ${await this.page.$eval('[data-testid=left]', (element) => element.dataset.cause).catch(() => '')}`);
  }

  // The connection breaks without a word, as when a cable is pulled: what the page has open is dead from now on.
  cut() {
    return this.page.evaluate(() => {
      for (const socket of window.probe.sockets) socket.close();
    });
  }

  close() {
    return this.context.close();
  }
}
