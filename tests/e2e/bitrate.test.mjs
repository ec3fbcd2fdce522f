// A browser sends no more of its camera than the room shows of it.
import { after, before, test } from 'node:test';
import { launchChromium, Person, colours } from './support/browser.mjs';
import { until } from './support/until.mjs';
import { Vmrd } from './support/vmrd.mjs';

let vmrd, chromium;

before(async () => {
  vmrd = await Vmrd.start('[[rooms]]\nid = "meet"\nlayout = "equal"\n');
  chromium = await launchChromium();
});
after(async () => {
  await chromium?.close();
  await vmrd?.stop();
});

async function come(name, camera) {
  const person = await Person.open(chromium, camera);
  await person.join(vmrd.url, 'meet', { name });
  await person.state('in_room');
  return person;
}

// kbit/s of video, sent within two seconds.
const sent = (person) => person.page.evaluate(async () => {
  const bytes = async () => [...(await window.probe.peers.at(-1).getStats()).values()]
    .reduce((sum, one) => sum + (one.type === 'outbound-rtp' && one.kind === 'video' ? one.bytesSent : 0), 0);
  const before = await bytes();
  const begun = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  return (8 * ((await bytes()) - before)) / (performance.now() - begun);
});

async function sends(person, enough, milliseconds) {
  let last;
  await until(async () => enough(last = await sent(person)), milliseconds, () => `${Math.round(last)} kbit/s`);
  console.log(`${Math.round(last)} kbit/s`);
}

test('a camera that nobody sees sends little, and much again when somebody does', async () => {
  const ben = await come('Ben', { frequency: 1100, colour: colours.magenta });
  const anna = await come('Anna', { frequency: 700, colour: colours.red, busy: true });
  await sends(anna, (kbits) => kbits > 450, 40_000);
  await ben.page.close();
  // 150 kbit/s for the picture, and what a REMB leaves for sound.
  await sends(anna, (kbits) => kbits > 10 && kbits < 260, 60_000);
  await come('Berta', { frequency: 900, colour: colours.green });
  await sends(anna, (kbits) => kbits > 450, 60_000);
});
