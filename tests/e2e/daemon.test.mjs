// The daemon itself: mistakes are found before the start, a crash loses no record, SIGHUP reads the configuration again, SIGTERM says goodbye.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { SipCaller } from './support/sip_caller.mjs';
import { until } from './support/until.mjs';
import { Vmrd, program } from './support/vmrd.mjs';

let vmrd;

before(async () => {
  vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
`, { sipKeys: 'unknown_to_reception = false' });
});

after(() => vmrd?.stop());

// `--check`, and a start: the same words, and the same exit status.
const checked = (text, ...options) => {
  const folder = mkdtempSync(join(tmpdir(), 'vmr-check-'));
  const file = join(folder, 'bad.toml');
  writeFileSync(file, text.replaceAll('FOLDER', vmrd.folder));
  return spawnSync(program, ['--config', file, ...options], { encoding: 'utf8', timeout: 20_000 });
};
const records = '[records]\npath = "/nowhere/calls.jsonl"\n';
for (const [what, text, expected] of [
  ['no records', '[[rooms]]\nid = "meet"\n', /^bad\.toml:1: records\.path: a file for the call records is needed$/m],
  ['a setting that is none', `${records}[[trunks]]\nname = "a"\naddresses = ["192.0.2.1"]\nhold = "never"\n`, /^bad\.toml:6: trunks\[0\]\.hold: /m],
  ['a proxy with a user', `${records}[[trunks]]\nname = "a"\nproxies = [\n"sip:gw.example",\n"sip:me@gw.example"]\n`,
    /^bad\.toml:7: trunks\[0\]\.proxies\[1\]: not a SIP URI without a user/m],
  ['a registration without an account', `${records}[[trunks]]\nname = "a"\nprofile = "sip-provider"\nproxies = ["sip:gw.example"]\n`,
    /^bad\.toml:\d: trunks\[0\]\.register: needs proxies, account and password$/m],
  ['two trunks with one user', `${records}${['a', 'b'].map((name) => `[[trunks]]\nname = "${name}"\nusername = "u"\nsecret = "s"\n`).join('')}`,
    /^bad\.toml:9: trunks\[1\]\.username: belongs to another trunk, too$/m],
  ['a number that is none', `${records}[[rooms]]\nid = "meet"\n[[trunks]]\nname = "a"\naddresses = ["192.0.2.1"]\n[trunks.numbers]\n"x" = "meet"\n`,
    /^bad\.toml:9: trunks\[0\]\.numbers\.x: not a telephone number/m],
  ['a Contact that the certificate does not name',
    `${records}[sip]\ncertificate = "FOLDER/sip.crt"\nkey = "FOLDER/sip.key"\n[[trunks]]\nname = "a"\nprofile = "teams-direct-routing"\ncontact_host = "sbc.example"\n`,
    /^bad\.toml:9: trunks\[0\]\.contact_host: "sbc\.example" is no name of the certificate of \[sip\]$/m],
  ['a domain that is none', `${records}[[dial_out.rules]]\nname = "a"\ndomains = ["*"]\n`, /^bad\.toml:5: dial_out\.rules\[0\]\.domains\[0\]: not a domain/m],
]) {
  test(`--check finds ${what}, where it stands, as a start does`, () => {
    const [found, started] = [checked(text, '--check'), checked(text)];
    assert.equal(found.status, 2, found.stdout + found.stderr);
    assert.match(found.stderr, expected);
    assert.equal(started.status, 2, started.stdout + started.stderr);
    assert.equal(started.stderr, found.stderr);
  });
}

test('options of the self-contained mode beside --config are refused, not ignored', () => {
  for (const option of [['--lan'], ['--state', vmrd.folder]]) {
    const { status, stderr } = spawnSync(program, ['--config', vmrd.config, '--check', ...option], { encoding: 'utf8', timeout: 20_000 });
    assert.ok(status > 100, String(status));
    assert.match(stderr, new RegExp(`--config excludes ${option[0]}`));
  }
});

test('a folder is no configuration', () => {
  const { status, stderr } = spawnSync(program, ['--config', vmrd.folder, '--check'], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 2);
  assert.equal(stderr, `${vmrd.folder}: cannot be read\n`);
});

test('--check of the configuration in use finds nothing', () => {
  const found = spawnSync(program, ['--config', vmrd.config, '--check'], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(found.status, 0, found.stderr);
});

const trunk = (name, number) => `
[[trunks]]
name = "${name}"
addresses = ["127.0.0.1"]
[trunks.numbers]
"${number}" = "meet"
`;

async function call(user, room = 'meet') {
  const caller = await SipCaller.start({ user, port: vmrd.sip });
  const answer = await caller.invite(`sip:${room}@127.0.0.1:${vmrd.sip}`);
  return { caller, answer };
}

test('a record of a call that a crash cut off is closed by the next start', async () => {
  const { caller } = await call('crash');
  await until(() => caller.received > 5);
  assert.equal(await vmrd.stop('SIGKILL'), 'SIGKILL');
  assert.deepEqual(vmrd.calls(), []);
  caller.close();
  await vmrd.run();
  const records = await until(() => vmrd.calls().length > 0 && vmrd.calls());
  assert.equal(records.length, 1);
  assert.equal(records[0].end_cause, 'crash');
  assert.equal(records[0].name, 'crash');
});

test('SIGHUP: a new room can be called, one with a mistake changes nothing', async () => {
  assert.equal((await call('early', 'later')).answer.status, 404);
  appendFileSync(vmrd.config, '\n[[rooms]]\nid = "later"\n');
  vmrd.process.kill('SIGHUP');
  await until(async () => (await vmrd.api('GET', '/rooms/later')).status === 200);
  const { caller, answer } = await call('late', 'later');
  assert.equal(answer.status, 200);
  appendFileSync(vmrd.config, '\n[[rooms]]\nid = "wrong"\nhost_pin = 123456\nguest_pin = 1234\n');
  vmrd.process.kill('SIGHUP');
  for (const pin of ['host_pin', 'guest_pin']) {
    await until(() => vmrd.output.split('\n').some((line) => line.includes('event="the configuration in use stays"')
      && line.includes(`rooms[2].${pin}: must be text, { file = … } or { env = … }`)), 5_000, () => vmrd.output);
  }
  assert.equal((await vmrd.api('GET', '/rooms/wrong')).status, 404);
  await caller.hangup();
  caller.close();
});

test('SIGHUP: trunks come, change and go; calls of one that is gone go on', async () => {
  const before = readFileSync(vmrd.config, 'utf8').replace(/\[\[rooms\]\]\nid = "wrong"[^[]*/, '');
  const reload = async (extra) => {
    const reloads = () => vmrd.output.split('configuration reloaded').length;
    const count = reloads();
    writeFileSync(vmrd.config, before + extra);
    vmrd.process.kill('SIGHUP');
    await until(() => reloads() > count, 5_000, () => vmrd.output);
  };
  const numbers = async () => (await vmrd.api('GET', '/status')).body.numbers;
  assert.equal((await call('before', '+4930111')).answer.status, 404);

  await reload(trunk('carrier', '+4930111'));
  assert.deepEqual(await numbers(), ['+4930111']);
  const { caller, answer } = await call('dialled', '+4930111');
  assert.equal(answer.status, 200);
  assert.equal((await until(() => vmrd.participant('meet', 'dialled'))).leg, 'phone');
  assert.equal((await call('other', '+4930222')).answer.status, 404);

  await reload(trunk('carrier', '+4930222'));
  assert.equal((await call('old', '+4930111')).answer.status, 404);
  const second = await call('second', '+4930222');
  assert.equal(second.answer.status, 200);

  await reload('');
  assert.deepEqual(await numbers(), []);
  assert.equal((await call('late', '+4930222')).answer.status, 404);
  const received = caller.received;
  await until(() => caller.received > received + 20);
  for (const one of [caller, second.caller]) {
    assert.equal((await one.hangup()).status, 200);
    one.close();
  }
  const ended = vmrd.calls().filter((record) => record.trunk === 'carrier' && record.admitted);
  assert.deepEqual(ended.map((record) => [record.name, record.end_cause]), [['dialled', 'normal'], ['second', 'normal']]);
});

test('SIGHUP: what cannot change while running stays, and each such key is named', async () => {
  const before = readFileSync(vmrd.config, 'utf8');
  const changed = before.replace('[sip]\n', '[sip]\ndomain = "other.example"\n')
    .replace(/admin_token = ".*"/, `admin_token = "${'another'.repeat(6)}"`) + '[[rooms]]\nid = "beside"\n';
  writeFileSync(vmrd.config, changed);
  vmrd.process.kill('SIGHUP');
  await until(async () => (await vmrd.api('GET', '/rooms/beside')).status === 200, 5_000, () => vmrd.output);
  const named = [...vmrd.output.matchAll(/event="a change needs a restart" key=(\S+)/g)].map(([, key]) => key);
  assert.deepEqual(named, ['http.admin_token', 'sip.domain']);
  assert.doesNotMatch(vmrd.output, /anotheranother/);
  writeFileSync(vmrd.config, before);
});

test('the hang-up is acknowledged when the record is on disk', async () => {
  const { caller } = await call('tidy');
  await until(() => caller.received > 5);
  assert.equal((await caller.hangup()).status, 200);
  assert.ok(vmrd.calls().some((one) => one.name === 'tidy' && one.end_cause === 'normal'), JSON.stringify(vmrd.calls()));
  caller.close();
});

test('SIGTERM: who is in a call is told, and the process ends well', async () => {
  const { caller } = await call('last');
  await until(() => caller.received > 5);
  const stopped = vmrd.stop('SIGTERM');
  await caller.ended();
  caller.close();
  assert.equal(await stopped, 0);
  assert.ok(vmrd.calls().some((one) => one.name === 'last' && one.end_cause === 'shutdown'));
});
