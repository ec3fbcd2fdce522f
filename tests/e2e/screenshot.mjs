// The README's picture of a meeting: node screenshot.mjs ../../docs/meeting.png
import { launchChromium, Person, colours } from './support/browser.mjs';
import { Vmrd } from './support/vmrd.mjs';

// Instead of a camera: a drawn person before a wall, who moves a little.
function drawnCamera({ wall, shirt, skin, hair, loud }) {
  navigator.mediaDevices.getUserMedia = async (wants) => {
    const stream = new MediaStream();
    if (wants.audio) {
      const context = new AudioContext();
      const tone = new OscillatorNode(context, { frequency: 300 });
      const destination = context.createMediaStreamDestination();
      tone.connect(new GainNode(context, { gain: loud ? 0.25 : 0 })).connect(destination);
      tone.start();
      stream.addTrack(destination.stream.getAudioTracks()[0]);
    }
    if (wants.video) {
      const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
      const pen = canvas.getContext('2d');
      const shape = (colour, draw) => {
        pen.fillStyle = colour;
        pen.beginPath();
        draw();
        pen.fill();
      };
      setInterval(() => {
        const sway = Math.sin(performance.now() / 700) * 6;
        const light = pen.createLinearGradient(0, 0, 1280, 720);
        light.addColorStop(0, wall[0]);
        light.addColorStop(1, wall[1]);
        pen.fillStyle = light;
        pen.fillRect(0, 0, 1280, 720);
        shape('rgba(255,255,255,.16)', () => pen.roundRect(860, 70, 260, 330, 14));
        shape(shirt, () => pen.ellipse(640 + sway / 2, 800, 330, 290, 0, 0, 7));
        shape(skin, () => pen.roundRect(580 + sway, 430, 120, 130, 50));
        shape(hair, () => pen.ellipse(640 + sway, 285, 165, 180, 0, 0, 7));
        shape(skin, () => pen.ellipse(640 + sway, 335, 135, 165, 0, 0, 7));
        shape('#222', () => [590, 690].forEach((x) => { pen.moveTo(x + sway, 320); pen.arc(x + sway, 320, 11, 0, 7); }));
        pen.lineWidth = 9;
        pen.lineCap = 'round';
        pen.strokeStyle = '#7a2e2e';
        pen.beginPath();
        pen.arc(640 + sway, 385, 50, 0.3, Math.PI - 0.3);
        pen.stroke();
      }, 66);
      stream.addTrack(canvas.captureStream(15).getVideoTracks()[0]);
    }
    return stream;
  };
}

const people = [
  ['Amira Haddad', { wall: ['#3f6f8f', '#23425a'], shirt: '#d8a13a', skin: '#c98f65', hair: '#2b1c17', loud: true }],
  ['Jonas Weber', { wall: ['#7c8a6a', '#4a5a3f'], shirt: '#33475f', skin: '#f0c3a0', hair: '#a8763e' }],
  ['Mei Tanaka', { wall: ['#a98fb8', '#5f4a73'], shirt: '#e8e6e1', skin: '#efc9a6', hair: '#15151b' }],
  ['Lena Novak', { wall: ['#c08a6e', '#7a4f3d'], shirt: '#2f6f62', skin: '#f2cbb0', hair: '#6b2f1d' }],
];

const vmrd = await Vmrd.start('[[rooms]]\nid = "standup"\ntitle = "Monday stand-up"\nlayout = "equal"\n');
const chromium = await launchChromium();
try {
  let viewer;
  for (const [name, look] of people) {
    viewer = await Person.open(chromium, { frequency: 300, colour: colours.red });
    await viewer.page.evaluateOnNewDocument(drawnCamera, look);
    await viewer.join(vmrd.url, 'standup', { name });
    await viewer.state('in_room');
  }
  await viewer.openPeople();
  await viewer.flag('Amira Haddad', 'talking', true);
  await viewer.page.waitForSelector('[data-testid=toast]', { hidden: true, timeout: 20_000 });
  await viewer.page.screenshot({ path: process.argv[2] });
} finally {
  await chromium.close();
  await vmrd.stop();
}
