// A vmrd that a carrier's telephones reach: an open room, one with PINs, and the reception.
import assert from 'node:assert/strict';
import { Baresip } from './baresip.mjs';
import { until } from './until.mjs';
import { Vmrd } from './vmrd.mjs';

export const carrier = '127.0.0.2';
export const reception = '+15550199';

export class Phones {
  opened = []; // whatever ends with the test

  async start() {
    this.vmrd = await Vmrd.start(`
[[rooms]]
id = "meet"
numbers = ["1000"]
[[rooms]]
id = "board"
numbers = ["2000"]
guests_allowed = true
host_pin = "482915"
guest_pin = "730164"
[[trunks]]
name = "carrier"
addresses = ["${carrier}"]
[trunks.numbers]
"+15550100" = "meet"
"+15550120" = "board"
"${reception}" = "reception"
`);
    return this.vmrd;
  }

  async call(name, frequency, number, more = {}) {
    const one = await Baresip.start({ name, frequency, address: carrier, ...more });
    this.opened.push(one);
    await one.dial(this.vmrd.sipUri(number));
    assert.ok(one.established(), one.output);
    return one;
  }

  async host(name, frequency) {
    const host = await this.call(name, frequency, '+15550120');
    await this.state(name, 'pin');
    await host.press('482915#');
    assert.equal((await this.state(name, 'in_room')).role, 'host');
    return host;
  }

  state(name, wanted, room = 'board', milliseconds = 10_000) {
    let last;
    return until(async () => {
      last = await this.vmrd.participant(room, name);
      return last?.state === wanted && last;
    }, milliseconds, () => `${JSON.stringify(last)}\n${this.vmrd.output.slice(-800)}`);
  }

  record(name) {
    return until(() => this.vmrd.calls().find((call) => call.name === name && call.end_cause !== 'transferred'), 10_000,
      () => JSON.stringify(this.vmrd.calls().map((call) => [call.name, call.end_cause])));
  }

  async hangUp() {
    await Promise.all(this.opened.map((one) => one.stop()));
    this.opened = [];
    const empty = async (room) => (await this.vmrd.participants(room)).length === 0;
    await until(async () => (await empty('board')) && (await empty('meet')), 10_000);
  }
}
