// A room's events as they come, over the API's WebSocket; without a room those of the devices that register.
import WebSocket from 'ws';
import { adminToken } from './vmrd.mjs';
import { until } from './until.mjs';

export class Events {
  static async open(vmrd, room) {
    const events = new Events();
    events.list = [];
    events.socket = new WebSocket(`${vmrd.url.replace('http', 'ws')}/api/v1/events${room ? `?room=${room}` : ''}`, ['vmr.events', `vmr.bearer.${adminToken}`]);
    events.socket.on('message', (data) => events.list.push(JSON.parse(data)));
    await new Promise((resolve, reject) => events.socket.once('open', resolve).once('error', reject));
    return events;
  }

  announced(kind, to) {
    return until(() => this.list.find((event) => event.type === 'vmr.announcement' && event.data.kind === kind && event.data.to === to), 5000,
      () => JSON.stringify(this.list));
  }

  async stop() {
    this.socket.terminate();
  }
}
